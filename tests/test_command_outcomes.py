# SPDX-License-Identifier: BSD-2-Clause
"""kexec-efi's report on a kernel after its trial: the loader's message, the purgatory's, no reason at all, or that
another boot entry was started instead."""

import json
import struct

import pytest

from command_machine import FOLDER, OTHERS, ROOT, FolderMachine, cpio
from kexec_efi import boot_files, changes, loader_words, outcomes, variables
from test_command_changes import A, B, C, add, blessed

LINE = f"/{FOLDER}/vmlinuz: fsverity mismatch: expected aa, found bb"
STOP = "the purgatory stopped the last start: digest mismatch in initrd: expected aa, found bb"


@pytest.fixture
def machine(tmp_path):
    """A machine that boots A first; B is on trial."""
    found = blessed(FolderMachine.new(tmp_path / "machine"), A)
    add(B)(found)[0].carry_out()
    return found


def status(machine, version=B, expected=3):
    value = json.loads(machine.run("status", "--json", expected=expected))
    return next(one for one in value["sets"] if one["version"] == version)


def starts(machine):
    return machine.get("KexecStarts", variables.KEXEC)


def expect(machine, kind, words, state="failed", expected=3):
    """Checks the outcome in JSON and in the text: now, and again after the service has run `bless`, which may delete
    the note."""
    for _ in range(2):
        found = status(machine, expected=expected)
        assert (found["state"], found["outcome"]["kind"]) == (state, kind), found
        assert words in found["why"] and words in machine.run("status", expected=expected)
        machine.run("bless")


def test_refused(machine):
    assert machine.reboot(failing=[B], refused=LINE) == A
    expect(machine, "refused", f"was tried at 2026-01-02 03:04: {LINE}")
    assert starts(machine) is None


def test_panic_or_hang(machine):
    assert machine.reboot(failing=[B]) == A
    expect(machine, "lost", "was tried at 2026-01-02 03:04: did not come up (panic or hang: it left no reason)")
    assert starts(machine) is None


def test_stopped_by_the_purgatory(machine):
    """The next start has reported the stop, and noted it."""
    machine.reboot(failing=[B])
    machine.leave_start("stopped", "", "warning: " + STOP)
    expect(machine, "stopped", f"was tried at 2026-01-02 03:04: {STOP}")
    assert starts(machine) is None


def test_stop_that_is_in_the_log_only(machine):
    """The loader is from before the note of starts."""
    machine.reboot(failing=[B])
    log = struct.pack("<I", 6) + f"kexec: warning: {STOP}\n".encode("utf-16-le")
    (machine.efivars / f"KexecLog-{variables.KEXEC}").write_bytes(log)
    expect(machine, "stopped", STOP)


def test_stop_that_nobody_has_reported_yet(machine):
    """GRUB started the running system, so nothing has read the purgatory's note."""
    machine.reboot(failing=[B])
    machine.set("KexecMismatch", struct.pack("<II16s", 1, 1, b"initrd") + b"\xaa" * 32 + b"\xbb" * 32, variables.KEXEC)
    assert "digest mismatch in initrd: expected aaaa" in status(machine)["why"]


def test_tried_twice(machine):
    machine.reboot(failing=[B])
    machine.run("bless")
    machine.run("add", "--again", B)
    assert status(machine, expected=0)["outcome"] is None
    machine.reboot(failing=[B], refused=LINE)
    expect(machine, "refused", f"{LINE} (2 tries)")


def test_gave_way_to_its_fallback(machine):
    """The loader has booted another entry of the image, as the running system's log says."""
    assert machine.reboot() == B
    line = f"booting /old.conf, since /{FOLDER}/b.conf was refused: /vmlinuz: fsverity mismatch"
    log = struct.pack("<I", 6) + f"kexec: warning: {line}\n".encode("utf-16-le")
    (machine.efivars / f"KexecLog-{variables.KEXEC}").write_bytes(log)
    assert "not blessed" in machine.run("bless", expected=1)
    (machine.efivars / f"KexecLog-{variables.KEXEC}").unlink()
    found = status(machine)
    assert (found["state"], found["outcome"]["kind"]) == ("failed", "refused") and line in found["why"]
    assert machine.reboot() == A
    assert line in status(machine)["why"]


# --- BootNext of other programs
# ------------------------------------------------------------------------------------------


def test_another_one_is_to_be_started(machine):
    """Another program has overwritten BootNext."""
    machine.set("BootNext", struct.pack("<H", OTHERS))
    found = status(machine, expected=0)
    assert found["state"] == "waiting" and "Boot0001 (debian) starts next" in found["why"]


def test_another_one_was_started(machine):
    """The set waits for another trial, for which the service schedules it again."""
    machine.set("BootNext", struct.pack("<H", OTHERS))
    assert machine.reboot() == "others"
    found = status(machine, expected=0)
    assert (found["state"], found["outcome"]["kind"]) == ("waiting", "not-started")
    assert found["why"] == "was not started: Boot0001 (debian) was started instead; it waits for another trial"
    machine.run("bless")
    assert machine.reboot() == B


def test_start_that_was_lost(machine):
    """Somebody deleted BootNext (`efibootmgr --delete-bootnext`), or the firmware refused the image before it ran."""
    for count in range(1, outcomes.TRIES_MAX):
        (machine.efivars / f"BootNext-{variables.GLOBAL}").unlink()
        assert machine.reboot() == A
        found = status(machine, expected=0)
        assert (found["state"], found["tries"]) == ("waiting", count)
        assert "the loader noted no start of it" in found["why"] and "Secure Boot" not in found["why"]
        machine.run("bless")
    # kexec-efi gives up after the last retry.
    machine.set("SecureBoot", b"\1")
    (machine.efivars / f"BootNext-{variables.GLOBAL}").unlink()
    machine.reboot()
    expect(machine, "not-started", "Secure Boot is on: does the firmware trust its signature? (3 tries)")
    assert machine.numbers("BootNext") == []


def test_deleted_in_the_same_boot(machine):
    (machine.efivars / f"BootNext-{variables.GLOBAL}").unlink()
    assert status(machine, expected=0)["why"] == "it waits for its trial"
    machine.run("add", B)
    assert machine.reboot() == B


# --- the note and the record ------------------------------------------------------------------------------------------


def test_what_comes_up_leaves_nothing(machine):
    assert machine.reboot() == B and starts(machine)
    machine.run("bless")
    assert starts(machine) is None and status(machine, expected=0)["outcome"] is None


def test_refusal_of_what_boots_first_is_not_written_at_each_boot(machine):
    """Flash memory wears out, so the loader does not write the same line again."""
    machine.run("remove", B)
    first = machine.path_of(machine.numbers("BootOrder")[0])
    machine.leave_start("refused", first, LINE)
    machine.set("BootCurrent", struct.pack("<H", OTHERS))
    before = starts(machine)
    for _ in range(2):
        machine.run("bless")
    assert starts(machine) == before
    assert f"at 2026-01-02 03:04: {LINE}" in machine.run("status")
    assert status(machine, A, expected=0)["outcome"] == {"kind": "refused", "reason": LINE, "time": "2026-01-02 03:04"}
    # The entry boots again.
    machine.set("BootCurrent", struct.pack("<H", machine.numbers("BootOrder")[0]))
    machine.run("bless")
    assert starts(machine) is None


def test_refusal_of_what_gives_way_at_each_boot(machine):
    """The loader does not write the line again as long as it is there."""
    machine.run("remove", B)
    number = machine.numbers("BootOrder")[0]
    machine.set("BootCurrent", struct.pack("<H", number))
    machine.leave_start("refused", machine.path_of(number), LINE)
    log = machine.efivars / f"KexecLog-{variables.KEXEC}"
    log.write_bytes(struct.pack("<I", 6) + "kexec: warning: booting /b, since /a was refused: x\n".encode("utf-16-le"))
    machine.run("bless")
    assert starts(machine)
    log.unlink()
    machine.run("bless")
    assert starts(machine) is None


def test_refusal_of_the_copy_in_efi_boot(tmp_path):
    found = blessed(FolderMachine.new(tmp_path / "machine", "removable=yes\n"), A)
    found.leave_start("refused", "/EFI/Boot/bootx64.efi", LINE)
    found.set("BootCurrent", struct.pack("<H", OTHERS))
    found.run("bless")
    assert starts(found)
    assert found.reboot() == A
    found.run("bless")
    assert starts(found) is None


def test_refusal_of_what_is_gone(machine):
    machine.leave_start("refused", f"/{FOLDER}/9.1.1-0123456789ab.efi", LINE)
    machine.run("bless")
    assert starts(machine) is None


def test_refusal_of_an_image_by_hand(machine):
    """The image belongs to no set, so its line stays until uninstall."""
    machine.leave_start("refused", "/EFI/kexec/debian.efi", LINE)
    machine.run("bless")
    value = json.loads(machine.run("status", "--json"))
    assert value["refused"] == [{"path": "/EFI/kexec/debian.efi", "reason": LINE, "time": "2026-01-02 03:04"}]
    assert f"Refused: /EFI/kexec/debian.efi at 2026-01-02 03:04: {LINE}" in machine.run("status")
    machine.run("uninstall")
    assert starts(machine) is None


def test_dry_run_settles_nothing(machine):
    machine.reboot(failing=[B])
    before = machine.state()
    machine.run("bless", "--dry-run")
    machine.run("status", expected=3)
    assert machine.state() == before


def test_note_that_cannot_be_deleted(machine, monkeypatch):
    machine.reboot(failing=[B])

    def delete(self, name, vendor):
        raise changes.Refused(f"EFI variable {name}: Operation not permitted")

    monkeypatch.setattr(variables.Variables, "delete", delete)
    with pytest.raises(changes.Refused, match="KexecStarts: Operation not permitted"):
        changes.bless(machine.machine())[0].carry_out()
    # The record keeps the outcome nevertheless.
    assert machine.machine().state(next(iter(machine.machine().store.sets())))[0] == "failed"


@pytest.mark.parametrize("data", [
    b"", b"\xff" * 1024, b"refused\n", b"refused\t\\x\n", b"a\tb\tc\td\n", b"refused\t\t\t\n" * 60, b"stopped\t\t\t",
    b"\0" * 2000, b"started\t\\EFI\\kexec\\testing\\" + b"x" * 900 + b"\t\t\n"])
def test_note_of_somebody_else(machine, data):
    machine.reboot(failing=[B])
    machine.set("KexecStarts", data, variables.KEXEC)
    for words in ("status", "list"):
        assert "\0" not in machine.run(words)
    machine.run("bless")
    machine.expect_bootable()


def test_note_with_other_attributes_is_not_believed(machine):
    machine.reboot(failing=[B])
    path = machine.efivars / f"KexecStarts-{variables.KEXEC}"
    path.write_bytes(struct.pack("<I", 6) + path.read_bytes()[4:])
    assert loader_words.starts(machine.machine().variables) == []


def test_what_the_loader_says_cannot_command_a_terminal(machine):
    machine.reboot(failing=[B], refused="/a\x1b[31m\u202e: NOT_FOUND")
    output = machine.run("status", expected=3)
    assert "\x1b" not in output and "\u202e" not in output and r"\x1b" in output


def test_words_of_the_loader():
    """The words are those of efi/notes/start_note.c."""
    source = (ROOT / "efi/notes/start_note.c").read_text()
    for word in ("refused", "started", "stopped"):
        assert f'write_record("{word}", ' in source
    assert f'.name = L"{loader_words.STARTS}"' in source
    assert 'format_text(record, sizeof(record), "%s\\t%s\\t%s\\t", what' in source
    assert "#define START_NOTE_SIZE 1024" in (ROOT / "efi/notes/start_note.h").read_text()


def test_many_trials(tmp_path):
    """Three kernels in a row with different outcomes: the newest that has come up boots."""
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A)
    add(B)(machine)[0].carry_out()
    machine.reboot(failing=[B], refused=LINE)
    machine.run("bless")
    add(C)(machine)[0].carry_out()
    assert machine.reboot(failing=[C]) == A
    machine.run("bless")
    kinds = {one["version"]: one["outcome"] and one["outcome"]["kind"] for one in
             json.loads(machine.run("status", "--json", expected=3))["sets"]}
    assert kinds == {A: None, B: "refused", C: "lost"}
    # Another initrd makes another set: it gets a trial, then the former set is removed.
    (machine.root / f"boot/initrd.img-{C}").write_bytes(cpio("mended"))
    changes.add(machine.machine(), boot_files.find(machine.machine().system, C))[0].carry_out()
    assert machine.reboot() == C
    machine.run("bless")
    assert status(machine, C, expected=3)["state"] == "good"


def test_counted_by_systemd_boot(tmp_path):
    """systemd-boot starts images in its own order, so the loader notes only a refusal."""
    machine = blessed(FolderMachine.new(tmp_path / "machine", "menu=systemd-boot\n"), A)
    add(B)(machine)[0].carry_out()
    entry, = (machine.esp / "loader/entries").glob(f"*{B}*+3.conf")
    entry.rename(entry.with_name(entry.name.replace("+3", "+0-3")))
    assert "it did not come up in 3 tries" in status(machine)["why"]
    image = next(path for path in machine.names() if path.startswith(B) and path.endswith(".efi"))
    machine.leave_start("refused", f"/{FOLDER}/{image}", LINE)
    assert f"was tried at 2026-01-02 03:04: {LINE} (3 tries)" in status(machine)["why"]
