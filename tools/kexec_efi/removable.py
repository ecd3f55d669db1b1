# SPDX-License-Identifier: BSD-2-Clause
"""EFI/BOOT/BOOTX64.EFI, which firmware starts if it has no boot entry, for example for a disk image or a disk in
another machine. It is a copy of the newest set that has come up. This module replaces only files that it has written,
and leaves other files of that name."""

import hashlib

import loader

from . import operations, partial_files
from .configuration import FIRMWARE
from .errors import Refused

PLACE = "/EFI/BOOT"
IMAGE = "BOOTX64.EFI"
# The program that Debian's shim starts from its own folder.
BEHIND_SHIM = "grubx64.efi"
MOK_MANAGER = "mmx64.efi"


def _sha256(content):
    return hashlib.sha256(content).hexdigest()


class Removable:
    """`record.removable` is {"set": the name of the copied set, "files": the SHA-256 of each file, by its name}."""

    def __init__(self, machine):
        self._machine = machine
        self.folder = machine.esp.path / PLACE[1:]
        self._known = machine.record.removable

    @property
    def is_wanted(self):
        """Whether EFI/BOOT should exist: it was installed, or the configuration asks for it by now. Once it was
        installed, `record.removable` is not empty, even while no set is left to copy."""
        machine = self._machine
        return bool(self._known) or (machine.configuration.removable == "yes" and machine.record.menu == FIRMWARE)

    @property
    def set_name(self):
        return self._known.get("set") or None

    @property
    def copied(self):
        """The set on the ESP that EFI/BOOT is a copy of; None without one."""
        return next((found for found in self._machine.store.sets() if found.name == self.set_name), None)

    def paths(self):
        """A dict from the path of each image in EFI/BOOT, in lower case, to the set that it is a copy of."""
        copied = self.copied
        return {f"{PLACE}/{name}".lower(): copied for name in (IMAGE, BEHIND_SHIM)} if copied else {}

    def _names(self):
        """The files in the folder, by their names in lower case."""
        return {path.name.lower(): path for path in self.folder.iterdir()} if self.folder.is_dir() else {}

    def _contents(self, found, files):
        """A dict from name to content, in the order of writing."""
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

    def _is_ours(self, name, content):
        """Whether kexec-efi has written a file. The record has its digest, or, if the power failed before the record
        was saved, a set has the same content."""
        found = _sha256(content)
        if found == self._known.get("files", {}).get(name):
            return True
        sets = self._machine.store.sets() if self.is_wanted else []
        paths = [self._machine.store.image(one).with_suffix("." + name.rpartition(".")[2].lower()) for one in sets]
        return any(path.exists() and _sha256(path.read_bytes()) == found for path in paths)

    def foreign(self, wanted):
        """The path of a file under one of these names that kexec-efi has not written; None without one."""
        there = self._names()
        for name, content in wanted.items():
            path = there.get(name.lower())
            if path and path.read_bytes() != content and not self._is_ours(name, path.read_bytes()):
                return path
        return None

    def complaint(self):
        """The fault of EFI/BOOT, or of the kernel and initrds that it boots; None if it is good or need not exist."""
        return self._complaint_of_files() or self._damage()

    def _damage(self):
        image = self._names().get((BEHIND_SHIM if BEHIND_SHIM in self._known.get("files", {}) else IMAGE).lower())
        if not self.set_name or image is None:
            return None
        copied = self.copied
        damage = self._machine.damage(copied) if copied else self._machine.store.judge(image)[1]
        return f"it is a copy of {self.set_name}: {damage}" if damage else None

    def _complaint_of_files(self):
        there = self._names()
        for name in (self._known.get("files") or [IMAGE]) if self.is_wanted else []:
            path = there.get(name.lower())
            if path is None:
                return f"expected {self.folder / name}, found none: the next kexec-efi add restores it"
            if not path.is_file() or not self._is_ours(name, path.read_bytes()):
                return f"{path}: expected the file that kexec-efi has written, found another, which is not replaced"
        return None

    def put(self, found, files=()):
        """The operations that make EFI/BOOT a copy of a set. The plan will write the set's `files`."""
        wanted = self._contents(found, dict(files))
        foreign = self.foreign(wanted)
        if foreign:
            raise Refused(f"{foreign}: expected no such file or one of ours, found another, which is not replaced")
        there = self._names()
        plan = operations.make_folders(self.folder, self._machine.esp.path)
        for name, content in wanted.items():
            path = there.get(name.lower(), self.folder / name)
            if not path.exists() or path.read_bytes() != content:
                partial_files.expect_own_clusters(path)
                plan += [*operations.write_file(path, content, replaces=path.exists()), operations.Flush(self.folder)]
        self._machine.record.removable = {"set": found.name, "files": {name: _sha256(data) for name, data in wanted.items()}}
        return plan

    def follow(self, found, files=()):
        """Like `put`, if EFI/BOOT should exist. Best effort: a refusal, as for a file that is not ours, is a
        warning."""
        if not self.is_wanted:
            return []
        try:
            return self.put(found, files)
        except Refused as refused:
            loader.warn(f"warning: {refused}")
            return []

    def remove(self):
        """The operations that remove the files that this module has written and that nobody has changed since."""
        there, plan = self._names(), []
        # The file that firmware starts is removed first.
        for name in sorted(self._known.get("files", {}), key=lambda name: name != IMAGE):
            path = there.get(name.lower())
            if path and self._is_ours(name, path.read_bytes()):
                partial_files.expect_own_clusters(path)
                plan.append(operations.RemoveFile(path))
        if plan:
            plan += [operations.Flush(self.folder), operations.RemoveFolder(self.folder)]
        self._machine.record.removable = self._known = {"set": "", "files": {}}
        return plan
