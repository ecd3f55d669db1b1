# SPDX-License-Identifier: BSD-2-Clause
"""The files in this machine's folder on the ESP: sets, each of which boots one kernel.

VERSION.N-ID.efi is the image of a set, VERSION.N-ID.conf its entry if that is not in the image; N counts the sets of a
version, ID is derived from the set's content. vmlinuz-VERSION-DIGEST and initrd-VERSION-DIGEST may belong to several
sets. Different contents never have the same name, so no file that boots is overwritten.
"""

import dataclasses
import os
import re

import loader

from . import operations, partial_files, shim
from .boot_files import VERSION, version_key

# The kinds of files that several sets may share.
_SHARED = ("vmlinuz", "initrd", "pcrsig", "pcrpkey")

_SET = re.compile(rf"(?P<version>{VERSION})\.(?P<number>[0-9]{{1,9}})-(?P<identity>[0-9a-f]{{12}})\.efi")
_OURS = re.compile(rf"({'|'.join(_SHARED)})-{VERSION}-[0-9a-f]{{16}}|{VERSION}\.[0-9]{{1,9}}-[0-9a-f]{{12}}\.(efi|conf)"
                   rf"|{shim.NAME.pattern}|{shim.MOK_MANAGER}")


@dataclasses.dataclass(frozen=True)
class Set:
    version: str
    number: int
    identity: str

    @property
    def name(self):
        return f"{self.version}.{self.number}-{self.identity}"

    @property
    def key(self):
        """The key for sorting, the newest last."""
        return version_key(self.version), self.number


def parse_image_name(name):
    found = _SET.fullmatch(name)
    return Set(found["version"], int(found["number"]), found["identity"]) if found else None


class Store:
    def __init__(self, esp, token):
        self.esp = esp
        self.place = f"/EFI/kexec/{token}"      # on the ESP
        self.folder = esp.path / self.place[1:]
        self._contents = {}

    def names(self):
        """All files of the folder that this command may have written."""
        if not self.folder.is_dir():
            return []
        return sorted(name for name in os.listdir(self.folder)
                      if _OURS.fullmatch(partial_files.complete_name(name)))

    def sets(self):
        """All sets, the newest first."""
        return sorted(filter(None, map(parse_image_name, self.names())), key=lambda found: found.key, reverse=True)

    def image(self, found):
        return self.folder / f"{found.name}.efi"

    # --- the content of a set ---

    def judge(self, image_path):
        """(the names of the files that an image boots, or None if they are unknown; their damage, or None), by the
        loader's own check."""
        image_name, entry_name = image_path.name, image_path.with_suffix(".conf").name
        known = {}

        def judge():
            image = loader.Image(image_name, loader.read(image_path))
            names = [image_name]
            plan = image.plan
            if plan is None:
                names.insert(0, entry_name)
                plan = loader.entry(entry_name, loader.read(image_path.with_suffix(".conf")))
            parts = [plan["kernel"], *plan["initrds"], *loader.pcr_files(plan)]
            files = [part for part in parts if part["source"] == "volume"]
            for part in files:
                # The lines with digests come last in an entry. If one is missing, others may be missing as well.
                if not part["fsverity"]:
                    loader.fail(f"{entry_name}: expected a line fsverity for {loader.path_of(part)}, found none")
            known["names"] = [loader.file_below(self.esp.path, part).name for part in files] + names
            # A file that an entry names may be outside our folder.
            loader.expect_plan(plan, lambda part: loader.part_content(part, self.esp.path, image))

        complaint = loader.complaint_of(judge)
        return known.get("names"), complaint

    def look(self, found):
        """The same for a set."""
        if found not in self._contents:
            self._contents[found] = self.judge(self.image(found))
        return self._contents[found]

    def complaint(self, found):
        """The damage of a set, by the loader's own check; None if it boots."""
        return self.look(found)[1]

    # --- removal ---

    def unneeded(self, doomed):
        """The files that no set needs once those in `doomed` are gone, in the order of removal: images first, then the
        files that they name. If a set cannot be read, all files of its version stay, because it may need them. Files
        that may share their clusters stay as well, with a warning."""
        needed, versions = set(), []
        for found in self.sets():
            if found in doomed:
                continue
            names = self.look(found)[0]
            if names is None:
                versions.append(found.version)
                names = [f"{found.name}.efi", f"{found.name}.conf"]
            # FAT ignores case.
            needed.update(name.lower() for name in names)
        kept = tuple(f"{kind}-{version}-" for version in versions for kind in _SHARED)

        def is_kept(name):
            if partial_files.is_partial(self.folder / name):
                return False
            if name == shim.MOK_MANAGER or shim.NAME.fullmatch(name):
                return bool(needed)
            return name.lower() in needed or name.startswith(kept)

        gone = [name for name in self.names() if not is_kept(name) and not self._may_share(name)]
        return sorted(gone, key=lambda name: (not name.endswith(".efi"), not name.endswith(".conf"), name))

    def _may_share(self, name):
        complaint = partial_files.sharing_complaint(self.folder / name)
        if complaint:
            loader.warn(f"warning: {complaint}: it stays")
        return bool(complaint)

    def removal(self, names):
        """The operations that remove these files."""
        if not names:
            return []
        return [*(operations.RemoveFile(self.folder / name) for name in names), operations.Flush(self.folder)]

    # --- room ---

    def _clusters(self, sizes):
        """(the space that files of these sizes take, the free space, the size of a cluster), in bytes."""
        found = os.statvfs(self.esp.path)
        unit = found.f_frsize or found.f_bsize
        return sum(-(-size // unit) * unit for size in sizes), found.f_bavail * unit, unit

    def room(self, sizes, gone):
        """(bytes needed for files of these sizes, bytes free once the files in `gone` are removed). Four clusters are
        added for the folders, which need 32 bytes for each 13 characters of a name."""
        needed, free, unit = self._clusters(sizes)
        freed, _, _ = self._clusters((self.folder / name).stat().st_size for name in gone)
        return needed + 4 * unit, free + freed

    def has(self, name, content):
        """Whether a file is there with this content."""
        path = self.folder / name
        try:
            return path.stat().st_size == len(content) and path.read_bytes() == content
        except OSError:
            return False
