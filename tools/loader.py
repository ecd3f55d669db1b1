# SPDX-License-Identifier: BSD-2-Clause
"""What the loader makes of entries, images and kernels, by its own code: the program `inspect`, whose head says more."""

import hashlib
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent

# Beside the tools where they are installed, in the checkout where they were built.
PROGRAMS = [HERE / "inspect", HERE.parent / "build/inspect"]


def _run(command, name, content):
    """The answer, or an empty one. Ends the program where the loader refuses, which says why."""
    program = next((path for path in PROGRAMS if path.exists()), None)
    if program is None:
        sys.exit(f"{PROGRAMS[-1]} is not there: run make build/inspect")
    result = subprocess.run([program, command, str(name)], input=content, stdout=subprocess.PIPE)
    if result.returncode:
        sys.exit(1)
    return json.loads(result.stdout) if result.stdout else None


def to_bytes(text):
    """The bytes that a string of an answer stands for."""
    return text.encode("latin-1")


def printable(text):
    """For a terminal, which what stands in a file must not reach as it is."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)


def path_of(part):
    """A part's path as it is written."""
    return to_bytes(part["name"]).decode("utf-8", "surrogateescape")


def file_below(root, part):
    """Where the file of a part is that the loader would look for on a volume, which is `root` here."""
    return pathlib.Path(root) / path_of(part).replace("\\", "/").lstrip("/")


def joined(initrds):
    """Several initrds as the loader puts them into one: each from a multiple of 4 on."""
    initrd = b""
    for part in initrds:
        initrd += bytes(-len(initrd) % 4) + part
    return initrd


def entry(name, text, sealed=False):
    """The plan of the entry `text`, as one that is sealed in an image or lies beside it."""
    return _run("sealed-entry" if sealed else "entry", name, text)


def expect_kernel(name, content):
    """Ends the program unless `content` is a kernel that the loader takes."""
    _run("kernel", name, content)


class Image:
    """A PE image as a file. `plan` is of what is sealed in it, or None."""

    def __init__(self, name, content):
        self.content = content
        answer = _run("image", name, content)
        self.plan = answer["plan"]
        self._sections = answer["sections"]
        self._authenticode = answer["authenticode"]

    @property
    def is_pe(self):
        return self._authenticode is not None

    @property
    def section_names(self):
        return [section["name"] for section in self._sections]

    @property
    def end_in_memory(self):
        return max(section["address"] + section["size"] for section in self._sections)

    def section(self, name):
        """The content of a section as the firmware loads it."""
        section = next(section for section in self._sections if section["name"] == name)
        size = min(section["size"], section["file_size"])
        content = self.content[section["file_offset"]:section["file_offset"] + size]
        return content + bytes(section["size"] - len(content))

    def authenticode(self):
        """The SHA-256 that a signature of the image is made for, and that stands for it in register 4."""
        digest = hashlib.sha256()
        for start, end in self._authenticode:
            digest.update(self.content[start:end])
        return digest.digest()
