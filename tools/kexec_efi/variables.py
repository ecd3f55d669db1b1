# SPDX-License-Identifier: BSD-2-Clause
"""EFI variables in Linux's efivarfs (Documentation/filesystems/efivarfs.rst): a file NAME-GUID with four bytes of
attributes and the data. One write is one SetVariable, so a variable always has either its old or its new value."""

import contextlib
import dataclasses
import errno
import fcntl
import os
import struct

from .errors import NO_ROOM, Refused

FOLDER = "/sys/firmware/efi/efivars"

# UEFI specification 3.3; systemd.io/BOOT_LOADER_INTERFACE; common/vendor.h.
GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
KEXEC = "5f0a6dd6-9a3e-4c1f-8d46-2c1a1d1b6a10"

# EFI_VARIABLE_NON_VOLATILE, _BOOTSERVICE_ACCESS, _RUNTIME_ACCESS (UEFI specification 8.2).
STORED = 7

# Linux refuses larger ones (fs/efivarfs); the variables read here are much smaller.
SIZE_MAX = 1 << 20

# include/uapi/linux/fs.h, for 64 bits.
_GET_FLAGS, _SET_FLAGS, _IMMUTABLE = 0x80086601, 0x40086602, 0x10


@dataclasses.dataclass(frozen=True)
class Variable:
    attributes: int
    data: bytes


@contextlib.contextmanager
def _mutable(path):
    """Makes a variable's file writable meanwhile. Linux marks unknown variables immutable, so that `rm -rf /` does not
    brick a machine."""
    changed = False
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield
        return
    try:
        flags = 0
        with contextlib.suppress(OSError):      # not every file system has flags
            flags, = struct.unpack("i4x", fcntl.ioctl(file, _GET_FLAGS, bytes(8)))
        if flags & _IMMUTABLE:
            fcntl.ioctl(file, _SET_FLAGS, struct.pack("i4x", flags & ~_IMMUTABLE))
            changed = True
        yield
    finally:
        if changed and os.path.exists(path):
            with contextlib.suppress(OSError):
                fcntl.ioctl(file, _SET_FLAGS, struct.pack("i4x", flags))
        os.close(file)


class Variables:
    def __init__(self, folder):
        self.folder = folder

    def _path(self, name, vendor):
        return self.folder / f"{name}-{vendor}"

    def names(self, vendor):
        """The names of a vendor's variables."""
        suffix = "-" + vendor
        return sorted(name.removesuffix(suffix) for name in os.listdir(self.folder) if name.endswith(suffix))

    def read(self, name, vendor=GLOBAL):
        """The variable; None if there is none, the firmware does not return it, or the file is no variable."""
        try:
            with open(self._path(name, vendor), "rb") as file:
                content = file.read(SIZE_MAX + 1)
        except OSError:
            return None
        if not 4 < len(content) <= SIZE_MAX:
            return None
        return Variable(int.from_bytes(content[:4], "little"), content[4:])

    def data(self, name, vendor=GLOBAL):
        variable = self.read(name, vendor)
        return variable.data if variable else None

    def write(self, name, data, vendor=GLOBAL, attributes=STORED):
        """Writes a variable, unless it has the value already: flash memory wears out."""
        if self.read(name, vendor) == Variable(attributes, data):
            return
        path = self._path(name, vendor)
        content = struct.pack("<I", attributes) + data
        try:
            with _mutable(path):
                file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
                try:
                    written = os.write(file, content)
                    # efivarfs sets the size by itself; on any other file system the rest of a longer file would stay.
                    if os.fstat(file).st_size > len(content):
                        os.ftruncate(file, len(content))
                finally:
                    os.close(file)
        except OSError as error:
            raise self._refusal(name, error) from None
        if written != len(content):
            raise Refused(f"EFI variable {name}: expected {len(content)} bytes written, found {written}")

    def delete(self, name, vendor=GLOBAL):
        path = self._path(name, vendor)
        try:
            with _mutable(path):
                os.unlink(path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._refusal(name, error) from None

    @staticmethod
    def _refusal(name, error):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return Refused(f"EFI variable {name}: the firmware has no room for it (delete boot entries that nobody needs, "
                           "by efibootmgr)", NO_ROOM)
        if error.errno == errno.EROFS:
            return Refused(f"EFI variable {name}: expected {FOLDER} to be writable, found it mounted read-only")
        return Refused(f"EFI variable {name}: {error.strerror}")
