# SPDX-License-Identifier: BSD-2-Clause
"""What to boot, told by load options: from the firmware's boot entries, the UEFI shell and systemd-boot."""

import re
import struct
import time

import pytest

from conftest import DEFAULT_OPTIONS, IMAGE, entry, files, utf16, wait_for_report
from lines import on_volume
from machine import Timeout

DOWN = "\x1b[B"
IMAGE_PATH = "\\EFI\\kexec\\kexecx64.efi"

# The image away from the removable path, so that only the entry under test starts it.
PLACED = {"/EFI/BOOT/BOOTX64.EFI": None, "/EFI/BOOT/BOOTX64.conf": None, "/EFI/kexec/kexecx64.efi": IMAGE}


def placed(changes=None):
    return files({**PLACED, **(changes or {})})


def test_firmware_entry_with_kernel_and_command_line(boot, boot_options):
    text = f"linux=/vmlinuz initrd=\\initrd verbose -- {DEFAULT_OPTIONS}  a=\"b  c\" -- d"
    guest = boot(placed(), **boot_options(("Debian", IMAGE_PATH, utf16(text))))
    assert wait_for_report(guest)["cmdline"] == f"{DEFAULT_OPTIONS}  a=\"b  c\" -- d"
    guest.expect(r"^kexec: purgatory entry 0x\w{16}$")


def test_firmware_entry_chosen_by_key_strokes(boot, boot_options):
    """Through OVMF's own menus, over the serial line; the first entry would be another."""
    text = f"linux=/vmlinuz initrd=/initrd -- {DEFAULT_OPTIONS} chosen"
    options = boot_options(("First", IMAGE_PATH, utf16("linux=/missing")), ("Chosen", IMAGE_PATH, utf16(text)))
    guest = boot(placed(), extra=["-boot", "menu=on,splash-time=20000"], **options)
    press_until(guest, "\x1b", r"Boot Manager")
    press_until(guest, DOWN + DOWN + "\r", r"Boot Option Menu|Boot Manager Menu")
    guest.expect(r"Chosen")
    time.sleep(1)
    guest.type(DOWN)
    time.sleep(1)
    guest.type("\r")
    assert wait_for_report(guest)["cmdline"] == f"{DEFAULT_OPTIONS} chosen"


def press_until(guest, keys, pattern):
    """Keys come one at a time, as from a person: a menu that is being drawn drops what comes too fast."""
    for _ in range(60):
        for key in re.findall(r"\x1b\[.|.", keys, re.DOTALL):
            guest.type(key)
            time.sleep(0.7)
        try:
            return guest.expect(pattern, timeout=2)
        except Timeout:
            assert len(keys) == 1, guest.log
    return guest.expect(pattern)


def test_firmware_entry_that_names_an_entry_file(boot, boot_options):
    contents = placed({"/loader/my entry.conf": entry(options="console=ttyS0")})
    text = "entry=\"/loader/my entry.conf\" -- kexec.test extra"
    guest = boot(contents, **boot_options(("Debian", IMAGE_PATH, utf16(text))))
    assert wait_for_report(guest)["cmdline"] == "console=ttyS0 kexec.test extra"


def test_firmware_entry_that_adds_to_the_file_beside_the_image(boot, boot_options):
    contents = placed({"/EFI/kexec/kexecx64.conf": entry(options="console=ttyS0", extra=[])})
    # As efibootmgr writes it: without a NUL.
    guest = boot(contents, **boot_options(("Debian", IMAGE_PATH, utf16("verbose -- kexec.test")[:-2])))
    assert wait_for_report(guest)["cmdline"] == "console=ttyS0 kexec.test"
    guest.expect(r"^kexec: purgatory entry 0x\w{16}$")


def test_firmware_entry_that_fails_falls_through_to_the_next(boot, boot_options):
    good = f"linux=/vmlinuz initrd=/initrd -- {DEFAULT_OPTIONS}"
    guest = boot(placed(), **boot_options(("Bad", IMAGE_PATH, utf16(good.replace("vmlinuz", "missing"))),
                                          ("Good", IMAGE_PATH, utf16(good))))
    guest.expect(r"^kexec: /missing: cannot open: expected a file, found NOT_FOUND" + on_volume() + "$")
    guest.expect(r"BdsDxe: failed to start Boot00A0 \"Bad\".*Not Found")
    wait_for_report(guest)


def test_two_firmware_entries_that_fail_fall_through_to_the_third(boot, boot_options):
    """What the first leaves in variables must not make the second take itself for a boot menu's."""
    good = f"linux=/vmlinuz initrd=/initrd -- {DEFAULT_OPTIONS}"
    bad = good.replace("vmlinuz", "missing")
    guest = boot(placed(), **boot_options(*((name, IMAGE_PATH, utf16(text))
                                            for name, text in (("A", bad), ("B", bad), ("C", good)))))
    guest.expect(r"BdsDxe: failed to start Boot00A0 \"A\".*Not Found")
    guest.expect(r"BdsDxe: failed to start Boot00A1 \"B\".*Not Found")
    report = wait_for_report(guest)
    assert "back to the boot menu" not in guest.log
    assert not any(line.startswith("StubInfo") for line in report.lines)


def test_uppercase_and_long_path_of_utf_8(boot, boot_options):
    contents = placed({"/kärnel-ключ/" + "x" * 60 + "/vmlinuz": files()["/vmlinuz"]})
    text = f"linux=/kärnel-ключ/{'x' * 60}/vmlinuz initrd=/initrd -- {DEFAULT_OPTIONS}"
    wait_for_report(boot(contents, **boot_options(("Debian", IMAGE_PATH, utf16(text)))))


JUNK = {
    "odd length": (b"v\0e\0r", r"expected an even number of bytes, found 5"),
    "binary": (b"\x12\x34\x05\x00\xff\xff\x01\x00", r"expected text, found binary data"),
    "whole EFI_LOAD_OPTION": (struct.pack("<IH", 1, 4) + utf16("Linux") + b"\x7f\xff\x04\x00",
                              r"expected text, found an EFI_LOAD_OPTION"),
    "empty string": (b"\0\0", r"expected text, found an empty string"),
    "someone's words": (utf16("Windows Boot Manager"), r'expected linux=, .*, found "Windows"'),
}


@pytest.mark.parametrize("kind", JUNK)
def test_junk_is_ignored_aloud(boot, boot_options, kind):
    junk, message = JUNK[kind]
    contents = placed({"/EFI/kexec/kexecx64.conf": entry(extra=[])})
    guest = boot(contents, **boot_options(("Debian", IMAGE_PATH, junk)))
    assert wait_for_report(guest)["cmdline"] == DEFAULT_OPTIONS
    guest.expect(r"^kexec: warning: load options ignored: " + message + "$")


def test_path_of_the_image_alone_is_no_option(boot, boot_options):
    contents = placed({"/EFI/kexec/kexecx64.conf": entry(extra=[])})
    guest = boot(contents, **boot_options(("Debian", IMAGE_PATH, utf16(IMAGE_PATH))))
    assert wait_for_report(guest)["cmdline"] == DEFAULT_OPTIONS
    assert "ignored" not in guest.log


def run_in_shell(boot, line, changes=None):
    """OVMF's shell runs startup.nsh when nothing else can be booted."""
    script = f"fs0:\r\n{line}\r\n".encode()
    return boot(placed({"/startup.nsh": script, **(changes or {})}))


def test_shell_passes_the_program_name_and_arguments(boot):
    guest = run_in_shell(boot, f"\\EFI\\kexec\\kexecx64.efi linux=/vmlinuz initrd=/initrd -- {DEFAULT_OPTIONS}")
    assert wait_for_report(guest)["cmdline"] == DEFAULT_OPTIONS
    assert "ignored" not in guest.log


def test_shell_without_arguments_uses_the_file(boot):
    guest = run_in_shell(boot, "EFI\\kexec\\kexecx64", {"/EFI/kexec/kexecx64.conf": entry(extra=[])})
    assert wait_for_report(guest)["cmdline"] == DEFAULT_OPTIONS
    assert "ignored" not in guest.log


def test_entry_that_the_shell_writes(boot):
    """It writes UTF-16 with a byte order mark."""
    path = "fs0:\\EFI\\kexec\\kexecx64"
    guest = run_in_shell(boot, "\r\n".join([f"echo linux /vmlinuz > {path}.conf", f"echo initrd /initrd >> {path}.conf",
                                           f"echo options {DEFAULT_OPTIONS} >> {path}.conf", f"{path}.efi"]))
    assert wait_for_report(guest)["cmdline"] == DEFAULT_OPTIONS


def test_shell_with_fifteen_hundred_characters(boot):
    padding = "x" * (1500 - len("linux=/vmlinuz initrd=/initrd -- "))
    command_line = f"{DEFAULT_OPTIONS} {padding}"
    guest = run_in_shell(boot, f"EFI\\kexec\\kexecx64.efi linux=/vmlinuz initrd=/initrd -- {command_line}")
    assert wait_for_report(guest)["cmdline"] == command_line


def test_shell_is_back_after_a_failure(boot):
    guest = run_in_shell(boot, "EFI\\kexec\\kexecx64.efi linux=/missing\r\necho still %lasterror% here")
    guest.expect(r"^kexec: /missing: cannot open: expected a file, found NOT_FOUND" + on_volume() + "$")
    guest.expect(r"still 0xE here")
    assert not re.search("Linux version", guest.log)
