# SPDX-License-Identifier: BSD-2-Clause
"""write_log.py, on which the tests of power cuts rely: which writes form a group."""

import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "guest"))

import write_log  # noqa: E402

FLUSH, FUA, DISCARD = 1, 2, 4
SECTOR = 512


def log(*entries):
    """A log of (sector, flags, data). A number as data is the number of discarded sectors."""
    content = struct.pack("<QQQI", 0x6a736677736872, 1, len(entries), SECTOR).ljust(SECTOR, b"\0")
    for place, flags, data in entries:
        count = data if isinstance(data, int) else len(data) // SECTOR
        content += struct.pack("<QQQQ", place, count, flags, 0).ljust(SECTOR, b"\0")
        content += b"" if isinstance(data, int) else data
    return content


def places(groups):
    return [[write.offset // SECTOR for write in group] for group in groups]


def test_a_flush_parts_what_it_keeps_apart():
    one = bytes(SECTOR)
    content = log((1, 0, one), (2, 0, one), (0, FLUSH, b""), (3, 0, one), (4, FUA, one), (5, 0, one), (0, FLUSH, b""))
    assert places(write_log.parse(content)) == [[1, 2], [3, 4], [5]]
    assert write_log.count(content) == 7


def test_from_an_entry_on():
    one = bytes(SECTOR)
    content = log((1, 0, one), (0, FLUSH, b""), (2, 0, one), (3, 0, one))
    assert places(write_log.parse(content, 3)) == [[3]]
    assert places(write_log.parse(content, 4)) == []


def test_what_is_discarded_is_zero():
    (discarded, written), = write_log.parse(log((2, DISCARD, 2), (3, 0, b"x" * SECTOR)))
    volume = bytearray(b"a" * 6 * SECTOR)
    discarded.apply(volume)
    written.apply(volume)
    assert volume == b"a" * 2 * SECTOR + bytes(SECTOR) + b"x" * SECTOR + b"a" * 2 * SECTOR
