# SPDX-License-Identifier: BSD-2-Clause
"""Refused boots: one line says why, and the firmware goes on to the next boot entry."""

import random
import re

import lines
from conftest import DEFAULT_OPTIONS, IMAGE, INITRD, entry, files, kernel, wait_for_report
from kexec_efi_test import esp
from kexec_efi_test.machine import Machine

# The entry beside the image of each boot entry.
CONF = r"\\\d+\\k\.conf"


def garbage(size):
    return random.Random(1).randbytes(size)


def header_with(offset, value):
    """Debian's kernel with `value` at one offset of its header."""
    content = bytearray(kernel().read_bytes())
    content[offset:offset + len(value)] = value
    return bytes(content)


def not_found(path):
    return rf"{path}: cannot open: expected a file, found NOT_FOUND" + lines.on_volume()


# name: (the entry, the expected line)
REFUSALS = {
    "missing kernel": (entry("/missing"), not_found("/missing")),
    "missing initrd": (entry(initrds=["/missing"]), not_found("/missing")),
    "missing second initrd": (entry(initrds=["/initrd", "/missing"]), not_found("/missing")),
    "missing entry": (None, not_found(CONF)),
    "initrd below /boot": (entry(initrds=["/boot/initrd"]),
                           not_found("/boot/initrd") + r": paths begin at the volume's root, without /boot"),
    "initrd with a comment": (entry(initrds=["/initrd # mine"]),
                              not_found("/initrd # mine") + r": one path a line, without a comment behind it"),
    "two initrds on a line": (entry(initrds=["/initrd $tuned_initrd"]),
                              CONF + r": line 2: initrd: expected one path a line; \$variables are GRUB's, "
                              r"found \"/initrd \$tuned_initrd\""),
    "initrd misspelled": (entry(initrds=[]) + b"Initrd /initrd\n", CONF + r": line 4: Initrd: expected initrd"),
    "initrd= of a file that is not there": (entry(options=DEFAULT_OPTIONS + " initrd=\\missing"), not_found(r"\\missing")),
    "kernel is a folder": (entry("/EFI"), r"/EFI: expected a file, found a directory"),
    "empty kernel": (entry("/empty"), r"/empty: expected a kernel \(bzImage\), found an empty file: .*"),
    "initrd for a kernel": (entry("/initrd"),
                            r"/initrd: expected a kernel \(bzImage\), found a cpio archive: an initrd's line is initrd: .*"),
    "short kernel": (entry("/short"), r"/short: too short for a kernel: expected at least \d+ bytes, found 600"),
    "garbage kernel": (entry("/garbage"), r"/garbage: no kernel: boot_flag at 0x1fe: expected 0xaa55, found 0x\w+"),
    "truncated kernel": (entry("/truncated"), r"/truncated: truncated: expected \d+ bytes \(.*\), found 4000000"),
    "kernel of an old protocol": (entry("/old"),
                                  r"/old: boot protocol at 0x206: expected 0x020c or later, found 0x020b \(.*\): .*"),
    "empty initrd": (entry(initrds=["/empty"]), r"/empty: empty: expected an initrd of at least 1 byte, found 0"),
    "entry without linux": (entry(linux=None), CONF + r": expected a line \"linux PATH\", found none"),
    "entry of binary": (entry() + b"\0\0\0", CONF + r": expected text, found a NUL at byte \d+"),
    "empty entry": (b"", CONF + r": expected a line \"linux PATH\", found none"),
    "command line one too long": (entry(options=DEFAULT_OPTIONS.ljust(2047, "x") + "y"),
                                  r"options: expected at most 2047 bytes \(the kernel's cmdline_size\), found 2048"),
    "signature required": (entry(extra=["signature require"]),
                           rf"/vmlinuz: signature: required by {CONF}: expected Secure Boot on, found it off"),
}
MISMATCHES = {
    f"{key} of {path}": (entry(extra=["verbose yes", f"{key} {'0' * 64} {path}"]),
                         rf"{path}: {key} mismatch: expected 0{{64}}, found [0-9a-f]{{64}}")
    for key in ("sha256", "fsverity") for path in ("/vmlinuz", "/initrd")
}


def files_that_are_refused():
    return {"/empty": b"", "/short": kernel().read_bytes()[:600], "/garbage": garbage(100000),
            "/truncated": kernel().read_bytes()[:4000000], "/old": header_with(0x206, b"\x0b\x02")}


def expect_each_refused(boot, boot_options, refusals):
    """Each entry by a boot entry of its own, in one machine. The last boot entry is the twin that boots."""
    contents = files(files_that_are_refused())
    for number, (conf, _) in enumerate(refusals.values()):
        contents[f"/{number}/k.efi"] = IMAGE
        if conf is not None:
            contents[f"/{number}/k.conf"] = conf
    guest = boot(contents, **boot_options(*((name, f"\\{number}\\k.efi") for number, name in enumerate(refusals)),
                                          ("twin", r"\EFI\BOOT\BOOTX64.EFI")))
    wait_for_report(guest)
    # The firmware reports each boot option that failed, and goes on to the next.
    *starts, last = re.split(r"^BdsDxe: failed to start Boot\w+ \"(.*?)\".*$", guest.log, flags=re.MULTILINE)
    assert starts[1::2] == list(refusals)
    for (name, (_, line)), log in zip(refusals.items(), starts[::2]):
        assert [re.fullmatch(line, found) is not None for found in lines.errors(log)] == [True], (name, log)
        assert not lines.warnings(log), (name, log)
        assert "Linux version" not in log
    assert not lines.errors(last)
    assert "X64 Exception" not in guest.log


def test_refused(boot, boot_options):
    expect_each_refused(boot, boot_options, REFUSALS)


def test_other_digest_is_refused(boot, boot_options, record_property):
    expect_each_refused(boot, boot_options, MISMATCHES)
    record_property("mismatches", len(MISMATCHES))


def expect_refusal(guest, line):
    guest.expect(r"^kexec: " + line + r"$")
    # The firmware reports the failure of its boot option, and goes on to its shell.
    guest.expect(r"BdsDxe: failed to start Boot\w+ .*")
    guest.expect(r"Shell>|UEFI Interactive Shell|BdsDxe: No bootable option")
    assert "Linux version" not in guest.log
    assert "X64 Exception" not in guest.log
    assert len(lines.errors(guest.log)) == 1, lines.errors(guest.log)
    assert not lines.warnings(guest.log)


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
