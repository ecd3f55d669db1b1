# SPDX-License-Identifier: BSD-2-Clause
"""The guest's writes to its disk, as logged by QEMU's driver blklogwrites in the format of Linux's dm-log-writes
(Documentation/admin-guide/device-mapper/log-writes.rst)."""

import dataclasses
import struct

_MAGIC = 0x6a736677736872
_SUPER = struct.Struct("<QQQI")
_ENTRY = struct.Struct("<QQQQ")
_FLUSH, _FUA, _DISCARD, _MARK = 1, 2, 4, 8


@dataclasses.dataclass
class Write:
    offset: int     # in bytes, on the disk
    data: bytes

    def apply(self, content):
        """Applies the write to a bytearray that holds the volume."""
        content[self.offset:self.offset + len(self.data)] = self.data


def count(log):
    """The number of entries that the log's superblock counts: those before the last flush."""
    return _SUPER.unpack_from(log)[2]


def parse(log, first=0):
    """Lists of Write from the entry `first` on, one list for the writes between two flushes. The writes of one list may
    reach a disk in any order, or not at all."""
    magic, version, entries, sector = _SUPER.unpack_from(log)
    assert (magic, version) == (_MAGIC, 1), f"expected a log of writes, found {magic:#x} version {version}"
    groups, offset = [[]], sector
    for number in range(entries):
        if number == first:
            groups = [[]]
        place, sectors, flags, _ = _ENTRY.unpack_from(log, offset)
        offset += sector
        assert not flags & ~(_FLUSH | _FUA | _DISCARD), f"expected writes, flushes and discards, found flags {flags:#x}"
        if flags & _FLUSH and groups[-1]:
            groups.append([])
        if flags & _DISCARD:
            groups[-1].append(Write(place * sector, bytes(sectors * sector)))
        elif sectors:
            groups[-1].append(Write(place * sector, log[offset:offset + sectors * sector]))
            offset += sectors * sector
        if flags & _FUA:
            groups.append([])
    return [group for group in ([] if first >= entries else groups) if group]
