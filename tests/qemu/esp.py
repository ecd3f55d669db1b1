# SPDX-License-Identifier: BSD-2-Clause
"""Makes disk images with an EFI system partition, from a description of its files. Needs mtools, not root."""

import os
import pathlib
import struct
import subprocess
import tempfile
import uuid
import zlib

MIB = 1024 * 1024

# Below this mformat makes a FAT12 or FAT16, which firmware reads as well but real ESPs are not.
SIZE_MIN = 300 * MIB


# Where the partition begins, and the GUID that a GPT knows it by.
PARTITION_OFFSET = MIB
PARTITION_UUID = "c0ffee00-1234-5678-9abc-def012345678"

# Firmware measures the partition table: the same files make the same one.
DISK_UUID = "c0ffee01-1234-5678-9abc-def012345678"
_DISK_SIGNATURE = 0xc0ffee00

# What a GPT calls an EFI system partition; an MBR's number for it is 0xef, and 0xee for the place of a GPT.
_ESP_TYPE = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
_ESP_NUMBER, _GPT_NUMBER = 0xef, 0xee
_GPT_ENTRIES, _GPT_ENTRY_SIZE = 128, 128


def _mbr(number, start, count, sector):
    entry = struct.pack("<B3sB3sII", 0, b"\xff\xff\xff", number, b"\xff\xff\xff", start, count)
    code = struct.pack("<440xI2x", _DISK_SIGNATURE)
    return (code + entry + bytes(48) + b"\x55\xaa").ljust(sector, b"\0")


def _gpt_header(here, other, table_start, sectors, table, sector):
    """The header at the sector `here`, whose copy is at `other`."""
    table_sectors = len(table) // sector

    def pack(crc):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, here, other, 2 + table_sectors,
                           sectors - 2 - table_sectors, uuid.UUID(DISK_UUID).bytes_le, table_start, _GPT_ENTRIES,
                           _GPT_ENTRY_SIZE, zlib.crc32(table))
    return pack(zlib.crc32(pack(0)))


def _write_table(disk, kind, sectors, sector):
    """The partition begins at PARTITION_OFFSET and ends 1 MiB before the disk."""
    start = PARTITION_OFFSET // sector
    count = sectors - 2 * start
    if kind == "mbr":
        disk.write(_mbr(_ESP_NUMBER, start, count, sector))
        return
    name = "ESP".encode("utf-16-le").ljust(72, b"\0")
    entry = struct.pack("<16s16sQQQ72s", uuid.UUID(_ESP_TYPE).bytes_le, uuid.UUID(PARTITION_UUID).bytes_le, start,
                        start + count - 1, 0, name)
    table = entry.ljust(_GPT_ENTRIES * _GPT_ENTRY_SIZE, b"\0")
    last = sectors - 1
    second = last - len(table) // sector
    for place, content in ((0, _mbr(_GPT_NUMBER, 1, last, sector)),
                           (1, _gpt_header(1, last, 2, sectors, table, sector)), (2, table),
                           (second, table), (last, _gpt_header(last, 1, second, sectors, table, sector))):
        disk.seek(place * sector)
        disk.write(content)


def _content_size(content):
    return len(content) if isinstance(content, bytes) else os.path.getsize(content)


def make(image, files, table="gpt", sector=512):
    """Writes the disk image `image`: one FAT32 volume with `files`, a dict from path to bytes or to a file's path.

    `table` is "gpt", "mbr", or None for a volume that takes the whole disk; `sector` is the disk's, in bytes. Folders
    are made as needed. The image is sparse: it takes no more room than the files.
    """
    image = pathlib.Path(image)
    size = max(SIZE_MIN, sum(map(_content_size, files.values())) * 5 // 4 + 16 * MIB)
    image.unlink(missing_ok=True)
    with open(image, "wb") as disk:
        disk.truncate(size // MIB * MIB)
        if table:
            _write_table(disk, table, size // MIB * MIB // sector, sector)
    volume = f"{image}@@{PARTITION_OFFSET}" if table else image

    def mtools(command, *arguments):
        subprocess.run([command, "-i", volume, *arguments], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"})

    sectors = (size // MIB - (2 if table else 0)) * MIB // sector
    mtools("mformat", "-F", "-v", "ESP", "-M", str(sector), "-T", str(sectors), "::")
    folders = set()
    for path in files:
        folders.update(parent for parent in pathlib.PurePosixPath(path.lstrip("/")).parents if parent.name)
    for folder in sorted(folders):
        mtools("mmd", f"::{folder}")
    for path, content in files.items():
        target = "::" + path.lstrip("/")
        if isinstance(content, bytes):
            with tempfile.NamedTemporaryFile() as source:
                source.write(content)
                source.flush()
                mtools("mcopy", source.name, target)
        else:
            mtools("mcopy", content, target)
    return image
