# SPDX-License-Identifier: BSD-2-Clause
"""Unified images as the kernel of an entry: the booted system's report, and the refusals."""

import hashlib
import subprocess

import pytest

from conftest import DEFAULT_OPTIONS, IMAGE, INITRD, entry, files, fsverity, kernel, wait_for_report
from kexec_efi_test import uki
from kexec_efi_test.machine import FIRMWARE
from kexec_efi_test.signing import with_one_bit_flipped, without_signature
from lines import on_volume
from test_boot import packed, regions, segments
from test_habits import lz4
from test_measured_boot import expect_predicted, expect_recognised, lock
from test_sealed import loader, seal
from test_secure_boot import Platform, boot_entries, expect_locked_down, expect_refusals, refusal

MIB = 1 << 20


def sections(command_line=DEFAULT_OPTIONS, initrd=None, linux=None):
    """The sections in ukify's order. The command line ends with a line end."""
    return [(".osrel", b"ID=debian\n"), (".cmdline", f"{command_line}\n".encode()), (".uname", b"6.1"),
            (".linux", linux or kernel().read_bytes()), (".initrd", initrd or INITRD.read_bytes())]


def conf_of(*lines):
    return "\n".join(["linux /x.efi", "verbose yes", *lines, ""]).encode()


def test_initrd_stays_and_kernel_is_read_to_its_place(boot):
    """Nothing is copied without a TPM, without Secure Boot, and without .osrel, which would become an initrd as well.
    The digests are those of the files."""
    guest = boot(files({"/x.efi": uki.make(sections(f"{DEFAULT_OPTIONS}  unified")[1:])}, conf=conf_of()))
    report = wait_for_report(guest)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS}  unified"
    assert report["payload"] == "payload: OK"
    found = {name: digest.hex() for name, _, _, digest in reversed(regions(guest.log))}
    assert found["kernel"] == fsverity(kernel()) and found["initrd"] == fsverity(INITRD)
    assert segments(guest.log)["initrd"][1] == INITRD.stat().st_size


def test_profile_with_microcode_and_another_initrd(boot, tmp_path):
    """All parts are copied: .ucode precedes .initrd, and the entry's initrd follows."""
    extras = [packed(tmp_path, f"extra{number}", bytes([65 + number]) * (1001 + number)) for number in range(2)]
    image = tmp_path / "x.efi"
    image.write_bytes(uki.make([*reversed(sections("base")), (".ucode", extras[0]), (".profile", b"ID=main\n"),
                                (".profile", b"ID=test\n"), (".cmdline", f"{DEFAULT_OPTIONS} second".encode()),
                                (".profile", b"ID=other\n"), (".cmdline", b"third"), (".linux", b"other")]))
    conf = (f"uki /x.efi\nprofile 1\ninitrd /more\nverbose yes\nfsverity {fsverity(image)} /x.efi\n"
            f"sha256 {hashlib.sha256(image.read_bytes()).hexdigest()} /x.efi\n").encode()
    report = wait_for_report(boot(files({"/x.efi": image, "/more": extras[1]}, conf)))
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} second"
    assert report["payload"] == "payload: OK"
    assert report["extra"].split()[0] == hashlib.sha256(b"A" * 1001 + b"B" * 1002).hexdigest()


def without_initrd(command_line):
    return [(name, content) for name, content in sections(command_line) if name != ".initrd"]


def test_initrd_that_the_command_line_names(boot, tmp_path):
    """The image's own stub would pass initrd= to the kernel's EFI stub, which reads the file from the volume. The
    measurements are as predicted."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "x.efi").write_bytes(uki.make(without_initrd(f"initrd=\\initrd {DEFAULT_OPTIONS} initrd=/more")))
    (root / "initrd").write_bytes(INITRD.read_bytes())
    (root / "more").write_bytes(packed(tmp_path, "extra0", b"more"))
    conf = tmp_path / "my.conf"
    conf.write_bytes(conf_of())
    guest = boot(files({f"/{path.name}": path for path in root.iterdir()}, conf=conf.read_bytes()), tpm="tpm-crb")
    report = wait_for_report(guest)
    assert report["cmdline"] == f"initrd=\\initrd {DEFAULT_OPTIONS} initrd=/more"
    assert report["payload"] == "payload: OK"
    assert report["extra"].split()[0] == hashlib.sha256(b"more").hexdigest()
    expect_predicted(report, "--image", IMAGE, "--entry", conf, "--root", root)


@pytest.mark.parametrize("com, address, name", [(1, 0x3f8, "ttyS0"), pytest.param(2, 0x2f8, "ttyS1", marks=pytest.mark.matrix)])
def test_console_that_nobody_names(boot, tmp_path, com, address, name):
    """No command line names a console. Linux gets the console that the firmware writes to, and no register depends on
    that."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "x.efi").write_bytes(uki.make(sections("kexec.test")))
    conf = tmp_path / "my.conf"
    conf.write_bytes(conf_of())
    guest = boot(files({"/x.efi": root / "x.efi"}, conf=conf.read_bytes()), tpm="tpm-crb", com=com)
    report = wait_for_report(guest)
    assert report["cmdline"] == f"kexec.test console=uart,io,{address:#x}"
    assert report["console"] == name
    expect_predicted(report, "--image", IMAGE, "--entry", conf, "--root", root)


def test_consoles_beside_a_screen(boot, tmp_path):
    """Linux gets all consoles that the firmware writes to, and the screen stays the main one. Our own image as a stub
    does the same."""
    own = seal(tmp_path, "--linux", kernel(), "--initrd", INITRD, "--cmdline", "kexec.test -- x")
    guest = boot({"/EFI/BOOT/BOOTX64.EFI": own}, firmware=FIRMWARE["trixie"], display=True, extra=[
        "-device", "virtio-serial-pci", "-chardev", "null,id=hvc", "-device", "virtconsole,chardev=hvc"])
    guest.expect("Kernel command line: console=uart,io,0x3f8 console=hvc0 console=tty0 kexec.test -- x")


REFUSED = {
    "no such profile": (conf_of("profile 1"), None, r"/x\.efi: profile: expected one below 1, found 1"),
    "profile of a kernel": (entry(extra=["profile 0"]), None,
                            r"/vmlinuz: profile: expected a unified image, found a bzImage"),
    "no kernel inside": (conf_of(), lambda: uki.make(sections(linux=bytes(10000))),
                         r"/x\.efi: \.linux: (expected a kernel|no kernel:) .*"),
    "another inside": (conf_of(), lambda: uki.make(sections(linux=uki.make(sections()))),
                       r"/x\.efi: \.linux: expected a kernel, found another unified image"),
    "digest": (conf_of(f"fsverity {'0' * 64} /x.efi"), None, r"/x\.efi: fsverity mismatch: expected 0{64}, found \w{64}"),
    "initrd of .cmdline": (conf_of(), lambda: uki.make(without_initrd("initrd=/missing")),
                           "/missing: cannot open: expected a file, found NOT_FOUND" + on_volume()),
    "truncated": (conf_of(), lambda: uki.make(sections())[:-MIB],
                  r"/x\.efi: section \.initrd: expected it between 0x\w+ and 0x\w+, found 0x\w+ bytes at 0x\w+: is the "
                  r"file cut off\?"),
}


def test_refused_images(boot, boot_options, tmp_path):
    """Each image has an entry of its own. The last entry boots: its options replace .cmdline, and a warning says that
    Linux does not read all of its initrd."""
    contents = {"/vmlinuz": kernel()}
    options = []
    for number, (conf, make, _) in enumerate(REFUSED.values()):
        contents[f"/{number}/x.efi"] = make() if make else uki.make(sections())
        contents[f"/{number}/k.efi"] = IMAGE
        contents[f"/{number}/k.conf"] = conf.replace(b"/x.efi", f"/{number}/x.efi".encode())
        options.append((str(number), f"\\{number}\\k.efi"))
    good = uki.make(sections("replaced", initrd=lz4(INITRD.read_bytes()) + packed(tmp_path, "extra", b"lost")))
    guest = boot(contents | {"/EFI/BOOT/BOOTX64.EFI": IMAGE, "/x.efi": good,
                             "/EFI/BOOT/BOOTX64.conf": conf_of(f"options {DEFAULT_OPTIONS} instead")},
                 **boot_options(*options, ("good", "\\EFI\\BOOT\\BOOTX64.EFI")))
    start = 0
    for number, (_, _, line) in enumerate(REFUSED.values()):
        start = guest.expect(rf"^kexec: {line.replace('/x', f'/{number}/x')}$", start=start).end()
    report = wait_for_report(guest)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} instead"
    guest.expect(r'^kexec: /x\.efi: options of \S+ instead of its \.cmdline: "replaced"$')
    guest.expect(r"^kexec: warning: \.initrd: expected lz4 up to the end, found something else behind it: ")


SECURE_BOOT = ["snakeoil", pytest.param("trixie-snakeoil", marks=pytest.mark.matrix),
               pytest.param("strictnx-snakeoil", marks=pytest.mark.matrix), pytest.param("ms", marks=pytest.mark.matrix),
               pytest.param("trixie-ms", marks=pytest.mark.matrix)]


@pytest.mark.parametrize("name", SECURE_BOOT)
def test_secure_boot(boot, tmp_path, name):
    """One signature covers everything in the image; the kernel inside is unsigned. An unsealed entry must not add
    anything."""
    platform = Platform(name, tmp_path)
    plain = sections(linux=without_signature(kernel().read_bytes()))
    unsigned = uki.make(plain)
    names_initrd = uki.make([(name, b"initrd=/initrd" if name == ".cmdline" else content) for name, content in plain
                             if name != ".initrd"])
    signed = platform.key.sign(unsigned)
    own = platform.key.sign(seal(tmp_path, "--linux", kernel(), "--initrd", INITRD, "--cmdline", f"{DEFAULT_OPTIONS} own"))
    changed = {part: with_one_bit_flipped(signed, sum(uki.section(signed, part)) - 1) for part in (".linux", ".initrd",
                                                                                                  ".cmdline")}
    contents = {"/unsigned": unsigned, "/x.efi": signed, "/names": platform.key.sign(names_initrd), "/own": own,
                "/initrd": INITRD, **{f"/changed{part}": image for part, image in changed.items()}}
    refused = {"unsigned": (entry("/unsigned", (), None), refusal("/unsigned")),
               **{part: (entry(f"/changed{part}", (), None), refusal(f"/changed{part}")) for part in changed},
               "options": (entry("/x.efi", (), "debug"),
                           r'/x\.efi: options: expected none beside a signed \.cmdline with Secure Boot on, found '
                           r'"debug" in \S+'),
               "initrd": (entry("/x.efi", ("/initrd",), None),
                          r"/x\.efi: initrd: expected none beside a signed \.cmdline with Secure Boot on, found "
                          r"/initrd in \S+"),
               "named": (entry("/names", (), None), r"/names: \.cmdline: expected signed initrds only, found "
                         r'"initrd=/initrd", which the kernel\'s EFI stub would read')}
    image = platform.key.sign(IMAGE)
    guest = boot_entries(boot, platform, {label: (image, conf) for label, (conf, _) in refused.items()} |
                         {"good": (image, entry("/own" if name == "snakeoil" else "/x.efi", (), None))}, contents)
    expect_refusals(guest, [line for _, line in refused.values()])
    report = wait_for_report(guest)
    expect_locked_down(report)
    assert report["cmdline"] == DEFAULT_OPTIONS + (" own" if name == "snakeoil" else "")


def test_sealed_entry_adds_to_an_image_that_nobody_signed(boot, tmp_path):
    """tools/seal writes the image's digest into the entry. The sealed entry then also vouches for its options and
    initrd."""
    platform = Platform("snakeoil", tmp_path)
    root = tmp_path / "root"
    root.mkdir()
    (root / "x.efi").write_bytes(uki.make(sections(linux=without_signature(kernel().read_bytes()))))
    (root / "more").write_bytes(packed(tmp_path, "extra0", b"more"))
    conf = tmp_path / "my.conf"
    conf.write_bytes(conf_of("initrd /more", "options sealed"))
    sealed = seal(tmp_path, "--entry", conf, "--root", root)
    text = loader.Image("sealed.efi", sealed.read_bytes()).section(".entry").decode()
    assert f"fsverity {fsverity(root / 'x.efi')} /x.efi\n" in text
    contents = {f"/{path.name}": path for path in root.iterdir()}
    image = platform.key.sign(sealed)
    guest = boot_entries(boot, platform, {"sealed": (image, b"")}, contents)
    report = wait_for_report(guest)
    expect_locked_down(report)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} sealed"
    assert report["extra"].split()[0] == hashlib.sha256(b"more").hexdigest()


@pytest.mark.parametrize("tpm, firmware", [("tpm-crb", "trixie"),
                                           pytest.param("tpm-tis", "ovmf", marks=pytest.mark.matrix)])
def test_registers_are_as_predicted(boot, tmp_path, tpm, firmware):
    """Register 4 has the file as one image. The initrds of the image and of the entry, and the command line, are
    measured as the kernel gets them. Register 12 has only the entry's additions."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "x.efi").write_bytes(uki.make([*sections(), (".ucode", packed(tmp_path, "extra0", b"ucode"))]))
    (root / "more").write_bytes(packed(tmp_path, "extra1", b"more"))
    conf = tmp_path / "my.conf"
    conf.write_bytes(conf_of("initrd /more", f"options {DEFAULT_OPTIONS} instead"))
    contents = files({f"/{path.name}": path for path in root.iterdir()}, conf=conf.read_bytes())
    report = wait_for_report(boot(contents, firmware=FIRMWARE[firmware], tpm=tpm))
    assert report["payload"] == "payload: OK"
    which = ["--image", IMAGE, "--entry", conf, "--root", root]
    expect_predicted(report, *which)
    lock(tmp_path / "components", *which)
    expect_recognised(report, tmp_path / "components")


@pytest.mark.matrix
@pytest.mark.parametrize("name", ["ovmf", "snakeoil"])
def test_large_image_in_little_memory(boot, tmp_path, name):
    """Linux skips the zeros behind its initrd. With Secure Boot the firmware needs as much memory again."""
    large = uki.make(sections(initrd=INITRD.read_bytes() + bytes(240 * MIB - INITRD.stat().st_size)))
    if name == "ovmf":
        guest = boot(files({"/x.efi": large}, conf=conf_of()), memory=1024)
    else:
        platform = Platform(name, tmp_path)
        guest = boot_entries(boot, platform, {"large": (platform.key.sign(IMAGE), conf_of())},
                             {"/x.efi": platform.key.sign(large)}, memory=1024)
    assert wait_for_report(guest)["payload"] == "payload: OK"


@pytest.mark.matrix
def test_image_of_objcopy(boot, tmp_path):
    """An image like those of dracut and wikis: fixed addresses in memory, the initrd last."""
    parts = dict(sections(f"{DEFAULT_OPTIONS} objcopy"))
    command = ["objcopy"]
    for name, address in ((".osrel", 0x20000), (".cmdline", 0x30000), (".linux", 0x2000000), (".initrd", 0x3000000)):
        (tmp_path / name).write_bytes(parts[name])
        command += ["--add-section", f"{name}={tmp_path / name}", "--change-section-vma", f"{name}={address:#x}"]
    subprocess.run([*command, uki.STUB, tmp_path / "x.efi"], check=True)
    report = wait_for_report(boot(files({"/x.efi": tmp_path / "x.efi"}, conf=conf_of())))
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} objcopy"
    assert report["payload"] == "payload: OK"
