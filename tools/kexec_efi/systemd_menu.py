# SPDX-License-Identifier: BSD-2-Clause
"""Sets as entries of systemd-boot: files in loader/entries, of the Boot Loader Specification's type 1. systemd-boot
counts the tries of a new entry (name+3.conf, "Boot Counting" in the specification). systemd-bless-boot.service blesses
it, not our own service."""

import re

from . import operations, partial_files
from .configuration import SYSTEMD_BOOT
from .outcomes import NOT_STARTED
from .store import parse_image_name
from .variables import LOADER

_COUNTER = re.compile(r"(.*?)(?:\+([0-9]{1,9})(?:-([0-9]{1,9}))?)?\.conf")


class SystemdMenu:
    name = SYSTEMD_BOOT

    def __init__(self, variables, esp, store, tries, token, sort_key):
        self._variables, self._esp, self._store = variables, esp, store
        self._tries, self._token, self._sort_key = tries, token, sort_key
        self.folder = esp.path / "loader/entries"
        # The entries that planned operations will remove.
        self._gone = set()

    can_be_written = True

    def _entries(self):
        """[(file name, Set, tries left or None, tries done)] of the entries for our images."""
        found = []
        prefix = self._token + "-"
        for path in sorted(self.folder.glob("*.conf")) if self.folder.is_dir() else []:
            name, left, done = _COUNTER.fullmatch(path.name).groups()
            named = parse_image_name(name.removeprefix(prefix) + ".efi") if name.startswith(prefix) else None
            if named and path.name not in self._gone:
                found.append((path.name, named, None if left is None else int(left), int(done or 0)))
        return found

    def named(self):
        return {named for _, named, _, _ in self._entries()}

    def is_good(self, found, record):
        return any(named == found and left is None for _, named, left, _ in self._entries())

    def in_order(self):
        """The sets in systemd-boot's order: those without tries left come last."""
        entries = sorted(self._entries(), key=lambda entry: (entry[2] != 0, entry[1].key), reverse=True)
        return [named for _, named, _, _ in entries]

    def first_good(self, record):
        return next((found for found in self.in_order() if self.is_good(found, record)), None)

    def running(self):
        """The running set, according to systemd-boot."""
        data = (self._variables and self._variables.data("LoaderEntrySelected", LOADER)) or b""
        text = data.decode("utf-16-le", "replace").rstrip("\0")
        counted = _COUNTER.fullmatch(text if text.endswith(".conf") else text + ".conf")
        name = counted[1] if counted else ""
        return next((named for _, named, _, _ in self._entries()
                     if f"{self._token}-{named.name}".lower() == name.lower()), None)

    # This menu does not contain boot entries of the firmware.
    current, order = None, ()

    def armed(self):
        return next((found for found in self.in_order() if not self.is_good(found, None)), None)

    def starts_next(self):
        """None, because it is not known: other loaders' entries are sorted among ours, and the user may have chosen
        one."""

    def boots_something(self, without):
        """Entries of other loaders and of other images count, too."""
        others = [path for path in self.folder.glob("*.conf")] if self.folder.is_dir() else []
        ours = {name for name, named, _, _ in self._entries() if named in without}
        return any(path.name not in ours for path in others) or any((self._esp.path / "EFI/Linux").glob("*.efi"))

    # --- operations ---

    def name_set(self, found, title):
        if found in self.named():
            return None, []
        # systemd-boot sorts by the version, and only then by the name.
        text = (f"title {title}\nversion {found.version}.{found.number}\nsort-key {self._sort_key}\narchitecture x64\n"
                f"efi {self._store.place}/{found.name}.efi\n")
        path = self.folder / f"{self._token}-{found.name}+{self._tries}.conf"
        return None, [*operations.make_folders(self.folder, self._esp.path),
                      *operations.write_file(path, text.encode("utf-8", "surrogateescape")), operations.Flush(self.folder)]

    def unname(self, sets):
        gone = [name for name, named, _, _ in self._entries() if named in sets]
        self._gone.update(gone)
        for name in gone:
            partial_files.expect_own_clusters(self.folder / name)
        # Files that a power cut left while an entry was written.
        if self.folder.is_dir():
            gone += [path.name for path in self.folder.glob(f"{self._token}-*")
                     if partial_files.is_partial(path) and partial_files.twin(path) is None]
        removed = [operations.RemoveFile(self.folder / name) for name in gone]
        return [*removed, operations.Flush(self.folder)] if removed else []

    # --- for people ---

    def state(self, found, record, boot_id, outcome):
        entry = next((entry for entry in self._entries() if entry[1] == found), None)
        if entry is None:
            return "unnamed", "no entry of systemd-boot names it"
        _, _, left, done = entry
        if left is None:
            return "good", "it has come up"
        if left == 0:
            ended = outcome(found)
            count = f"{done} {'try' if done == 1 else 'tries'}"
            # The loader notes no starts by systemd-boot, only refusals.
            return "failed", f"it did not come up in {count}" if ended.kind == NOT_STARTED else f"{ended} ({count})"
        if self.running() == found:
            return "trial", "it runs, and has not been blessed yet"
        return "next", f"systemd-boot tries it {left} more {'time' if left == 1 else 'times'}"
