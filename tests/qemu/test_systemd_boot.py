# SPDX-License-Identifier: BSD-2-Clause
"""Started by Debian's systemd-boot."""

import pathlib

import pytest

from conftest import DEFAULT_OPTIONS, IMAGE, INITRD, entry, files, kernel, utf16, wait_for_report
from kexec_efi_test.machine import BUILD
from test_stub import images  # noqa: F401

UP = "\x1b[A"
SYSTEMD_BOOT = pathlib.Path("/usr/lib/systemd/boot/efi/systemd-bootx64.efi")

# Debian 13's, fetched by `make deps`: it leaves a seed in a configuration table.
NEWER_SYSTEMD_BOOT = BUILD / "deps/systemd-boot/systemd-bootx64.efi"


def menu(*entries, changes=None):
    """An ESP with systemd-boot and its entries. systemd-boot starts the first one by default."""
    contents = {
        "/EFI/BOOT/BOOTX64.EFI": SYSTEMD_BOOT,
        "/EFI/BOOT/BOOTX64.conf": None,
        "/EFI/kexec/kexecx64.efi": IMAGE,
        "/loader/loader.conf": b"timeout 0\ndefault entry0.conf\n",
    }
    for number, lines in enumerate(entries):
        text = "\n".join([f"title entry {number}", "efi /EFI/kexec/kexecx64.efi", *lines, ""])
        contents[f"/loader/entries/entry{number}.conf"] = text.encode()
    return files({**contents, **(changes or {})})


def test_options_with_kernel_and_command_line(boot):
    guest = boot(menu([f"options linux=/vmlinuz initrd=/initrd -- {DEFAULT_OPTIONS} x=\"y z\""]))
    assert wait_for_report(guest)["cmdline"] == f"{DEFAULT_OPTIONS} x=\"y z\""
    assert "ignored" not in guest.log


@pytest.mark.matrix
def test_options_with_entry(boot):
    contents = menu(["options entry=/kexec/debian.conf"], changes={"/kexec/debian.conf": entry()})
    assert wait_for_report(boot(contents))["cmdline"] == DEFAULT_OPTIONS


@pytest.mark.matrix
def test_without_options_the_file_beside_the_image(boot):
    guest = boot(menu([], changes={"/EFI/kexec/kexecx64.conf": entry()}))
    assert wait_for_report(guest)["cmdline"] == DEFAULT_OPTIONS
    assert "ignored" not in guest.log


def test_failing_entry_returns_to_the_menu_and_the_next_boots(boot):
    good = f"options linux=/vmlinuz initrd=/initrd -- {DEFAULT_OPTIONS}"
    guest = boot(menu([good.replace("vmlinuz", "missing")], [good]))
    guest.expect(r"kexec: /missing: cannot open: expected a file, found NOT_FOUND")
    guest.expect(r"kexec: back to the boot menu in \d+ seconds, or by a key")
    guest.type(" ")
    # The menu lists its entries and waits. It sorts from new to old, so entry 1 stands above entry 0.
    guest.expect(r"by a key(.|\n)*entry 1")
    guest.type(UP)
    guest.type("\r")
    assert wait_for_report(guest)["cmdline"] == DEFAULT_OPTIONS
    assert "BdsDxe: failed" not in guest.log


def test_failure_after_systemd_boot_was_left_goes_on_in_the_boot_order(boot, boot_options):
    """systemd-boot's variables stay until the reset. The loader must not conclude from them that a later caller is a
    menu."""
    contents = menu([], changes={"/EFI/kexec/kexecx64.efi": b"no image", "/again.efi": IMAGE})
    good = f"linux=/vmlinuz initrd=/initrd -- {DEFAULT_OPTIONS}"
    options = boot_options(("menu", "\\EFI\\BOOT\\BOOTX64.EFI", b""),
                           ("bad", "\\again.efi", utf16(good.replace("vmlinuz", "missing"))),
                           ("good", "\\again.efi", utf16(good)))
    guest = boot(contents, **options)
    guest.expect(r"BdsDxe: failed to start Boot\w+ \"menu\" (.|\n)*"
                 r"kexec: /missing: cannot open: expected a file, found NOT_FOUND(.|\n)*"
                 r"BdsDxe: failed to start Boot\w+ \"bad\" .*: Not Found")
    report = wait_for_report(guest)
    assert report["LoaderInfo"].startswith("systemd-boot ")
    assert "back to the boot menu" not in guest.log


@pytest.mark.parametrize("loader, chosen", [
    (SYSTEMD_BOOT, "unified"), (NEWER_SYSTEMD_BOOT, "sealed"),
    *[pytest.param(loader, chosen, marks=pytest.mark.matrix)
      for loader, chosen in ((SYSTEMD_BOOT, "sealed"), (SYSTEMD_BOOT, "ukify"), (NEWER_SYSTEMD_BOOT, "unified"),
                             (NEWER_SYSTEMD_BOOT, "ukify"))],
], ids=lambda value: value if isinstance(value, str) else "newer" if value == NEWER_SYSTEMD_BOOT else "own")
def test_sealed_images_are_listed_by_their_titles_and_boot(boot, images, loader, chosen):  # noqa: F811
    """The ESP has no entry files. Debian 12's systemd-boot passes an image its own .cmdline as load options; the loader
    ignores them silently."""
    guest = boot({"/EFI/BOOT/BOOTX64.EFI": loader, "/vmlinuz": kernel(), "/initrd": INITRD,
                  "/loader/loader.conf": f"timeout menu-force\ndefault {chosen}.efi\n".encode(),
                  **{f"/EFI/Linux/{name}.efi": image for name, image in images.items()}})
    for title in ("Debian, sealed", "Debian, unified", "Debian by ukify"):
        guest.expect(title)
    guest.type("\r")
    report = wait_for_report(guest)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} {chosen}"
    assert report["payload"] == "payload: OK"
    assert report["LoaderEntrySelected"] == f"{chosen}.efi"
    assert sorted(report["LoaderEntries"].split(".efi")[:3]) == sorted(images)
    assert report["LoaderInfo"].startswith("systemd-boot ") and report["StubInfo"].startswith("kexec-efi ")
    assert "load options" not in guest.log
