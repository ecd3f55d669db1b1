# SPDX-License-Identifier: BSD-2-Clause
"""kexec-efi's changes of a machine. Whenever the power fails, the boot order names only sets that are complete by the
loader's own check. A failed change leaves the former state. A set that has not come up never boots first."""

import errno
import json
import os
import random
import re
import signal
import struct
import subprocess
import sys
import time

import pytest

from command_machine import COMMAND, FOLDER, OTHERS, OTHERS_PATH, ROOT, SHIM, FolderMachine, cpio
from kexec_efi import boot_files, changes, operations, report, store, variables
from kexec_efi.errors import BAD_NEWS, NO_ROOM, NOT_INSTALLED, Refused

sys.path.insert(0, str(ROOT / "tests/qemu"))

from kexec_efi_test.signing import Key  # noqa: E402

A, B, C = "6.1.0-9-amd64", "6.1.0-10-amd64", "6.12.0-1-amd64"


class PowerCut(BaseException):
    pass


def blessed(machine, *versions):
    """Installs kernels, each of which then comes up."""
    for version in versions:
        machine.kernel_package(version)
        found = machine.machine()
        source = boot_files.find(found.system, version)
        plan, _ = changes.add(found, source) if found.record.is_installed else changes.install(found, source)
        plan.carry_out()
        if machine.machine().menu.name == "systemd-boot":
            for entry in (machine.esp / "loader/entries").glob("*+*.conf"):
                entry.rename(entry.with_name(entry.name.split("+")[0] + ".conf"))
        else:
            assert machine.reboot() == version
            changes.bless(machine.machine())[0].carry_out()
    return machine


def add(version, initrd=None, **options):
    def plan(machine):
        machine.kernel_package(version, initrd)
        return machine.plan_add(version, **options)
    return plan


def first(machine, **setup):
    machine.kernel_package(A)
    found = machine.machine()
    return changes.install(found, boot_files.find(found.system, A), changes.Setup(**setup))


def pending(version, initrd, *blessed_versions):
    """A machine with a set on trial, which has not been started yet."""
    def prepare(machine):
        blessed(machine, *blessed_versions)
        add(version, initrd)(machine)[0].carry_out()
    return prepare


def running(version, *blessed_versions):
    def prepare(machine):
        pending(version, "tried", *blessed_versions)(machine)
        assert machine.reboot() == version
    return prepare


def shim_of(machine):
    (machine.root / "shim.efi").write_bytes(SHIM.read_bytes())
    return str(machine.root / "shim.efi")


def with_copy(prepare):
    """A machine on which EFI/BOOT/BOOTX64.EFI is a copy of the set that boots."""
    def prepared(machine):
        machine.configure((machine.root / "etc/kexec-efi.conf").read_text() + "removable=yes\n")
        prepare(machine)
        assert (machine.esp / "EFI/BOOT/BOOTX64.EFI").exists()
    return prepared


def without_copy(prepare):
    """As with_copy, but somebody has removed the copy."""
    def prepared(machine):
        with_copy(prepare)(machine)
        (machine.esp / "EFI/BOOT/BOOTX64.EFI").unlink()
    return prepared


# Name -> (prepares the machine, makes the plan).
SCENARIOS = {
    "the first": (lambda machine: None, first),
    "a second": (lambda machine: blessed(machine, A), add(B)),
    "another initrd": (lambda machine: blessed(machine, A, B), add(B, "updated")),
    "before it was tried": (pending(B, "once", A), add(B, "twice")),
    "too many": (lambda machine: blessed(machine, A, B), add(C)),
    "an older one": (lambda machine: blessed(machine, A, B), add(A, "updated")),
    "remove": (lambda machine: blessed(machine, A, B), lambda machine: changes.remove(machine.machine(), B)),
    "remove what is on trial": (pending(B, "once", A), lambda machine: changes.remove(machine.machine(), B)),
    "uninstall": (lambda machine: blessed(machine, A, B), lambda machine: changes.uninstall(machine.machine())),
    "bless": (running(B, A, B), lambda machine: changes.bless(machine.machine())),
    "bless the first": (running(A), lambda machine: changes.bless(machine.machine())),
    "the first, with a copy": (lambda machine: None, lambda machine: first(machine, removable=True)),
    "bless what has a copy": (with_copy(running(B, A)), lambda machine: changes.bless(machine.machine())),
    "add where the copy is gone": (without_copy(lambda machine: blessed(machine, A)), add(B)),
    "remove what has a copy": (with_copy(lambda machine: blessed(machine, A, B)),
                               lambda machine: changes.remove(machine.machine(), B)),
    "the first, behind shim": (lambda machine: None, lambda machine: first(machine, shim=shim_of(machine))),
    "shim in front of what boots": (lambda machine: blessed(machine, A), lambda machine: first(machine, shim=shim_of(machine))),
    "uninstall with a copy": (with_copy(lambda machine: blessed(machine, A)),
                              lambda machine: changes.uninstall(machine.machine())),
}
FIRMWARE, SYSTEMD = "keep=2\n", "keep=2\nmenu=systemd-boot\n"
FOREIGN_ENTRY = "title other\nefi /EFI/debian/shimx64.efi\n"


def prepared(tmp_path, name, conf):
    machine = FolderMachine.new(tmp_path / "machine", conf)
    if "systemd-boot" in conf:
        (machine.esp / "loader/entries").mkdir(parents=True)
        (machine.esp / "loader/entries/other.conf").write_text(FOREIGN_ENTRY)
    SCENARIOS[name][0](machine)
    return machine


def snapshots(machine, plan, folder):
    """Carries out the plan. Returns a machine for each moment at which the power may fail: after each operation, and
    within each write."""
    found = []
    steps = list(plan)

    def keep(name):
        copy = machine.copy(folder / name)
        found.append(copy)
        return copy

    def after_each():
        step = steps[len([copy for copy in found if "torn" not in copy.folder.name])]
        keep(f"cut{len(found)}")
        if isinstance(step, operations.Write):
            torn = keep(f"torn{len(found)}")
            partial = torn.folder / step.partial.relative_to(machine.folder)
            os.truncate(partial, partial.stat().st_size // 2)

    plan.carry_out(after_each)
    assert len([copy for copy in found if "torn" not in copy.folder.name]) == len(steps)
    return found


@pytest.mark.parametrize("conf, name", [
    *((FIRMWARE, name) for name in SCENARIOS),
    *((SYSTEMD, name) for name in SCENARIOS if not re.search("bless|copy|shim", name)),
    ("mode=sealed\n" + FIRMWARE, "bless what has a copy"), ("mode=uki\n" + FIRMWARE, "remove what has a copy"),
    ("mode=sealed\n" + FIRMWARE, "another initrd"), ("mode=uki\n" + FIRMWARE, "before it was tried"),
], ids=lambda value: value.strip().replace("\n", " "))
def test_power_cut_at_any_moment(tmp_path, conf, name):
    machine = prepared(tmp_path, name, conf)
    machine.expect_bootable()
    plan, _ = SCENARIOS[name][1](machine)
    moments = snapshots(machine, plan, tmp_path)
    assert moments
    for moment in moments:
        moment.expect_bootable()
    machine.expect_bootable()


@pytest.mark.parametrize("conf, name", [(FIRMWARE, "a second"), (FIRMWARE, "before it was tried"), (SYSTEMD, "a second")],
                         ids=lambda value: value.strip().replace("\n", " "))
def test_next_run_cleans_up(tmp_path, conf, name):
    """After any power cut, repeating the command gives the same result as an undisturbed run."""
    machine = prepared(tmp_path, name, conf)
    plan, _ = SCENARIOS[name][1](machine)
    moments = snapshots(machine, plan, tmp_path)
    version = B

    def kinds(one):
        """The files without their numbers: a power cut may leave files with lower numbers."""
        return sorted(name.replace(".2-", ".1-").replace(".3-", ".1-") for name in one.names())

    for moment in moments:
        found = moment.machine()
        changes.add(found, boot_files.find(found.system, version))[0].carry_out()
        moment.expect_bootable()
        assert kinds(moment) == kinds(machine)
        assert sorted(set(moment.named())) and len(moment.named()) == len(machine.named())
        assert not list(moment.esp.rglob("*.partial"))


@pytest.mark.parametrize("name, conf, repeated", [
    ("a second", FIRMWARE, add(B)), ("a second", SYSTEMD, add(B)), ("another initrd", FIRMWARE, add(B, "updated")),
    ("the first, with a copy", FIRMWARE, lambda machine: first(machine, removable=True)),
    ("bless what has a copy", FIRMWARE, lambda machine: changes.bless(machine.machine())),
], ids=lambda value: value.strip().replace("\n", " ") if isinstance(value, str) else "")
def test_both_names_of_a_rename(tmp_path, capsys, name, conf, repeated):
    """If the power fails between two writes of a rename, FAT has both the new name and the old one. Both have the same
    clusters, here the same inode: a write to one file changes both, and removing one frees the other's clusters."""
    machine = prepared(tmp_path, name, conf)
    plan, _ = SCENARIOS[name][1](machine)
    steps, moments = list(plan), []

    def after_each():
        step = steps[after_each.count]
        after_each.count += 1
        if isinstance(step, operations.Rename) and machine.esp in step.path.parents:
            moment = machine.copy(tmp_path / f"both{after_each.count}")
            path, partial = (moment.folder / one.relative_to(machine.folder) for one in (step.path, step.partial))
            os.link(path, partial)
            moments.append((moment, path, partial))

    after_each.count = 0
    plan.carry_out(after_each)
    assert moments
    for moment, path, partial in moments:
        moment.expect_bootable()
        content = path.read_bytes()

        def expect_both():
            assert partial.samefile(path) and path.read_bytes() == content

        repeated(moment)[0].carry_out()
        moment.expect_bootable()
        expect_both()
        capsys.readouterr()
        try:
            changes.uninstall(moment.machine(), True)[0].carry_out()
        except Refused as refused:
            said = str(refused)
        else:
            said = capsys.readouterr().err
        assert "the same ones since a power cut: run fsck.vfat -a" in said
        expect_both()
        # fsck.vfat truncates one of the two.
        partial.unlink()
        partial.write_bytes(b"")
        changes.uninstall(moment.machine(), True)[0].carry_out()
        assert not path.exists()


@pytest.mark.parametrize("conf", [FIRMWARE, SYSTEMD], ids=["firmware", "systemd-boot"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_named_is_on_the_disk(tmp_path, conf, name):
    """Until a file and then its folder are flushed, a power cut may lose the file or its name."""
    if re.search("bless|copy|shim", name) and conf == SYSTEMD:
        conf = FIRMWARE
    machine = prepared(tmp_path, name, conf)
    plan, _ = SCENARIOS[name][1](machine)
    unflushed, names_something = set(), False
    for step in plan:
        is_entry = isinstance(step, operations.Rename) and "loader/entries" in str(step.path)
        if isinstance(step, operations.SetVariable) and step.data is not None or is_entry:
            names_something = True
            assert not unflushed, f"{step}: {unflushed}"
        if isinstance(step, operations.Flush):
            unflushed = {path for path in unflushed if path.parent != step.path}
        if isinstance(step, operations.Rename):
            unflushed.add(step.path)
        # A file is removed only when nothing names it any more.
        if isinstance(step, operations.RemoveFile) and machine.esp in step.path.parents and ".conf" not in step.path.name:
            named = [path.rpartition("/")[2].removesuffix(".efi") for path in machine.named()]
            assert step.path.stem not in named, f"{step}: {named}"
        step.run()
    assert not unflushed
    assert names_something or "remove" in name or "uninstall" in name


@pytest.mark.parametrize("ended", [SystemExit(143), OSError(errno.EIO, "Input/output error")], ids=["SIGTERM", "disk"])
@pytest.mark.parametrize("name, conf",
                         [("the first", FIRMWARE), ("a second", FIRMWARE), ("another initrd", FIRMWARE),
                          ("a second", SYSTEMD)])
def test_what_fails_leaves_what_was(tmp_path, name, conf, ended):
    machine = prepared(tmp_path, name, conf)
    count = len(list(SCENARIOS[name][1](machine)[0]))
    before = machine.state()
    for number in range(1, count + 1):
        done = []

        def after_each():
            done.append(None)
            if len(done) == number:
                raise ended

        plan, _ = SCENARIOS[name][1](machine)
        with pytest.raises((Refused, SystemExit)):
            plan.carry_out(after_each)
        assert machine.state() == before
    SCENARIOS[name][1](machine)[0].carry_out()
    assert machine.state() != before


def test_signal_in_the_middle(tmp_path):
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A)
    machine.kernel_package(B)
    (machine.root / f"boot/initrd.img-{B}").write_bytes(cpio("large") + bytes(200 << 20))
    before = machine.state()
    process = subprocess.Popen([COMMAND, "add", f"--root={machine.root}", "--variables=yes", B],
                               env={**os.environ, "KEXEC_EFI_SYSTEM": str(machine.kernel)}, stderr=subprocess.PIPE)
    while process.poll() is None and not list(machine.esp.rglob("*.partial")):
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    assert b"Traceback" not in process.stderr.read()
    assert process.wait() == 128 + signal.SIGTERM
    assert machine.state() == before


def test_signal_while_it_is_sealed(tmp_path):
    """The sealing tool's temporary files must go as well."""
    machine = blessed(FolderMachine.new(tmp_path / "machine", "mode=sealed\n"), A)
    machine.kernel_package(B)
    (machine.root / f"boot/initrd.img-{B}").write_bytes(cpio("large") + bytes(100 << 20))
    folder = tmp_path / "tmp"
    folder.mkdir()
    before = machine.state()
    process = subprocess.Popen([COMMAND, "add", f"--root={machine.root}", "--variables=yes", B], stderr=subprocess.PIPE,
                               env={**os.environ, "KEXEC_EFI_SYSTEM": str(machine.kernel), "TMPDIR": str(folder)})
    while process.poll() is None and not list(folder.glob("*/kexec-seal-*")):
        time.sleep(0.002)
    process.send_signal(signal.SIGTERM)
    assert b"Traceback" not in process.stderr.read() and process.wait() == 128 + signal.SIGTERM
    assert machine.state() == before and not list(folder.iterdir())


# --- the outcome of a new kernel --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["split", "sealed", "uki"])
def test_life(tmp_path, mode):
    machine = FolderMachine.new(tmp_path / "machine", f"mode={mode}\n")
    before = machine.state()
    machine.kernel_package(A)
    machine.run("install")
    assert machine.numbers("BootOrder") == [OTHERS] and len(machine.numbers("BootNext")) == 1
    assert machine.reboot() == A
    assert machine.numbers("BootOrder") == [OTHERS]
    machine.run("bless")
    assert machine.numbers("BootOrder")[1:] == [OTHERS]
    assert "is on the ESP already" in machine.run("add", A)

    machine.kernel_package(B)
    machine.run("add", B)
    assert machine.reboot(failing=[B]) == A
    value = json.loads(machine.run("status", "--json", expected=3))
    assert [(one["version"], one["state"], one["tries"]) for one in value["sets"]] == [(B, "failed", 1), (A, "good", 1)]
    assert "--again" in machine.run("add", B) and machine.numbers("BootNext") == []
    machine.run("add", "--again", B)
    assert machine.reboot() == B
    machine.run("bless")
    assert machine.reboot() == B
    assert machine.reboot(failing=[B]) == A
    machine.run("verify")

    machine.run("remove", B)
    assert machine.reboot() == A
    machine.run("uninstall")
    after = machine.state()
    current = f"kernel/sys/firmware/efi/efivars/BootCurrent-{variables.GLOBAL}"
    assert {**after, current: None} == {**before, current: None}
    assert not (machine.esp / "EFI/kexec").exists()
    assert "run kexec-efi install" in machine.run("add", B, expected=NOT_INSTALLED)


def test_what_an_update_leaves(tmp_path):
    """The set that boots stays until the new one has come up; then it is removed."""
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A, B)
    order, old = machine.numbers("BootOrder"), machine.path_of(machine.numbers("BootOrder")[0])
    add(B, "updated")(machine)[0].carry_out()
    assert machine.numbers("BootOrder") == order
    machine.judge(old)
    assert machine.reboot() == B
    new = machine.path_of(machine.numbers("BootCurrent")[0])
    assert new != old
    changes.bless(machine.machine())[0].carry_out()
    first_of_all, *rest = map(machine.path_of, machine.numbers("BootOrder"))
    assert first_of_all == new and old not in rest and len(rest) == 2
    assert not (machine.esp / old[1:]).exists() and len([name for name in machine.names() if B in name]) == 4


def test_older_kernel_does_not_become_the_first(tmp_path):
    """`update-initramfs -u -k all` makes a new initrd for each kernel."""
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A, B)
    order = machine.numbers("BootOrder")
    add(A, "updated")(machine)[0].carry_out()
    assert machine.numbers("BootNext") == []
    assert [number for number in machine.numbers("BootOrder") if number in order] == order
    assert machine.reboot() == B
    machine.kernel_package(B, "updated")
    add(B, "updated")(machine)[0].carry_out()
    add(A, "updated once more")(machine)[0].carry_out()
    assert machine.reboot() == B
    assert changes.bless(machine.machine())[1].endswith("boots first")


def test_newest_of_two_is_tried(tmp_path):
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A)
    for version in (C, B):
        machine.kernel_package(version)
        machine.plan_add(version)[0].carry_out()
    assert machine.reboot(failing=[C]) == A
    # The other set is newer than the running one, and has waited for its trial.
    changes.bless(machine.machine())[0].carry_out()
    assert machine.reboot() == B


def test_start_that_others_have_asked_for(tmp_path):
    """Another program has set BootNext, as fwupd does for its own image: that start comes first."""
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A)
    machine.set("BootNext", struct.pack("<H", OTHERS))
    plan, words = add(B)(machine)
    plan.carry_out()
    assert machine.numbers("BootNext") == [OTHERS] and "waits" in words
    assert machine.reboot() == "others"
    changes.bless(machine.machine())[0].carry_out()
    assert machine.reboot() == B


def test_another_kernel_than_was_started(tmp_path):
    """For example, kexec started the running kernel."""
    machine = FolderMachine.new(tmp_path / "machine")
    running(B, A)(machine)
    (machine.kernel / "proc/sys/kernel/osrelease").write_text(f"{A}\n")
    order = machine.numbers("BootOrder")
    assert f"expected the kernel {B} to run, found {A}" in machine.run("bless", expected=1)
    assert machine.numbers("BootOrder") == order


def test_fallback_that_came_up_blesses_nothing(tmp_path):
    """The loader's log shows that the fallback booted, even if both sets have the same version."""
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A)
    machine.kernel_package(B)
    machine.run("add", B)
    assert machine.reboot() == B
    order = machine.numbers("BootOrder")
    line = "booting /old.conf, since \\EFI\\b.conf was refused: /vmlinuz: fsverity mismatch"
    machine.set("KexecLog", f"kexec: kexec-efi 0.1\nkexec: warning: {line}\n".encode("utf-16-le"), variables.KEXEC)
    assert f": is not the kernel that runs: {line}: not blessed" in machine.run("bless", expected=1)
    assert machine.numbers("BootOrder") == order
    machine.set("KexecLog", "kexec: kexec-efi 0.1\nkexec: warning: x\n".encode("utf-16-le"), variables.KEXEC)
    assert "boots first" in machine.run("bless")


def test_versions_that_are_kept(tmp_path):
    machine = blessed(FolderMachine.new(tmp_path / "machine", "keep=2\n"), A, B, C)
    assert {one.version for one in machine.machine().store.sets()} == {B, C}
    assert len([name for name in machine.names() if "vmlinuz" in name]) == 2


def test_what_is_damaged_is_no_fallback(tmp_path):
    """Two kernels have come up, and the newer one is damaged. The older one stays as the fallback, although that
    exceeds keep=."""
    machine = blessed(FolderMachine.new(tmp_path / "machine", "keep=2\n"), A, B)
    next(machine.esp.rglob(f"vmlinuz-{B}-*")).write_bytes(b"")
    add(C)(machine)[0].carry_out()
    assert A in {one.version for one in machine.machine().store.sets()}
    assert machine.reboot() == C


def test_boot_order_that_firmware_has_reset(tmp_path):
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A)
    machine.set("BootOrder", struct.pack("<H", OTHERS))
    assert machine.reboot() == "others"
    assert "no longer in the boot order" in machine.run("status")
    machine.run("add", A)
    assert machine.reboot() == A
    machine.run("bless")
    assert machine.reboot() == A


@pytest.mark.parametrize("seed", range(3))
def test_many_changes(tmp_path, seed):
    """Random changes with power cuts: a set that has come up always boots first."""
    seeded = random.Random(seed)
    machine = FolderMachine.new(tmp_path / "machine", f"keep={seeded.choice((1, 2, 3))}\n")
    first(machine)[0].carry_out()
    came_up, power = {OTHERS_PATH}, [None]

    def cut():
        if power[0] is not None:
            power[0] -= 1
            if power[0] < 0:
                raise PowerCut

    for step in range(30):
        version = seeded.choice((A, B, C))
        kind = seeded.choice(("add", "add", "remove", "bless", "reboot", "reboot"))
        power[0] = seeded.choice((None, None, seeded.randrange(25)))
        says = f"seed {seed}, step {step}: {kind} {version}, cut at {power[0]}"
        if kind == "add":
            plan, _ = add(version, f"{version} {seeded.randrange(3)}", again=seeded.random() < 0.3)(machine)
        elif kind == "remove":
            plan, _ = changes.remove(machine.machine(), version)
        elif kind == "bless":
            plan, _ = changes.bless(machine.machine())
        try:
            if kind == "reboot":
                raise PowerCut
            plan.carry_out(cut)
        except PowerCut:
            # A set that has come up before comes up again.
            good = {path.rpartition("/")[2].rsplit(".", 2)[0] for path in came_up}
            machine.reboot(failing=[found for found in (A, B, C) if found not in good and seeded.random() < 0.5])
            came_up.add(machine.path_of(machine.numbers("BootCurrent")[0]))
        machine.expect_bootable()
        assert machine.path_of(machine.numbers("BootOrder")[0]) in came_up, says


def test_last_that_boots(tmp_path):
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A)
    machine.set("BootOrder", struct.pack("<H", machine.numbers("BootOrder")[0]))
    assert "this machine would not boot" in machine.run("remove", A, expected=1)
    assert "this machine would not boot" in machine.run("uninstall", expected=1)
    machine.expect_bootable()
    machine.run("remove", "--force", A)
    assert machine.names() == []


def test_entry_that_says_it_is_not_active(tmp_path):
    """Firmware does not start an inactive entry, so it cannot be the fallback."""
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A)
    machine.set("Boot0001", bytes(4) + machine.get("Boot0001")[4:])
    assert "this machine would not boot" in machine.run("remove", A, expected=1)


# --- errors
# --------------------------------------------------------------------------------------------------------------


class Full:
    """An ESP with `free` bytes of free space."""

    def __init__(self, free):
        self.f_frsize, self.f_bavail = 4096, free // 4096


def test_esp_that_is_full(tmp_path, monkeypatch):
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A, B)
    monkeypatch.setattr(os, "statvfs", lambda path: Full(300_000))
    before = machine.state()
    with pytest.raises(Refused, match=rf"expected 0\.\d MB of room for {C}, found 0\.3 MB") as refused:
        add(C)(machine)
    assert refused.value.code == NO_ROOM and machine.state() == before
    # Existing files need no room.
    add(B, "updated")(machine)[0].carry_out()


def test_room_of_what_goes(tmp_path, monkeypatch):
    """A set that was never started is removed before the next set of its version is written."""
    machine = FolderMachine.new(tmp_path / "machine")
    pending(B, "once", A)(machine)
    monkeypatch.setattr(os, "statvfs", lambda path: Full(40_000))
    plan, _ = add(B, "twice")(machine)
    removed = [i for i, step in enumerate(plan) if isinstance(step, operations.RemoveFile)]
    written = [i for i, step in enumerate(plan) if isinstance(step, operations.Write)]
    assert removed and max(removed) < min(written)


@pytest.mark.parametrize("name", ["Boot0003", "BootNext"])
def test_variables_that_are_full(tmp_path, monkeypatch, name):
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A, B)
    plan, _ = add(C)(machine)
    before = machine.state()
    written = os.write

    def write(file, content):
        if name in os.readlink(f"/proc/self/fd/{file}"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(file, content)

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(Refused, match=rf"EFI variable {name}: the firmware has no room for it") as refused:
        plan.carry_out()
    # A failed write leaves an empty file here. efivarfs leaves nothing.
    leftover = machine.efivars / f"{name}-{variables.GLOBAL}"
    if leftover.exists() and not leftover.stat().st_size:
        leftover.unlink()
    assert refused.value.code == NO_ROOM and machine.state() == before


@pytest.mark.parametrize("damage, complaint", [
    ("bit", r"mismatch: expected|sha256|expected"), ("truncated", r"mismatch: expected|truncated|expected"),
    ("deleted", r"No such file|found none")])
@pytest.mark.parametrize("kind", ["vmlinuz", "initrd", "efi", "conf"])
def test_damage(tmp_path, kind, damage, complaint):
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A, B)
    name = next(name for name in machine.names() if B in name and kind in name)
    file = machine.esp / FOLDER / name
    good = file.read_bytes()
    if damage == "deleted":
        file.unlink()
    else:
        flipped = bytearray(good)
        flipped[len(good) * 2 // 3] ^= 1
        file.write_bytes(flipped if damage == "bit" else good[:len(good) // 2])
    value, _, code = report.status(machine.machine())
    found = {one["version"]: one["damage"] for one in value["sets"]}
    assert code == BAD_NEWS and found[A] is None and re.search(complaint, found[B]), found
    assert not found[B].startswith("warning: ")
    # Adding the kernel again writes a good set beside the damaged one.
    add(B)(machine)[0].carry_out()
    assert machine.reboot() == B
    changes.bless(machine.machine())[0].carry_out()
    assert report.verification(machine.machine())[0]["good"]


def test_damage_comes_before_warnings(tmp_path):
    """Wrong content is the damage. That Linux would not unpack all of the initrd is only a warning."""
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A)
    initrd = next(machine.esp.rglob("initrd-*"))
    initrd.write_bytes(initrd.read_bytes()[:-60])
    line, = machine.run("verify", expected=BAD_NEWS).splitlines()
    assert re.fullmatch(rf"{A}\S*: /\S*/{initrd.name}: fsverity mismatch: expected \w+, found \w+; warning: "
                        rf".*{initrd.name}.*", line), line


def test_nobody_has_the_variables(tmp_path):
    """The variables cannot be reached, as on a machine that makes a disk image."""
    machine = FolderMachine.new(tmp_path / "machine")
    machine.kernel_package(A)
    before = {name: content for name, content in machine.state().items() if "efivars" in name}
    said = machine.run("install", "--variables=no")
    assert f"is on the ESP; no boot entry names it: run kexec-efi add {A} on the machine" in said
    assert {name: content for name, content in machine.state().items() if "efivars" in name} == before
    machine.judge(f"/{FOLDER}/" + next(name for name in machine.names() if name.endswith(".efi")))


def test_entry_that_ends_too_early(tmp_path):
    """Without the record nothing knows the entry's length, but the missing digest shows the damage."""
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A)
    conf, = machine.esp.rglob("*.conf")
    conf.write_text(conf.read_text().split("fsverity")[0])
    (machine.root / "var/lib/kexec-efi/record.json").write_text("{}")
    assert "expected a line fsverity for" in machine.run("verify", expected=BAD_NEWS)


def test_machine_that_gets_another_name(tmp_path):
    """The machine keeps its folder, and the sets in it."""
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A)
    (machine.root / "etc/kernel/entry-token").write_text("another\n")
    add(B)(machine)[0].carry_out()
    assert {one.version for one in machine.machine().store.sets()} == {A, B} and machine.reboot() == B
    machine.run("uninstall")
    assert not (machine.esp / "EFI/kexec").exists()


def test_menu_that_was_another(tmp_path):
    """Otherwise the entries in the former menu would never be removed."""
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A)
    machine.configure("menu=systemd-boot\n")
    assert "was set up with firmware: run kexec-efi uninstall" in machine.run("add", A, expected=2)
    machine.configure("menu=auto\n")
    machine.run("uninstall")


def test_versions_that_differ_in_case(tmp_path):
    """FAT ignores case, so the two versions share files."""
    machine = blessed(FolderMachine.new(tmp_path / "machine"), "6.1-A")
    (image,), (other,) = machine.esp.rglob("vmlinuz-6.1-A*"), machine.esp.rglob("6.1-A*.conf")
    other.write_text(other.read_text().replace(image.name, image.name.replace("6.1-A", "6.1-a")))
    image.with_name(image.name.replace("6.1-A", "6.1-a")).write_bytes(image.read_bytes())
    assert image.name not in machine.machine().store.unneeded(set())


def test_record_that_is_lost(tmp_path):
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A, B)
    (machine.root / "var/lib/kexec-efi/record.json").write_bytes(b"\0" * 100)
    add(C)(machine)[0].carry_out()
    assert machine.reboot(failing=[C]) == B
    assert len(machine.machine().store.sets()) == 3


def test_secure_boot_without_a_key(tmp_path):
    machine = FolderMachine.new(tmp_path / "machine")
    machine.kernel_package(A)
    machine.set("SecureBoot", b"\1")
    assert "Secure Boot is on, and nothing signs the image" in machine.run("install", expected=1)
    assert machine.names() == []


def test_dry_run_names_each_folder_once(tmp_path):
    machine = FolderMachine.new(tmp_path / "machine")
    machine.kernel_package(A)
    lines = [line for line in machine.run("install", "--removable", "--no-variables", "--dry-run").splitlines()
             if line.startswith("make folder ")]
    assert len(lines) == len(set(lines)) >= 4


def test_dry_run_does_nothing(tmp_path):
    machine = blessed(FolderMachine.new(tmp_path / "machine"), A)
    machine.kernel_package(B)
    before = machine.state()
    value = json.loads(machine.run("add", "--dry-run", "--json", B))
    assert not value["done"] and machine.state() == before
    done = json.loads(machine.run("add", "--json", B))
    assert done["done"] and done["operations"] == value["operations"]


# --- behind systemd-boot ---------------------------------------------------------------------------------------------


def test_entries_of_systemd_boot(tmp_path):
    machine = FolderMachine.new(tmp_path / "machine", "tries=2\n")
    (machine.efivars / f"LoaderInfo-{variables.LOADER}").write_bytes(
        struct.pack("<I", 6) + "systemd-boot 252.39".encode("utf-16-le") + b"\0\0")
    machine.kernel_package(A)
    order = machine.numbers("BootOrder")
    machine.run("install")
    entry, = (machine.esp / "loader/entries").glob("*.conf")
    assert entry.name.endswith("+2.conf") and f"version {A}.1\n" in entry.read_text()
    machine.expect_bootable()
    assert machine.numbers("BootOrder") == order and machine.numbers("BootNext") == []
    for counter, state, code in (("+1-1", "next", 0), ("+0-2", "failed", 3), ("", "good", 0)):
        entry = entry.rename(entry.with_name(entry.name.split("+")[0].removesuffix(".conf") + f"{counter}.conf"))
        value = json.loads(machine.run("status", "--json", expected=code))
        assert [one["state"] for one in value["sets"]] == [state]
    entry = entry.rename(entry.with_name(entry.name.removesuffix(".conf") + "+0-2.conf"))
    machine.run("add", "--again", A)
    entry, = (machine.esp / "loader/entries").glob("*.conf")
    assert entry.name.endswith("+2.conf")
    machine.run("uninstall", "--force")
    assert not list((machine.esp / "loader/entries").iterdir()) and machine.names() == []


def test_names_of_files():
    for name in ("6.1.0-9-amd64.1-0123456789ab.efi", "6.12.38+deb13-amd64.12-0123456789ab.efi",
                 "6.8.5-301.fc40.x86_64.1-0123456789ab.efi"):
        assert store.parse_image_name(name).name + ".efi" == name
    for name in ("6.1.0.efi", "kexecx64.efi", "6.1.0.1-0123456789AB.efi", "../x.1-0123456789ab.efi", ".1-0123456789ab.efi"):
        assert store.parse_image_name(name) is None


def test_order_of_versions():
    wanted = ["5.10.0-9-amd64", "6.1.0~rc1", "6.1.0", "6.1.0-9-amd64", "6.1.0-10-amd64", "6.12.0-1-amd64"]
    assert sorted(reversed(wanted), key=boot_files.version_key) == wanted


# --- signatures ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    found = Key.new(tmp_path_factory.mktemp("keys"), "ours")
    found.der = found.certificate.with_suffix(".der")
    subprocess.run(["openssl", "x509", "-in", found.certificate, "-outform", "DER", "-out", found.der], check=True)
    return found


@pytest.mark.parametrize("conf", ["mode=sealed", "mode=uki", "mode=split\ngeneric=yes"])
def test_signed(tmp_path, key, conf):
    """With Secure Boot on, kexec-efi puts the signed image on trial."""
    machine = FolderMachine.new(tmp_path / "machine", f"{conf}\nkey={key.key}\ncertificate={key.der}\n")
    machine.kernel_package(A)
    machine.set("SecureBoot", b"\1")
    machine.run("install")
    machine.expect_bootable()
    names = len(machine.names())
    # A signature contains a date, so two are never equal: an existing set is recognised by its input.
    assert "is on the ESP already" in machine.run("add", A) and len(machine.names()) == names
    image, = machine.esp.rglob(f"{A}*.efi")
    subprocess.run(["sbverify", "--cert", key.certificate, image], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("private, certificate, complaint", [
    ("certificate", "key", "are KEY and CERT swapped?"), ("der", "der", "expected a private key"),
    ("key", "nowhere", "cannot read")])
def test_what_cannot_sign(tmp_path, key, private, certificate, complaint):
    paths = {"key": key.key, "certificate": key.certificate, "der": key.der, "nowhere": tmp_path / "nowhere"}
    machine = FolderMachine.new(tmp_path / "machine", f"mode=sealed\nkey={paths[private]}\ncertificate={paths[certificate]}\n")
    machine.kernel_package(A)
    before = machine.state()
    assert complaint in machine.run("install", expected=1)
    assert machine.state() == before


@pytest.mark.parametrize("replaces", [False, True])
def test_renamed_file_is_flushed_by_its_new_name(tmp_path, monkeypatch, replaces):
    """On FAT the new name gets its size only by this flush."""
    path, flushed = tmp_path / "vmlinuz", []
    if replaces:
        path.write_bytes(b"damaged")
    monkeypatch.setattr(os, "fsync", lambda file: flushed.append(os.readlink(f"/proc/self/fd/{file}")))
    for operation in operations.write_file(path, b"kernel", replaces=replaces):
        operation.run()
    assert path.read_bytes() == b"kernel" and flushed[-1] == str(path)
    operation.undo()
    assert flushed[-1] == str(path)
    assert path.read_bytes() == b"damaged" if replaces else not path.exists()
