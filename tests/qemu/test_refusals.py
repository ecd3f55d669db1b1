# SPDX-License-Identifier: BSD-2-Clause
"""Boots that are refused: one line says why, and the firmware goes on. The twins that boot are in test_boot.py."""

import random

import pytest

import lines
from conftest import DEFAULT_OPTIONS, INITRD, entry, files, kernel
from kexec_efi_test import esp
from kexec_efi_test.machine import Machine

CONF = "/EFI/BOOT/BOOTX64.conf"
CONF_NAME = r"\\EFI\\BOOT\\BOOTX64\.conf"


def garbage(size):
    return random.Random(1).randbytes(size)


def header_with(offset, value):
    """Debian's kernel with other bytes at one place of its header."""
    content = bytearray(kernel().read_bytes())
    content[offset:offset + len(value)] = value
    return bytes(content)


# name: (files, expected line, memory)
REFUSALS = {
    "missing kernel": (lambda: files({"/vmlinuz": None}),
                       r"/vmlinuz: cannot open: expected a file, found NOT_FOUND" + lines.on_volume()),
    "missing initrd": (lambda: files({"/initrd": None}),
                       r"/initrd: cannot open: expected a file, found NOT_FOUND" + lines.on_volume()),
    "missing second initrd": (lambda: files(conf=entry(initrds=["/initrd", "/initrd2"])),
                              r"/initrd2: cannot open: expected a file, found NOT_FOUND" + lines.on_volume()),
    "missing entry": (lambda: files({CONF: None}),
                      CONF_NAME + r": cannot open: expected a file, found NOT_FOUND" + lines.on_volume()),
    "initrd below /boot": (lambda: files(conf=entry(initrds=["/boot/initrd"])),
                           r"/boot/initrd: cannot open: expected a file, found NOT_FOUND" + lines.on_volume() +
                           r": paths begin at the volume's root, without /boot"),
    "initrd with a comment": (lambda: files(conf=entry(initrds=["/initrd # mine"])),
                              r"/initrd # mine: cannot open: expected a file, found NOT_FOUND" + lines.on_volume() +
                              r": one path a line, without a comment behind it"),
    "two initrds on a line": (lambda: files(conf=entry(initrds=["/initrd $tuned_initrd"])),
                              CONF_NAME + r": line 2: initrd: expected one path a line; \$variables are GRUB's, "
                              r"found \"/initrd \$tuned_initrd\""),
    "initrd misspelled": (lambda: files(conf=entry(initrds=[]) + b"Initrd /initrd\n"),
                          CONF_NAME + r": line 4: Initrd: expected initrd"),
    "initrd= of a file that is not there": (lambda: files(conf=entry(options=DEFAULT_OPTIONS + " initrd=\\initrd2")),
                                            r"\\initrd2: cannot open: expected a file, found NOT_FOUND" +
                                            lines.on_volume()),
    "kernel is a folder": (lambda: files({"/vmlinuz": None, "/vmlinuz/file": b"x"}),
                           r"/vmlinuz: expected a file, found a directory"),
    "empty kernel": (lambda: files({"/vmlinuz": b""}),
                     r"/vmlinuz: expected a kernel \(bzImage\), found an empty file: .*"),
    "initrd for a kernel": (lambda: files({"/vmlinuz": INITRD}),
                            r"/vmlinuz: expected a kernel \(bzImage\), found a cpio archive: an initrd's line is initrd: .*"),
    "short kernel": (lambda: files({"/vmlinuz": kernel().read_bytes()[:600]}),
                     r"/vmlinuz: too short for a kernel: expected at least \d+ bytes, found 600"),
    "garbage kernel": (lambda: files({"/vmlinuz": garbage(100000)}),
                       r"/vmlinuz: no kernel: boot_flag at 0x1fe: expected 0xaa55, found 0x\w+"),
    "truncated kernel": (lambda: files({"/vmlinuz": kernel().read_bytes()[:4000000]}),
                         r"/vmlinuz: truncated: expected \d+ bytes \(.*\), found 4000000"),
    "kernel of an old protocol": (lambda: files({"/vmlinuz": header_with(0x206, b"\x0b\x02")}),
                                  r"/vmlinuz: boot protocol at 0x206: expected 0x020c or later, found 0x020b \(.*\): .*"),
    "empty initrd": (lambda: files({"/initrd": b""}),
                     r"/initrd: empty: expected an initrd of at least 1 byte, found 0"),
    "entry without linux": (lambda: files(conf=entry(linux=None)),
                            CONF_NAME + r": expected a line \"linux PATH\", found none"),
    "entry of binary": (lambda: files(conf=entry() + b"\0\0\0"),
                        CONF_NAME + r": expected text, found a NUL at byte \d+"),
    "empty entry": (lambda: files(conf=b""), CONF_NAME + r": expected a line \"linux PATH\", found none"),
    "command line one too long": (lambda: files(conf=entry(options=DEFAULT_OPTIONS.ljust(2047, "x") + "y")),
                                  r"options: expected at most 2047 bytes \(the kernel's cmdline_size\), found 2048"),
    "initrd of another digest": (lambda: files(conf=entry(extra=["verbose yes", f"sha256 {'0' * 64} /initrd"])),
                                 r"/initrd: sha256 mismatch: expected 0{64}, found [0-9a-f]{64}"),
    "kernel of another digest": (lambda: files(conf=entry(extra=["verbose yes", f"sha256 {'0' * 64} /vmlinuz"])),
                                 r"/vmlinuz: sha256 mismatch: expected 0{64}, found [0-9a-f]{64}"),
    "initrd of another fs-verity digest": (lambda: files(conf=entry(extra=[f"fsverity {'0' * 64} /initrd"])),
                                           r"/initrd: fsverity mismatch: expected 0{64}, found [0-9a-f]{64}"),
    "kernel of another fs-verity digest": (lambda: files(conf=entry(extra=[f"fsverity {'0' * 64} /vmlinuz"])),
                                           r"/vmlinuz: fsverity mismatch: expected 0{64}, found [0-9a-f]{64}"),
    "signature required": (lambda: files(conf=entry(extra=["signature require"])),
                           rf"/vmlinuz: signature: required by {CONF_NAME}: expected Secure Boot on, found it off"),
}


def expect_refusal(guest, line):
    guest.expect(r"^kexec: " + line + r"$")
    # The firmware reports that its boot option failed, and goes on to its shell.
    guest.expect(r"BdsDxe: failed to start Boot\w+ .*")
    guest.expect(r"Shell>|UEFI Interactive Shell|BdsDxe: No bootable option")
    assert "Linux version" not in guest.log
    assert "X64 Exception" not in guest.log
    assert len(lines.errors(guest.log)) == 1, lines.errors(guest.log)
    assert not lines.warnings(guest.log)


@pytest.mark.parametrize("name", REFUSALS)
def test_refused(boot, name):
    contents, line = REFUSALS[name]
    expect_refusal(boot(contents()), line)


def test_too_little_memory_for_the_kernel(boot):
    expect_refusal(boot(memory=72), r"kernel: not enough memory: expected 0x\w+ bytes in one piece from 0x1000000 to 0x\w+, "
                                    r"found at most 0x\w+")


def test_too_little_memory_for_the_initrd(boot):
    large = INITRD.read_bytes() + bytes(120 * 1024 * 1024)
    expect_refusal(boot(files({"/initrd": large}), memory=192),
                   r"initrd: not enough memory: expected 0x\w+ bytes in one piece from 0x100000 to 0x\w+, found at most 0x\w+")


def test_sector_that_cannot_be_read(tmp_path):
    """The sector is in the middle of the kernel."""
    disk = esp.make(tmp_path / "esp.img", files())
    sector = disk.read_bytes().index(kernel().read_bytes()[4 << 20:][:4096]) // 512
    rule = tmp_path / "blkdebug.conf"
    rule.write_text(f'[inject-error]\nevent = "read_aio"\nerrno = "5"\nsector = "{sector}"\n')
    with Machine(f"blkdebug:{rule}:{disk}", bus="nvme") as guest:
        expect_refusal(guest, r"/vmlinuz: cannot read: expected \d+ bytes, found DEVICE_ERROR")
