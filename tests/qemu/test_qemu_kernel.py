# SPDX-License-Identifier: BSD-2-Clause
"""QEMU without a disk: OVMF makes a volume of the files that -kernel, -initrd, -append and -shim name."""

import pathlib
import struct

import pytest

import lines
from conftest import DEFAULT_OPTIONS, IMAGE, INITRD, kernel, wait_for_report
from kexec_efi_test.machine import FIRMWARE, Machine, NEWER_QEMU
from test_sealed import seal

needs_shim = pytest.mark.skipif(not pathlib.Path(NEWER_QEMU[0]).exists() or not FIRMWARE["trixie"].present,
                                reason="make deps has not fetched QEMU 10 and Debian 13's OVMF, which know -shim")


def options_of(**options):
    return [word for name, value in options.items() for word in (f"-{name}", str(value))]


@pytest.fixture
def unified(tmp_path):
    return seal(tmp_path, "--linux", kernel(), "--initrd", INITRD, "--cmdline", f"{DEFAULT_OPTIONS} unified")


@needs_shim
def test_shim_boots_kernel_and_initrd(tmp_path):
    """All of -append belongs to the kernel, even words that are load options elsewhere."""
    append = f'{DEFAULT_OPTIONS} verbose a="b  c" linux=/x kernel -- d "e k\u00e4se'
    words = options_of(shim=IMAGE, kernel=kernel(), initrd=INITRD, append=append)
    with Machine(None, firmware=FIRMWARE["trixie"], qemu=NEWER_QEMU, extra=words) as guest:
        report = wait_for_report(guest)
        assert report["cmdline"] == append
        assert report["payload"] == "payload: OK"
        assert not lines.warnings(guest.log) and not lines.errors(guest.log)
        # edk2 registers the initrd and names it as well. Linux gets it once: boot_params has its size once.
        assert struct.unpack_from("<I", bytes.fromhex(report["boot-params"]), 0x21c)[0] == INITRD.stat().st_size


def test_image_as_the_kernel_says_what_to_do_instead():
    """QEMU refuses -initrd if -kernel is not a Linux kernel."""
    with Machine(None, extra=options_of(kernel=IMAGE)) as guest:
        guest.expect(r"^kexec: QEMU: expected -shim with this image and -kernel with Linux \(QEMU 10\), or -kernel with a "
                     r"unified image, found nothing to boot$")
        guest.expect(r"Shell>|UEFI Interactive Shell|BdsDxe: No bootable option")


def test_unified_image_as_the_kernel(unified):
    with Machine(None, extra=options_of(kernel=unified)) as guest:
        assert wait_for_report(guest)["cmdline"] == f"{DEFAULT_OPTIONS} unified"
