# SPDX-License-Identifier: BSD-2-Clause
"""The loader reports a failed start to the next system that comes up: lines in the EFI variable KexecStarts."""

import struct
import uuid

from conftest import IMAGE, entry, files, utf16, wait_for_report
from kexec_efi_test import esp
from kexec_efi_test.machine import Machine
from kexec_efi_test.varstore import VariableStore
from test_mismatch import tampered  # noqa: F401

VENDOR = uuid.UUID("5f0a6dd6-9a3e-4c1f-8d46-2c1a1d1b6a10")
GOOD, TRIAL = 0xA0, 0xA1


def disk(tmp_path, **trial):
    return esp.make(tmp_path / "esp.img", files({
        "/EFI/a/a.efi": IMAGE, "/EFI/a/a.conf": entry(extra=["on-mismatch reset"]),
        "/EFI/b/b.efi": IMAGE, "/EFI/b/b.conf": entry(**trial),
    }))


def on_trial(boot_options):
    """BootNext starts B once; the boot order has only A."""
    options = boot_options(("A", "\\EFI\\a\\a.efi", b""), ("B", "\\EFI\\b\\b.efi", utf16("verbose")))
    store = VariableStore(options["variables"])
    store.set("BootOrder", struct.pack("<H", GOOD))
    store.set("BootNext", struct.pack("<H", TRIAL))
    store.save(options["variables"])
    return options


def noted(options):
    """The kind, the path and the message of each record."""
    data = VariableStore(options["variables"]).get("KexecStarts", VENDOR)
    records = [line.split("\t") for line in (data or b"").decode("ascii").splitlines()]
    # The last field is the time by the firmware's clock.
    assert all(len(record) == 4 and record[3].startswith("20") for record in records), records
    return [tuple(record[:3]) for record in records]


def test_refused_trial_leaves_its_reason(tmp_path, boot_options):
    image = disk(tmp_path, linux="/nowhere")
    options = on_trial(boot_options)
    for _ in range(2):
        with Machine(image, **options) as guest:
            wait_for_report(guest)
        (what, path, line), = noted(options)
        assert (what, path) == ("refused", "\\EFI\\b\\b.efi") and line.startswith("/nowhere: ") and "NOT_FOUND" in line


def test_trial_that_leaves_for_linux(tmp_path, boot_options):
    """An ordinary boot leaves no note."""
    image = disk(tmp_path)
    options = on_trial(boot_options)
    with Machine(image, **options) as guest:
        wait_for_report(guest)
    assert noted(options) == [("started", "\\EFI\\b\\b.efi", "")]
    with Machine(image, **options) as guest:
        wait_for_report(guest)
    assert noted(options) == [("started", "\\EFI\\b\\b.efi", "")]


def test_trial_that_was_stopped_gives_way_at_once(tmp_path, boot_options, tampered):  # noqa: F811
    """Nothing follows A in the boot order. A boots nevertheless, because A is not the stopped entry."""
    image = disk(tmp_path, extra=["verbose yes", "on-mismatch reset"])
    options = on_trial(boot_options)
    guest = tampered(image, options["variables"], boot_order=True, reboot=True)
    guest.expect(r"^purgatory: the kernel was not started; resetting$")
    guest.expect(r"^kexec: warning: the purgatory stopped the last start: digest mismatch in initrd")
    report = wait_for_report(guest)
    guest.__exit__()
    assert "not trying again at once" not in guest.log and report["release"]
    (started, path, _), (stopped, _, line) = noted(options)
    assert (started, path, stopped) == ("started", "\\EFI\\b\\b.efi", "stopped")
    assert line.startswith("warning: the purgatory stopped the last start: digest mismatch in initrd: expected ")
