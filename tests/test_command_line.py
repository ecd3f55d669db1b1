# SPDX-License-Identifier: BSD-2-Clause
"""The options and exit codes of the command kexec-efi. Each mistake ends in a line, never in a traceback."""

import json
import os
import re
import shutil
import subprocess

import pytest

import packaged
from command_machine import COMMAND, KERNEL, ROOT, FolderMachine
from fake_qemu import GOOD_BOOT, WAITS, FakeQemu
from kexec_efi import variables

COMMANDS = ["install", "add", "remove", "list", "status", "verify", "check", "bless", "uninstall", "predict", "pcrlock",
            "seal", "uki", "sign"]


def run(*words, **options):
    result = subprocess.run([COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    assert "Traceback" not in result.stderr, result.stderr
    return result


def test_help_names_all_commands():
    result = run("--help")
    assert result.returncode == 0
    for name in COMMANDS:
        assert f"\n    {name}" in result.stdout


def test_version():
    """The command's version is the loader's, which GNUmakefile defines."""
    version = re.search(r"^VERSION := (\S+)$", (ROOT / "GNUmakefile").read_text(), re.MULTILINE)[1]
    result = run("--version")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"kexec-efi {version}\n", "")


@pytest.mark.parametrize("words",
                         [[], ["frob\x1b[31m"], ["add"], ["add", "a", "b"], ["status", "--frob"],
                          ["remove", "--dry", "x"]])
def test_wrong_call(words):
    result = run(*words)
    assert result.returncode == 2 and "\x1b" not in result.stderr and "usage: kexec-efi" in result.stderr


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    found = FolderMachine.new(tmp_path_factory.mktemp("command") / "machine")
    found.kernel_package("6.1")
    found.run("install", "6.1")
    return found


@pytest.mark.parametrize("words, code, complaint", [
    (["add", "../x"], 1, "expected a kernel version"),
    (["add", "6.9"], 1, "expected a kernel at"),
    (["add", "--kernel=/dev/null", "6.1"], 1, ""),
    (["add", "--kernel=/", "6.1"], 1, "cannot read /: expected a file, found something else"),
    (["add", "--initrd=/dev/zero", "6.1"], 1, "cannot read /dev/zero: expected a file, found something else"),
    (["add", "--initrd=/nowhere", "6.1"], 1, "cannot read /nowhere"),
    (["status", "--config=/nowhere"], 2, "cannot read /nowhere"),
    (["predict", "6.9"], 1, "6.9: is not on the ESP: run kexec-efi add 6.9"),
    (["remove", "6.9"], 0, "6.9: is not on the ESP"),
    (["verify", "--variables=no"], 0, ": good"),
])
def test_what_users_do(machine, words, code, complaint):
    before = machine.state()
    assert complaint in machine.run(*words, expected=code)
    assert machine.state() == before


@pytest.mark.parametrize("path, content", [
    ("root/var/lib/kexec-efi/record.json", None), ("root/var/lib/kexec-efi/record.json", b"[]"),
    ("root/var/lib/kexec-efi/record.json", b'{"menu": "x", "sets": {}}'),
    ("root/var/lib/kexec-efi/record.json", b'{"sets": {"a": []}}'),
    ("root/etc/kexec-efi.conf", None), ("root/etc/kexec-efi.conf", b"\xff\xfe\0"),
    ("root/etc/os-release", b"PRETTY_NAME='\xff"),
    ("root/etc/kernel/cmdline", b"a\0b"), ("root/etc/kernel/cmdline", b"\xff\x1b[31m"), ("root/etc/kernel/cmdline", None),
    ("root/boot/efi/EFI/kexec/testing/6.1.9-0123456789ab.efi", None),
    ("root/boot/efi/EFI/kexec/testing/6.1.9-0123456789ab.efi", b""),
    ("kernel/proc/self/mountinfo", b"\xff \n - - -"), ("kernel/run/udev/data/b254:1", b"\xff"),
    (f"kernel/sys/firmware/efi/efivars/BootOrder-{variables.GLOBAL}", b"\7\0\0\0\1"),
    (f"kernel/sys/firmware/efi/efivars/BootOrder-{variables.GLOBAL}", None),
    (f"kernel/sys/firmware/efi/efivars/Boot0000-{variables.GLOBAL}", b"\7\0\0\0" + b"\xff" * 50),
    (f"kernel/sys/firmware/efi/efivars/BootFFFF-{variables.GLOBAL}", b""),
], ids=lambda value: str(value)[-30:])
def test_whatever_lies_there(machine, tmp_path, path, content):
    """Replaces a file by one with other content, or by a folder (None). Each command ends with messages, and none hangs
    or crashes."""
    copy = machine.copy(tmp_path / "machine")
    place = copy.folder / path
    if content is None:
        place.unlink(missing_ok=True)
        place.mkdir()
        (place / "x").touch()
    else:
        place.write_bytes(content)
    for words in (["status"], ["add", "6.1"], ["bless"], ["remove", "6.1"], ["uninstall"]):
        result = subprocess.run([COMMAND, words[0], f"--root={copy.root}", "--variables=yes", *words[1:]], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300,
                                env={**os.environ, "KEXEC_EFI_SYSTEM": str(copy.kernel)})
        assert result.returncode in range(6) and "Traceback" not in result.stderr, result
        assert "\x1b" not in result.stdout + result.stderr


def test_json(machine):
    value = json.loads(machine.run("status", "--json"))
    assert value["installed"] and value["esp"].endswith("/boot/efi") and value["sets"][0]["version"] == "6.1"
    assert json.loads(machine.run("list", "--json"))["sets"][0]["state"] == "next"
    assert json.loads(machine.run("verify", "--json")) == {
        "good": True, "removable": {"set": None, "damage": None},
        "sets": [{"version": "6.1", "name": value["sets"][0]["name"], "good": True, "damage": None,
                  "signature": "none"}]}


def test_predict(machine):
    assert "PCR 4 " in machine.run("predict", "6.1")


def test_pcrlock(machine):
    machine.run("pcrlock", "6.1")
    machine.run("pcrlock", "6.1")
    assert [path.name for path in machine.root.rglob("*.pcrlock")] == ["kexec-efi-6.1.pcrlock"]


def test_reader_that_goes_away(machine):
    result = subprocess.run(f"{COMMAND} status --root={machine.root} | head -c 1", shell=True, stderr=subprocess.PIPE,
                            text=True, env={**os.environ, "KEXEC_EFI_SYSTEM": str(machine.kernel)})
    assert "Traceback" not in result.stderr


def test_esp_that_cannot_be_written(machine, tmp_path):
    copy = machine.copy(tmp_path / "machine")
    copy.kernel_package("6.2")
    # A file in the place of the folder, because not even root can write below a file.
    shutil.rmtree(copy.esp / "EFI/kexec")
    (copy.esp / "EFI/kexec").write_bytes(b"")
    before = copy.state()
    assert "cannot make" in copy.run("add", "6.2", expected=1)
    assert copy.state() == before


def test_test_tool_where_it_is_installed(tmp_path):
    """The installed tool boots the installed loader, from any folder."""
    command = packaged.install(tmp_path / "package") / "usr/local/bin/kexec-efi-test"
    fake = FakeQemu(tmp_path, GOOD_BOOT + WAITS)
    result = subprocess.run([command, "--kernel", tmp_path / "vmlinuz", "--expect", "Run /init", "--json",
                             tmp_path / "out.json"], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=fake.environment)
    assert result.returncode == 0 and result.stderr.startswith("kexec-efi-test: pass: "), result
    help_text = subprocess.run([command, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert str(tmp_path / "package/usr/local/lib/kexec-efi/kexecx64.efi") in help_text.replace("\n", "").replace(" ", "")
    assert not list((tmp_path / "package").rglob("__pycache__"))
    fake.assert_nothing_left()


def test_where_it_is_installed(tmp_path):
    command = packaged.install(tmp_path) / "usr/local/bin/kexec-efi"
    found = FolderMachine.new(tmp_path / "machine", "mode=sealed\n")
    found.kernel_package("6.1")
    environment = {**os.environ, "KEXEC_EFI_SYSTEM": str(found.kernel)}
    result = subprocess.run([command, "install", f"--root={found.root}", "--variables=yes"], stderr=subprocess.PIPE,
                            text=True, env=environment)
    assert (result.returncode, result.stderr) == (0, "")
    found.expect_bootable()
    out = tmp_path / "out.efi"
    result = subprocess.run([command, "uki", f"--out={out}", f"--linux={KERNEL}"], stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == (0, "") and out.exists()
    assert not list(tmp_path.rglob("__pycache__"))
