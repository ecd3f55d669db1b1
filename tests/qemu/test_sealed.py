# SPDX-License-Identifier: BSD-2-Clause
"""Images that contain their entry or their kernel: sealed entries and unified kernel images."""

import hashlib
import re
import subprocess
import sys

import pytest

from conftest import DEFAULT_OPTIONS, HERE, IMAGE, INITRD, entry, files, fsverity, kernel, utf16, wait_for_report
from difficult import assert_refused, attempts, difficult
from kexec_efi_test import esp
from kexec_efi_test.machine import Machine
from test_boot import regions, segments
from test_refusals import expect_refusal
from test_tampering import Stopped, purgatory_entry

sys.path.insert(0, str(HERE.parents[1] / "tools"))

import loader  # noqa: E402

SEAL = HERE.parents[1] / "tools/seal"


def seal(tmp_path, *arguments):
    out = tmp_path / "sealed.efi"
    subprocess.run([SEAL, "--image", IMAGE, "--out", out, *arguments], check=True, stdout=subprocess.DEVNULL)
    return out


@pytest.fixture
def sealed(tmp_path):
    """An image with a sealed entry for the tests' usual kernel and initrd."""
    (tmp_path / "vmlinuz").symlink_to(kernel())
    (tmp_path / "initrd").symlink_to(INITRD)
    conf = tmp_path / "my.conf"
    conf.write_bytes(entry(options=DEFAULT_OPTIONS + " sealed"))
    return seal(tmp_path, "--entry", conf, "--root", tmp_path)


@pytest.fixture
def unified(tmp_path):
    osrel = tmp_path / "os-release"
    osrel.write_text('ID=debian\nVERSION_ID=12\nPRETTY_NAME="Debian for a test"\n')
    return seal(tmp_path, "--linux", kernel(), "--initrd", INITRD, "--cmdline", DEFAULT_OPTIONS + " unified\n",
                "--osrel", osrel, "--uname", "6.1")


def alone(image, changes=None):
    return files({"/EFI/BOOT/BOOTX64.EFI": image, "/EFI/BOOT/BOOTX64.conf": None, **(changes or {})})


def test_sealed_entry(boot, sealed):
    assert wait_for_report(boot(alone(sealed)))["cmdline"] == DEFAULT_OPTIONS + " sealed"


def test_sealed_entry_and_another_beside_it(boot, boot_options, sealed):
    contents = files({"/EFI/BOOT/BOOTX64.EFI": None, "/EFI/a/a.efi": sealed, "/EFI/a/a.conf": entry(options="evil")})
    guest = boot(contents, **boot_options(("A", "\\EFI\\a\\a.efi", utf16("linux=/vmlinuz -- evil"))))
    assert wait_for_report(guest)["cmdline"] == DEFAULT_OPTIONS + " sealed"
    guest.expect(r"^kexec: warning: load options ignored: this image boots only what is sealed in it$")


@pytest.mark.parametrize("path", ["/vmlinuz", "/initrd"])
def test_sealed_entry_with_a_file_changed_by_one_bit(boot, sealed, path):
    right = files()[path].read_bytes()
    wrong = bytearray(right)
    wrong[len(wrong) // 2] ^= 1
    expected, found = (loader.fsverity_digest(content) for content in (right, wrong))
    expect_refusal(boot(alone(sealed, {path: bytes(wrong)})),
                   rf"{path}: fsverity mismatch: expected {expected}, found {found}")


def test_one_digest_from_the_entry_to_the_purgatory(sealed, tmp_path):
    """Debian's program, the sealed entry, the loader's lines and the purgatory have the same digest."""
    paths = {"kernel": kernel(), "initrd": INITRD}
    expected = {name: fsverity(path) for name, path in paths.items()}
    image = loader.Image("sealed.efi", sealed.read_bytes())
    lines = [f"fsverity {expected[name]} {path}" for name, path in (("kernel", "/vmlinuz"), ("initrd", "/initrd"))]
    assert [line for line in image.section(".entry").decode().splitlines() if line.startswith("fsverity ")] == lines

    disk = esp.make(tmp_path / "esp.img", alone(sealed))
    with Machine(disk) as guest:
        guest.expect(r"^kexec: fsverity purgatory .*\n")
        shown = {name: digest.hex() for name, start, size, digest in reversed(regions(guest.log))}
        assert {name: shown[name] for name in paths} == expected
        place = purgatory_entry(guest.log)
    with Machine(disk, gdb=True) as guest:
        debugger = guest.connect_gdb()
        debugger.run_to(place)
        guest.expect(r"^kexec: fsverity purgatory .*\n")
        stopped = Stopped(guest, debugger, (segments(guest.log),))
        held = debugger.read(stopped.recorded_digests(), 32 * len(stopped.regions))
        names = [name for name, *_ in stopped.regions]
        for name in paths:
            index = names.index(name)
            assert held[32 * index:32 * (index + 1)].hex() == expected[name]
        debugger.resume()
        wait_for_report(guest)


# Faults that show an image something other than itself, and its message.
LIES = [("image-elsewhere 1", r"expected the firmware to know it at 0x[0-9a-f]+, where it runs, found 0x[0-9a-f]+"),
        ("image-elsewhere 2", r"expected the firmware to know it at 0x[0-9a-f]+, where it runs, found 0x[0-9a-f]+"),
        ("image-size 0", r"expected the headers of a PE image in its 0x0 bytes, found none"),
        ("image-size 0x3000", r"section \.\w+: expected it between 0x[0-9a-f]+ and 0x3000, found 0x[0-9a-f]+ bytes at 0x\w+"),
        ("headers-change 1", r"expected the headers of a PE image in its 0x[0-9a-f]+ bytes, found none"),
        ("headers-change 2", r"expected at least 1 section, found 0")]
NAMES_CHANGE = ("headers-change 3", r"is marked as sealed: expected a section .entry or .linux, found neither")


def boot_with_lies(boot, image, lies):
    """Each run has one lie. The entry beside the image would boot if the loader asked it. The last run has no lie, and
    boots."""
    runs = [f"{lie}\n{lie}" for lie, _ in lies]
    guest = boot(difficult(*runs, "whole", changes={"/app.efi": image}, conf=entry(options=f"{DEFAULT_OPTIONS} beside")))
    report = wait_for_report(guest)
    found = attempts(guest.log)
    assert len(found) == len(lies) + 1 and found[-1].exits
    for attempt, (_, line) in zip(found, lies):
        assert_refused(attempt)
        assert re.fullmatch(f"this image: {line}", attempt.errors[0]), attempt
    return report


def test_sealed_image_that_cannot_read_itself(boot, sealed):
    assert boot_with_lies(boot, sealed, [*LIES, NAMES_CHANGE])["cmdline"] == f"{DEFAULT_OPTIONS} sealed"


def test_generic_image_that_cannot_read_itself(boot):
    """An image that cannot read itself cannot know that it is generic, and refuses. If only the names of its sections
    are missing, it knows."""
    assert boot_with_lies(boot, IMAGE, LIES)["cmdline"] == f"{DEFAULT_OPTIONS} beside"


def test_sealed_entry_that_leaves_a_file_without_a_digest(boot, tmp_path):
    conf = tmp_path / "my.conf"
    conf.write_bytes(b"linux /vmlinuz\ninitrd /initrd\n"
                     b"sha256 " + hashlib.sha256(kernel().read_bytes()).hexdigest().encode() + b" /vmlinuz\n")
    image = tmp_path / "sealed.efi"
    subprocess.run(["objcopy", "--add-section", f".entry={conf}", "--change-section-vma", ".entry=0x100000",
                    "--set-section-flags", ".entry=data,readonly", IMAGE, image], check=True)
    expect_refusal(boot(alone(image)), r'sealed entry: expected a line "fsverity HEX /initrd" \(or sha256\), found none')


def test_unified_image_alone(boot, unified):
    guest = boot(alone(unified, {"/vmlinuz": None, "/initrd": None}))
    report = wait_for_report(guest)
    assert report["cmdline"] == DEFAULT_OPTIONS + " unified"
    assert report["payload"] == "payload: OK"
