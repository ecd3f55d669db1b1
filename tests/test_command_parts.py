# SPDX-License-Identifier: BSD-2-Clause
"""The parts of kexec-efi that parse foreign input: boot entries, variables, mounts, configuration."""

import errno
import fcntl
import os
import pathlib
import random
import struct

import pytest

from command_machine import ESP_UUID, KERNEL, ROOT, FolderMachine, cpio
from kexec_efi import (boot_files, configuration, load_option, loader_words, operations, partial_files, partition, system,
                       variables)
from kexec_efi.errors import NOT_INSTALLED, WRONG_CALL, Refused

GPT = load_option.Partition(1, 0x800, 0x96000, ESP_UUID)
MBR = load_option.Partition(2, 63, 1000, "c0ffee00-02")

# By the UEFI specification: attributes, length of the path, "x"; a hard drive node of 42 bytes; a file node; the end.
BY_HAND = bytes.fromhex(
    "01000000" "4200" "78000000"
    "04012a00" "01000000" "0008000000000000" "0060090000000000" "00eeffc0341278569abcdef012345678" "0202"
    "04041400" "5c0061005c0062002e0065006600" "0000" "7fff0400")


# --- boot entries ----------------------------------------------------------------------------------------------------


def test_load_option_by_hand():
    assert load_option.make("x", GPT, "/a/b.ef") == BY_HAND
    option = load_option.parse(BY_HAND)
    assert (option.description, option.partition_uuid, option.path, option.optional) == ("x", ESP_UUID, "/a/b.ef", b"")
    assert load_option.make("\udcff\ud800", GPT, "/a/b.ef")
    assert option.is_active and not load_option.parse(bytes(4) + BY_HAND[4:]).is_active


@pytest.mark.parametrize("where", [GPT, MBR])
def test_load_option_comes_back(where):
    data = load_option.make("Debian, 6.1 \u00e4", where, "/EFI/kexec/x.efi") + b"more"
    option = load_option.parse(data)
    assert (option.description, option.partition_uuid, option.path) == ("Debian, 6.1 \u00e4", where.uuid, "/EFI/kexec/x.efi")
    assert option.optional == b"more"


def test_load_option_of_several_nodes():
    """Nodes may precede the partition, and the file's name may be split into several nodes."""
    nodes = (struct.pack("<BBHII", 2, 1, 12, 0x0a0341d0, 0) + GPT.node() + b"\4\4\x08\0\\\0a\0"
             + b"\4\4\x0a\0/\0b\0\0\0" + b"\x7f\xff\4\0")
    option = load_option.parse(struct.pack("<IH", 1, len(nodes)) + b"\0\0" + nodes)
    assert (option.partition_uuid, option.path) == (ESP_UUID, "/a//b")


def test_load_option_that_is_damaged():
    for end in range(len(BY_HAND)):
        assert load_option.parse(BY_HAND[:end]) is None
    assert load_option.parse(BY_HAND.replace(b"\x7f\xff\4\0", b"\x7f\1\4\0")) is None
    seeded = random.Random(1)
    for _ in range(3000):
        data = bytearray(BY_HAND)
        for _ in range(seeded.randint(1, 4)):
            data[seeded.randrange(len(data))] = seeded.choice((0, 1, 3, 4, 0x7f, 0xff, seeded.randrange(256)))
        load_option.parse(bytes(data))


# --- variables -------------------------------------------------------------------------------------------------------


def test_variable_comes_back(tmp_path):
    found = variables.Variables(tmp_path)
    for data in (b"long value", b"short"):
        found.write("Boot0001", data)
        assert found.read("Boot0001") == variables.Variable(7, data)
    assert (tmp_path / f"Boot0001-{variables.GLOBAL}").read_bytes() == b"\7\0\0\0short"
    assert found.names(variables.GLOBAL) == ["Boot0001"] and found.names(variables.KEXEC) == []
    found.delete("Boot0001")
    found.delete("Boot0001")
    assert found.read("Boot0001") is None


def test_variable_that_is_none(tmp_path):
    found = variables.Variables(tmp_path)
    for name, content in (("Empty", b""), ("Short", b"\7\0\0\0")):
        (tmp_path / f"{name}-{variables.GLOBAL}").write_bytes(content)
        assert found.read(name) is None
    (tmp_path / f"Folder-{variables.GLOBAL}").mkdir()
    assert found.data("Folder") is None


def test_variable_that_is_as_it_should_be_is_not_written(tmp_path, monkeypatch):
    found = variables.Variables(tmp_path)
    found.write("BootOrder", b"\1\0")
    monkeypatch.setattr(os, "write", None)
    found.write("BootOrder", b"\1\0")


@pytest.mark.parametrize("change", ["write", "delete"])
def test_variable_that_is_immutable(tmp_path, monkeypatch, change):
    """efivarfs makes variables immutable unless Linux knows them."""
    found = variables.Variables(tmp_path)
    found.write("KexecMismatch", b"old", variables.KEXEC)
    path, flags = str(tmp_path / f"KexecMismatch-{variables.KEXEC}"), [0x10]
    written, unlinked = os.write, os.unlink

    def ioctl(file, request, argument):
        if request == 0x40086602:
            flags[0], = struct.unpack("i4x", argument)
        return struct.pack("i4x", flags[0])

    def guarded(function):
        def run(*arguments):
            if flags[0]:
                raise OSError(errno.EPERM, "Operation not permitted")
            return function(*arguments)
        return run

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    monkeypatch.setattr(os, "write", guarded(written))
    monkeypatch.setattr(os, "unlink", guarded(unlinked))
    if change == "write":
        found.write("KexecMismatch", b"new", variables.KEXEC)
        assert found.data("KexecMismatch", variables.KEXEC) == b"new" and flags == [0x10]
    else:
        found.delete("KexecMismatch", variables.KEXEC)
        assert not os.path.exists(path)


# --- operations ------------------------------------------------------------------------------------------------------


def test_what_is_flushed(tmp_path, monkeypatch):
    """A file is flushed before and after its rename, then its folder; for a new folder, its parent as well."""
    flushed, fsync = [], os.fsync

    def recording(file):
        flushed.append(os.readlink(f"/proc/self/fd/{file}").removeprefix(str(tmp_path)))
        fsync(file)

    monkeypatch.setattr(os, "fsync", recording)
    plan = [*operations.make_folders(tmp_path / "a/b", tmp_path), *operations.write_file(tmp_path / "a/b/c", b"content"),
            operations.Flush(tmp_path / "a/b")]
    operations.Plan(change=plan).carry_out()
    assert flushed == ["", "/a", "/a/b/c.partial", "/a/b/c", "/a/b"]
    assert (tmp_path / "a/b/c").read_bytes() == b"content"


def test_file_that_is_there_is_not_replaced(tmp_path):
    (tmp_path / "x").write_bytes(b"old")
    with pytest.raises(Refused, match="x: expected no such file, found one"):
        operations.Plan(change=operations.write_file(tmp_path / "x", b"new")).carry_out()
    assert [path.name for path in tmp_path.iterdir()] == ["x"] and (tmp_path / "x").read_bytes() == b"old"
    operations.Plan(change=operations.write_file(tmp_path / "x", b"new", replaces=True)).carry_out()
    assert (tmp_path / "x").read_bytes() == b"new"


@pytest.mark.parametrize("name, other, content, shared", [
    ("vmlinuz-1", "vmlinuz-1.partial", b"kernel", True),
    ("vmlinuz-1", "vmlinuz-1.partial2", b"kernel", True),
    ("vmlinuz-1", "vmlinuz-1.partial", b"", False),
    ("vmlinuz-1", "vmlinuz-2.partial", b"kernel", False),
    ("vmlinuz-1", "vmlinuz-1.partially", b"kernel", False),
    ("1.conf", "1+3.conf.partial", b"title x", True),
    ("1+2-1.conf", "1+3.conf.partial", b"title x", True),
    ("2+2-1.conf", "1+3.conf.partial", b"title x", False),
])
def test_what_may_share_its_clusters(tmp_path, name, other, content, shared):
    path, partial = tmp_path / name, tmp_path / other
    for one in (path, partial):
        one.write_bytes(content)
    assert partial_files.twin(path) == (partial if shared else None)
    assert partial_files.twin(partial) == (path if shared else None)
    partial.write_bytes(content + b"more")
    assert partial_files.twin(path) is None


def test_file_without_its_clusters_shares_none(tmp_path, monkeypatch):
    path, partial = tmp_path / "vmlinuz-1", tmp_path / "vmlinuz-1.partial"
    for one in (path, partial):
        one.write_bytes(b"kernel")
    read = pathlib.Path.read_bytes

    def failing(one):
        if one == partial:
            raise OSError(errno.EIO, "Input/output error")
        return read(one)

    monkeypatch.setattr(pathlib.Path, "read_bytes", failing)
    assert partial_files.twin(path) is None and partial_files.new_name(path) == partial


def test_temporary_name_that_is_taken(tmp_path):
    """A partial file may share the clusters of another file, so writing to it would change that file."""
    path = tmp_path / "vmlinuz-1"
    path.write_bytes(b"kernel")
    for suffix, content in ((".partial", b"kernel"), (".partial2", b"kernel"), (".partial3", b"kern")):
        path.with_name(path.name + suffix).write_bytes(content)
    assert partial_files.new_name(path).name == "vmlinuz-1.partial3"


def test_rename_whose_flush_fails_is_undone(tmp_path, monkeypatch):
    plan = operations.Plan(change=operations.write_file(tmp_path / "x", b"new"))
    fsync = os.fsync

    def failing(file):
        if os.readlink(f"/proc/self/fd/{file}") == str(tmp_path / "x"):
            raise OSError(errno.EIO, "Input/output error")
        fsync(file)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(Refused, match="cannot rename .*Input/output error"):
        plan.carry_out()
    assert not list(tmp_path.iterdir())


# --- the ESP ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def folders(tmp_path):
    return FolderMachine.new(tmp_path / "machine")


def find(folders, configured=None):
    return partition.find(system.System(folders.root, folders.kernel), configured)


def test_esp(folders):
    assert find(folders) == partition.Esp(pathlib.Path(os.path.realpath(folders.esp)), GPT)
    assert find(folders, "/boot/efi").partition == GPT


def change(folders, name, old, new):
    path = folders.kernel / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("name, old, new, complaint", [
    ("proc/self/mountinfo", "- vfat", "- ext4", "expected a FAT volume, found ext4"),
    ("proc/self/mountinfo", "/boot/efi ", "/boot/efi2 ", "nothing is mounted there"),
    ("proc/self/mountinfo", " - ", " + ", "nothing is mounted there"),
    ("run/udev/data/b254:1", "c12a7328", "0fc63daf", "expected a partition of type c12a7328-.*, found 0fc63daf-"),
    ("run/udev/data/b254:1", "NUMBER=1", "NUMBER=one", "expected a partition with number"),
    ("run/udev/data/b254:1", ESP_UUID, "../../x", "expected a partition with number"),
])
def test_what_is_no_esp(folders, name, old, new, complaint):
    """The twin is test_esp."""
    change(folders, name, old, new)
    with pytest.raises(Refused, match=f"/boot/efi: {complaint}"):
        find(folders)


def test_esp_that_is_mounted_elsewhere(folders):
    with pytest.raises(Refused, match=r"expected an EFI system partition \(esp=\), found none: .*/boot: nothing is mounted"):
        find(folders, "/boot")


def test_esp_of_large_blocks(folders):
    """UEFI counts in the disk's blocks, Linux in units of 512 bytes."""
    queue = folders.kernel / "sys/dev/block/254:1"
    queue.mkdir(parents=True)
    (folders.kernel / "sys/dev/block/queue").mkdir()
    (folders.kernel / "sys/dev/block/queue/logical_block_size").write_text("4096\n")
    found = find(folders).partition
    assert (found.start, found.size) == (0x100, 0x96000 // 8)


def test_esp_in_an_mbr(folders):
    change(folders, "run/udev/data/b254:1", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "0xef")
    change(folders, "run/udev/data/b254:1", ESP_UUID, "c0ffee00-01")
    node = find(folders).partition.node()
    assert node[24:] == bytes.fromhex("00eeffc0") + bytes(12) + b"\1\1"


def test_path_of_a_mount_with_blanks(folders):
    mountinfo = folders.kernel / "proc/self/mountinfo"
    mountinfo.write_text(mountinfo.read_text() + r"31 22 8:1 / /my\040disk rw - ext4 /dev/a\134b rw" + "\n")
    found = partition.mounts(system.System(folders.root, folders.kernel))["/my disk"]
    assert found.source == r"/dev/a\b" and found.kind == "ext4"


# --- configuration ---------------------------------------------------------------------------------------------------


def test_configuration():
    found = configuration.parse("conf", "# all\n\n mode = sealed\nkey=pkcs11:a=b\ncertificate=/c.pem\n"
                                        "entry=a b\nentry=c\nkeep=2\n")
    assert (found.mode, found.key, found.entry, found.keep) == ("sealed", "pkcs11:a=b", ["a b", "c"], 2)
    assert configuration.parse("conf", "") == configuration.Configuration()


@pytest.mark.parametrize("text, complaint", [
    ("mode=seal", "conf: line 1: mode: expected split or sealed or uki, found seal"),
    ("\nkeep=0", "conf: line 2: keep: expected a number from 1 to 100, found 0"),
    ("keep=", "conf: line 1: keep: expected a number from 1 to 100, found nothing"),
    ("Mode=uki", "conf: line 1: expected mode and =, found Mode"),
    ("mode uki", "conf: line 1: expected mode and =, found mode uki"),
    ("rubbish=1", "conf: line 1: expected one of mode, key, .* and =, found rubbish"),
    ("mode=uki\nmode=split", "conf: line 2: expected mode once, found it again"),
    ("mode=uki\nkey=/k", "conf: expected key and certificate, found no certificate"),
    ("mode=uki\nentry=verbose yes", "conf: expected entry= with mode=split or sealed, found it with uki"),
    ("sbat=a,1,b,c,d,e", "conf: expected sbat= with mode=sealed or uki, found it with split"),
    ("key=/k\ncertificate=/c", "conf: mode=split signs an image that boots any files beside it"),
])
def test_configuration_that_is_wrong(text, complaint):
    with pytest.raises(Refused, match=complaint) as refused:
        configuration.parse("conf", text)
    assert refused.value.code == WRONG_CALL


def test_command_line(folders, monkeypatch):
    found = system.System(folders.root, folders.kernel)
    assert configuration.command_line(found) == "root=/dev/vda2 ro quiet"
    (folders.root / "etc/kernel/cmdline").unlink()
    (folders.root / "usr/lib/kernel").mkdir(parents=True)
    (folders.root / "usr/lib/kernel/cmdline").write_text("from usr")
    assert configuration.command_line(found) == "from usr"
    (folders.root / "usr/lib/kernel/cmdline").unlink()
    with pytest.raises(Refused, match="expected the kernel command line in .*/etc/kernel/cmdline, found none"):
        configuration.command_line(found)
    (folders.kernel / "proc/cmdline").write_text('BOOT_IMAGE=/vmlinuz root=/dev/vda2 a="b initrd=c  d" initrd=/initrd.img ro\n')
    monkeypatch.setattr(system.System, "is_running", True)
    assert configuration.command_line(found) == 'root=/dev/vda2 a="b initrd=c  d" ro'
    monkeypatch.setenv("KERNEL_INSTALL_CONF_ROOT", str(folders.folder))
    (folders.folder / "cmdline").write_text("from kernel-install\n")
    assert configuration.command_line(found) == "from kernel-install"


def test_entry_token(folders, monkeypatch):
    found = system.System(folders.root, folders.kernel)
    assert configuration.entry_token(found) == "testing"
    (folders.root / "etc/kernel/entry-token").unlink()
    assert configuration.entry_token(found) == "debian"
    (folders.root / "etc/machine-id").write_text("0123456789abcdef" * 2 + "\n")
    assert configuration.entry_token(found) == "0123456789abcdef" * 2
    assert configuration.command_line(found).endswith(" quiet systemd.machine_id=" + "0123456789abcdef" * 2)
    for token in ("../..", "a/b", "trailing.", "a b"):
        monkeypatch.setenv("KERNEL_INSTALL_ENTRY_TOKEN", token)
        with pytest.raises(Refused, match="entry token: expected letters"):
            configuration.entry_token(found)


# --- making files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["", "..", "../x", "a/b", "a b", "6.1\n", "-x", "6.1*", "x" * 101, "6.1\x1b"])
def test_version_that_is_none(folders, version):
    with pytest.raises(Refused, match=r"expected a kernel version of letters"):
        boot_files.find(system.System(folders.root, folders.kernel), version)


@pytest.mark.parametrize("version", ["6.12.38+deb13-amd64", "6.8.5-301.fc40.x86_64", "6.9.1-arch1-1", "6.6~rc1", "7.0.0-rc2+"])
def test_version_of_a_distribution(folders, version):
    folders.kernel_package(version)
    folders.plan_add(version)[0].carry_out()
    assert [one.version for one in folders.machine().store.sets()] == [version]


def test_files_of_a_kernel(folders):
    found = system.System(folders.root, folders.kernel)
    with pytest.raises(Refused, match="expected a kernel at .*/boot/vmlinuz-6.1, found none"):
        boot_files.find(found, "6.1")
    folders.kernel_package("6.1")
    assert boot_files.find(found, "6.1").initrds == [cpio("6.1")]
    (folders.root / "boot/initrd.img-6.1").unlink()
    with pytest.raises(Refused, match="expected an initrd at .*/boot/initrd.img-6.1, found none: --no-initrd"):
        boot_files.find(found, "6.1")
    assert boot_files.find(found, "6.1", without_initrd=True).initrds == []
    (folders.root / "boot/initramfs-6.1.img").write_bytes(b"of Fedora")
    assert boot_files.find(found, "6.1").initrds == [b"of Fedora"]
    modules = folders.root / "usr/lib/modules/6.2"
    modules.mkdir(parents=True)
    (modules / "vmlinuz").write_bytes(b"kernel")
    assert boot_files.find(found, "6.2", without_initrd=True).kernel == b"kernel"


def test_identity_is_of_all_that_is_in_it(folders):
    """Each input changes the identity. Otherwise a change of that input would not make a new set."""
    folders.kernel_package("6.1")

    def identity(conf=""):
        found = system.System(folders.root, folders.kernel)
        parsed = configuration.parse("conf", conf)
        return boot_files.recipe(found, parsed, boot_files.find(found, "6.1")).identity

    seen = [identity()]
    assert identity() == seen[0]
    for conf in ("mode=sealed", "mode=uki", "entry=verbose yes", "mode=sealed\nsbat=acme,1,a,b,1,https://a.test"):
        seen.append(identity(conf))
    for path, content in (("boot/vmlinuz-6.1", b"other"), ("boot/initrd.img-6.1", b"other"), ("etc/kernel/cmdline", b"other"),
                          ("etc/os-release", b"ID=other\n")):
        (folders.root / path).write_bytes(content)
        seen.append(identity())
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("line, complaint",
                         [("Initrd /x", "kexec-efi.conf: entry=Initrd: expected initrd"),
                          ("frobnicate yes", "expected keys that the loader knows, found frobnicate")])
def test_line_of_an_entry_that_is_wrong(folders, line, complaint):
    folders.kernel_package("6.1")
    folders.configure(f"entry={line}\n")
    with pytest.raises(Refused, match=complaint):
        folders.plan_add("6.1")


def test_initrd_that_the_command_line_names(folders):
    """The loader would look for this initrd on the ESP, but kexec-efi does not put it there."""
    folders.kernel_package("6.1")
    (folders.root / "etc/kernel/cmdline").write_text("root=/dev/vda2 initrd=/initrd.img")
    with pytest.raises(Refused, match="expected an entry with the files of its kernel only, found /initrd.img in it"):
        folders.plan_add("6.1")


def test_what_is_no_kernel(folders, capfd):
    folders.kernel_package("6.1")
    (folders.root / "boot/vmlinuz-6.1").write_bytes(KERNEL.read_bytes()[:100000])
    with pytest.raises(SystemExit):
        folders.plan_add("6.1")
    assert "truncated" in capfd.readouterr().err and folders.names() == []


# --- the loader's notes -----------------------------------------------------------------------------------------------


def note(kind, body=b"", region=b"initrd"):
    return struct.pack("<II16s", kind, 1, region) + body.ljust(64, b"\0")


@pytest.mark.parametrize("data, words", [
    (note(1, b"\xaa" * 32 + b"\xbb" * 32), f"digest mismatch in initrd: expected {'aa' * 32}, found {'bb' * 32}"),
    (note(1, b"\xaa" * 64) + bytes(72), "digest mismatch in initrd"),
    (note(2, struct.pack("<QQQQQ", 14, 0x1000, 2, 0xdead, 0)),
     "vector 14 at 0x1000, address 0xdead, error code 0x2, while verifying initrd"),
    (note(3, struct.pack("<QQQQQ", 2, 0, 0, 0, 0), b""), "a start went on after an exception: vector 2"),
    (note(4, struct.pack("<QQQQ", 5, 1 << 63 | 2, 0, 0)), "ExitBootServices: refused 5 times, status 0x8000000000000002"),
    (note(1, region=b"in\x1b[31m"), "digest mismatch in in: "),
    (note(9), None), (note(1)[:-1], None), (b"", None), (None, None),
])
def test_note(data, words):
    found = loader_words.note_text(data)
    assert found is None if words is None else words in found


def test_layout_of_a_note():
    """The layout is that of the loader's headers."""
    header = (ROOT / "common/stop_note.h").read_text()
    for name, value in (("STOP_MISMATCH", 1), ("STOP_EXCEPTION", 2), ("STOP_NMI", 3), ("STOP_EXIT", 4)):
        assert f"{name} = {value}," in header
    assert "sizeof(struct stop_note) == 8 + 16 + 64 + 72" in header and "offsetof(struct stop_note, digests.pages)" in header


def test_log_in_status(folders):
    text = "kexec: kexec-efi 0.1\r\nkexec: warning: the purgatory stopped the last start: x\x1b[31m\r\n"
    (folders.efivars / f"KexecLog-{variables.KEXEC}").write_bytes(struct.pack("<I", 6) + text.encode("utf-16-le") + b"\0\0")
    (folders.efivars / f"KexecMismatch-{variables.KEXEC}").write_bytes(struct.pack("<I", 7) + note(1))
    output = folders.run("status", expected=NOT_INSTALLED)
    assert r"kexec: warning: the purgatory stopped the last start: x\x1b[31m" in output and "\x1b" not in output
    assert "digest mismatch in initrd" in output
