# SPDX-License-Identifier: BSD-2-Clause
"""Single parts of kexec_efi_test: modules, archives, firmwares, pictures, and the check for KVM."""

import contextlib
import lzma
import pathlib
import socket
import stat
import struct
import subprocess
import tempfile
import time
import zlib

import pytest

from fake_qemu import ROOT, kernel
from kexec_efi_test import Boot, Expectation, WrongCall, boots, command, guest, lifetime, machine, matrix, results

KERNEL = ROOT / "build/deps/kernels/amd64/vmlinuz"

# As depmod writes it: all direct and indirect dependencies of a module. The last one loads first.
DEPENDENCIES = """kernel/fs/9p/9p.ko.xz: kernel/net/9p/9pnet.ko.xz kernel/fs/netfs/netfs.ko.xz
kernel/net/9p/9pnet.ko.xz:
kernel/fs/netfs/netfs.ko.xz:
kernel/net/9p/9pnet_virtio.ko.xz: kernel/net/9p/9pnet.ko.xz kernel/drivers/virtio/virtio.ko.xz kernel/drivers/virtio/virtio_ring.ko.xz
kernel/drivers/virtio/virtio.ko.xz: kernel/drivers/virtio/virtio_ring.ko.xz
kernel/drivers/virtio/virtio_ring.ko.xz:
kernel/sound/snd.ko.xz:
"""


@pytest.fixture
def modules(tmp_path):
    folder = tmp_path / "lib/modules/6.1.0"
    for line in DEPENDENCIES.splitlines():
        path = folder / line.split(":")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(lzma.compress(path.name.encode()))
    (folder / "modules.dep").write_text(DEPENDENCIES)
    return folder


def names(paths):
    return [pathlib.PurePath(path).name.split(".")[0] for path in paths]


def test_modules_stand_behind_what_they_need(modules):
    order = names(guest.modules_needed(modules, ["9pnet-virtio", "9p", "built_in", "9p"]))
    for first, then in (("virtio_ring", "virtio"), ("virtio", "9pnet_virtio"), ("9pnet", "9p"), ("netfs", "9p")):
        assert order.index(first) < order.index(then)
    assert "snd" not in order and len(order) == len(set(order)) == 6


def test_modules_without_a_list(tmp_path):
    """A folder without modules.dep, as `make deps` makes it."""
    (tmp_path / "guest").mkdir()
    for name in ("efivarfs.ko", "other.ko", "guest/b-c.ko", "guest/a.ko"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "guest/order").write_text("b_c\nbuilt_in\na\n")
    assert guest.modules_needed(tmp_path, ["efivarfs", "a"]) == ["efivarfs.ko", "guest/b-c.ko", "guest/a.ko"]
    assert guest.modules_needed(tmp_path, ["efivarfs"]) == ["efivarfs.ko"]


def kernel_of(path, release="6.1.0"):
    """Writes the headers of a kernel that contain its release."""
    content = bytearray(kernel().ljust(0x300, b"\0"))
    content[0x20e:0x210] = struct.pack("<H", 0x280 - 0x200)
    content[0x280:0x300] = f"{release} (me) #1".encode().ljust(0x80, b"\0")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("place", ["lib/modules/6.1.0/modules.dep", "boot/modules/modules.dep", "boot/9p.ko"])
def test_modules_beside_the_file_of_a_symlink(tmp_path, monkeypatch, place):
    file = kernel_of(tmp_path / "tree/boot/vmlinuz-6.1.0")
    (tmp_path / "work").mkdir()
    (tmp_path / "work/bzImage").symlink_to("../tree/boot/vmlinuz-6.1.0")
    monkeypatch.chdir(tmp_path / "work")
    assert guest.find_modules(pathlib.Path("bzImage")) is None
    found = tmp_path / "tree" / place
    found.parent.mkdir(parents=True, exist_ok=True)
    found.write_text("")
    assert guest.find_modules(pathlib.Path("bzImage")) == guest.find_modules(file) == found.parent


def test_modules_beside_a_symlink_come_first(tmp_path):
    file = kernel_of(tmp_path / "tree/vmlinuz")
    (tmp_path / "bzImage").symlink_to(file)
    for folder in ("modules", "tree/modules"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "modules.dep").write_text("")
    assert guest.find_modules(tmp_path / "bzImage") == tmp_path / "modules"


def unpack(archive, folder):
    subprocess.run(["cpio", "--quiet", "-i", "-d", "--no-absolute-filenames"], input=archive, cwd=folder, check=True)


def test_archive_of_a_command(modules, tmp_path):
    command = guest.Command("echo \"$x\" 'y'\nexit 3", modules, share=True, net=True)
    (tmp_path / "out").mkdir()
    unpack(command.initrd, tmp_path / "out")
    folder = tmp_path / "out" / guest.FOLDER
    assert (folder / "command").read_text() == "echo \"$x\" 'y'\nexit 3\n"
    assert (folder / "modules/9p.ko").read_bytes() == b"9p.ko.xz"
    assert stat.S_IMODE((folder / "init").stat().st_mode) == 0o755
    subprocess.run(["sh", "-n", folder / "init"], check=True)
    text = (folder / "init").read_text()
    assert "@" not in text.replace('"$@"', "") and command.mark in text and "mount -t 9p" in text and "10.0.2.15" in text
    assert len(command.initrd) % 512 == 0


# Fakes of the guest's programs, which succeed except for BROKEN, and of the end of its first process.
PROGRAMS = """for program in mount mkdir ip; do
	eval "$program() { [ '$program' != '$BROKEN' ]; }"
done
finish() { echo "$*"; exit; }
"""


@pytest.mark.parametrize("setup, broken, links, said",
                         [(guest._SHARE, "", [], ""), (guest._SHARE, "mount", [], "cannot share\n"),
                          (guest._NET, "", ["lo", "eth0"], ""), (guest._NET, "", ["lo"], "cannot net\n")])
def test_guest_reports_a_missing_device(tmp_path, setup, broken, links, said):
    for link in links:
        (tmp_path / link).mkdir()
    script = PROGRAMS + setup.replace("/sys/class/net", str(tmp_path)).replace("/etc", str(tmp_path))
    result = subprocess.run(["sh", "-c", script], env={"PATH": "/usr/bin:/bin", "BROKEN": broken}, capture_output=True,
                            text=True)
    assert result.stdout == said


@pytest.mark.parametrize("modules, found", [
    (None, "found no folder of modules: give one by --modules"),
    ("", "found no such module in {}: give another folder by --modules"),
    ("9p.ko:\n", "found modules in {} that do not work: give another folder by --modules")])
def test_line_for_a_missing_device(tmp_path, modules, found):
    if modules is not None:
        (tmp_path / "modules.dep").write_text(modules)
        (tmp_path / "9p.ko").write_bytes(b"")
    command = guest.Command("true", None if modules is None else tmp_path, share=True)
    assert command.missing(f"{command.mark} cannot share") == (
        "--share: the guest cannot mount the folder: expected 9pnet_virtio and 9p in the kernel or as modules, "
        + found.format(tmp_path))
    assert command.missing(f"{command.mark} exit 0") is None and command.missing("kexec-efi-test-0 cannot share") is None


def test_same_command_is_the_same_archive():
    """The archive is measured, so only an intended change may change the registers between two boots."""
    assert guest.Command("true").initrd == guest.Command("true").initrd
    assert guest.Command("true").mark != guest.Command("false").mark


def test_end_of_a_command_that_is_interrupted():
    """The kernel may write into the middle of a line, so the line is printed three times: one intact copy is enough."""
    command = guest.Command("true")
    assert command.status(f"\n{command.mark} ex[    1.0] random: crng init done\nit 5\n\n{command.mark} exit 5\n") == 5
    assert command.status(f"\n{command.mark} exit 5") == 5
    assert command.status(f"x {command.mark} exit 5\n") is None


def test_release_of_a_kernel(tmp_path):
    release = (KERNEL.parent / "package").read_text().strip().removeprefix("linux-image-").removesuffix("-unsigned")
    assert guest.release_of(KERNEL) == release
    (tmp_path / "none").write_bytes(bytes(5000))
    assert guest.release_of(tmp_path / "none") is None


@pytest.mark.parametrize("cmdline, expected",
                         [("", "x=1"), ("a b", "a b x=1"), ("a -- c", "a x=1 -- c"), ("a --", "a x=1 --"),
                          ("-- c", "x=1 -- c")])
def test_word_of_the_kernel(cmdline, expected):
    """The words behind ` -- ` belong to the first process."""
    assert boots._with_word(cmdline, "x=1") == expected


@pytest.mark.parametrize("code, variables, smm",
                         [("OVMF_CODE.fd", "OVMF_VARS.fd", False), ("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd", True),
                          ("edk2-CODE.fd", None, False), ("OVMF_CODE_4M.strictnx.secboot.fd", "OVMF_VARS_4M.fd", True)])
def test_firmware_of_a_file(tmp_path, code, variables, smm):
    for name in (code, "OVMF_VARS.fd", "OVMF_VARS_4M.fd"):
        (tmp_path / name).write_bytes(b"")
    found = boots.firmware_of(tmp_path / code)
    assert (found.code, found.variables and found.variables.name, found.smm) == (tmp_path / code, variables, smm)


def test_forward_and_share_are_words_of_qemu(tmp_path):
    (tmp_path / "a,b").mkdir()
    (tmp_path / "kernel").write_bytes(kernel())
    boot = Boot(kernel=tmp_path / "kernel", via="stub", share=tmp_path / "a,b", forward=["2222:22", "80:80"], numa=2,
                cpus=4, qemu_args=["-S"])
    disk, options = boot.prepare(tmp_path)
    words = options["extra"]
    assert disk is None and words[-1] == "-S"
    assert f"local,path={tmp_path}/a,,b,mount_tag=share,security_model=none,multidevs=remap" in words
    assert "user,id=net0,hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=tcp:127.0.0.1:80-:80" in words
    nodes = [word for word in words if word.startswith("node,")]
    assert nodes == ["node,nodeid=0,memdev=node0,cpus=0-1", "node,nodeid=1,memdev=node1,cpus=2-3"]


@pytest.mark.parametrize("fields, expected",
                         [({}, "console=tty0 console=ttyS0 no_timer_check"), ({"cmdline": "a"}, "a"),
                          ({"cmdline": ""}, ""),
                          ({"cmdline": "a", "run": "true"}, "a no_timer_check rdinit=/.kexec-efi-test/init")])
def test_command_line_of_the_kernel(tmp_path, monkeypatch, fields, expected):
    """The given command line does not change, except for a command of --run."""
    monkeypatch.setenv("KEXEC_ACCEL", "tcg")
    machine.accelerator.cache_clear()
    (tmp_path / "kernel").write_bytes(kernel())
    words = Boot(kernel=tmp_path / "kernel", via="stub", **fields).prepare(tmp_path)[1]["extra"]
    machine.accelerator.cache_clear()
    assert words[words.index("-append") + 1] == expected


@pytest.mark.parametrize("text, expected", [("1024", 1024), ("512M", 512), ("2G", 2048)])
def test_memory_with_its_unit(text, expected):
    assert command.parser().parse_args([f"--memory={text}"]).memory == expected


def test_names_of_files_for_an_entry(tmp_path):
    """The help tells where the files lie on the ESP."""
    (tmp_path / "kernel").write_bytes(kernel())
    (tmp_path / "initrd").write_bytes(b"")
    boot = Boot(kernel=tmp_path / "kernel", initrds=[tmp_path / "initrd"] * 2, entry=["verbose yes"], image=tmp_path / "kernel")
    preparation = boots._Preparation(boot, tmp_path)
    preparation._place(boot.kernel, boot.initrds, "")
    help_text = " ".join(command.parser().format_help().split())
    assert {"/vmlinuz", "/initrd0", "/initrd1"} <= set(preparation.files) and "as /vmlinuz, /initrd0, /initrd1..." in help_text


def test_sealed_loader_needs_no_other_kernel(tmp_path, monkeypatch):
    """Also on a machine whose running kernel cannot be read. A loader with nothing sealed in it boots that kernel."""
    monkeypatch.setattr(boots, "default_kernel", lambda: tmp_path / "missing")
    for name, sections in (("sealed", [".text", ".entry"]), ("unified", [".linux"]), ("plain", [".text"])):
        (tmp_path / name).write_bytes(kernel(b"", sections=sections))
    for name in ("sealed", "unified"):
        preparation = boots._Preparation(Boot(image=tmp_path / name, files={"/vmlinuz": b"K"}), tmp_path)
        preparation.result()
        assert set(preparation.files) == {boots.BOOT_IMAGE, "/vmlinuz"}
        assert preparation.files[boots.BOOT_IMAGE] == tmp_path / name
    with pytest.raises(WrongCall, match="--kernel: cannot read .*/missing"):
        boots._Preparation(Boot(image=tmp_path / "plain"), tmp_path).result()


def test_matrix_of_lists(tmp_path):
    (tmp_path / "m.toml").write_text('[common]\ncpus = 2\n[[boot]]\nname = "n"\nvia = ["a", "b"]\n'
                                     'expect = [["x", "y"], ["z"]]\nnet = true\nshare = false\n'
                                     '[[boot]]\nvia = "a"\n[[boot]]\nvia = "a"\n')
    known = {"cpus": False, "name": False, "via": False, "expect": True, "net": False, "share": False}
    found = matrix.read(tmp_path / "m.toml", known)
    assert found[0] == ("n a y", ["--cpus=2", "--via=a", "--expect=x", "--expect=y", "--net"])
    assert [name for name, _ in found] == ["n a y", "n a z", "n b y", "n b z", "a #1", "a #2"]
    with pytest.raises(WrongCall, match="cpus: expected something in the list"):
        (tmp_path / "m.toml").write_text("[[boot]]\ncpus = []\n")
        matrix.read(tmp_path / "m.toml", known)


def test_picture():
    """Reads the picture back by its chunks' lengths and checksums."""
    found = results.png(b"P6\n2 1\n255\n\xff\0\0\0\0\xff")
    at, chunks = 8, {}
    while at < len(found):
        size, = struct.unpack_from(">I", found, at)
        kind, content = found[at + 4:at + 8], found[at + 8:at + 8 + size]
        assert struct.unpack_from(">I", found, at + 8 + size)[0] == zlib.crc32(kind + content)
        chunks[kind] = content
        at += 12 + size
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (2, 1, 8, 2, 0, 0, 0)
    assert zlib.decompress(chunks[b"IDAT"]) == b"\0\xff\0\0\0\0\xff"


def test_expectation_has_options(tmp_path):
    """The command line has an option for every field of the two."""
    options = command.parser().parse_args([])
    assert command.boot_of(options) == Boot() and command.expectation_of(options) == Expectation()


@pytest.fixture
def probe(tmp_path, monkeypatch):
    """probe(script) -> (accelerator, seconds, number of tries), with this script as QEMU."""
    monkeypatch.delenv("KEXEC_ACCEL", raising=False)
    monkeypatch.setattr(machine, "BUILD", tmp_path)
    monkeypatch.setattr(machine, "IN_CHECKOUT", True)
    monkeypatch.setattr(machine.os, "access", lambda *_: True)

    def ask(script, name="qemu"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho >>{tmp_path}/tried\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(machine, "QEMU", [str(program)])
        machine.accelerator.cache_clear()
        start = time.monotonic()
        found = machine.accelerator()
        return found, time.monotonic() - start, (tmp_path / "tried").read_text().count("\n")
    yield ask
    machine.accelerator.cache_clear()


def test_kvm_that_works(probe):
    assert probe("echo 'BdsDxe: No bootable option'; exec sleep 600")[0] == "kvm"


@pytest.mark.parametrize("script",
                         ["echo 'KVM internal error. Suberror: 1' >&2; exec sleep 600",
                          "echo 'failed to set MSR 0x10a' >&2; exit 1", "exit 0"])
def test_kvm_that_does_not_work_is_found_out_at_once(probe, script):
    found, seconds, _ = probe(script)
    assert found == "tcg" and seconds < machine._KVM_SECONDS


def test_kvm_that_is_silent(probe, monkeypatch):
    monkeypatch.setattr(machine, "_KVM_SECONDS", 0.3)
    assert probe("exec sleep 600")[0] == "tcg"


def test_what_was_found_is_remembered_for_this_qemu(probe):
    assert probe("echo BdsDxe; exec sleep 600")[::2] == ("kvm", 1)
    assert probe("exit 1")[::2] == ("kvm", 1)
    assert probe("exit 1", "other")[::2] == ("tcg", 2)


@pytest.fixture
def scripted(tmp_path, monkeypatch):
    """scripted(shell script) -> a Machine whose serial line shows the script's output."""
    monkeypatch.setattr(machine, "accelerator", lambda: "tcg")
    with contextlib.ExitStack() as stack:
        def start(script):
            program = tmp_path / "qemu"
            program.write_text(f"#!/bin/sh\n{script}")
            program.chmod(0o755)
            monkeypatch.setattr(machine, "QEMU", [str(program)])
            return stack.enter_context(machine.Machine(None))
        yield start


@pytest.mark.parametrize("rest, expected", [("sleep 0.3; echo 2000; sleep 600", "0x1000002000"), ("sleep 600", "0x100000"),
                                            ("exit", "0x100000")])
def test_word_that_comes_in_halves_is_not_taken_for_a_whole_one(scripted, rest, expected):
    assert scripted(f"printf 'kernel mem 0x100000'; {rest}\n").expect(r"mem (0x\w+)")[1] == expected


@pytest.mark.parametrize("length, is_short", [(10, True), (120, False)])
def test_folder_whose_sockets_have_short_names(monkeypatch, length, is_short):
    with tempfile.TemporaryDirectory(dir="/tmp") as outer:
        place = pathlib.Path(outer) / ("x" * length)
        place.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(place))
        for_sockets, usual = lifetime.make_folder(for_sockets=True), lifetime.make_folder()
        try:
            assert for_sockets.parent == (place if is_short else pathlib.Path("/tmp")) and usual.parent == place
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(str(for_sockets / "monitor"))
        finally:
            for folder in (for_sockets, usual):
                lifetime.remove_folder(folder)
        assert not for_sockets.exists() and not usual.exists()
