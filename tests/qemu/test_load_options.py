# SPDX-License-Identifier: BSD-2-Clause
"""Load options that name the kernel: from the firmware's boot entries, the UEFI shell and systemd-boot."""

import re
import struct
import time

import pytest

from conftest import DEFAULT_OPTIONS, IMAGE, entry, files, utf16, wait_for_report
from kexec_efi_test.machine import Timeout
from lines import on_volume

DOWN = "\x1b[B"
IMAGE_PATH = "\\EFI\\kexec\\kexecx64.efi"

# The image is not at the removable path, so only the boot entry under test starts it.
PLACED = {"/EFI/BOOT/BOOTX64.EFI": None, "/EFI/BOOT/BOOTX64.conf": None, "/EFI/kexec/kexecx64.efi": IMAGE}


def placed(changes=None):
    return files({**PLACED, **(changes or {})})


def test_firmware_entry_with_kernel_and_command_line(boot, boot_options):
    text = f"linux=/vmlinuz initrd=\\initrd verbose -- {DEFAULT_OPTIONS}  a=\"b  c\" -- d"
    guest = boot(placed(), **boot_options(("Debian", IMAGE_PATH, utf16(text))))
    assert wait_for_report(guest)["cmdline"] == f"{DEFAULT_OPTIONS}  a=\"b  c\" -- d"
    guest.expect(r"^kexec: purgatory entry 0x\w{16}$")


def test_firmware_entry_chosen_by_key_strokes(boot, boot_options):
    """Chooses an entry in OVMF's own menus over the serial line. Otherwise the firmware would start another entry."""
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
    """Types keys one at a time, with pauses: a menu drops keys while it is being drawn."""
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


@pytest.mark.matrix
def test_firmware_entry_that_adds_to_the_file_beside_the_image(boot, boot_options):
    contents = placed({"/EFI/kexec/kexecx64.conf": entry(options="console=ttyS0", extra=[])})
    # efibootmgr writes no NUL at the end.
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


@pytest.mark.matrix
def test_two_firmware_entries_that_fail_fall_through_to_the_third(boot, boot_options):
    """The first start leaves variables. The second start must not take them for those of a boot menu."""
    good = f"linux=/vmlinuz initrd=/initrd -- {DEFAULT_OPTIONS}"
    bad = good.replace("vmlinuz", "missing")
    guest = boot(placed(), **boot_options(*((name, IMAGE_PATH, utf16(text))
                                            for name, text in (("A", bad), ("B", bad), ("C", good)))))
    guest.expect(r"BdsDxe: failed to start Boot00A0 \"A\".*Not Found")
    guest.expect(r"BdsDxe: failed to start Boot00A1 \"B\".*Not Found")
    report = wait_for_report(guest)
    assert "back to the boot menu" not in guest.log
    assert not any(line.startswith("StubInfo") for line in report.lines)


@pytest.mark.matrix
def test_uppercase_and_long_path_of_utf_8(boot, boot_options):
    contents = placed({"/kärnel-ключ/" + "x" * 60 + "/vmlinuz": files()["/vmlinuz"]})
    text = f"linux=/kärnel-ключ/{'x' * 60}/vmlinuz initrd=/initrd -- {DEFAULT_OPTIONS}"
    wait_for_report(boot(contents, **boot_options(("Debian", IMAGE_PATH, utf16(text)))))


def whole_load_option(data):
    """An EFI_LOAD_OPTION with an empty path, as some firmware passes it."""
    return struct.pack("<IH", 1, 4) + utf16("Linux") + b"\x7f\xff\x04\x00" + data


# Forms of load options that users wrote: efibootmgr without --unicode, a file for the shell's `bcfg boot -opt`, a Dell,
# iPXE.
UNDERSTOOD = {
    "bytes of odd length": b"linux=/odd/bytes",
    "bytes with a line end": b"linux=/line/end\n",
    "bytes in UTF-8": "linux=/k\u00e4se".encode(),
    "file of the shell": "\ufefflinux=/of/the/shell\r\n".encode("utf-16-le"),
    "file of several lines": "\ufefflinux=/of/several/lines\r\ninitrd=/x\r\n".encode("utf-16-le"),
    "whole EFI_LOAD_OPTION": whole_load_option(utf16("linux=/of/an/option")),
    "name first": utf16("KexecX64 linux=/behind/the/name"),
}


def test_each_encoding_and_form_is_understood(boot, boot_options):
    """Each entry except the last names a missing kernel, so the firmware goes on to the next."""
    last = f"linux=/vmlinuz initrd=/initrd -- {DEFAULT_OPTIONS}".encode()
    entries = [(name, IMAGE_PATH, data) for name, data in UNDERSTOOD.items()]
    guest = boot(placed(), **boot_options(*entries, ("even", IMAGE_PATH, last if len(last) % 2 == 0 else last + b" ")))
    assert wait_for_report(guest)["cmdline"] == DEFAULT_OPTIONS
    missing = re.findall(r"^kexec: (\S+): .*expected a file, found NOT_FOUND", guest.log, re.MULTILINE)
    assert missing == ["/odd/bytes", "/line/end", "/k??se", "/of/the/shell", "/of/several/lines", "/of/an/option",
                       "/behind/the/name"]
    assert "load options" not in guest.log


# Data that firmware writes into its entries: rhboot/efibootmgr issues 43, 168 and 179, its pull request 221, and shim's
# load-options.c.
MARKS = {
    "BO": b"\0\0BO",
    "RC": b"RC",
    "FJ": b"FJ\0",
    # OVMF marks its own entries with this GUID, and deletes entries that have only that.
    "edk2 and more": bytes.fromhex("4eac0881119f594d850ee21a522c59b2ff03"),
    "two bytes": b"\x06\x04",
    "Windows": b"WINDOWS\0\1\0\0\0\x88\0\0\0x\0\0\0" + utf16("BCDOBJECT={9dea862c-5cdd-4e70-acc1-f32b344d4795}"),
    "zeros": bytes(8),
    "EFI_LOAD_OPTION": whole_load_option(b""),
}


def test_marks_of_the_firmware_are_silent(boot, boot_options):
    """All entries except the last find no entry file beside the image, and print only that. The last one has `verbose
    yes`, and prints the data that it skipped."""
    contents = placed({"/EFI/verbose/kexecx64.efi": IMAGE, "/EFI/verbose/kexecx64.conf": entry()})
    entries = [(name, IMAGE_PATH, data) for name, data in MARKS.items()]
    guest = boot(contents, **boot_options(*entries, ("verbose", "\\EFI\\verbose\\kexecx64.efi", MARKS["edk2 and more"])))
    assert wait_for_report(guest)["cmdline"] == DEFAULT_OPTIONS
    said = re.findall(r"^kexec: (?!kexec-efi )(.*)$", guest.log, re.MULTILINE)
    assert ["expected a file, found NOT_FOUND" in line for line in said[:len(MARKS)]] == [True] * len(MARKS)
    assert said[len(MARKS)] == "load options skipped: expected text, found binary data"


ALOUD = {
    "someone's words": (utf16("Windows Boot Manager"), r'expected linux=, .*, found "Windows"'),
    "someone's words in bytes": (b"root=/dev/vda2 ro", r'expected linux=, .*, found "root=/dev/vda2"'),
    "another image's name": (utf16("grubx64.efi linux=/x"), r'expected linux=, .*, found "grubx64.efi"'),
    "half a character": (b"v\0e\0r", r"expected an even number of bytes of UTF-16, found an odd one"),
    "big endian": ("linux=/x".encode("utf-16-be"), r"expected UTF-8 or UTF-16 little endian, found UTF-16 big endian"),
    "Latin-1": (b"linux=/k\xe4se", r"expected UTF-8 or UTF-16, as efibootmgr --unicode writes it, found words of this "
                                   r"loader in neither"),
}


@pytest.mark.matrix
def test_what_somebody_may_have_meant_is_ignored_aloud(boot, boot_options):
    """All entries except the last find no entry file beside the image. The last one boots its entry file."""
    contents = placed({"/EFI/last/kexecx64.efi": IMAGE, "/EFI/last/kexecx64.conf": entry(extra=[])})
    entries = [(name, IMAGE_PATH, data) for name, (data, _) in ALOUD.items()]
    guest = boot(contents, **boot_options(*entries, ("last", "\\EFI\\last\\kexecx64.efi", utf16("single"))))
    assert wait_for_report(guest)["cmdline"] == DEFAULT_OPTIONS
    found = re.findall(r"^kexec: warning: load options ignored: (.*)$", guest.log, re.MULTILINE)
    assert len(found) == len(ALOUD) + 1 and found[-1].endswith('found "single"')
    for line, (_, message) in zip(found, ALOUD.values()):
        assert re.fullmatch(message, line)


@pytest.mark.matrix
def test_path_of_the_image_alone_is_no_option(boot, boot_options):
    contents = placed({"/EFI/kexec/kexecx64.conf": entry(extra=[])})
    guest = boot(contents, **boot_options(("Debian", IMAGE_PATH, utf16(IMAGE_PATH))))
    assert wait_for_report(guest)["cmdline"] == DEFAULT_OPTIONS
    assert "ignored" not in guest.log


def run_in_shell(boot, line, changes=None):
    """OVMF's shell runs startup.nsh if nothing else boots."""
    script = f"fs0:\r\n{line}\r\n".encode()
    return boot(placed({"/startup.nsh": script, **(changes or {})}))


def test_shell_passes_the_program_name_and_arguments(boot):
    guest = run_in_shell(boot, f"\\EFI\\kexec\\kexecx64.efi linux=/vmlinuz initrd=/initrd -- {DEFAULT_OPTIONS}")
    assert wait_for_report(guest)["cmdline"] == DEFAULT_OPTIONS
    assert "ignored" not in guest.log


@pytest.mark.matrix
def test_shell_without_arguments_uses_the_file(boot):
    guest = run_in_shell(boot, "EFI\\kexec\\kexecx64", {"/EFI/kexec/kexecx64.conf": entry(extra=[])})
    assert wait_for_report(guest)["cmdline"] == DEFAULT_OPTIONS
    assert "ignored" not in guest.log


def test_entry_that_the_shell_writes(boot):
    """The shell writes UTF-16 with a byte order mark. A word that begins with a slash would be an option of the shell."""
    path = "fs0:\\EFI\\kexec\\kexecx64"
    guest = run_in_shell(boot, "\r\n".join([f"echo linux \\vmlinuz > {path}.conf", f"echo initrd \\initrd >> {path}.conf",
                                           f"echo options {DEFAULT_OPTIONS} >> {path}.conf", f"{path}.efi"]))
    assert wait_for_report(guest)["cmdline"] == DEFAULT_OPTIONS


@pytest.mark.matrix
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
