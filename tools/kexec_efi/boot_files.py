# SPDX-License-Identifier: BSD-2-Clause
"""Finds a kernel and its initrds, and makes the files of a set from them by tools/seal and tools/sign. The loader's own
code checks these files before anything is written to the ESP."""

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

import loader

from . import configuration as conf
from . import pcr_signature
from .errors import FAILED, Refused

LIBRARY = pathlib.Path(__file__).resolve().parents[1]

# FAT allows these characters in a name. None of our names ends in a dot or a blank.
VERSION = r"[A-Za-z0-9][A-Za-z0-9._+~@=-]{0,99}"

_DIGITS_OF_A_NAME, _DIGITS_OF_A_SET = 16, 12


def image_file():
    """The path of the loader: the installed one, or else the built one."""
    for path in (LIBRARY / "kexecx64.efi", LIBRARY.parent / "build/kexecx64.efi"):
        if path.exists():
            return path
    raise Refused(f"{path} is not there: run make")


def image_version():
    """The loader's version, from its own line of .sbat, the second one (efi/sbat.c)."""
    path = image_file()
    return loader.File(path, loader.read(path)).section(".sbat").split(b"\n")[1].split(b",")[4].decode("ascii", "replace")


def signed_image_file():
    """The signed loader beside `image_file`, as Debian's signed packages install it; None without one."""
    path = image_file().with_name("kexecx64.efi.signed")
    return path if path.exists() else None


def check_version(version):
    if not re.fullmatch(VERSION, version):
        raise Refused(f"expected a kernel version of letters, digits and ._+~@=-, found {version or 'nothing'}")
    return version


def version_key(version):
    """The key for sorting versions: numbers count as numbers, and ~ sorts before the end of the text."""
    parts = re.findall(r"\d+|~|[^\d~]+", version)
    keys = [(1, int(part), "") if part.isdigit() else (-1, 0, "") if part == "~" else (2, 0, part) for part in parts]
    return [*keys, (0, 0, "")]


@dataclasses.dataclass
class Source:
    """The contents of a kernel and its initrds. Each file is read once."""

    version: str
    kernel: bytes
    initrds: list


def _read(path):
    """The content of a regular file. Others are refused: reading a device might never end."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise Refused(f"cannot read {path}: expected a file, found something else")
    return loader.read(path)


def find(system, version, image=None, initrds=(), without_initrd=False):
    """The Source of a kernel: the given files, or those at the places that distributions use."""
    check_version(version)
    kernels = [image] if image else [system.file(f"/boot/vmlinuz-{version}"),
                                     system.file(f"/usr/lib/modules/{version}/vmlinuz"),
                                     system.file(f"/lib/modules/{version}/vmlinuz")]
    kernel = next((path for path in kernels if os.path.exists(path)), None)
    if kernel is None:
        raise Refused(f"expected a kernel at {kernels[0]}, found none")
    if not initrds and not without_initrd:
        # The names of Debian, Fedora and openSUSE.
        names = (f"initrd.img-{version}", f"initramfs-{version}.img", f"initrd-{version}")
        places = [system.file(f"/boot/{name}") for name in names]
        initrds = [path for path in places if path.exists()][:1]
        if not initrds:
            raise Refused(f"expected an initrd at {places[0]}, found none: --no-initrd boots without one")
    return Source(version, _read(kernel), [_read(path) for path in initrds])


def installed_versions(system):
    """The versions of the kernels in /boot, the newest first."""
    names = [path.name.removeprefix("vmlinuz-") for path in system.file("/boot").glob("vmlinuz-*")]
    return sorted(filter(lambda name: re.fullmatch(VERSION, name), names), key=version_key, reverse=True)


# --- making the files -------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Recipe:
    """Everything that the files of a set depend on."""

    source: Source
    mode: str
    command_line: str
    title: str
    sort_key: str
    os_release: bytes
    lines: list         # further lines of the entry
    sbat: list
    key: str
    certificate: str
    image: pathlib.Path
    pcr: tuple          # private key, public key and phases for the signature of register 11, or nothing

    @property
    def identity(self):
        """Equal for recipes that make equal files, so that no set is made twice."""
        certificate = loader.read(self.certificate) if self.certificate else b""
        contents = [loader.read(self.image), self.source.kernel, *self.source.initrds, certificate, self.os_release]
        contents += [loader.read(self.pcr[1])] if self.pcr else []
        texts = [self.mode, self.command_line, self.title, self.sort_key, self.lines, self.sbat, self.pcr[2:]]
        digests = [hashlib.sha256(content).hexdigest() for content in contents]
        text = json.dumps([self.source.version, texts, digests])
        return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS_OF_A_SET]

    def identity_behind(self, shim):
        """The identity of a set whose image is started by the shim of this name; an empty name means no shim."""
        return hashlib.sha256((self.identity + shim).encode()).hexdigest()[:_DIGITS_OF_A_SET] if shim else self.identity


def title(system):
    """The name of this machine's system in menus."""
    return " ".join((conf.os_release(system).get("PRETTY_NAME") or "Linux").split())


def recipe(system, configuration, source):
    release = conf.os_release(system)
    places = [system.file(path) for path in ("/etc/os-release", "/usr/lib/os-release")]
    path = next((path for path in places if path.exists()), None)
    image = image_file()
    if configuration.mode == conf.SPLIT and not configuration.key:
        image = signed_image_file() or image
    first = [_read(system.file(path)) for path in configuration.initrd]
    source = dataclasses.replace(source, initrds=[*first, *source.initrds])
    pcr = (configuration.pcr_private_key, configuration.pcr_public_key, configuration.pcr_phases)
    return Recipe(source, configuration.mode, conf.command_line(system), title(system),
                  release.get("IMAGE_ID") or release.get("ID") or "linux", loader.read(path) if path else b"",
                  configuration.entry, configuration.sbat, configuration.key, configuration.certificate, image,
                  pcr if configuration.pcr_private_key else ())


def names_a_root(command_line):
    """Whether a command line names the root file system."""
    roots = ("root=", "nfsroot=", "rd.live", "boot=", "systemd.volatile=")
    return any(word.startswith(roots) for word in conf.words_of(command_line))


@dataclasses.dataclass
class Part:
    """A file that the loader loads. Its name has a digest of its content."""

    key: str            # of the entry's line for it
    name: str
    content: bytes
    digest: str

    @classmethod
    def of(cls, key, version, content):
        digest = loader.fsverity_digest(content)
        return cls(key, f"{'vmlinuz' if key == 'linux' else key}-{version}-{digest[:_DIGITS_OF_A_NAME]}", content, digest)


def parts_of(source):
    """The kernel, then the initrds."""
    parts = [Part.of("linux", source.version, source.kernel)]
    return parts + [Part.of("initrd", source.version, content) for content in source.initrds]


def _plain(line):
    return " ".join(line.split())


def entry_text(made_by, parts, folder):
    """The entry that boots the parts in `folder` of the ESP, with the digest of each."""
    lines = [f"title {made_by.title}", f"version {made_by.source.version}", f"sort-key {made_by.sort_key}",
             *(f"{part.key} {folder}/{part.name}" for part in parts)]
    if made_by.command_line:
        lines.append(f"options {made_by.command_line}")
    # After a stop between firmware and kernel the machine must not wait for a person.
    if not any(line.split(None, 1)[0] == "on-mismatch" for line in made_by.lines if line):
        lines.append("on-mismatch reset")
    if made_by.pcr and "measure uki" not in map(_plain, made_by.lines):
        lines.append("measure uki")
    lines += made_by.lines
    lines += dict.fromkeys(f"fsverity {part.digest} {folder}/{part.name}" for part in parts)
    for line in lines:
        if "\n" in line or "\r" in line:
            raise Refused(f"expected one line for the entry, found several: {line}")
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def run_tool(name, folder, *arguments):
    """Runs a tool of our folder, which prints its own errors. The tool makes its temporary files in `folder`, so none
    of them is left if a signal ends both programs."""
    result = subprocess.run([LIBRARY / name, *arguments], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                            env={**os.environ, "TMPDIR": str(folder)})
    if result.returncode:
        raise loader.Failed(f"{name} failed, and has said why on the standard error", FAILED)


class Workshop:
    """Makes the files of a set in a folder of its own."""

    def __init__(self, made_by, folder):
        self._recipe = made_by
        self._folder = pathlib.Path(folder)

    def _file(self, name, content):
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def _sealed(self, *arguments):
        out = self._folder / "sealed.efi"
        sbat = ["--sbat=" + "\n".join(self._recipe.sbat)] if self._recipe.sbat else []
        run_tool("seal", self._folder, f"--image={self._recipe.image}", f"--out={out}", *sbat, *arguments)
        return out

    def _seal_entry(self, text, parts, place):
        root = self._folder / "root"
        for part in parts:
            self._file(f"root{place}/{part.name}", part.content)
        return self._sealed(f"--entry={self._file('entry.conf', text)}", f"--root={root}")

    def _seal_all(self):
        source = self._recipe.source
        initrds = [f"--initrd={self._file(f'initrd{i}', content)}" for i, content in enumerate(source.initrds)]
        release = [f"--osrel={self._file('os-release', self._recipe.os_release)}"] if self._recipe.os_release else []
        return self._sealed(f"--linux={self._file('vmlinuz', source.kernel)}", *initrds, *release,
                            f"--cmdline={self._recipe.command_line}", f"--uname={source.version}")

    def _signed(self, image):
        if not self._recipe.key:
            return image
        out = self._folder / "signed.efi"
        generic = ["--generic"] if self._recipe.mode == conf.SPLIT else []
        run_tool("sign", self._folder, *generic, "--", self._recipe.key, self._recipe.certificate, image, out)
        return out

    def _signature(self, parts, place):
        """The signed values of register 11 and their public key, as parts. They hold for the command line that the
        loader will use."""
        source = self._recipe.source
        private, public, phases = self._recipe.pcr
        plan = loader.entry("the entry", entry_text(self._recipe, parts, place))
        measured = {"linux": source.kernel, "initrd": loader.joined(source.initrds),
                    "cmdline": loader.to_bytes(plan["command_line"])}
        signature = pcr_signature.sign(private, public, phases, measured, self._folder)
        return [Part.of("pcrsig", source.version, signature), Part.of("pcrpkey", source.version, loader.read(public))]

    def make(self, name, place):
        """[(file name, content)] in the order of writing: the image comes last."""
        if self._recipe.mode == conf.UKI:
            return [(f"{name}.efi", loader.read(self._signed(self._seal_all())))]
        parts = parts_of(self._recipe.source)
        if self._recipe.pcr:
            parts += self._signature(parts, place)
        text = entry_text(self._recipe, parts, place)
        files = {part.name: part.content for part in parts}
        if self._recipe.mode == conf.SEALED:
            image = self._seal_entry(text, parts, place)
        else:
            image = self._recipe.image
            contents = {f"{place}/{part.name}": part.content for part in parts}

            def read(part):
                path = loader.path_of(part)
                if path not in contents:
                    raise Refused(f"expected an entry with the files of its kernel only, found {path} in it")
                return contents[path]

            plan = loader.entry("the entry", text)
            if plan["unknown_keys"]:
                unknown = ", ".join(os.fsdecode(loader.to_bytes(key)) for key in plan["unknown_keys"])
                raise Refused(f"entry=: expected keys that the loader knows, found {unknown}")
            loader.expect_plan(plan, read)
            files[f"{name}.conf"] = text
        return [*files.items(), (f"{name}.efi", loader.read(self._signed(image)))]


def make(made_by, name, place):
    with loader.temporary_folder("kexec-efi-") as folder:
        return Workshop(made_by, folder).make(name, place)
