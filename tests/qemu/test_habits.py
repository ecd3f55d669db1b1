# SPDX-License-Identifier: BSD-2-Clause
"""Habits from other loaders: kexec-efi does what users expect, or prints a line, and boots. test_refusals.py tests the
habits that it refuses; tests/unit/test_command_line.c, test_key_habit.c and test_path_habit.c test those that need no
machine."""

import hashlib
import struct

import lines
from conftest import DEFAULT_OPTIONS, INITRD, entry, files, utf16, wait_for_report
from test_boot import packed
from test_load_options import IMAGE_PATH, placed


def lz4(content):
    """A frame of the legacy format, which Linux reads, with only literals in its blocks (lz4's
    doc/lz4_Frame_format.md)."""
    frame = b"\x02\x21\x4c\x18"
    for start in range(0, len(content), 8 << 20):
        literals = content[start:start + (8 << 20)]
        more = len(literals) - 15
        block = b"\xf0" + b"\xff" * (more // 255) + bytes([more % 255]) + literals
        frame += struct.pack("<I", len(block)) + block
    return frame


def test_entry_written_for_others(boot):
    """The entry names its initrd in the command line, as for the kernel's EFI stub, and spells the kernel's path
    differently."""
    options = f"{DEFAULT_OPTIONS} $tuned_params initrd=\\\\initrd"
    conf = entry(linux="//EFI/../vmlinuz", initrds=[], options=options, extra=["grub_users $x", "append root=/dev/x"])
    guest = boot(files(conf=conf))
    report = wait_for_report(guest)
    assert report["cmdline"] == options
    assert report["payload"] == "payload: OK"
    name = r"\EFI\BOOT\BOOTX64.conf"
    assert lines.warnings(guest.log) == [
        f'{name}: options: expected words for Linux, found "$tuned_params": variables are GRUB\'s, and stay as they are',
        f"{name}: line 4: unknown key append skipped: expected options",
    ]
    assert not lines.errors(guest.log)


def test_initrds_that_a_menu_appends(boot, boot_options, tmp_path):
    """Behind the command line, the load options name initrds: one twice, one with a blank in its quoted name, and the
    last in lz4."""
    extra = packed(tmp_path, "extra", b"extra")
    text = f"linux=vmlinuz initrd=\"/my initrd\" -- {DEFAULT_OPTIONS} initrd=/initrd -- initrd=\"\\my initrd\""
    guest = boot(placed({"/my initrd": extra, "/initrd": lz4(INITRD.read_bytes())}),
                 **boot_options(("Menu", IMAGE_PATH, utf16(text))))
    report = wait_for_report(guest)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} initrd=/initrd -- initrd=\"\\my initrd\""
    assert report["extra"].split()[0] == hashlib.sha256(b"extra").hexdigest()
    assert report["payload"] == "payload: OK"
    assert not lines.warnings(guest.log) and not lines.errors(guest.log)


def test_initrd_that_linux_does_not_reach(boot, tmp_path):
    """The kernel's lz4 decoder does not find the end of a frame, so Linux loses the initrd behind it."""
    extra = packed(tmp_path, "extra", b"extra")
    guest = boot(files({"/initrd": lz4(INITRD.read_bytes()), "/extra": extra}, entry(initrds=["/initrd", "/extra"])))
    report = wait_for_report(guest)
    assert lines.warnings(guest.log) == [
        "/initrd: expected an initrd in lz4 to be the last one, found /extra behind it: Linux loses all that follows; "
        "name it last, or compress it otherwise"]
    assert report["payload"] == "payload: OK"
    assert report["extra"].split()[0] == hashlib.sha256(b"").hexdigest()
