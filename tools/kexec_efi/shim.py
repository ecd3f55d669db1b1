# SPDX-License-Identifier: BSD-2-Clause
"""Shim in front of an image, for firmware that trusts shim's signature and not ours. A copy of it lies beside the images;
a boot entry starts it, and names in its load options the image that it shall start (shim: load-options.c)."""

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
        """[(name, content)] beside the images; what enrols keys has a name that shim knows."""
        manager = [(MOK_MANAGER, self.mok_manager)] if self.mok_manager else []
        return [*manager, (self.name, self.content)]


def read(path):
    """The Shim of a file, with MokManager if that lies beside it, as Debian's shim-signed has both."""
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
    """That let shim start the image, a path with / between its parts: a word in UTF-16 that ends with a NUL."""
    return image.replace("/", "\\").encode("utf-16-le") + b"\0\0"


def image_in(options):
    """The path that load options begin with, with / between its parts; empty without one."""
    text = options[:len(options) // 2 * 2].decode("utf-16-le", "replace")
    return re.split("[ \0]", text, maxsplit=1)[0].replace("\\", "/")
