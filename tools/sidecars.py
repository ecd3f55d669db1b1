# SPDX-License-Identifier: BSD-2-Clause
"""The loader's additions to a unified image, which are those of systemd-stub: sidecars and addons beside the image or
in /loader of its volume, and sections that systemd looks for in the initrd."""

import pathlib

import loader

# Archives of sidecars, in the order in which the loader hands them over (efi/extras/extras.c): the place and the kind
# of the files, the folder of the archive, its mode and that of its files, and the register.
ARCHIVES = (
    ("own", "credential", ".extra/credentials", 0o500, 0o400, 12),
    ("loader/credentials", "credential", ".extra/global_credentials", 0o500, 0o400, 12),
    ("own", "sysext", ".extra/sysext", 0o555, 0o444, 13),
    ("loader/extensions", "sysext", ".extra/global_sysext", 0o555, 0o444, 13),
    ("own", "confext", ".extra/confext", 0o555, 0o444, 12),
    ("loader/extensions", "confext", ".extra/global_confext", 0o555, 0o444, 12),
)

# Sections of a unified image, or files that an entry names instead. Each becomes an archive with one file of this name.
SECTIONS = {".pcrsig": "tpm2-pcr-signature.json", ".pcrpkey": "tpm2-pcr-public-key.pem", ".osrel": "os-release",
            ".profile": "profile"}


def of_sections(sections):
    """The archives of sections. These are no sidecars, and not measured as such."""
    return [loader.archive(".extra", 0o555, 0o444, [(name, sections[section])])
            for section, name in SECTIONS.items() if section in sections]


def _files(folder, kind):
    """The files of a kind in a folder, sorted by their names."""
    if folder is None:
        return []
    try:
        names = sorted(path.name for path in pathlib.Path(folder).iterdir() if path.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [(name, pathlib.Path(folder) / name) for name, found in zip(names, loader.sidecar_kinds(names)) if found == kind]


def _own_folder(path):
    """The folder beside the unified image at `path` that has its sidecars; None if the loader looks at none."""
    name = loader.sidecar_folder(path.name)
    return path.parent / name if name else None


def has_addons(path, root):
    """Whether addons lie beside the unified image at `path`, or in /loader of its volume, which is mounted at `root`."""
    folders = (_own_folder(pathlib.Path(path)), pathlib.Path(root) / "loader/addons")
    return any(_files(folder, "addon") for folder in folders)


class Sidecars:
    """The sidecars of the unified image at `path`, on a volume that is mounted at `root`; none without a path.

    `addons` are the images that the loader shows to the platform, each a loader.File. `options` is the addition of all
    of them to the command line. `microcode` and `initrds` are their additions to the initrd, in the order of
    measurement. `archives` has the other files, each with its register.
    """

    def __init__(self, path=None, root=None, version=None):
        self.addons, self.microcode, self.initrds, self.archives = [], [], [], []
        lines = []
        if path is None:
            self.options = b""
            return
        path, root = pathlib.Path(path), pathlib.Path(root)
        folders = {place: root / place for place in ("loader/addons", "loader/credentials", "loader/extensions")}
        folders["own"] = _own_folder(path)
        for place in ("loader/addons", "own"):
            for _, file in _files(folders[place], "addon"):
                lines.append(self._take_addon(file, version))
        self.options = b" ".join(filter(None, lines))
        self.microcode.reverse()
        for place, kind, folder, mode, file_mode, register in ARCHIVES:
            files = [(name, loader.read(file)) for name, file in _files(folders[place], kind)]
            if files:
                self.archives.append((register, loader.archive(folder, mode, file_mode, files)))

    def _take_addon(self, path, version):
        """Takes an addon. Returns its addition to the command line."""
        content = loader.read(path)
        addon = loader.Addon(path, content)
        self.addons.append(addon)
        if not addon.sections or not addon.suits(version):
            return b""
        if ".ucode" in addon.sections:
            self.microcode.append(addon.sections[".ucode"])
        if ".initrd" in addon.sections:
            self.initrds.append(addon.sections[".initrd"])
        return addon.options
