# SPDX-License-Identifier: BSD-2-Clause
"""What people bring along from other loaders: done, or said aloud, while the boot goes on. What is refused is in
test_refusals.py, and what needs no machine in tests/unit/test_command_line.c, test_key_habit.c and test_path_habit.c."""

import hashlib

import lines
from conftest import DEFAULT_OPTIONS, entry, files, utf16, wait_for_report
from test_boot import packed
from test_load_options import IMAGE_PATH, placed


def test_entry_written_for_others(boot):
    """One that names its initrd as the kernel's EFI stub would read it, and the kernel in another spelling."""
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
    """Behind the command line of the load options. One is named twice, and in a name with a blank there is no second."""
    extra = packed(tmp_path, "extra", b"extra")
    text = f"linux=vmlinuz initrd=\"/my initrd\" -- {DEFAULT_OPTIONS} initrd=/initrd -- initrd=\"\\my initrd\""
    guest = boot(placed({"/my initrd": extra}), **boot_options(("Menu", IMAGE_PATH, utf16(text))))
    report = wait_for_report(guest)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} initrd=/initrd -- initrd=\"\\my initrd\""
    assert report["extra"].split()[0] == hashlib.sha256(b"extra").hexdigest()
    assert report["payload"] == "payload: OK"
    assert not lines.warnings(guest.log) and not lines.errors(guest.log)
