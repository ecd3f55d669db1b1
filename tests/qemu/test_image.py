# SPDX-License-Identifier: BSD-2-Clause
"""The image as a file: it can be signed, and each build gives the same bytes."""

import os
import re
import shutil
import struct
import subprocess

from conftest import HERE, IMAGE, INITRD, files, kernel
from kexec_efi_test.machine import BUILD
from test_refusals import expect_refusal
from test_sealed import seal

ROOT = HERE.parents[1]
NX_COMPAT = 0x100
EXECUTABLE, WRITABLE = 0x20000000, 0x80000000


def headers(image):
    """(TimeDateStamp, DllCharacteristics, a dict from section to (flags, content))."""
    pe, = struct.unpack_from("<I", image, 0x3c)
    count, date = struct.unpack_from("<HI", image, pe + 6)
    optional_size, = struct.unpack_from("<H", image, pe + 20)
    sections = {}
    for header in range(pe + 24 + optional_size, pe + 24 + optional_size + 40 * count, 40):
        size, _, _, offset = struct.unpack_from("<IIII", image, header + 8)
        flags, = struct.unpack_from("<I", image, header + 36)
        sections[image[header:header + 8].rstrip(b"\0").decode()] = (flags, image[offset:offset + size])
    return date, struct.unpack_from("<H", image, pe + 24 + 70)[0], sections


def expect_fit(image):
    date, characteristics, sections = headers(image)
    assert date == 0
    assert characteristics & NX_COMPAT
    assert not [name for name, (flags, _) in sections.items() if flags & WRITABLE and flags & EXECUTABLE]
    component, generation, *_ = sections[".sbat"][1].decode().splitlines()[1].split(",")
    assert component == "kexec-efi" and int(generation) >= 1


def test_image_is_fit_to_be_signed(tmp_path):
    expect_fit(IMAGE.read_bytes())
    expect_fit(seal(tmp_path, "--linux", kernel(), "--initrd", INITRD).read_bytes())


def build(folder, *variables):
    """Builds the image in `folder` from a copy of only the tracked files, and returns its path."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n")
    for name in filter(None, names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "build").mkdir(exist_ok=True)
    (folder / "build/deps").symlink_to((BUILD / "deps").resolve())
    subprocess.run(["make", *variables, "build/kexecx64.efi"], cwd=folder, check=True,
                   env={**os.environ, "MAKEFLAGS": ""})
    return folder / "build/kexecx64.efi"


def test_purgatory_with_data_that_no_digest_covers(tmp_path):
    purgatory, data = tmp_path / "purgatory.ro", tmp_path / "data"
    shutil.copy(BUILD / "purgatory/purgatory.ro", purgatory)
    data.write_bytes(b"\1")
    check = [ROOT / "purgatory/check", purgatory]
    subprocess.run(check, check=True)
    subprocess.run(["objcopy", "--update-section", f".data={data}", purgatory], check=True)
    result = subprocess.run(check, stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert re.match(rf"{purgatory}: sections: expected .*kexec-late .bss , found .*kexec-late .data .bss $", result.stderr)


def test_two_builds_are_the_same(tmp_path):
    """The second build is in another folder, which has a blank in its name."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    assert build(folder).read_bytes() == IMAGE.read_bytes()


def test_build_that_enforces_signatures(boot, tmp_path):
    """Without Secure Boot this build refuses everything. Every other boot is its twin."""
    image = build(tmp_path / "source", "ENFORCE_SIGNATURE=1")
    expect_refusal(boot(files({"/EFI/BOOT/BOOTX64.EFI": image})),
                   r"/vmlinuz: signature: required by this build \(ENFORCE_SIGNATURE\): expected Secure Boot on, "
                   r"found it off")


def test_buffer_that_is_written_beyond_its_end(boot, boot_options):
    """The compiler's stack guard ends the program, and the firmware starts its next boot entry: the twin, which stays
    within its buffer. Two starts never have the same guard."""
    image = BUILD / "overflow.efi"
    guest = boot({"/overflow.efi": image}, **boot_options(("beyond", "\\overflow.efi", bytes(64)),
                                                          ("within", "\\overflow.efi", b"")))
    guest.expect(r"BdsDxe: failed to start .*\"within\".*Not Found")
    beyond, within = guest.log.split('BdsDxe: starting Boot00A1')
    assert "kexec: stack: a buffer was written beyond its end\n" in beyond
    assert "overflow: returned" not in beyond
    assert re.search(r"BdsDxe: failed to start .*\"beyond\".*Aborted", beyond)
    assert "overflow: returned\n" in within
    guards = re.findall(r"overflow: guard 0x(\w{16})", guest.log)
    assert len(set(guards)) == 2 and all(guard.endswith("00") and int(guard, 16) for guard in guards)
