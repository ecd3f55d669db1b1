# SPDX-License-Identifier: BSD-2-Clause
"""Sidecars, and sections for the initrd: the same bytes and registers as with systemd's own stub, and the refusals."""

import base64
import hashlib

import pytest

from conftest import DEFAULT_OPTIONS, IMAGE, INITRD, entry, files, kernel, wait_for_report
from kexec_efi_test import event_log, uki
from kexec_efi_test.machine import BUILD, FIRMWARE
from test_boot import packed
from test_measured_boot import APPLICATION
from test_sealed import seal
from test_secure_boot import Platform, boot_entries, expect_locked_down

STUB = BUILD / "deps/systemd-boot/linuxx64.efi.stub"
ADDON_STUB = BUILD / "deps/systemd-boot/addonx64.efi.stub"

# The registers that must be equal with both stubs: command line, initrd, parameters, extensions.
COMPARED = ["9", "12", "13"]

# systemd-stub accepts these since 258; Debian 13 has 257.
EXTENSIONS_OF_ALL = {"/loader/extensions/g.raw": b"G" * 4096, "/loader/extensions/g.confext.raw": b"C" * 17}

EV_IPL = 0xd

BESIDE = "/EFI/BOOT/BOOTX64.EFI.extra.d"


def sections(command_line=DEFAULT_OPTIONS, more=()):
    return [(".osrel", b"ID=debian\n"), (".cmdline", f" {command_line}\n".encode()), (".uname", b"6.1.test"),
            (".pcrpkey", b"public key"), (".pcrsig", b'{"sha256":[]}'), (".linux", kernel().read_bytes()),
            (".initrd", INITRD.read_bytes()), *more]


def addon(*added):
    return uki.make(added, stub=ADDON_STUB)


def sidecars(folder):
    """One sidecar of each kind for this image and for all images, some that must be ignored, and addons that add
    everything possible."""
    def cpio(name, content):
        return packed(folder, name, content)
    return {
        f"{BESIDE}/b.cred": b"second", f"{BESIDE}/B.CRED2": b"no", f"{BESIDE}/a-Long.Cred": b"first",
        f"{BESIDE}/empty.cred": b"", f"{BESIDE}/.hidden.cred": b"no", f"{BESIDE}/\u00e4.cred": b"no",
        f"{BESIDE}/folder.cred/x.cred": b"no", f"{BESIDE}/UPPER.RAW": b"r" * 1003, f"{BESIDE}/c.confext.raw": b"c" * 5,
        f"{BESIDE}/1.addon.efi": addon((".cmdline", b"\t own=1 \n\0"), (".initrd", cpio("extra1", b"own" * 33))),
        f"{BESIDE}/2.addon.efi": addon((".uname", b"6.1.test"), (".ucode", cpio("extra2", b"microcode 2"))),
        f"{BESIDE}/3.addon.efi": addon((".uname", b"5.0"), (".cmdline", b"other-kernel")),
        "/loader/credentials/g.cred": b"global",
        "/loader/addons/g.addon.efi": addon((".cmdline", b"global=1"), (".ucode", cpio("extra3", b"microcode 1")),
                                            (".initrd", cpio("extra4", b"global"))),
    }


# SMBIOS strings of type 11.
SMBIOS = ["-smbios", "type=11,value=other=1,value=io.systemd.stub.kernel-cmdline-extra= smbios=1"]


def boot_image(boot, image, contents, firmware):
    """Boots the image from the removable path."""
    return wait_for_report(boot({"/EFI/BOOT/BOOTX64.EFI": image, **contents}, firmware=FIRMWARE[firmware], tpm="tpm-crb",
                                extra=SMBIOS))


def registers(report):
    return {register: report[f"pcr-{register}"].lower() for register in COMPARED}


def events(report, pcr):
    log = event_log.parse(base64.b64decode(report["event-log"]))
    return [(event.kind, event.sha256.hex(), event.content) for event in log if event.pcr == pcr]


def expect_equal(theirs, ours):
    """The differences are intended. In register 4: the stub itself, and the kernel inside, which systemd-stub no longer
    measures since 258. In register 11: the stub's .sbat."""
    for key in "cmdline", "stub-files", "extra":
        assert ours[key] == theirs[key]
    for register in map(int, COMPARED):
        assert events(ours, register) == events(theirs, register)
    assert registers(ours) == registers(theirs)


@pytest.mark.parametrize("firmware", ["trixie", pytest.param("ovmf", marks=pytest.mark.matrix)])
def test_same_as_systemd_stub(boot, tmp_path, firmware):
    contents = sidecars(tmp_path)
    more = [(".ucode", packed(tmp_path, "extra0", b"microcode 0"))]
    theirs = boot_image(boot, uki.make(sections(more=more), STUB), contents, firmware)
    ours = boot_image(boot, uki.make(sections(more=more), IMAGE), contents, firmware)
    expect_equal(theirs, ours)
    assert ours["cmdline"] == f"{DEFAULT_OPTIONS} global=1 own=1 smbios=1"
    addons = [digest for kind, digest, _ in events(ours, 4) if kind == APPLICATION][1:]
    assert addons == [digest for kind, digest, _ in events(theirs, 4) if kind == APPLICATION][1:-1]
    assert len(addons) == 4


def newc(folder, files):
    """An archive of files below .extra, made without the loader's code."""
    members = [(".extra", 0o40555, b""), (f".extra/{folder}", 0o40555, b"")]
    members += [(f".extra/{folder}/{name}", 0o100444, content) for name, content in files]
    out = b""
    for number, (name, mode, content) in enumerate(members, 1):
        fields = number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0
        out += b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        out += bytes(-len(out) % 4) + content + bytes(-len(content) % 4)
    trailer = b"070701" + b"0" * 32 + b"00000001" + b"0" * 48 + b"0000000B" + b"0" * 8 + b"TRAILER!!!\0"
    return out + trailer + bytes(-len(trailer) % 4)


@pytest.mark.matrix
def test_image_of_an_entry_and_extensions_of_all(boot, tmp_path):
    """The folder is beside the image that the entry names. The counter of boot counting in the image's name is ignored."""
    contents = {path.replace(BESIDE, "/EFI/Linux/x.efi.extra.d"): content
                for path, content in {**sidecars(tmp_path), **EXTENSIONS_OF_ALL}.items()}
    guest = boot(files({"/EFI/Linux/x+3-1.efi": uki.make(sections(), STUB), **contents},
                       conf=entry("/EFI/Linux/x+3-1.efi", (), None)), tpm="tpm-crb")
    report = wait_for_report(guest)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} global=1 own=1"
    ipl = {content.decode("utf-16-le").rstrip("\0"): digest
           for pcr in (12, 13) for kind, digest, content in events(report, pcr) if kind == EV_IPL}
    for event, archive in {
            "System extension initrd": newc("sysext", [("UPPER.RAW", b"r" * 1003)]),
            "Global system extension initrd": newc("global_sysext", [("g.raw", b"G" * 4096)]),
            "Configuration extension initrd": newc("confext", [("c.confext.raw", b"c" * 5)]),
            "Global configuration extension initrd": newc("global_confext", [("g.confext.raw", b"C" * 17)])}.items():
        assert ipl[event] == hashlib.sha256(archive).hexdigest(), event
    guest.expect(r"^kexec: warning: /EFI/Linux/x\.efi\.extra\.d\\3\.addon\.efi: not used: expected an addon for 6\.1\.test, "
                 r"found one for 5\.0$")


def signed_and_not(platform, folder):
    return {f"{folder}/bad.addon.efi": addon((".cmdline", b"bad=1")),
            f"{folder}/good.addon.efi": platform.key.sign(addon((".cmdline", b"good=1"))), f"{folder}/c.cred": b"secret"}


SECURE_BOOT = ["snakeoil", pytest.param("trixie-snakeoil", marks=pytest.mark.matrix),
               pytest.param("ms", marks=pytest.mark.matrix), pytest.param("trixie-ms", marks=pytest.mark.matrix)]


@pytest.mark.parametrize("name", SECURE_BOOT)
def test_addons_are_verified(boot, tmp_path, name):
    platform = Platform(name, tmp_path)
    image = platform.key.sign(uki.make(sections(), IMAGE))
    files, path = platform.image_files("e0", image, b"")
    folder = next(place for place, content in files.items() if content is image) + ".extra.d"
    guest = boot_entries(boot, platform, {"own": (image, b"")}, signed_and_not(platform, folder))
    report = wait_for_report(guest)
    expect_locked_down(report)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} good=1"
    assert f"400 .extra/credentials/c.cred {hashlib.sha256(b'secret').hexdigest()}" in report["stub-files"]
    guest.expect(r"^kexec: warning: \S+\\bad\.addon\.efi: not used: expected an addon that the platform trusts, found \w+$")


@pytest.mark.parametrize("name", SECURE_BOOT)
def test_sealed_entry_takes_verified_addons_only(boot, tmp_path, name):
    platform = Platform(name, tmp_path)
    (tmp_path / "vmlinuz").symlink_to(kernel())
    (tmp_path / "initrd").symlink_to(INITRD)
    (tmp_path / "my.conf").write_bytes(entry())
    image = platform.key.sign(seal(tmp_path, "--entry", tmp_path / "my.conf", "--root", tmp_path))
    files, _ = platform.image_files("e0", image, b"")
    folder = next(place for place, content in files.items() if content is image) + ".extra.d"
    guest = boot_entries(boot, platform, {"sealed": (image, b"")},
                         {"/vmlinuz": kernel(), "/initrd": INITRD, "/loader/credentials/g.cred": b"no",
                          **signed_and_not(platform, folder)})
    report = wait_for_report(guest)
    expect_locked_down(report)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} good=1"
    assert report["stub-files"] == ""
    guest.expect(r"^kexec: warning: \S+\.extra\.d: 1 of its files are not used: a sealed kernel takes only addons, with "
                 r"Secure Boot on$")
    guest.expect(r"^kexec: warning: \\loader\\credentials: 1 of its files are not used: .*$")
