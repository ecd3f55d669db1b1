# SPDX-License-Identifier: BSD-2-Clause
"""After the purgatory has refused: halt or reset, and the report of the next start."""

import re
import shutil
import struct
import time
import uuid

import pytest

from conftest import IMAGE, entry, files, utf16, wait_for_report
from kexec_efi_test import esp
from kexec_efi_test.machine import OVMF, TIMEOUT, Machine
from kexec_efi_test.screen import Picture
from kexec_efi_test.varstore import VariableStore
from test_systemd_boot import menu
from test_tampering import purgatory_entry

REPORT = (r"kexec: warning: the purgatory stopped the last start: digest mismatch in (\w+): "
          r"expected ([0-9a-f]{64}), found ([0-9a-f]{64})")


@pytest.fixture
def tampered(tmp_path):
    """tampered(disk, **options) -> a machine in whose initrd a bit is flipped when the purgatory starts."""
    machines = []

    def start(disk, variables, **options):
        # The addresses also depend on the variables, so the first run uses a copy of the store.
        copy = tmp_path / "copy.fd"
        shutil.copyfile(variables, copy)
        with Machine(disk, variables=copy, **options) as guest:
            guest.expect(r"^kexec: purgatory digest .*\n")
            address = purgatory_entry(guest.log)
            initrd = int(re.search(r"segment initrd mem (0x\w+)", guest.log)[1], 16)
        guest = Machine(disk, variables=variables, gdb=True, **options)
        machines.append(guest)
        debugger = guest.connect_gdb()
        debugger.run_to(address)
        debugger.flip(initrd + 1000)
        debugger.resume()
        guest.expect(r"^purgatory: digest mismatch in initrd\b")
        return guest

    yield start
    for guest in machines:
        guest.__exit__()


def expect_same_digests(first, second):
    digests = re.search(r"purgatory: expected fsverity (\w+), found (\w+)", first).groups()
    assert re.search(REPORT, second).groups() == ("initrd", *digests)


def test_halted_and_reported_once_by_the_next_start(tampered, tmp_path):
    disk = esp.make(tmp_path / "esp.img", files())
    variables = shutil.copyfile(OVMF.variables, tmp_path / "vars.fd")
    stopped = tampered(disk, variables)
    stopped.expect(r"^purgatory: the kernel was not started; halted$")
    assert "did not take a note" not in stopped.log
    stopped.__exit__()

    with Machine(disk, variables=variables) as guest:
        wait_for_report(guest)
        expect_same_digests(stopped.log, guest.log)
    with Machine(disk, variables=variables) as guest:
        wait_for_report(guest)
        assert "stopped the last start" not in guest.log


@pytest.mark.matrix
def test_no_room_for_the_note(tampered, tmp_path):
    """If the note cannot be stored, the purgatory does not reset, because resets without a note could repeat for ever.
    The full store does not prevent a boot."""
    disk = esp.make(tmp_path / "esp.img", files(conf=entry(extra=["verbose yes", "on-mismatch reset"])))
    variables = shutil.copyfile(OVMF.variables, tmp_path / "vars.fd")
    # First start: the firmware creates its own variables. Without them it has no console.
    with Machine(disk, variables=variables) as guest:
        guest.expect(r"^kexec: kexec-efi ")
    store = VariableStore(variables)
    store.fill()
    store.save(variables)
    guest = tampered(disk, variables)
    guest.expect(r"^purgatory: the firmware did not take a note of this$")
    guest.expect(r"^purgatory: the kernel was not started; halted$")
    guest.__exit__()

    with Machine(disk, variables=variables) as guest:
        wait_for_report(guest)
        assert "stopped the last start" not in guest.log


def test_shown_on_the_screen(tampered, tmp_path):
    """Letters are as large as lines of 80 columns permit: twice the font's size at OVMF's width of 1280 pixels."""
    disk = esp.make(tmp_path / "esp.img", files())
    guest = tampered(disk, shutil.copyfile(OVMF.variables, tmp_path / "vars.fd"), display=True)
    guest.expect(r"^purgatory: the kernel was not started; halted$")
    said = [line for line in guest.log.splitlines() if line.startswith("purgatory: ")]
    assert len(said) == 3
    wrapped = [line[start:start + 80].rstrip() for line in said for start in range(0, len(line), 80)]
    deadline = time.monotonic() + TIMEOUT
    while (shown := Picture(guest.screenshot()).text(scale=2)[:len(wrapped)]) != wrapped:
        assert time.monotonic() < deadline, f"expected {wrapped}, found {shown}"
        time.sleep(1)


def test_reset_once_then_reported_then_the_next_boot_option(tampered, tmp_path, boot_options):
    """One run of QEMU. Entry A is tampered with, and resets. At its next start it reports that and returns, so the
    firmware starts entry B."""
    disk = esp.make(tmp_path / "esp.img", files({
        "/EFI/a/a.efi": IMAGE, "/EFI/a/a.conf": entry(extra=["verbose yes", "on-mismatch reset"]),
        "/EFI/b/b.efi": IMAGE, "/EFI/b/b.conf": entry(extra=[]),
    }))
    options = boot_options(("A", "\\EFI\\a\\a.efi", b""), ("B", "\\EFI\\b\\b.efi", utf16("verbose")))
    guest = tampered(disk, options.pop("variables"), reboot=True, **options)
    guest.expect(r"^purgatory: the kernel was not started; resetting$")
    guest.expect(REPORT)
    guest.expect(r"^kexec: not trying again at once \(on-mismatch reset\); the next start will$")
    guest.expect(r"BdsDxe: failed to start Boot00A0 \"A\".*Security Violation")
    guest.expect(r"BdsDxe: starting Boot00A1 \"B\"")
    wait_for_report(guest)
    assert guest.log.count("digest mismatch in initrd (") == 1
    assert len(re.findall(REPORT, guest.log)) == 1


def test_reset_behind_systemd_boot_then_reported_then_the_menu(boot, tmp_path):
    """systemd-boot shows its menu again only after a program that returns success. The test writes the note that the
    purgatory would have left."""
    store = VariableStore(OVMF.variables)
    reset = 1
    store.set("KexecMismatch", struct.pack("<II16s32s32s", 1, reset, b"initrd", bytes(32), b"\xff" * 32),
              vendor=uuid.UUID("5f0a6dd6-9a3e-4c1f-8d46-2c1a1d1b6a10"))
    store.save(tmp_path / "noted.fd")
    guest = boot(menu(["options entry=/EFI/BOOT/mine.conf"], changes={
                     "/EFI/BOOT/mine.conf": entry(extra=["verbose yes", "on-mismatch reset"])}),
                 variables=tmp_path / "noted.fd")
    guest.expect(REPORT)
    guest.expect(r"^kexec: not trying again at once \(on-mismatch reset\); the next start will$")
    guest.expect(r"^kexec: back to the boot menu in \d+ seconds, or by a key$")
    guest.type(" ")
    guest.expect(r"by a key(.|\n)*entry 0")
    guest.type("\r")
    wait_for_report(guest)
    assert len(re.findall(REPORT, guest.log)) == 1
    assert "BdsDxe: failed" not in guest.log
