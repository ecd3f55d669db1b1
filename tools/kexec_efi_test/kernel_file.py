# SPDX-License-Identifier: BSD-2-Clause
"""Checks by its headers that a file can be booted. A wrong file is refused before a machine starts, not after a failed
boot."""

import os
import struct
from typing import BinaryIO, List, Optional, Tuple, Union

from .errors import WrongCall

# Linux, Documentation/arch/x86/boot.rst: the magic of the setup header.
_SETUP, _SETUP_MAGIC = 0x202, b"HdrS"

# PE Format: the place of the header's offset, the header's magic, and a machine.
_PE_OFFSET, _PE_MAGIC, _X86_64 = 0x3c, b"PE\0\0", 0x8664

# Ways that start the kernel as an EFI application.
_NEED_STUB = ("stub", "systemd-boot", "uki")

# Sections of a sealed loader (tools/seal).
_SEALED = (".entry", ".linux")


def _read_at(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _pe(file: BinaryIO) -> Optional[Tuple[int, List[str]]]:
    """(machine, names of the sections) of a PE image; None for any other file."""
    if _read_at(file, 0, 2) != b"MZ":
        return None
    offset, = struct.unpack("<I", _read_at(file, _PE_OFFSET, 4).ljust(4, b"\0"))
    header = _read_at(file, offset, 24)
    if len(header) < 24 or header[:4] != _PE_MAGIC:
        return None
    machine, count = struct.unpack_from("<HH", header, 4)
    table = _read_at(file, offset + 24 + struct.unpack_from("<H", header, 20)[0], 40 * count)
    names = [table[start:start + 8].rstrip(b"\0").decode("latin-1") for start in range(0, len(table), 40)]
    return machine, names


def _kind(head: bytes) -> str:
    """The kind of a file that is neither a bzImage nor a PE image, by its first bytes."""
    if not head:
        return "an empty file"
    if head.startswith(b"\x7fELF"):
        return "an ELF file, as vmlinux is; bzImage is in arch/x86/boot"
    if head.startswith((b"\x1f\x8b", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")):
        return "a compressed file"
    return "another file"


def expect_kernel(path: Union[str, os.PathLike], via: str) -> None:
    """Raises WrongCall if this `via` can certainly not boot the file."""
    with open(path, "rb") as file:
        head = _read_at(file, 0, _SETUP + len(_SETUP_MAGIC))
        pe = _pe(file)
    has_setup = head[_SETUP:] == _SETUP_MAGIC
    if via not in _NEED_STUB:
        if pe or has_setup:
            return
        expected, found = "a bzImage or a PE image", _kind(head)
    elif pe:
        if pe[0] == _X86_64:
            return
        expected, found = "a PE image for x86-64", f"one for the machine {pe[0]:#x}"
    else:
        expected, found = "a kernel with an EFI stub", "a bzImage without one" if has_setup else _kind(head)
    raise WrongCall(f"--kernel {path}: --via {via}: expected {expected}, found {found}")


def sealed_sections(path: Union[str, os.PathLike]) -> List[str]:
    """The names of the sections that a sealed loader boots; empty for any other file."""
    with open(path, "rb") as file:
        pe = _pe(file)
    return [name for name in pe[1] if name in _SEALED] if pe else []


def expect_nothing_sealed(path: Union[str, os.PathLike]) -> None:
    """Raises WrongCall for a sealed loader, with which --run cannot work."""
    sealed = sealed_sections(path)
    if sealed:
        raise WrongCall(f"--run: expected an --image with nothing sealed in it, to whose command line and initrds it can add, "
                        f"found section {sealed[0]} in {path}")
