# SPDX-License-Identifier: BSD-2-Clause
"""An initrd that the loader's caller has registered (register.c) is loaded once, in front of the others."""

import hashlib
import pathlib
import re

from conftest import DEFAULT_OPTIONS, IMAGE, INITRD, entry, files, kernel, wait_for_report
from kexec_efi_test.machine import BUILD
from test_boot import packed, segments
from test_sealed import seal
from test_systemd_boot import menu

# tests/unit/test_source_registered_initrd.c tests more lies; here each start first loads the kernel, which takes time.
REFUSALS = {
    "no size": r"registered initrd: cannot tell its size: expected BUFFER_TOO_SMALL, found DEVICE_ERROR",
    "no content": r"registered initrd: cannot read: expected \d+ bytes, found DEVICE_ERROR",
    "too short": r"registered initrd: ends early: expected \d+ bytes, found \d+",
}


def started_by_it(tmp_path, changes=None, conf=None):
    """An ESP on which register.c registers an archive with two files, and starts the loader."""
    registered = packed(tmp_path, "extra1", b"registered ") + packed(tmp_path, "extra2", b"registered ")
    return files({"/EFI/BOOT/BOOTX64.EFI": BUILD / "register.efi", "/kexec.efi": IMAGE, "/registered": registered,
                  **(changes or {})}, conf)


def test_first_of_all_and_each_lie_is_one_line(boot, tmp_path):
    """The entry's initrd follows the registered one, so its file replaces the one of the same name."""
    named = packed(tmp_path, "extra2", b"named ")
    guest = boot(started_by_it(tmp_path, {"/named": named}, entry(initrds=["/named", "/initrd"])))
    report = wait_for_report(guest)
    assert report["extra"].split()[0] == hashlib.sha256(b"registered named ").hexdigest()
    assert report["payload"] == "payload: OK"
    for name, message in REFUSALS.items():
        assert re.search(rf"^kexec: {message}\nkexec: register: {name}: (?!SUCCESS)\w+$", guest.log, re.MULTILINE), name


def test_sealed_image_refuses_it(boot, tmp_path):
    """test_sealed.py has the twin, without a registered initrd."""
    image = seal(tmp_path, "--linux", kernel(), "--initrd", INITRD, "--cmdline", DEFAULT_OPTIONS)
    guest = boot(started_by_it(tmp_path, {"/kexec.efi": image}))
    guest.expect(r"^kexec: registered initrd: expected none, since this image boots only what is sealed in it, found one of "
                 r"\d+ bytes from the program that started it\nkexec: register: none: ACCESS_DENIED$")
    assert "Linux version" not in guest.log


def test_same_initrd_by_systemd_boot_is_loaded_once(boot):
    """systemd-boot registers the entry's initrd, and also names it in the load options."""
    contents = menu(["initrd /initrd", f"options linux=/vmlinuz verbose -- {DEFAULT_OPTIONS}"])
    path = "/loader/entries/entry0.conf"
    contents[path] = contents[path].replace(b"\nefi ", b"\nlinux ")
    guest = boot(contents)
    assert wait_for_report(guest)["cmdline"] == DEFAULT_OPTIONS
    assert segments(guest.log)["initrd"][1] == pathlib.Path(INITRD).stat().st_size
