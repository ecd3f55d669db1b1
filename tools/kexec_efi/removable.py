# SPDX-License-Identifier: BSD-2-Clause
"""EFI/BOOT/BOOTX64.EFI, which firmware starts that has no boot entry, as for a disk in another machine or an image of one.
It is a copy of the newest set that has come up. Only what is not there, or was written here, is written: whoever else has a
file of that name keeps it."""

import hashlib

import loader

from . import operations
from .errors import Refused

PLACE = "/EFI/BOOT"
IMAGE = "BOOTX64.EFI"
# What Debian's shim starts in its own folder.
BEHIND_SHIM = "grubx64.efi"
MOK_MANAGER = "mmx64.efi"


def _sha256(content):
    return hashlib.sha256(content).hexdigest()


class Removable:
    """`record.removable` is {"set": the name of the set that it is a copy of, "files": their SHA-256 by their names}."""

    def __init__(self, machine):
        self._machine = machine
        self.folder = machine.esp.path / PLACE[1:]
        self._known = machine.record.removable

    @property
    def is_wanted(self):
        return bool(self._known)

    @property
    def set_name(self):
        return self._known.get("set")

    def _names(self):
        """What the files in the folder are called, whatever the case of their letters."""
        return {path.name.lower(): path for path in self.folder.iterdir()} if self.folder.is_dir() else {}

    def _contents(self, found, files):
        """From name to content, in the order in which they have to be written."""
        def content(suffix):
            name = f"{found.name}.{suffix}"
            if name in files:
                return files[name]
            path = self._machine.store.folder / name
            return path.read_bytes() if path.exists() else None

        shim = self._machine.shim
        image = BEHIND_SHIM if shim else IMAGE
        wanted = {image.rpartition(".")[0] + ".conf": content("conf"), image: content("efi")}
        if shim:
            wanted.update({MOK_MANAGER: shim.mok_manager, IMAGE: shim.content})
        return {name: data for name, data in wanted.items() if data is not None}

    def foreign(self, wanted):
        """The path of a file of somebody else's that is in the way; None without one."""
        there, ours = self._names(), self._known.get("files", {})
        for name, content in wanted.items():
            path = there.get(name.lower())
            if path and _sha256(path.read_bytes()) not in (ours.get(name), _sha256(content)):
                return path
        return None

    def put(self, found, files=()):
        """The operations after which it is a copy of a set, of which `files` will be written."""
        wanted = self._contents(found, dict(files))
        foreign = self.foreign(wanted)
        if foreign:
            raise Refused(f"{foreign}: expected no such file or one of ours, found another: somebody else's is not replaced")
        there = self._names()
        plan = operations.make_folders(self.folder, self._machine.esp.path)
        for name, content in wanted.items():
            path = there.get(name.lower(), self.folder / name)
            if not path.exists() or path.read_bytes() != content:
                plan += [*operations.write_file(path, content, replaces=path.exists()), operations.Flush(self.folder)]
        self._machine.record.removable = {"set": found.name, "files": {name: _sha256(data) for name, data in wanted.items()}}
        return plan

    def follow(self, found):
        """As put, for what boots first from now on: a file of somebody else's in the way is left alone, with a line."""
        if not self.is_wanted:
            return []
        try:
            return self.put(found)
        except Refused as refused:
            loader.warn(f"warning: {refused}")
            return []

    def remove(self):
        """The operations that remove what was written here, and is as it was written."""
        there, plan = self._names(), []
        # What firmware starts goes first.
        for name, digest in sorted(self._known.get("files", {}).items(), key=lambda item: item[0] != IMAGE):
            path = there.get(name.lower())
            if path and _sha256(path.read_bytes()) == digest:
                plan.append(operations.RemoveFile(path))
        if plan:
            plan += [operations.Flush(self.folder), operations.RemoveFolder(self.folder)]
        self._machine.record.removable = self._known = {}
        return plan
