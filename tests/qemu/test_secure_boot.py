# SPDX-License-Identifier: BSD-2-Clause
"""Secure Boot: only kernels boot that the platform vouches for. The owner of the platform's keys decides which these
are. Each boot tries several boot entries, of which one must boot: the twin of the refusals."""

import re

import pytest

from conftest import DEFAULT_OPTIONS, IMAGE, INITRD, entry, kernel, utf16, wait_for_report
from kexec_efi_test import varstore
from kexec_efi_test.machine import BUILD, FIRMWARE
from kexec_efi_test.signing import (SHIM, Key, certificates, checksum, cut_down, with_junk_for_a_certificate,
                                    with_one_bit_flipped, without_signature)
from test_sealed import seal

SHIM_IMAGE = BUILD / "deps/shim/shimx64.efi.signed"
FLIPS = BUILD / "flips.efi"
OLD_SHIM = BUILD / "old_shim.efi"
BARE_SHIM = BUILD / "bare_shim.efi"
LOCKDOWN = "none [integrity] confidentiality"

CONFIGURATIONS = ["trixie-snakeoil", "ms",
                  pytest.param("strictnx-snakeoil", marks=pytest.mark.matrix),
                  pytest.param("snakeoil", marks=pytest.mark.matrix),
                  pytest.param("trixie-ms", marks=pytest.mark.matrix),
                  pytest.param("strictnx-ms", marks=pytest.mark.matrix)]

# Whose valid signature each kernel has: "ours" is the platform's own key. None: no valid signature, or one by an
# untrusted key.
SIGNERS = {"unsigned": None, "one bit flipped": None, "last bit flipped": None, "truncated": None, "other key": None,
           "certificate junk": None, "debian": "debian", "signed": "ours"}


class Platform:
    """A firmware with Secure Boot, and a key that it trusts: its own, or one that the machine's owner has enrolled in
    shim."""

    def __init__(self, name, folder):
        self.name = name
        self.firmware = FIRMWARE[name]
        self.folder = folder
        self.has_shim = self.firmware.key is None
        self.key = Key.new(folder, "owner") if self.has_shim else Key.of_firmware(self.firmware, folder)
        self.trusts = {"ours", "debian"} if self.has_shim else {"ours"}

    def image_files(self, folder, image, conf):
        """The files of one boot entry, and the path that the firmware starts."""
        if not self.has_shim:
            files = {f"/EFI/{folder}/kexec.efi": image, f"/EFI/{folder}/kexec.conf": conf}
            return files, f"\\EFI\\{folder}\\kexec.efi"
        # Shim starts the image of this name beside itself.
        files = {f"/EFI/{folder}/shimx64.efi": SHIM_IMAGE, f"/EFI/{folder}/grubx64.efi": image,
                 f"/EFI/{folder}/grubx64.conf": conf}
        return files, f"\\EFI\\{folder}\\shimx64.efi"

    def variables(self, entries):
        store = varstore.VariableStore(self.firmware.variables)
        if self.has_shim:
            store.set("MokList", self.key.signature_list(SHIM), SHIM,
                      varstore.NON_VOLATILE | varstore.BOOT_SERVICE_ACCESS)
        template = store.save(self.folder / "template.fd")
        return varstore.boot_options(template, self.folder / "vars.fd", entries)


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    """kernels(key) -> the names in SIGNERS -> kernels. The platform trusts `key`."""
    other = Key.new(tmp_path_factory.mktemp("keys"), "other")

    def make(key):
        debian = kernel().read_bytes()
        unsigned = without_signature(debian)
        signed = key.sign(unsigned)
        return {"unsigned": unsigned, "one bit flipped": with_one_bit_flipped(signed, 0x5000 + 0x300000),
                "last bit flipped": with_one_bit_flipped(signed, len(unsigned) - 1), "truncated": signed[:-100],
                "other key": other.sign(unsigned), "certificate junk": with_junk_for_a_certificate(signed),
                "debian": debian, "signed": signed}
    return make


def boot_entries(boot, platform, entries, files, **machine_options):
    """Boots with the boot entries `entries`, label -> (image, text of the file beside it), in this order."""
    contents = dict(files)
    options = []
    for number, (label, (image, conf)) in enumerate(entries.items()):
        more, path = platform.image_files(f"e{number}", image, conf)
        contents.update(more)
        options.append((label, path))
    return boot(contents, firmware=platform.firmware, variables=platform.variables(options), boot_order=True,
                **machine_options)


def expect_refusals(guest, lines):
    """Expects the line of each boot entry's refusal, and the firmware's report of the failure behind it."""
    start = 0
    for line in lines:
        start = guest.expect(rf"^kexec: {line}$", start=start).end()
        start = guest.expect(r"BdsDxe: failed to start Boot\w+ .*", start=start).end()


def expect_locked_down(report):
    assert report["payload"] == "payload: OK"
    assert report["lockdown"] == LOCKDOWN
    assert "secureboot: Secure boot enabled" in report.dmesg


def refusal(path):
    return (rf"{path}: signature: expected one that the platform (trusts, found (ACCESS_DENIED|SECURITY_VIOLATION)"
            rf"(: the file has none)?|can check, found (INVALID_PARAMETER|UNSUPPORTED))")


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_kernels(boot, tmp_path, kernels, name, record_property):
    """A boot entry for every untrusted kernel, then one for a trusted kernel."""
    platform = Platform(name, tmp_path)
    refused = [label for label, signer in SIGNERS.items() if signer not in platform.trusts]
    record_property("Secure Boot", [{"platform": name, **dict.fromkeys(refused, "refused"), "signed": "boots"}])
    image = platform.key.sign(IMAGE)
    paths = {label: "/" + label.replace(" ", "-") for label in SIGNERS}
    files = {paths[label]: content for label, content in kernels(platform.key).items()}
    files["/initrd"] = INITRD
    guest = boot_entries(boot, platform, {label: (image, entry(paths[label])) for label in [*refused, "signed"]}, files)
    expect_refusals(guest, [refusal(paths[label]) for label in refused])
    report = wait_for_report(guest)
    assert re.findall(r"^kexec: (\S+): signature: .*: the file has none$", guest.log, re.MULTILINE) == [paths["unsigned"]]
    expect_locked_down(report)
    assert guest.log.count("Linux version") == 1
    # Linux gets the keys that shim's owner has enrolled.
    assert ("MOKvar=" in report.dmesg) == platform.has_shim


@pytest.mark.parametrize("name", ["ms", pytest.param("trixie-ms", marks=pytest.mark.matrix)])
def test_kernel_signed_by_debian_behind_debians_shim(boot, tmp_path, record_property, name):
    platform = Platform(name, tmp_path)
    record_property("Secure Boot", [{"platform": name, "debian": "boots", "debian, one bit flipped": "refused"}])
    files = {"/vmlinuz": kernel(), "/flipped": with_one_bit_flipped(kernel().read_bytes(), 0x5000 + 0x300000),
             "/initrd": INITRD}
    image = platform.key.sign(IMAGE)
    guest = boot_entries(boot, platform, {"flipped": (image, entry("/flipped")), "debian": (image, entry())}, files)
    expect_refusals(guest, [refusal("/flipped")])
    expect_locked_down(wait_for_report(guest))


@pytest.mark.parametrize("name, image", [("old shim", OLD_SHIM), ("bare shim", BARE_SHIM)])
def test_shim_that_is_asked_by_its_protocol(boot, tmp_path, name, image):
    """Shim knows a kernel that the firmware does not. Old shim is called in the System V ABI; bare shim has not
    replaced the firmware's LoadImage."""
    platform = Platform("trixie-snakeoil", tmp_path)
    unsigned = without_signature(kernel().read_bytes())
    files = {"/shim.efi": platform.key.sign(image), "/kexec.efi": platform.key.sign(IMAGE), "/initrd": INITRD,
             "/unknown": unsigned, "/known": unsigned + f"{name} knows this kernel".encode()}
    entries = [(path, "\\shim.efi", utf16(f"linux=/{path} initrd=/initrd -- {DEFAULT_OPTIONS}"))
               for path in ("unknown", "known")]
    guest = boot(files, firmware=platform.firmware, variables=platform.variables(entries), boot_order=True)
    expect_refusals(guest, [refusal("/unknown")])
    guest.expect(rf"^kexec: {name}: asked about \d+ bytes: known$")
    expect_locked_down(wait_for_report(guest))
    assert guest.log.count(f"{name}: asked") == 2
    assert guest.log.count("bare shim: unloads it") == (name == "bare shim")


def test_shim_of_another_age_is_asked_about_a_sealed_kernel_too(boot, tmp_path, unsigned_kernel):
    """Such a shim resets the machine at ExitBootServices if the caller has not asked it about a kernel. Its answer does
    not matter."""
    platform = Platform("trixie-snakeoil", tmp_path)
    files = {"/shim.efi": platform.key.sign(OLD_SHIM), "/initrd": INITRD,
             "/kexec.efi": platform.key.sign(seal(tmp_path, "--linux", unsigned_kernel, "--initrd", INITRD, "--cmdline",
                                                  DEFAULT_OPTIONS))}
    guest = boot(files, firmware=platform.firmware, variables=platform.variables([("sealed", "\\shim.efi", b"")]),
                 boot_order=True)
    guest.expect(r"^kexec: old shim: asked about \d+ bytes: unknown$")
    expect_locked_down(wait_for_report(guest))


def sweep(boot, platform, kernel_image, ranges):
    """In one boot, the loader's verification checks a signed kernel with one bit flipped in each byte of `ranges`.
    Returns a row for the table."""
    text = " ".join(f"{part.start} {part.stop} {part.step}" for part in ranges)
    guest = boot_entries(boot, platform, {"flips": (platform.key.sign(FLIPS), entry(initrds=(), options=text, extra=()))},
                         {"/vmlinuz": kernel_image})
    found = guest.expect(r"^kexec: flips: (\d+) refused, (\d+) accepted$", timeout=3600)
    for line in ("as it is", "as it was"):
        guest.expect(rf"^kexec: flips: {line}, the kernel is accepted$")
    assert found[2] == "0", "\n".join(re.findall(r"^kexec: flips: .*$", guest.log, re.MULTILINE))
    assert int(found[1]) == sum(map(len, ranges))
    assert len(re.findall(rf"^kexec: {refusal('/vmlinuz')}$", guest.log, re.MULTILINE)) == int(found[1])
    return {"platform": platform.name, "bytes of the kernel": len(kernel_image), "refused": int(found[1]), "accepted": 0}


def covered(image, step):
    """All bytes of the headers, and each `step`th byte behind them, except for CheckSum and the certificates."""
    field = checksum(image)
    headers = 0x400
    return [range(0, field), range(field + 4, headers), range(headers, certificates(image)[1], step)]


def test_bits_flipped_all_over_a_small_kernel(boot, tmp_path, record_property):
    platform = Platform("trixie-snakeoil", tmp_path)
    small = platform.key.sign(cut_down(kernel().read_bytes(), 0x8000))
    record_property("bits flipped", [sweep(boot, platform, small, covered(small, 101))])


def test_bits_flipped_in_debians_kernel(boot, tmp_path, record_property):
    """The platform is Debian's shim, and the signature is Debian's."""
    platform = Platform("trixie-ms", tmp_path)
    image = kernel().read_bytes()
    end = certificates(image)[1]
    ranges = [range(0x1f1, 0x260, 37), range(0x5000, end, end // 4), range(end - 1, end)]
    record_property("bits flipped", [sweep(boot, platform, image, ranges)])


@pytest.mark.matrix
@pytest.mark.parametrize("name", ["snakeoil", "strictnx-snakeoil", "ms"])
def test_more_bits_flipped(boot, tmp_path, record_property, name):
    platform = Platform(name, tmp_path)
    judged = []
    record_property("bits flipped", judged)
    small = platform.key.sign(cut_down(kernel().read_bytes(), 0x8000))
    judged.append(sweep(boot, platform, small, covered(small, 7)))
    image = platform.key.sign(without_signature(kernel().read_bytes()))
    end = certificates(image)[1]
    judged.append(sweep(boot, platform, image, [range(0x1f1, end, end // 64)]))


# --- sealed images: the kernel needs no signature, because the image's signature covers its digest --------------------


@pytest.fixture
def unsigned_kernel(tmp_path):
    path = tmp_path / "unsigned"
    path.write_bytes(without_signature(kernel().read_bytes()))
    return path


def sealed_image(folder, unsigned_kernel, name, extra=()):
    """An image that seals `/NAME-kernel` and `/NAME-initrd`."""
    root = folder / name
    root.mkdir()
    (root / f"{name}-kernel").symlink_to(unsigned_kernel)
    (root / f"{name}-initrd").symlink_to(INITRD)
    conf = root / "entry"
    conf.write_bytes(entry(f"/{name}-kernel", [f"/{name}-initrd"], f"{DEFAULT_OPTIONS} sealed", ["verbose yes", *extra]))
    return seal(root, "--entry", conf, "--root", root)


def sealed_entries(platform, folder, unsigned_kernel):
    """Boot entries, of which only the last boots, and their files."""
    sign = platform.key.sign
    changed = {f"/{name}-{kind}": unsigned_kernel if kind == "kernel" else INITRD
               for name in ("k", "i", "r", "c", "good") for kind in ("kernel", "initrd")}
    changed["/k-kernel"] = with_one_bit_flipped(unsigned_kernel.read_bytes(), 0x400000)
    changed["/i-initrd"] = with_one_bit_flipped(INITRD.read_bytes(), 1000000)
    image = sign(sealed_image(folder, unsigned_kernel, "c"))
    images = {
        "kernel changed": sign(sealed_image(folder, unsigned_kernel, "k")),
        "initrd changed": sign(sealed_image(folder, unsigned_kernel, "i")),
        "signature required": sign(sealed_image(folder, unsigned_kernel, "r", ["signature require"])),
        "sealed text changed": image.replace(b"kexec.test sealed", b"kexec.test seaLed"),
        "good": sign(sealed_image(folder, unsigned_kernel, "good")),
    }
    assert images["sealed text changed"] != image
    evil = entry("/evil", ["/evil"], "evil")
    return {label: (content, evil) for label, content in images.items()}, changed


@pytest.mark.parametrize("name", [pytest.param("snakeoil", marks=pytest.mark.matrix), "trixie-ms"])
def test_sealed_images(boot, tmp_path, unsigned_kernel, name):
    platform = Platform(name, tmp_path)
    entries, files = sealed_entries(platform, tmp_path, unsigned_kernel)
    if platform.has_shim:
        # Shim shows a message on the screen, and waits for a key.
        del entries["sealed text changed"]
    guest = boot_entries(boot, platform, entries, files)
    expect_refusals(guest, [r"/k-kernel: fsverity mismatch: expected [0-9a-f]{64}, found [0-9a-f]{64}",
                            r"/i-initrd: fsverity mismatch: expected [0-9a-f]{64}, found [0-9a-f]{64}",
                            refusal("/r-kernel")])
    if not platform.has_shim:
        guest.expect(r"BdsDxe: failed to load Boot\w+ \"sealed text changed\" from .*: Access Denied")
    report = wait_for_report(guest)
    expect_locked_down(report)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} sealed"
    assert guest.log.count("Linux version") == 1


def test_unified_image(boot, tmp_path, unsigned_kernel):
    """The kernel inside is unsigned. The first image has one bit flipped after it was signed, the second is unchanged."""
    platform = Platform("trixie-snakeoil", tmp_path)
    image = platform.key.sign(seal(tmp_path, "--linux", unsigned_kernel, "--initrd", INITRD, "--cmdline",
                                   f"{DEFAULT_OPTIONS} unified"))
    evil = entry("/evil", ["/evil"], "evil")
    guest = boot_entries(boot, platform, {"changed": (with_one_bit_flipped(image, len(image) // 2), evil),
                                          "good": (image, evil)}, {})
    guest.expect(r"BdsDxe: failed to load Boot\w+ \"changed\" from .*: Access Denied")
    report = wait_for_report(guest)
    expect_locked_down(report)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} unified"
