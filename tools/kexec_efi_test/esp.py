# SPDX-License-Identifier: BSD-2-Clause
"""Makes disk images with an EFI system partition, from a description of its files. Needs mtools, not root."""

import dataclasses
import os
import pathlib
import struct
import subprocess
import tempfile
import uuid
import zlib
from typing import Any, BinaryIO, Dict, List, Optional, Sequence, Set, Tuple, Union

from .machine import Path

Content = Union[bytes, Path]

MIB = 1024 * 1024

# Below this size mformat makes a FAT12 or FAT16. Firmware reads those as well, but real ESPs are FAT32.
SIZE_MIN = 300 * MIB
FAT16_SIZE_MIN = 100 * MIB

# The cluster size of a FAT16; with its own choice mformat would make a FAT12.
_CLUSTER_SIZE = 4096

# The place of the first partition, and the GUIDs of a GPT's partitions.
PARTITION_OFFSET = MIB
PARTITION_UUID = "c0ffee00-1234-5678-9abc-def012345678"
XBOOTLDR_UUID = "c0ffee02-1234-5678-9abc-def012345678"

# Firmware measures the partition table, so the same files must give the same table.
DISK_UUID = "c0ffee01-1234-5678-9abc-def012345678"
_DISK_SIGNATURE = 0xc0ffee00

# A GPT's types of an EFI system partition and of XBOOTLDR. An MBR's type of an ESP is 0xef, and 0xee marks the place of
# a GPT.
ESP_TYPE = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
XBOOTLDR_TYPE = "bc13c2ff-59e6-4262-a352-b275fd6f7172"
_ESP_NUMBER, _GPT_NUMBER = 0xef, 0xee
_GPT_ENTRIES, _GPT_ENTRY_SIZE = 128, 128


def _mbr(number: int, start: int, count: int, sector: int) -> bytes:
    entry = struct.pack("<B3sB3sII", 0, b"\xff\xff\xff", number, b"\xff\xff\xff", start, count)
    code = struct.pack("<440xI2x", _DISK_SIGNATURE)
    return (code + entry + bytes(48) + b"\x55\xaa").ljust(sector, b"\0")


def _gpt_header(here: int, other: int, table_start: int, sectors: int, table: bytes, sector: int) -> bytes:
    """The header at the sector `here`, whose copy is at `other`."""
    table_sectors = len(table) // sector

    def pack(crc: int) -> bytes:
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, here, other, 2 + table_sectors,
                           sectors - 2 - table_sectors, uuid.UUID(DISK_UUID).bytes_le, table_start, _GPT_ENTRIES,
                           _GPT_ENTRY_SIZE, zlib.crc32(table))
    return pack(zlib.crc32(pack(0)))


@dataclasses.dataclass
class Partition:
    """A FAT volume; `files` is a dict from path to bytes or to a file's path. With `content` the partition has these
    bytes instead, and with `room` it has so many bytes."""

    files: Dict[str, Content]
    kind: str = ESP_TYPE
    uuid: str = PARTITION_UUID
    label: str = "ESP"
    fat: int = 32
    content: Optional[bytes] = None
    room: int = 0

    @property
    def size(self) -> int:
        if self.room:
            return self.room + 2 * PARTITION_OFFSET
        needed = sum(map(_content_size, self.files.values())) * 5 // 4 + 16 * MIB
        return max(SIZE_MIN if self.fat == 32 else FAT16_SIZE_MIN, needed) // MIB * MIB


def xbootldr(files: Dict[str, Content], **options: Any) -> Partition:
    fields: Dict[str, Any] = {"uuid": XBOOTLDR_UUID, **options}
    return Partition(files, kind=XBOOTLDR_TYPE, label="XBOOT", **fields)


def _gpt_entry(partition: Partition, start: int, count: int) -> bytes:
    return struct.pack("<16s16sQQQ72s", uuid.UUID(partition.kind).bytes_le, uuid.UUID(partition.uuid).bytes_le, start,
                       start + count - 1, 0, partition.label.encode("utf-16-le"))


def _write_table(disk: BinaryIO, kind: str, partitions: List[Tuple[Partition, int, int]], sectors: int, sector: int) -> None:
    """`partitions` is a list of (Partition, first sector, number of sectors)."""
    if kind == "mbr":
        (_, start, count), = partitions
        disk.write(_mbr(_ESP_NUMBER, start, count, sector))
        return
    table = b"".join(_gpt_entry(*place) for place in partitions).ljust(_GPT_ENTRIES * _GPT_ENTRY_SIZE, b"\0")
    last = sectors - 1
    second = last - len(table) // sector
    for place, content in ((0, _mbr(_GPT_NUMBER, 1, last, sector)),
                           (1, _gpt_header(1, last, 2, sectors, table, sector)), (2, table),
                           (second, table), (last, _gpt_header(last, 1, second, sectors, table, sector))):
        disk.seek(place * sector)
        disk.write(content)


def _content_size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else os.path.getsize(content)


def _write_volume(volume: str, partition: Partition, size: int, sector: int) -> None:
    """Makes the FAT volume of a partition. `volume` is the image with the partition's offset, in the notation of
    mtools."""
    def mtools(command: str, *arguments: Path) -> None:
        result = subprocess.run([command, "-i", volume, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                env={**os.environ, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"}, text=True, errors="replace")
        # mcopy may have written only a part, and ends with status 0 nevertheless.
        if result.returncode or result.stderr:
            raise subprocess.CalledProcessError(result.returncode or 1, [command, *map(str, arguments)], stderr=result.stderr)

    kind = ["-F"] if partition.fat == 32 else ["-c", str(_CLUSTER_SIZE // sector)]
    mtools("mformat", *kind, "-v", partition.label, "-M", str(sector), "-T", str(size // sector), "::")
    folders: Set[pathlib.PurePosixPath] = set()
    for path in partition.files:
        folders.update(parent for parent in pathlib.PurePosixPath(path.lstrip("/")).parents if parent.name)
    for folder in sorted(folders):
        mtools("mmd", f"::{folder}")
    for path, content in partition.files.items():
        target = "::" + path.lstrip("/")
        if isinstance(content, bytes):
            with tempfile.NamedTemporaryFile() as source:
                source.write(content)
                source.flush()
                mtools("mcopy", source.name, target)
        else:
            mtools("mcopy", content, target)


def make_disk(image: Path, partitions: Sequence[Partition], table: Optional[str] = "gpt", sector: int = 512) -> pathlib.Path:
    """Writes the disk image `image` with these partitions, one behind the other from PARTITION_OFFSET on.

    `table` is "gpt", "mbr" (for one partition), or None for a volume that takes the whole disk; `sector` is the size of
    the disk's sectors in bytes. Folders are made as needed. The image is sparse: it takes no more room than the files.
    """
    image = pathlib.Path(image)
    image.unlink(missing_ok=True)
    around = 2 * PARTITION_OFFSET if table else 0
    offset = around // 2
    places = []
    for partition in partitions:
        places.append((partition, offset, partition.size - around))
        offset += partition.size - around
    size = offset + around // 2
    with open(image, "wb") as disk:
        disk.truncate(size)
        if table:
            in_sectors = [(partition, start // sector, count // sector) for partition, start, count in places]
            _write_table(disk, table, in_sectors, size // sector, sector)
        for partition, start, _ in places:
            if partition.content is not None:
                disk.seek(start)
                disk.write(partition.content)
    for partition, start, count in places:
        if partition.content is None:
            _write_volume(f"{image}@@{start}", partition, count, sector)
    return image


def make(image: Path, files: Dict[str, Content], table: Optional[str] = "gpt", sector: int = 512, fat: int = 32,
         more: Sequence[Partition] = ()) -> pathlib.Path:
    """Like `make_disk`, with an ESP that has `files`, and with `more` partitions behind it."""
    return make_disk(image, [Partition(files, fat=fat), *more], table, sector)
