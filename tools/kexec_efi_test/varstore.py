# SPDX-License-Identifier: BSD-2-Clause
"""Writes variables into a copy of OVMF's variable store, without booting it.

The store is a firmware volume with an authenticated variable store in it (UEFI Platform Initialization specification
1.8, volume 3; edk2's MdeModulePkg/Include/Guid/VariableFormat.h): records follow each other, each at a multiple of 4,
up to the first that does not begin with its mark. A new record is put there.

As a command:  varstore.py OVMF_VARS_4M.fd OUT.fd [LABEL PATH OPTIONS]...
makes OUT.fd with a firmware boot entry for each LABEL, tried in this order. PATH may be a URL.
"""

import argparse
import itertools
import struct
import sys
import uuid

GLOBAL_VARIABLE = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
AUTHENTICATED_STORE = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792")

NON_VOLATILE = 1
BOOT_SERVICE_ACCESS = 2
RUNTIME_ACCESS = 4
DEFAULT_ATTRIBUTES = NON_VOLATILE | BOOT_SERVICE_ACCESS | RUNTIME_ACCESS

_STORE_HEADER = struct.Struct("<16sIBBHI")
_RECORD_HEADER = struct.Struct("<HBBIQ16sIII16s")
_RECORD_MARK = 0x55AA
_STATE_ADDED = 0x3F
_STATE_NOT_DELETED = 0x02

# OVMF takes a larger variable for damage.
_FILLER_SIZE_MAX = 4096

_LOAD_OPTION_ACTIVE = 1


class VariableStore:
    def __init__(self, path):
        with open(path, "rb") as file:
            self._bytes = bytearray(file.read())
        header_size, = struct.unpack_from("<H", self._bytes, 48)
        guid, self._size, *_ = _STORE_HEADER.unpack_from(self._bytes, header_size)
        assert guid == AUTHENTICATED_STORE.bytes_le, f"{path}: expected an authenticated variable store"
        self._start = header_size
        self._end = header_size + _STORE_HEADER.size
        records = b"".join(self._bytes[start:end] for start, end in self._records())
        unused = self._start + self._size - self._end - len(records)
        self._bytes[self._end:self._start + self._size] = records + b"\xff" * unused
        self._end += len(records)

    def _records(self):
        """The beginning and end of each valid record. Deleted and replaced records stay in the store until the firmware
        needs the room."""
        offset = self._start + _STORE_HEADER.size
        while self._bytes[offset:offset + 2] == struct.pack("<H", _RECORD_MARK):
            fields = _RECORD_HEADER.unpack_from(self._bytes, offset)
            end = self._aligned(offset + _RECORD_HEADER.size + fields[7] + fields[8])
            if fields[1] & _STATE_NOT_DELETED:
                yield offset, end
            offset = end

    @staticmethod
    def _aligned(offset):
        return (offset + 3) & ~3

    def _records_of(self, name, vendor):
        """The beginnings of this variable's valid records."""
        wide = name.encode("utf-16-le") + b"\0\0"
        for start, _ in self._records():
            *_, other_vendor = _RECORD_HEADER.unpack_from(self._bytes, start)
            if self._bytes[start + _RECORD_HEADER.size:].startswith(wide) and other_vendor == vendor.bytes_le:
                yield start

    def holds(self, name, vendor=GLOBAL_VARIABLE):
        return self.get(name, vendor) is not None

    def get(self, name, vendor=GLOBAL_VARIABLE):
        """The value of a variable, None if it does not exist."""
        for start in self._records_of(name, vendor):
            fields = _RECORD_HEADER.unpack_from(self._bytes, start)
            data = start + _RECORD_HEADER.size + fields[7]
            return bytes(self._bytes[data:data + fields[8]])
        return None

    def set(self, name, data, vendor=GLOBAL_VARIABLE, attributes=DEFAULT_ATTRIBUTES):
        """Adds a variable, or replaces it."""
        wide = name.encode("utf-16-le") + b"\0\0"
        for start in self._records_of(name, vendor):
            self._bytes[start + 2] &= ~_STATE_NOT_DELETED
        record = _RECORD_HEADER.pack(_RECORD_MARK, _STATE_ADDED, 0, attributes, 0, bytes(16), 0, len(wide), len(data),
                                     vendor.bytes_le) + wide + data
        assert self._end + len(record) <= self._start + self._size, "the variable store is full"
        self._bytes[self._end:self._end + len(record)] = record
        self._end = self._aligned(self._end + len(record))

    def fill(self):
        """Fills the store, so that there is no room for a further variable."""
        for number in itertools.count():
            room = self._start + self._size - self._end - _RECORD_HEADER.size
            name = f"Filler{number:04}"
            size = min(_FILLER_SIZE_MAX, room - 2 * len(name) - 2)
            if size <= 0:
                return
            self.set(name, bytes(size))

    def save(self, path):
        with open(path, "wb") as file:
            file.write(self._bytes)
        return path


def _node(kind, subkind, content):
    return struct.pack("<BBH", kind, subkind, 4 + len(content)) + content


def load_option(label, path, optional_data=b""):
    """An EFI_LOAD_OPTION (UEFI specification 3.1.3) for a file on whichever disk has it, or for HTTP boot of a URL by
    whichever network device has it: short-form paths."""
    if "://" in path:
        nodes = _node(3, 24, path.encode())
    else:
        nodes = _node(4, 4, path.encode("utf-16-le") + b"\0\0")
    return _load_option(label, nodes, optional_data)


def pxe_option(label, slot, address):
    """An EFI_LOAD_OPTION for PXE over IPv4 by the network device in a slot of PCI bus 0, whose MAC address is bytes."""
    nodes = (_node(2, 1, struct.pack("<II", 0x0a0341d0, 0)) + _node(1, 1, struct.pack("<BB", 0, slot)) +
             _node(3, 11, address.ljust(32, b"\0") + b"\1") + _node(3, 12, bytes(23)))
    return _load_option(label, nodes)


def _load_option(label, nodes, optional_data=b""):
    nodes += _node(0x7f, 0xff, b"")
    return (struct.pack("<IH", _LOAD_OPTION_ACTIVE, len(nodes)) + label.encode("utf-16-le") + b"\0\0" + nodes +
            optional_data)


def boot_options(template, out, entries):
    """Makes the store `out` with a boot option for each (label, path, optional data), or EFI_LOAD_OPTION, tried in this
    order."""
    store = VariableStore(template)
    for number, entry in enumerate(entries):
        store.set(f"Boot{0xA0 + number:04X}", entry if isinstance(entry, bytes) else load_option(*entry))
    store.set("BootOrder", b"".join(struct.pack("<H", 0xA0 + number) for number in range(len(entries))))
    return store.save(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("template")
    parser.add_argument("out")
    parser.add_argument("entry", nargs="*", help="label, path, options; three words for each entry")
    options = parser.parse_args()
    words = iter(options.entry)
    entries = [(label, path, text.encode("utf-16-le") + b"\0\0" if text else b"")
               for label, path, text in zip(words, words, words)]
    boot_options(options.template, options.out, entries)


if __name__ == "__main__":
    sys.exit(main())
