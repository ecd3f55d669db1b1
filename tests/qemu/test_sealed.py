# SPDX-License-Identifier: BSD-2-Clause
"""What is booted, inside the image: sealed entries and unified kernel images."""

import hashlib
import re
import subprocess

import pytest

from conftest import DEFAULT_OPTIONS, HERE, IMAGE, INITRD, entry, files, kernel, utf16, wait_for_report
from test_refusals import expect_refusal
from test_systemd_boot import SYSTEMD_BOOT

SEAL = HERE.parents[1] / "tools/seal"


def seal(tmp_path, *arguments):
    out = tmp_path / "sealed.efi"
    subprocess.run([SEAL, "--image", IMAGE, "--out", out, *arguments], check=True, stdout=subprocess.DEVNULL)
    return out


@pytest.fixture
def sealed(tmp_path):
    """An image with an entry for the kernel and initrd of every test, whose digests it knows."""
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
    guest.expect(r"^kexec: warning: load options ignored: what this image boots is sealed in it$")


@pytest.mark.parametrize("path", ["/vmlinuz", "/initrd"])
def test_sealed_entry_with_a_file_changed_by_one_bit(boot, sealed, path):
    right = files()[path].read_bytes()
    wrong = bytearray(right)
    wrong[len(wrong) // 2] ^= 1
    expected, found = (hashlib.sha256(content).hexdigest() for content in (right, wrong))
    expect_refusal(boot(alone(sealed, {path: bytes(wrong)})),
                   rf"{path}: sha256 mismatch: expected {expected}, found {found}")


def test_sealed_entry_that_leaves_a_file_without_a_digest(boot, tmp_path):
    conf = tmp_path / "my.conf"
    conf.write_bytes(b"linux /vmlinuz\ninitrd /initrd\n"
                     b"sha256 " + hashlib.sha256(kernel().read_bytes()).hexdigest().encode() + b" /vmlinuz\n")
    image = tmp_path / "sealed.efi"
    subprocess.run(["objcopy", "--add-section", f".entry={conf}", "--change-section-vma", ".entry=0x100000",
                    "--set-section-flags", ".entry=data,readonly", IMAGE, image], check=True)
    expect_refusal(boot(alone(image)), r'sealed entry: expected a line "sha256 HEX /initrd", found none')


def test_unified_image_alone(boot, unified):
    guest = boot(alone(unified, {"/vmlinuz": None, "/initrd": None}))
    report = wait_for_report(guest)
    assert report["cmdline"] == DEFAULT_OPTIONS + " unified"
    assert report["payload"] == "payload: OK"


@pytest.mark.parametrize("lines, complaint", [
    (["linux /vmlinuz", "initrd /missing"], r"seal: .*bad.conf: expected /missing below .*, found none"),
    (["linux /initrd"], r".*/initrd: no kernel: boot_flag at 0x1fe: expected 0xaa55, found .*"),
    (["initrd /initrd"], r'.*bad.conf: expected a line "linux PATH", found none'),
    (["linux /vmlinuz", "verbose maybe"], r'.*bad.conf: verbose: expected yes or no, found "maybe"'),
    (["linux /vmlinuz", f"sha256 {'0' * 64} /vmlinuz"], r"seal: .*/vmlinuz: sha256 mismatch: expected 0{64}, found \w{64}"),
    (["linux /vmlinuz", f"sha256 {'0' * 64} vmlinuz"], r".*bad.conf: sha256: expected the path of a linux or initrd line, found .*"),
])
def test_entry_that_could_not_boot_is_not_sealed(sealed, tmp_path, lines, complaint):
    """The twin is the image of the other tests, which lies beside it."""
    conf = tmp_path / "bad.conf"
    conf.write_text("\n".join([*lines, ""]))
    command = [SEAL, "--image", IMAGE, "--out", tmp_path / "bad.efi", "--entry", conf, "--root", tmp_path]
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 1
    assert re.fullmatch(f"{complaint}\n", result.stderr), result.stderr
    assert sealed.exists() and not (tmp_path / "bad.efi").exists()


def test_key_that_would_be_skipped_is_named(tmp_path):
    """Once it is sealed nobody sees it any more."""
    conf = tmp_path / "my.conf"
    conf.write_text("linux /vmlinuz\nsha265 0 /vmlinuz\n")
    (tmp_path / "vmlinuz").symlink_to(kernel())
    command = [SEAL, "--image", IMAGE, "--out", tmp_path / "out.efi", "--entry", conf, "--root", tmp_path]
    result = subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert result.stderr == f"{conf}: unknown key sha265 skipped\n"


def test_no_unified_image_of_an_empty_initrd(tmp_path):
    """As an archiver leaves it that has failed. The twin is the image of the other tests."""
    empty = tmp_path / "empty"
    empty.touch()
    command = [SEAL, "--image", IMAGE, "--out", tmp_path / "out.efi", "--linux", kernel(), "--initrd", empty]
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 1
    assert result.stderr == f"seal: {empty}: empty: expected an initrd of at least 1 byte, found 0\n"
    assert not (tmp_path / "out.efi").exists()


def test_unified_image_found_by_systemd_boot(boot, unified):
    guest = boot(files({"/EFI/BOOT/BOOTX64.EFI": SYSTEMD_BOOT, "/EFI/BOOT/BOOTX64.conf": None, "/vmlinuz": None,
                        "/initrd": None, "/loader/loader.conf": b"timeout 0\n", "/EFI/Linux/test.efi": unified}))
    report = wait_for_report(guest)
    assert report["cmdline"] == DEFAULT_OPTIONS + " unified"
    assert report["LoaderInfo"].startswith("systemd-boot ")
    assert report["StubInfo"].startswith("kexec-efi ")


def test_seal_refuses_an_image_that_is_sealed_already(tmp_path, sealed):
    result = subprocess.run([SEAL, "--image", sealed, "--out", tmp_path / "again.efi", "--linux", kernel()],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert result.returncode
    assert result.stderr == f"seal: {sealed}: expected an image with nothing sealed in it, found .entry\n"
    assert not (tmp_path / "again.efi").exists()


def test_slashes_of_either_kind_name_the_same_file(sealed, tmp_path):
    digest = hashlib.sha256(kernel().read_bytes()).hexdigest()
    conf = tmp_path / "slashes.conf"
    conf.write_text(f"linux \\vmlinuz\nsha256 {digest} /vmlinuz\n")
    image = tmp_path / "slashes.efi"
    subprocess.run([SEAL, "--image", IMAGE, "--out", image, "--entry", conf, "--root", tmp_path], check=True)
    assert image.read_bytes().count(b"sha256 " + digest.encode()) == 1
