# SPDX-License-Identifier: BSD-2-Clause
"""Shim in front of an image, for firmware that trusts shim's signature and not ours. A copy of shim lies beside the
images. A boot entry starts the copy, and its load options name the image that shim starts (shim: load-options.c)."""

import dataclasses
import hashlib
import pathlib
import re

import loader

from .errors import Refused

NAME = re.compile("shim-[0-9a-f]{16}[.]efi")
MOK_MANAGER = "mmx64.efi"


@dataclasses.dataclass
class Shim:
    name: str               # of its copy
    content: bytes
    mok_manager: bytes      # or None

    @property
    def files(self):
        """[(name, content)] beside the images. MokManager, which enrols keys, has the name that shim looks for."""
        manager = [(MOK_MANAGER, self.mok_manager)] if self.mok_manager else []
        return [*manager, (self.name, self.content)]


def read(path):
    """Reads shim from a file, and MokManager from beside it if it is there, as in Debian's shim-signed."""
    path = pathlib.Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refused(f"{path}: expected shim, found none: {error.strerror} (Debian has it in shim-signed)") from None
    if not loader.File(path, content).is_pe:
        raise Refused(f"{path}: expected shim, found no PE32+ image")
    if ".sbat" not in loader.File(path, content).section_names:
        raise Refused(f"{path}: expected shim with a section .sbat (15.3 or later), found none")
    managers = [path.with_name(MOK_MANAGER + suffix) for suffix in (".signed", "")]
    manager = next((found.read_bytes() for found in managers if found.exists()), None)
    return Shim(f"shim-{hashlib.sha256(content).hexdigest()[:16]}.efi", content, manager)


def load_options(image):
    """Load options that let shim start the image, whose path has / between its parts: a word in UTF-16 with a NUL."""
    return image.replace("/", "\\").encode("utf-16-le") + b"\0\0"


def image_in(options):
    """The path at the beginning of load options, with / between its parts; empty without one."""
    text = options[:len(options) // 2 * 2].decode("utf-16-le", "replace")
    return re.split("[ \0]", text, maxsplit=1)[0].replace("\\", "/")
