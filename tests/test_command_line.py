# SPDX-License-Identifier: BSD-2-Clause
"""The words of the command kexec-efi, its exit codes, and that whatever a user does ends in a line and not in a traceback."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

from command_machine import COMMAND, KERNEL, ROOT, FolderMachine

COMMANDS = ["install", "add", "remove", "list", "status", "verify", "bless", "uninstall", "predict", "pcrlock", "seal", "uki", "sign"]


def run(*words, **options):
    result = subprocess.run([COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    assert "Traceback" not in result.stderr, result.stderr
    return result


def test_help_names_all_commands():
    result = run("--help")
    assert result.returncode == 0
    for name in COMMANDS:
        assert f"\n    {name}" in result.stdout


@pytest.mark.parametrize("words", [[], ["frob\x1b[31m"], ["add"], ["add", "a", "b"], ["status", "--frob"], ["remove", "--dry", "x"]])
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
    (["add", "--kernel=/", "6.1"], 1, "cannot read /: Is a directory"),
    (["add", "--initrd=/nowhere", "6.1"], 1, "cannot read /nowhere"),
    (["status", "--config=/nowhere"], 2, "cannot read /nowhere"),
    (["predict", "6.9"], 1, "6.9: is not on the ESP: run kexec-efi add 6.9"),
    (["remove", "6.9"], 0, "6.9: is not there"),
    (["verify", "--variables=no"], 0, ": good"),
])
def test_what_users_do(machine, words, code, complaint):
    before = machine.state()
    assert complaint in machine.run(*words, expected=code)
    assert machine.state() == before


def test_json(machine):
    value = json.loads(machine.run("status", "--json"))
    assert value["installed"] and value["esp"].endswith("/boot/efi") and value["sets"][0]["version"] == "6.1"
    assert json.loads(machine.run("list", "--json"))["sets"][0]["state"] == "next"
    assert json.loads(machine.run("verify", "--json")) == {
        "good": True, "sets": [{"version": "6.1", "name": value["sets"][0]["name"], "good": True, "damage": None}]}


def test_predict(machine):
    assert "PCR 4 " in machine.run("predict", "6.1")


def test_pcrlock(machine):
    machine.run("pcrlock", "6.1")
    machine.run("pcrlock", "6.1")
    assert [path.name for path in machine.root.rglob("*.pcrlock")] == ["kexec-efi-6.1.pcrlock"]


def test_reader_that_goes_away(machine):
    result = subprocess.run(f"{COMMAND} status --root={machine.root} | head -c 1", shell=True, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "KEXEC_EFI_SYSTEM": str(machine.kernel)})
    assert "Traceback" not in result.stderr


def test_esp_that_cannot_be_written(machine, tmp_path):
    copy = FolderMachine(tmp_path / "machine")
    shutil.copytree(machine.folder, copy.folder)
    mountinfo = copy.kernel / "proc/self/mountinfo"
    mountinfo.write_text(mountinfo.read_text().replace(str(machine.folder), str(copy.folder)))
    copy.kernel_package("6.2")
    # In the place of the folder, and not even root writes below a file.
    shutil.rmtree(copy.esp / "EFI/kexec")
    (copy.esp / "EFI/kexec").write_bytes(b"")
    before = copy.state()
    assert "cannot make" in copy.run("add", "6.2", expected=1)
    assert copy.state() == before


def installed(folder):
    """The command as a package has it, below folder/usr."""
    library = folder / "usr/lib/kexec-efi"
    (folder / "usr/bin").mkdir(parents=True)
    shutil.copytree(ROOT / "tools/kexec_efi", library / "kexec_efi", ignore=shutil.ignore_patterns("__pycache__"))
    for path in (ROOT / "tools").iterdir():
        if path.is_file() and path.suffix in ("", ".py") and path.name not in ("kexec-efi", "install-image"):
            shutil.copy(path, library)
    for path in (ROOT / "build/inspect", ROOT / "build/kexecx64.efi"):
        shutil.copy(path, library)
    return pathlib.Path(shutil.copy(COMMAND, folder / "usr/bin/kexec-efi"))


def test_where_it_is_installed(tmp_path):
    command = installed(tmp_path)
    found = FolderMachine.new(tmp_path / "machine", "mode=sealed\n")
    found.kernel_package("6.1")
    environment = {**os.environ, "KEXEC_EFI_SYSTEM": str(found.kernel)}
    result = subprocess.run([command, "install", f"--root={found.root}", "--variables=yes"], stderr=subprocess.PIPE, text=True, env=environment)
    assert (result.returncode, result.stderr) == (0, "")
    found.expect_bootable()
    out = tmp_path / "out.efi"
    result = subprocess.run([command, "uki", f"--out={out}", f"--linux={KERNEL}"], stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == (0, "") and out.exists()
    assert not list(tmp_path.rglob("__pycache__"))
