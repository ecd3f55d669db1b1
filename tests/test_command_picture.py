#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""The README's picture of `kexec-efi status` shows the command's output for a machine made of folders: one kernel has
come up, its successor was refused, and the next one is on trial. As a program, this file draws the picture again:

  tests/test_command_picture.py doc/status.svg
"""

import os
import pathlib
import re
import struct
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

import terminal_picture  # noqa: E402
from command_machine import FolderMachine, cpio  # noqa: E402
from kexec_efi import boot_files, changes, variables  # noqa: E402

A, B, C = "6.12.38+deb13-amd64", "6.12.41+deb13-amd64", "6.12.43+deb13-amd64"
TOKEN = "debian"


def flip(path):
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)


def refusal(machine, version):
    """The loader's message about an initrd with one bit flipped (efi/load/part.c)."""
    initrd = next(machine.esp.rglob(f"initrd-{version}-*"))
    expected = boot_files.loader.fsverity_digest(cpio(version))
    flip(initrd)
    found = boot_files.loader.fsverity_digest(initrd.read_bytes())
    flip(initrd)
    return f"/EFI/kexec/{TOKEN}/{initrd.name}: fsverity mismatch: expected {expected}, found {found}"


def add(machine, version):
    machine.kernel_package(version)
    found = machine.machine()
    source = boot_files.find(found.system, version)
    plan, _ = changes.add(found, source) if found.record.is_installed else changes.install(found, source)
    plan.carry_out()


def status(folder):
    """The command's output, with the usual path of the ESP, and without the identity of a set, which differs between
    builds of the loader."""
    machine = FolderMachine.new(folder)
    (machine.root / "etc/kernel/entry-token").write_text(TOKEN + "\n")
    add(machine, A)
    assert machine.reboot() == A
    machine.run("bless")
    add(machine, B)
    assert machine.reboot(failing=[B], refused=refusal(machine, B)) == A
    machine.run("bless")
    add(machine, C)
    info = struct.pack("<I", 6) + "kexec-efi 0.1".encode("utf-16-le") + b"\0\0"
    (machine.efivars / f"LoaderInfo-{variables.LOADER}").write_bytes(info)
    text = machine.run("status", expected=3)
    identities = {}
    text = re.sub(r"(?<=\.\d-)[0-9a-f]{12}",
                  lambda found: identities.setdefault(found[0], f"{len(identities) + 1:x}" * 12), text)
    return text.replace(os.path.realpath(machine.root), "")


def picture(folder):
    return terminal_picture.draw("kexec-efi status", status(folder))


def test_picture_is_what_the_command_says(tmp_path):
    drawn = picture(tmp_path / "machine")
    assert drawn == (ROOT / "doc/status.svg").read_text(), "run tests/test_command_picture.py doc/status.svg"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as parent:
        pathlib.Path(sys.argv[1]).write_text(picture(pathlib.Path(parent) / "machine"))
