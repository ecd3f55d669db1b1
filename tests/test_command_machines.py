# SPDX-License-Identifier: BSD-2-Clause
"""Machines of Debian's users: files in different places, parts that are missing. Either the machine is set up, or one
line says what to do. Other owners' files are never lost."""

import ast
import errno
import fcntl
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import uuid

import pytest

from command_machine import COMMAND, ESP_UUID, FOLDER, OTHERS, ROOT, FolderMachine
from kexec_efi import load_option, partition, system, variables
from kexec_efi.errors import NOT_INSTALLED, Refused
from test_command_changes import A, B, add, blessed

XBOOTLDR = "bc13c2ff-59e6-4262-a352-b275fd6f7172"


@pytest.fixture
def machine(tmp_path):
    found = FolderMachine.new(tmp_path / "machine")
    found.kernel_package(A)
    return found


def disk(machine, number, **properties):
    """udev's properties of partition 254:`number`."""
    known = {"TYPE": partition.TYPES[0], "UUID": ESP_UUID, "NUMBER": str(number), "OFFSET": "2048", "SIZE": "614400",
             **properties}
    text = "".join(f"E:ID_PART_ENTRY_{name}={value}\n" for name, value in known.items())
    (machine.kernel / f"run/udev/data/b254:{number}").write_text(text)


def mount(machine, *mounts):
    """Mounts for (path below the root, file system, number of the partition)."""
    lines = ["22 1 254:2 / / rw,relatime shared:1 - ext4 /dev/vda2 rw\n"]
    for path, kind, number in mounts:
        place = machine.root / path
        place.mkdir(parents=True, exist_ok=True)
        escaped = os.path.realpath(place).replace(" ", "\\040")
        lines.append(f"30 22 254:{number} / {escaped} rw,relatime shared:2 - {kind} /dev/vda{number} rw\n")
    (machine.kernel / "proc/self/mountinfo").write_text("".join(lines))


def esp_of(machine, configured=None):
    return partition.find(system.System(machine.root, machine.kernel), configured)


# --- the place of the ESP ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["efi", "boot", "boot/efi"])
def test_place_of_the_esp(machine, place):
    mount(machine, (place, "vfat", 1))
    machine.esp = machine.root / place
    # Kernels may be on the ESP, as where /boot is the ESP.
    machine.run("install")
    machine.expect_bootable()
    assert machine.reboot() == A
    machine.run("bless")
    machine.run("verify")


def test_boot_that_is_a_partition_of_its_own(machine):
    mount(machine, ("boot", "ext4", 3), ("boot/efi", "vfat", 1))
    assert esp_of(machine).path == machine.root / "boot/efi"


def test_xbootldr(machine):
    """Kernels on XBOOTLDR: the loader's image and its files go to the ESP nevertheless."""
    disk(machine, 3, TYPE=XBOOTLDR)
    mount(machine, ("boot", "vfat", 3), ("efi", "vfat", 1))
    assert esp_of(machine).path == machine.root / "efi"
    mount(machine, ("boot", "vfat", 3))
    with pytest.raises(Refused, match=f"/boot: expected a partition of type {partition.TYPES[0]}, found {XBOOTLDR}"):
        esp_of(machine)


def test_two_esps(machine):
    """kexec-efi uses the first of bootctl's places, or the configured one, and does not change the other ESP."""
    disk(machine, 4, UUID="11111111-2222-3333-4444-555555555555")
    mount(machine, ("efi", "vfat", 4), ("boot/efi", "vfat", 1))
    assert esp_of(machine).partition.number == 4
    assert esp_of(machine, "/boot/efi").partition.number == 1
    machine.configure("esp=/boot/efi\n")
    machine.run("install")
    assert not list((machine.root / "efi").iterdir())


def test_entry_on_the_other_esp(machine):
    """An entry of the same name on another disk does not belong to this machine."""
    machine.run("install")
    number, = machine.numbers("BootNext")
    data = machine.get(f"Boot{number:04X}")

    machine.set("Boot0009", data.replace(uuid.UUID(ESP_UUID).bytes_le, uuid.UUID(int=7).bytes_le))
    machine.run("uninstall", "--force")
    assert machine.get("Boot0009") is not None and machine.get(f"Boot{number:04X}") is None


def test_esp_on_a_raid(machine):
    """The ESP is a RAID of two disks: the firmware knows no such partition, so no boot entry can name it."""
    (machine.kernel / "run/udev/data/b9:0").write_text("E:MD_LEVEL=raid1\n")
    mounted = f"30 22 9:0 / {os.path.realpath(machine.esp)} rw - vfat /nowhere/md0 rw\n"
    (machine.kernel / "proc/self/mountinfo").write_text(mounted)
    assert "expected a partition of type c12a7328" in machine.run("install", expected=1)


def test_esp_on_a_loop_device(machine):
    """The ESP is in a disk image whose partitions udev knows."""
    shutil.move(machine.kernel / "run/udev/data/b254:1", machine.kernel / "run/udev/data/b259:7")
    mounted = f"30 22 259:7 / {os.path.realpath(machine.esp)} rw - vfat /dev/loop0p1 rw\n"
    (machine.kernel / "proc/self/mountinfo").write_text(mounted)
    assert "no boot entry names it" in machine.run("install", "--no-variables")


def test_esp_that_is_mounted_on_demand(machine):
    """systemd mounts the ESP on demand, so the automount's line comes first."""
    place = os.path.realpath(machine.esp)
    mountinfo = machine.kernel / "proc/self/mountinfo"
    text = mountinfo.read_text()
    mountinfo.write_text(f"29 22 0:33 / {place} rw - autofs systemd-1 rw\n" + text.split("\n")[1] + "\n")
    assert esp_of(machine).partition.number == 1
    mountinfo.write_text(f"29 22 0:33 / {place} rw - autofs systemd-1 rw\n")
    with pytest.raises(Refused, match="expected a FAT volume, found autofs"):
        esp_of(machine)


def test_esp_behind_a_link(machine):
    (machine.root / "efi").symlink_to("boot/efi")
    assert esp_of(machine).path == machine.root / "boot/efi"


def test_esp_with_a_blank_in_its_path(machine):
    mount(machine, ("my esp", "vfat", 1))
    machine.esp = machine.root / "my esp"
    machine.configure("esp=/my esp\n")
    machine.run("install")
    machine.expect_bootable()


def test_esp_of_msdos(machine):
    mount(machine, ("boot/efi", "msdos", 1))
    assert esp_of(machine).partition.number == 1


def test_esp_that_is_read_only(machine, monkeypatch):
    machine.run("install")
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: False if path == machine.machine().esp.path else access(path, mode))
    before = machine.state()
    with pytest.raises(Refused, match="expected a volume that can be written, found one that cannot"):
        add(B)(machine)
    assert machine.state() == before


def test_nothing_is_mounted(machine):
    mount(machine)
    words = machine.run("install", expected=1)
    assert "expected an EFI system partition (esp=), found none" in words
    unmounted = [f"{place}: nothing is mounted there" for place in ("/efi", "/boot", "/boot/efi")]
    assert all(complaint in words for complaint in unmounted) or "No such file" in words


# --- the firmware's variables ----------------------------------------------------------------------------------------


def variables_that_fail(monkeypatch, error):
    def fail(*_):
        raise OSError(error, os.strerror(error))

    opened = os.open

    def open_file(path, *more):
        return fail() if "efivars" in str(path) and more[0] & os.O_WRONLY else opened(path, *more)

    monkeypatch.setattr(os, "open", open_file)


@pytest.mark.parametrize("error, complaint", [
    (errno.EROFS, "expected /sys/firmware/efi/efivars to be writable, found it mounted read-only"),
    (errno.EPERM, "Operation not permitted"), (errno.EINVAL, "Invalid argument"), (errno.EIO, "Input/output error")])
def test_variables_that_cannot_be_written(machine, monkeypatch, error, complaint):
    blessed(machine, A)
    plan, _ = add(B)(machine)
    before = machine.state()
    variables_that_fail(monkeypatch, error)
    with pytest.raises(Refused, match=rf"EFI variable Boot\d+: {complaint}"):
        plan.carry_out()
    monkeypatch.undo()
    assert machine.state() == before


@pytest.mark.parametrize("made", [False, True])
def test_no_variables(machine, made):
    """BIOS started Linux, or efivarfs is not mounted."""
    shutil.rmtree(machine.efivars)
    if made:
        machine.efivars.mkdir()
    words = machine.run("install", "--variables=yes", expected=1)
    assert "expected EFI variables in" in words and "was Linux started by UEFI?" in words
    result = subprocess.run([COMMAND, "install", f"--root={machine.root}"], stdout=subprocess.PIPE, text=True, check=True,
                            env={**os.environ, "KEXEC_EFI_SYSTEM": str(machine.kernel)})
    assert f"no boot entry names it: run kexec-efi add {A} on the machine itself, booted by UEFI" in result.stdout
    assert "its variables are not used" in machine.run("status", "--no-variables")
    assert "none that can be reached: nothing is blessed" in machine.run("bless", "--no-variables", expected=1)
    assert machine.run("remove", "--no-variables", A) == f"{A}: removed\n"
    machine.run("add", "--no-variables", A)
    assert machine.run("uninstall", "--no-variables") == "its files are removed\n"


def without_variables(machine, *words, expected=0):
    """Runs the command for a disk of another machine: no option says whether to use variables."""
    result = command(machine, *words, f"--root={machine.root}")
    assert result.returncode == expected, result
    return result.stdout + result.stderr


@pytest.mark.parametrize("words", [["uninstall"], ["remove", A]], ids=lambda words: words[0])
def test_boot_order_that_cannot_be_asked(machine, words):
    """kexec-efi cannot know whether a boot entry names the files, so it refuses to remove the last kernel. With --force
    it removes them, and tells what remains to be done on the machine."""
    blessed(machine, A)
    before = machine.state()
    assert "expected the firmware's variables, found none that can be reached" in without_variables(machine, *words, expected=1)
    assert machine.state() == before
    said = without_variables(machine, *words, "--force")
    assert f"run kexec-efi {' '.join(words)} on the machine" in said and machine.names() == []
    # On the machine, the same command does the rest.
    machine.run(*words)
    assert machine.numbers("BootOrder") == [OTHERS]
    assert machine.run("uninstall") != "nothing is set up\n" or words == ["uninstall"]


@pytest.mark.parametrize("prepare, is_refused", [
    (lambda machine: machine.run("install"), True), (lambda machine: machine.run("install", "--no-variables"), False),
    (lambda machine: (machine.set("BootNext", struct.pack("<H", OTHERS)), machine.run("install")), True),
    (lambda machine: (machine.run("install", "--no-variables"),
                      (machine.root / "var/lib/kexec-efi/record.json").write_text("{}")), True)],
    ids=["on trial", "without variables", "waiting", "nobody remembers"])
def test_boot_entries_that_may_be_there(machine, prepare, is_refused):
    prepare(machine)
    without_variables(machine, "uninstall", expected=int(is_refused))
    assert bool(machine.names()) == is_refused


def test_kernel_that_is_removed_from_elsewhere(machine):
    """The other kernel still boots."""
    blessed(machine, A, B)
    said = without_variables(machine, "remove", B)
    assert said.startswith(f"{B}: removed; boot entries may still name it: "
                           f"run kexec-efi remove {B} on the machine itself")
    assert machine.numbers("BootOrder")[1] != OTHERS
    machine.run("remove", B)
    machine.expect_bootable()


def test_in_a_chroot(machine, monkeypatch, tmp_path):
    """The variables belong to the machine that builds the root, so its boot entries stay unchanged."""
    monkeypatch.setattr(system.System, "is_running", True)
    (machine.kernel / "proc/1").mkdir()
    (machine.kernel / "proc/1/root").symlink_to(tmp_path)
    found = machine.machine("auto")
    assert found.system.is_in_chroot() and found.variables is None
    (machine.kernel / "proc/1/root").unlink()
    (machine.kernel / "proc/1/root").symlink_to("/")
    assert machine.machine("auto").variables is not None
    # The running kernel's command line also belongs to that machine.
    (machine.kernel / "proc/1/root").unlink()
    (machine.kernel / "proc/1/root").symlink_to(tmp_path)
    (machine.root / "etc/kernel/cmdline").unlink()
    with pytest.raises(Refused, match="expected the kernel command line in .*, found none"):
        machine.plan_add(A)


@pytest.mark.parametrize("order", [None, b"", struct.pack("<HHH", 7, 1, 1), struct.pack("<H", OTHERS) + b"\0"])
def test_orders(machine, order):
    """No boot order; one that names a missing entry, or an entry twice; and one with an odd length."""
    if order is None:
        (machine.efivars / f"BootOrder-{variables.GLOBAL}").unlink()
    else:
        machine.set("BootOrder", order)
    machine.run("install")
    number, = machine.numbers("BootNext")
    machine.set("BootCurrent", struct.pack("<H", number))
    machine._begin(A)
    machine.run("bless")
    assert machine.numbers("BootOrder")[0] == number
    assert machine.get("Boot0001")


def test_entries_of_others(machine):
    """Entries of Windows, of a network card, of a disk without a partition; an invalid entry; and names that only
    resemble those of entries."""
    node = load_option.make("Windows Boot Manager", load_option.Partition(2, 5, 6, "11111111-2222-3333-4444-555555555555"),
                            "/EFI/Microsoft/Boot/bootmgfw.efi", b"WINDOWS\0" + bytes(100))
    others = {"Boot0000": node, "Boot0003": struct.pack("<IH", 1, 4) + "net".encode("utf-16-le") + b"\0\0\x7f\xff\4\0",
              "Boot00FF": b"x",
              "BootFFFF": node, "Boot12": node, "Bootx000": node, "Boot00ab": node, "BootOptionSupport": b"\1\0\0\0"}
    for name, data in others.items():
        machine.set(name, data)
    order = struct.pack("<HHH", 0, 3, OTHERS)
    machine.set("BootOrder", order)
    blessed(machine, A, B)
    machine.run("uninstall")
    assert {name: machine.get(name) for name in others} == others and machine.get("BootOrder") == order


def test_two_entries_of_one_set(machine):
    """A user has copied an entry by hand: both are removed together."""
    blessed(machine, A)
    machine.set("Boot0042", machine.get(f"Boot{machine.numbers('BootOrder')[0]:04X}"))
    machine.run("uninstall")
    assert machine.get("Boot0042") is None and machine.numbers("BootOrder") == [OTHERS]


def test_all_numbers_are_taken_but_one(machine):
    for number in range(0x30):
        machine.set(f"Boot{number:04X}", machine.get("Boot0001"))
    machine.run("install")
    assert machine.numbers("BootNext") == [0x30]


# --- kernels, their names, their command lines
# --------------------------------------------------------------------------


@pytest.mark.parametrize("line, warns", [("root=/dev/vda2 ro", False), ("ro quiet", True), ("", True), ('x="root=y"', True),
                                         ("boot=live", False)])
def test_command_line_without_a_root(machine, line, warns):
    (machine.root / "etc/kernel/cmdline").write_text(line + "\n")
    assert ("expected root= in the kernel command line, found none" in machine.run("install")) == warns


def test_link_to_a_kernel(machine):
    """Links like /boot/vmlinuz, and versions with forbidden characters, are ignored."""
    (machine.root / "boot/vmlinuz").symlink_to(f"vmlinuz-{A}")
    for name in ("vmlinuz-", "vmlinuz-6.1 copy", "vmlinuz-6.1*"):
        (machine.root / "boot" / name).write_bytes(b"")
    machine.run("install")
    assert [one.version for one in machine.machine().store.sets()] == [A]


def test_newest_kernel_is_taken_where_none_runs_from_boot(machine):
    machine.kernel_package(B)
    machine.run("install")
    assert [one.version for one in machine.machine().store.sets()] == [B]


def test_kernel_that_runs_is_taken(machine):
    machine.kernel_package(B)
    machine._begin(A)
    machine.run("install")
    assert [one.version for one in machine.machine().store.sets()] == [A]


def test_no_kernel(machine):
    (machine.root / f"boot/vmlinuz-{A}").unlink()
    assert "expected a kernel /boot/vmlinuz-VERSION, found none" in machine.run("install", expected=1)


def test_initrd_of_dracut(machine):
    shutil.move(machine.root / f"boot/initrd.img-{A}", machine.root / f"boot/initramfs-{A}.img")
    machine.run("install")
    machine.expect_bootable()


def test_initrd_that_is_configured(machine):
    """Microcode precedes the initrd in each mode; when it changes, there is a new set."""
    (machine.root / "boot/ucode.img").write_bytes(b"microcode")
    machine.configure("initrd=/boot/ucode.img\n")
    machine.run("install")
    conf, = machine.esp.rglob("*.conf")
    paths = re.findall("^initrd (.*)", conf.read_text(), re.MULTILINE)
    assert len(paths) == 2 and (machine.esp / paths[0][1:]).read_bytes() == b"microcode"
    names = machine.names()
    (machine.root / "boot/ucode.img").write_bytes(b"newer microcode")
    machine.run("add", A)
    assert machine.names() != names
    (machine.root / "boot/ucode.img").unlink()
    assert "cannot read" in machine.run("add", A, expected=1)


@pytest.mark.parametrize("line, hint", [("initrd /x", "initrd=FILE copies one"), ("pcrsig /x", "pcr_private_key=FILE makes it"),
                                        ("linux /x", "a kernel has its own line"), ("volume esp", "all files are on the ESP")])
def test_entry_with_a_path(machine, line, hint):
    machine.configure(f"entry={line}\n")
    assert f"entry: expected a key that names no file, found {line.split()[0]}: {hint}" in machine.run("install", expected=2)


# --- names and languages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "POSIX"])
def test_locale(machine, locale):
    (machine.root / "etc/os-release").write_text('PRETTY_NAME="Dëbian \u202e 13"\nID=debian\n')
    (machine.root / "etc/kernel/cmdline").write_bytes("root=LABEL=größe".encode() + b" x=\xff\n")
    environment = {"LC_ALL": locale, "LANG": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    machine.run("install", environment=environment)
    conf, = machine.esp.rglob("*.conf")
    content = conf.read_bytes()
    assert "options root=LABEL=größe x=".encode() + b"\xff" in content and "title Dëbian".encode() in content
    option = load_option.parse(machine.get(f"Boot{machine.numbers('BootNext')[0]:04X}"))
    assert option.description.startswith("Dëbian ")
    machine.run("status", environment=environment)
    machine.run("uninstall", "--force", environment=environment)


@pytest.mark.parametrize("text", ["uninitialized\n", "", "0123456789abcdef\n", None])
def test_machine_id_that_is_none_yet(machine, text):
    """/etc/machine-id is empty, as in an image before its first boot."""
    (machine.root / "etc/kernel/entry-token").unlink()
    if text is not None:
        (machine.root / "etc/machine-id").write_text(text)
    machine.run("install")
    assert (machine.esp / "EFI/kexec/debian").is_dir()


def test_umask(machine):
    """Everybody can read the record, whatever root's umask is."""
    before = os.umask(0o077)
    try:
        machine.run("install")
    finally:
        os.umask(before)
    machine.expect_bootable()


def test_clock_that_is_wrong(machine):
    machine.run("install")
    machine.leave_start("refused", f"/{FOLDER}/x.efi", "reason", time="1970-00-00 99:99")
    assert "reason" in machine.run("status")


def test_record_of_an_earlier_version(machine):
    blessed(machine, A)
    path = machine.root / "var/lib/kexec-efi/record.json"
    content = json.loads(path.read_text())
    for known in content["sets"].values():
        for name in ("outcome", "reason", "time"):
            del known[name]
    for name in ("removable", "shim"):
        del content[name]
    path.write_text(json.dumps(content))
    add(B)(machine)[0].carry_out()
    assert machine.reboot(failing=[B]) == A
    machine.run("bless")
    assert "did not come up" in machine.run("status", expected=3)


@pytest.mark.parametrize("field, value",
                         [("removable", 1), ("removable", {"set": 1, "files": []}), ("removable", {"files": {}}),
                          ("shim", 7), ("shim", "/nowhere")])
def test_record_that_is_damaged_in_part(machine, field, value):
    blessed(machine, A)
    path = machine.root / "var/lib/kexec-efi/record.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    machine.run("status")
    assert machine.reboot() == A
    machine.run("uninstall")


# --- other processes and users ----------------------------------------------------------------------------------------


def test_one_after_the_other(machine):
    """The hooks of the kernel and of the initrd run at the same time: the second waits, and sees the first one's
    result."""
    machine.run("install")
    machine.kernel_package(B)
    folder = os.open(machine.root / "var/lib/kexec-efi", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    words = []
    threads = [threading.Thread(target=lambda: words.append(machine.run("add", B))) for _ in range(2)]
    for thread in threads:
        thread.start()
    threads[0].join(0.5)
    assert not words
    os.close(folder)
    for thread in threads:
        thread.join()
    assert sorted("is on the ESP already" in word for word in words) == [False, True]


@pytest.mark.parametrize("closed", [">&-", "<&- >&-", "<&-"])
def test_streams_that_are_closed(machine, closed):
    result = subprocess.run(f"{COMMAND} install --root={machine.root} --variables=yes {closed}", shell=True,
                            stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "KEXEC_EFI_SYSTEM": str(machine.kernel)})
    assert "Traceback" not in result.stderr
    machine.expect_bootable()


def test_output_that_is_full(machine):
    """The command reports the failed output by its status."""
    with open("/dev/full", "w") as full:
        result = subprocess.run([COMMAND, "status", f"--root={machine.root}"], stdout=full, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, "KEXEC_EFI_SYSTEM": str(machine.kernel)})
    assert result.returncode and "Traceback" not in result.stderr and "No space left on device" in result.stderr


def test_folder_for_temporary_files_that_is_not_there(machine):
    machine.configure("mode=sealed\n")
    words = machine.run("install", environment={"TMPDIR": "/nowhere"})
    machine.expect_bootable()
    assert "on trial" in words


def test_who_is_no_root():
    """Only root can write to EFI/ on the ESP: other users get one line that says so."""
    if os.geteuid():
        pytest.skip("only root can become another user")
    code = "import os, sys; os.setgid(65534); os.setuid(65534); os.execv(sys.argv[1], sys.argv[1:])"
    # Other users cannot enter pytest's folders.
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        machine = FolderMachine.new(pathlib.Path(folder) / "machine")
        machine.kernel_package(A)
        before = machine.state()
        result = subprocess.run([sys.executable, "-c", code, COMMAND, "install", f"--root={machine.root}", "--variables=yes"],
                                text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env={**os.environ, "KEXEC_EFI_SYSTEM": str(machine.kernel)})
        assert result.returncode == 1 and machine.state() == before
        assert len(result.stderr.splitlines()) == 1 and "can" in result.stderr


# --- the command's messages
# ---------------------------------------------------------------------------------------------


def command(machine, *words):
    return subprocess.run([COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "KEXEC_EFI_SYSTEM": str(machine.kernel)})


def test_common_options_in_either_place(machine):
    machine.run("install")
    root = f"--root={machine.root}"
    found = [command(machine, *words)
             for words in ([root, "--variables=yes", "list", "--json"], ["list", "--json", root, "--variables", "yes"],
                           ["--json", "list", root, "--variables=yes"],
                           [root, "--json", "--variables=no", "list", "--variables=yes"])]
    assert len({result.stdout for result in found}) == 1 and json.loads(found[0].stdout)["sets"][0]["state"] == "next"


def listed(machine):
    """Number of a set -> its line."""
    lines = [line for line in machine.run("list").splitlines() if line.startswith(("* ", "  "))]
    return {int(line[2:].split()[1]): line for line in lines}


def test_list_tells_sets_of_one_version_apart(machine):
    blessed(machine, A)
    add(A, "updated")(machine)[0].carry_out()
    lines = listed(machine)
    assert lines[2] == f"  {A:<28}   2 next     it is on trial at the next start"
    assert lines[1] == f"* {A:<28}   1 good     it has come up; it runs"
    assert machine.reboot() == A
    lines = listed(machine)
    assert lines[2] == f"* {A:<28}   2 trial    it runs, and has not been blessed yet"
    assert lines[1] == f"  {A:<28}   1 good     it has come up; it is started next"
    machine.run("bless")
    assert listed(machine)[2].endswith("it has come up; it runs; it is started next")
    found = {one["number"]: (one["running"], one["next"]) for one in json.loads(machine.run("list", "--json"))["sets"]}
    assert found == {2: (True, True), 1: (False, False)}
    machine.set("BootNext", struct.pack("<H", OTHERS))
    assert listed(machine)[2].endswith("it has come up; it runs")


@pytest.mark.parametrize("words",
                         [["add", A], ["remove", A], ["bless"], ["list"], ["status"], ["verify"], ["predict", A],
                          ["pcrlock", A]])
def test_machine_that_is_not_set_up(machine, words):
    """Each command ends with the status for that."""
    before = machine.state()
    machine.run(*words, expected=NOT_INSTALLED)
    assert machine.state() == before


@pytest.mark.parametrize("words", [["list"], ["status"], ["verify"]])
@pytest.mark.parametrize("lost", ["esp", "token"])
def test_machine_that_is_not_set_up_and_lacks_more(machine, words, lost):
    """The status is the same without an ESP, and without a name for its folder."""
    if lost == "esp":
        (machine.kernel / "proc/self/mountinfo").write_text("")
    else:
        (machine.root / "etc/kernel/entry-token").unlink()
        (machine.root / "etc/os-release").unlink()
    assert "the machine is not set up (kexec-efi install): " in machine.run(*words, expected=NOT_INSTALLED)
    assert machine.run("uninstall").strip() == "nothing is set up"


@pytest.mark.parametrize("words", [["list"], ["status"], ["verify"], ["uninstall"]])
def test_esp_that_is_gone_from_a_machine_that_is_set_up(machine, words):
    """Nobody must take that for a machine that is not set up."""
    machine.kernel_package(A)
    machine.run("install", A)
    (machine.kernel / "proc/self/mountinfo").write_text("")
    assert "nothing is mounted there; mount it, or name its folder by esp=" in machine.run(*words, expected=1)


def test_uninstall_where_nothing_is(machine):
    assert machine.run("uninstall").strip() == "nothing is set up"
    assert json.loads(machine.run("uninstall", "--json"))["operations"] == []


@pytest.mark.parametrize("words, complaint", [
    (["predict"], "expected VERSION or --image, found neither"),
    (["predict", "x", "--image=y"], "expected VERSION or --image, found both"),
    (["uki", "--out=x"], "expected --kernel-version or --linux, found neither"),
    (["uki", "--out=x", "--kernel-version=1", "--cmdline=y"], "expected no --cmdline with --kernel-version"),
    (["uki", "--out=x", "--linux=x", "--no-initrd"], "expected no --no-initrd with --linux"),
    (["seal", "--out=x", "--entry=y", "--key=z"], "expected certificate (--certificate), found none"),
    (["seal", "--out=x", "--entry=y", "--certificate=z"], "expected key (--key), found none"),
    (["seal", "--out=x"], "usage: kexec-efi seal"),
    (["sign"], "usage: kexec-efi sign"), (["uki"], "usage: kexec-efi uki"), (["add"], "usage: kexec-efi add")])
def test_wrong_call(machine, words, complaint):
    result = command(machine, *words)
    assert result.returncode == 2 and complaint in result.stderr, result


@pytest.mark.parametrize("name", ["seal", "uki", "sign", "predict"])
def test_help_of_what_runs_a_tool(machine, name):
    result = command(machine, name, "--help")
    assert result.stdout.startswith(f"usage: kexec-efi {name} ") and "--root" in result.stdout
    assert name != "uki" or "--kernel-version" in result.stdout


@pytest.mark.parametrize("words, code, complaint", [
    (["status"], NOT_INSTALLED, None), (["add", A], NOT_INSTALLED, "run kexec-efi install"),
    (["remove", "../x"], NOT_INSTALLED, "run kexec-efi install"),
    (["install", "../x"], 1, "expected a kernel version"), (["add"], 2, "the following arguments are required: VERSION"),
    (["frob\x1b[31m"], 2, "invalid choice"), (["install", "--config=/nowhere"], 2, "cannot read /nowhere"),
    (["install", "--kernel=/x\x1b[31m", A], 1, "expected a kernel at /x"),
    (["install", "--initrd=/nowhere", A], 1, "cannot read /nowhere")])
def test_errors_in_json(machine, words, code, complaint):
    """One object on standard output; standard error does not change."""
    root = f"--root={machine.root}"
    plain, result = command(machine, *words, root), command(machine, *words, root, "--json")
    assert (plain.returncode, result.returncode) == (code, code) and "\x1b" not in result.stdout + result.stderr
    assert result.stderr == plain.stderr and "{" not in plain.stdout
    value = json.loads(result.stdout)
    if complaint is None:
        assert "error" not in value and value["sets"] == []
    else:
        assert set(value) == {"error", "status"} and value["status"] == code and complaint in value["error"]
        assert value["error"] in result.stderr


def test_file_that_cannot_be_read_in_json(machine):
    (machine.esp / "EFI/BOOT/BOOTX64.EFI").mkdir(parents=True)
    result = command(machine, "install", "--removable", "--json", f"--root={machine.root}", A)
    message = f"{machine.esp}/EFI/BOOT/BOOTX64.EFI: Is a directory"
    assert json.loads(result.stdout) == {"error": message, "status": 1} and result.stderr == f"kexec-efi: {message}\n"


def test_tool_that_fails_in_json(machine):
    """The tool's messages are on standard error."""
    (machine.root / f"boot/vmlinuz-{A}").write_bytes(b"no kernel")
    machine.configure("mode=uki\n")
    result = command(machine, "install", "--json", f"--root={machine.root}", A)
    assert result.returncode == 1 and json.loads(result.stdout)["error"].startswith("seal failed")
    assert "vmlinuz" in result.stderr


def test_what_a_tool_says_is_said_by_the_command(machine):
    result = command(machine, "seal", "--out=/x", "--entry=/nowhere")
    assert result.stderr == "kexec-efi seal: cannot read /nowhere: No such file or directory\n" and result.returncode == 1


def test_version_of_python():
    """The code uses nothing newer than Debian 12's Python 3.11."""
    for path in [ROOT / "tools/loader.py", *(ROOT / "tools/kexec_efi").glob("*.py")]:

        ast.parse(pathlib.Path(path).read_text(), feature_version=(3, 11))


@pytest.mark.parametrize("line", ["fallback /EFI/old/old.conf", "fallback\t/EFI//old/./old.conf"])
@pytest.mark.parametrize("is_there", [False, True])
def test_fallback_that_is_not_there(tmp_path, line, is_there):
    """Without this check, the missing file would be noticed only when it is needed. The loader's parser reads the line."""
    machine = FolderMachine.new(tmp_path / "machine", f"entry={line}\n")
    if is_there:
        (machine.esp / "EFI/old").mkdir(parents=True)
        (machine.esp / "EFI/old/old.conf").write_text("linux /vmlinuz\n")
    machine.kernel_package(A)
    warning = f"expected an entry file {machine.esp}/EFI/old/old.conf, found none"
    assert (warning in machine.run("install")) == (not is_there)
