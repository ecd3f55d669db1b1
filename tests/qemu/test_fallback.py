# SPDX-License-Identifier: BSD-2-Clause
"""An entry that is refused, or whose last start was stopped, falls back to another one: which entry boots, and what the
booted system learns of it."""

import base64
import hashlib
import re
import shutil
import struct
import uuid

import pytest

import lines
from conftest import DEFAULT_OPTIONS, IMAGE, INITRD, entry, files, fsverity, kernel, utf16, wait_for_report
from difficult import attempts, difficult
from kexec_efi_test import esp, event_log, uki
from kexec_efi_test.machine import OVMF, Machine
from kexec_efi_test.varstore import VariableStore
from test_loader_interface import log_left
from test_measured_boot import expect_predicted, registers, replayed
from test_mismatch import REPORT, tampered  # noqa: F401
from test_sealed import alone, seal

FIRST, SECOND = "/EFI/BOOT/BOOTX64.conf", "/EFI/BOOT/second.conf"
FIRST_NAME = FIRST.replace("/", "\\")
VENDOR = uuid.UUID("5f0a6dd6-9a3e-4c1f-8d46-2c1a1d1b6a10")
MISMATCH, HALT, RESET = 1, 0, 1
NOTE = struct.Struct("<II16s32s32s72s8Q")


def damaged(path):
    """The content of a file with one bit flipped."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    return bytes(content)


def first(*extra, fallback=SECOND):
    return entry(options=f"{DEFAULT_OPTIONS} first", extra=[
        "verbose yes", f"fsverity {fsverity(kernel())} /vmlinuz", f"fsverity {fsverity(INITRD)} /initrd",
        f"fallback {fallback}", *extra])


def second(*extra):
    """An entry like the first, with the second copy of the initrd."""
    return entry(initrds=["/copy"], options=f"{DEFAULT_OPTIONS} second", extra=[
        f"fsverity {fsverity(kernel())} /vmlinuz", f"fsverity {fsverity(INITRD)} /copy", *extra])


def two_entries(changes=None, first_extra=(), second_extra=()):
    return files({FIRST: first(*first_extra), SECOND: second(*second_extra), "/copy": INITRD, **(changes or {})})


def identity(text):
    """The identity of an entry in a note: a hash of its measured text, which for a file ends with a line end."""
    return int.from_bytes(hashlib.sha256(text + b"\n").digest()[:8], "little")


def expect_log(report, *expected):
    """Asserts the last lines of the log that the booted system finds."""
    log = [line for line in log_left(report).splitlines() if line]
    assert log[-len(expected):] == [f"kexec: warning: {line}" for line in expected]


def mismatch(path, content, expected=INITRD):
    return f"{path}: fsverity mismatch: expected {fsverity(expected)}, found {content}"


def digest_of(tmp_path, content):
    (tmp_path / "content").write_bytes(content)
    return fsverity(tmp_path / "content")


def test_second_copy_of_a_damaged_file(boot, tmp_path):
    """The second copy boots as the first would, and the TPM's registers show only the second entry: nothing of the
    first was measured."""
    wrong = damaged(INITRD)
    guest = boot(two_entries({"/initrd": wrong}), tpm="tpm-crb")
    report = wait_for_report(guest)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} second"
    assert report["payload"] == "payload: OK"
    why = mismatch("/initrd", digest_of(tmp_path, wrong))
    assert lines.errors(guest.log) == [why]
    assert f"kexec: warning: {FIRST_NAME} is refused: trying {SECOND}\n" in guest.log
    expect_log(report, f"booting {SECOND}, since {FIRST_NAME} was refused: {why}")
    assert report["LoaderEntrySelected"] == "second.conf"

    root = tmp_path / "root"
    root.mkdir()
    (root / "vmlinuz").symlink_to(kernel())
    (root / "copy").symlink_to(INITRD)
    (tmp_path / "second.conf").write_bytes(second())
    expect_predicted(report, "--image", IMAGE, "--entry", tmp_path / "second.conf", "--root", root)


def test_first_entry_boots_where_nothing_is_damaged(boot):
    guest = boot(two_entries())
    report = wait_for_report(guest)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} first"
    assert report["LoaderEntrySelected"] == "BOOTX64.conf"
    assert not lines.errors(guest.log) and not lines.warnings(guest.log)
    assert "second.conf" not in log_left(report)


def test_second_of_two_sealed_entries(boot, tmp_path):
    """The image ignores the entry file beside it."""
    for name in ("vmlinuz", "copy"):
        (tmp_path / name).symlink_to(kernel())
    (tmp_path / "initrd").symlink_to(INITRD)
    for name, linux in (("first", "/vmlinuz"), ("second", "/copy")):
        (tmp_path / f"{name}.conf").write_bytes(entry(linux, options=f"{DEFAULT_OPTIONS} {name}"))
    image = seal(tmp_path, "--entry", tmp_path / "first.conf", "--entry", tmp_path / "second.conf", "--root", tmp_path)
    wrong = damaged(kernel())
    guest = boot(alone(image, {"/vmlinuz": wrong, "/copy": kernel(), FIRST: entry(options="evil")}), tpm="tpm-tis")
    report = wait_for_report(guest)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} second"
    why = mismatch("/vmlinuz", digest_of(tmp_path, wrong), kernel())
    assert lines.errors(guest.log) == [why]
    expect_log(report, f"booting sealed entry 2, since sealed entry 1 was refused: {why}")
    expect_predicted(report, "--image", image, "--root", tmp_path, "--sealed-entry=2")


def test_stopped_by_the_purgatory_then_reset_then_the_fallback(tampered, tmp_path):  # noqa: F811
    """One run of QEMU. The first of three entries is refused, the purgatory stops the second, and the note makes the
    next start boot the third."""
    reset = ["on-mismatch reset"]
    disk = esp.make(tmp_path / "esp.img", two_entries({
        FIRST: entry(initrds=["/missing"], extra=[f"fallback {SECOND}"]), SECOND: first(*reset, fallback="/third.conf"),
        "/third.conf": second(*reset)}))
    guest = tampered(disk, shutil.copyfile(OVMF.variables, tmp_path / "vars.fd"), reboot=True)
    guest.expect(r"^purgatory: the kernel was not started; resetting$")
    guest.expect(REPORT)
    report = wait_for_report(guest)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} second"
    missing = "/missing: cannot open: expected a file, found NOT_FOUND" + lines.on_volume().replace('\\"', '"')
    why = f"{SECOND}: not tried: its last start was stopped: digest mismatch in initrd"
    assert lines.errors(guest.log) == [missing, missing, why]
    expect_log(report, f"booting /third.conf, since {FIRST_NAME} was refused: {missing}",
               f"booting /third.conf, since {SECOND} was refused: {why}")


def test_what_has_no_fallback_and_what_ends(boot, boot_options):
    """A kernel named by load options has no fallback. A loop of fallbacks ends. A wrong entry file falls back, and
    keeps the added load options."""
    contents = {
        "/EFI/a/a.efi": IMAGE, "/EFI/a/a.conf": first(fallback="/EFI/c/d.conf"),
        "/EFI/b/b.efi": IMAGE, "/EFI/b/b.conf": first(fallback="EFI//b/c.conf"),
        "/EFI/b/c.conf": first(fallback="/EFI/b/b.conf"),
        "/EFI/c/c.efi": IMAGE, "/EFI/c/c.conf": b"Linux /vmlinuz\nfallback /EFI/c/d.conf\n",
        "/EFI/c/d.conf": entry("/copy"), "/copy": kernel(), "/vmlinuz": b"garbage" * 1000, "/EFI/BOOT/BOOTX64.EFI": None}
    guest = boot(files(contents), **boot_options(
        ("A", "\\EFI\\a\\a.efi", utf16("linux=/vmlinuz -- one")), ("B", "\\EFI\\b\\b.efi", b""),
        ("C", "\\EFI\\c\\c.efi", utf16("entry=\\EFI\\c\\c.conf -- added"))))
    report = wait_for_report(guest)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} added"
    a, b, c = re.split(r"BdsDxe: starting Boot\w+ \"[ABC]\"", guest.log)[1:]
    assert len(lines.errors(a)) == 1 and not lines.warnings(a)
    assert len(lines.errors(b)) == 2
    assert lines.warnings(b) == ["\\EFI\\b\\b.conf is refused: trying EFI//b/c.conf",
                                 "EFI//b/c.conf: fallback: expected an entry that was not tried before, found /EFI/b/b.conf"]
    assert lines.errors(c) == ["\\EFI\\c\\c.conf: line 1: Linux: expected linux"]
    expect_log(report, "booting /EFI/c/d.conf, since \\EFI\\c\\c.conf was refused: \\EFI\\c\\c.conf: line 1: Linux: "
                       "expected linux")


# --- tests that take long ---------------------------------------------------------------------------------------------


@pytest.mark.matrix
def test_note_names_the_entry(tampered, tmp_path):  # noqa: F811
    """A person resets the machine after the halt: the loader skips the first entry once."""
    variables = shutil.copyfile(OVMF.variables, tmp_path / "vars.fd")
    disk = esp.make(tmp_path / "esp.img", two_entries())
    guest = tampered(disk, variables)
    guest.expect(r"^purgatory: the kernel was not started; halted$")
    guest.__exit__()
    note = VariableStore(variables).get("KexecMismatch", VENDOR)
    kind, on_mismatch, region, _, _, _, *entries = NOTE.unpack(note)
    assert (kind, on_mismatch, region.rstrip(b"\0")) == (MISMATCH, HALT, b"initrd")
    assert entries == [identity(first()), *[0] * 7]
    for booted in "second", "first":
        with Machine(disk, variables=variables) as guest:
            assert wait_for_report(guest)["cmdline"] == f"{DEFAULT_OPTIONS} {booted}"


@pytest.mark.matrix
def test_starts_that_are_all_stopped_end(boot, boot_options):
    """The note says that both entries were stopped, each with a reset: the loader returns to the firmware. The next
    start tries all entries again."""
    reset = ["on-mismatch reset"]
    options = boot_options(("A", "\\EFI\\BOOT\\BOOTX64.EFI", b""), ("B", "\\EFI\\b\\b.efi", b""))
    store = VariableStore(options["variables"])
    store.set("KexecMismatch", NOTE.pack(MISMATCH, RESET, b"initrd", bytes(32), b"\xff" * 32, bytes(72),
                                         identity(first(*reset)), identity(second(*reset)), *[0] * 6), vendor=VENDOR)
    store.save(options["variables"])
    guest = boot(two_entries({"/EFI/b/b.efi": IMAGE, "/EFI/b/b.conf": entry(options=f"{DEFAULT_OPTIONS} b")},
                             reset, reset), **options)
    assert wait_for_report(guest)["cmdline"] == f"{DEFAULT_OPTIONS} b"
    assert lines.errors(guest.log) == [
        f"{FIRST_NAME}: not tried: its last start was stopped: digest mismatch in initrd",
        "not trying again at once (on-mismatch reset); the next start will"]
    assert VariableStore(options["variables"]).get("KexecMismatch", VENDOR) is None


def unified():
    return uki.make([(".osrel", b"ID=debian\n"), (".cmdline", b"quiet\n"), (".linux", kernel().read_bytes()),
                     (".initrd", INITRD.read_bytes())], IMAGE)


@pytest.mark.matrix
def test_log_of_the_tpm_tells_of_an_entry_that_was_measured(boot):
    """The loader measures a unified image before it finds that the entry's initrd is missing."""
    text = b"linux /image.efi\ninitrd /missing\nfallback " + SECOND.encode() + b"\n"
    report = wait_for_report(boot(two_entries({FIRST: text, "/image.efi": unified()}), tpm="tpm-crb"))
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} second"
    assert registers(report) == replayed(report)
    events = [event for event in event_log.parse(base64.b64decode(report["event-log"])) if event.pcr == 12]
    refused, booted, line = [event.sha256 for event in events]
    assert b"kexec-efi refused" in events[0].content and b"kexec-efi entry" in events[1].content
    assert refused == hashlib.sha256(text + b"\n").digest()
    assert booted == hashlib.sha256(second() + b"\n").digest()
    assert line == hashlib.sha256(utf16(f"{DEFAULT_OPTIONS} second")).digest()


@pytest.mark.matrix
def test_refused_entries_leave_nothing(boot):
    """Refused in turn: a file that is no kernel, a missing initrd behind a kernel, a wrong line, and an entry that
    requires a TPM, after all was read. In some runs a file of the fifth entry cannot be opened; in the last run it
    boots."""
    chain = {
        "/app.conf": b"linux /garbage\nfallback /1.conf\n", "/garbage": b"garbage" * 1000, "/copy": INITRD,
        "/1.conf": b"linux /vmlinuz\ninitrd /missing\nfallback /2.conf\n",
        "/2.conf": b"Linux /vmlinuz\nfallback /3.conf\n",
        "/3.conf": entry(extra=["measure require", "fallback /4.conf"])}
    runs = [f"open {number}\nopen-error {number}" for number in range(15, 19)]
    guest = boot(difficult(*runs, "whole", changes={**chain, "/4.conf": second()}))
    assert wait_for_report(guest)["cmdline"] == f"{DEFAULT_OPTIONS} second"
    *found, whole = attempts(guest.log)
    assert whole.exits and len(whole.errors) == 4
    refused = [attempt for attempt in found if not attempt.exits]
    assert [len(attempt.errors) for attempt in refused[-2:]] == [5, 5]
    for attempt in refused:
        assert attempt.status not in (None, "SUCCESS"), attempt
        assert attempt.left == {"pages": 0, "pools": 0, "files": 0, "images": 0}, attempt
