# SPDX-License-Identifier: BSD-2-Clause
"""EFI_LOAD_OPTION: a boot entry as firmware stores it in Boot#### (UEFI specification 3.1.3), with the device path of a
file on a partition (10.3.5.1, 10.3.5.4)."""

import dataclasses
import struct
import uuid

ACTIVE = 1

_HEAD = struct.Struct("<IH")
_NODE = struct.Struct("<BBH")
_HARD_DRIVE = struct.Struct("<IQQ16sBB")
_MEDIA, _HARD_DRIVE_NODE, _FILE_NODE = 4, 1, 4
_END = bytes((0x7f, 0xff, 4, 0))

MBR, GPT = 1, 2


@dataclasses.dataclass(frozen=True)
class Partition:
    """The place of a partition: start and size in the disk's own blocks. `uuid` is a PARTUUID as Linux writes it."""

    number: int
    start: int
    size: int
    uuid: str

    @property
    def is_gpt(self):
        return len(self.uuid) == 36

    def node(self):
        kind = GPT if self.is_gpt else MBR
        signature = uuid.UUID(self.uuid).bytes_le if self.is_gpt else struct.pack("<I12x", int(self.uuid[:8], 16))
        return _node(_HARD_DRIVE_NODE, _HARD_DRIVE.pack(self.number, self.start, self.size, signature, kind, kind))


@dataclasses.dataclass(frozen=True)
class LoadOption:
    description: str
    partition_uuid: str     # of the first node that names a partition, or None
    path: str               # of the file, with / between its parts, or None
    attributes: int = ACTIVE
    optional: bytes = b""

    @property
    def is_active(self):
        return bool(self.attributes & ACTIVE)


def _node(subtype, data):
    return _NODE.pack(_MEDIA, subtype, _NODE.size + len(data)) + data


def make(description, partition, path, optional=b""):
    """The bytes of an active entry for the file `path`, which has / between its parts. `optional` are its load
    options."""
    name = path.replace("/", "\\").encode("utf-16-le") + b"\0\0"
    nodes = partition.node() + _node(_FILE_NODE, name) + _END
    return _HEAD.pack(ACTIVE, len(nodes)) + description.encode("utf-16-le", "replace") + b"\0\0" + nodes + optional


def _take_text(data):
    """(the UTF-16 text up to its NUL, the bytes behind the NUL), or None."""
    for end in range(0, len(data) - 1, 2):
        if data[end:end + 2] == b"\0\0":
            return data[:end].decode("utf-16-le", "replace"), data[end + 2:]
    return None


def _nodes(data):
    """(type, subtype, content) of each node; None if a length is invalid or the end node is missing."""
    found = []
    while len(data) >= _NODE.size:
        kind, subtype, length = _NODE.unpack_from(data)
        if not _NODE.size <= length <= len(data):
            return None
        if (kind, subtype) == (0x7f, 0xff):
            return found
        found.append((kind, subtype, data[_NODE.size:length]))
        data = data[length:]
    return None


def _partition_uuid(content):
    if len(content) != _HARD_DRIVE.size:
        return None
    number, _, _, signature, _, kind = _HARD_DRIVE.unpack(content)
    if kind == GPT:
        return str(uuid.UUID(bytes_le=signature))
    return f"{int.from_bytes(signature[:4], 'little'):08x}-{number:02x}" if kind == MBR else None


def parse(data):
    """The LoadOption in these bytes; None if they are invalid. Of several device paths only the first counts."""
    if len(data) < _HEAD.size:
        return None
    attributes, size = _HEAD.unpack_from(data)
    taken = _take_text(data[_HEAD.size:])
    if taken is None or size > len(taken[1]):
        return None
    description, rest = taken
    nodes = _nodes(rest[:size])
    if nodes is None:
        return None
    partition, parts = None, []
    for kind, subtype, content in nodes:
        if (kind, subtype) == (_MEDIA, _HARD_DRIVE_NODE):
            partition = partition or _partition_uuid(content)
        elif (kind, subtype) == (_MEDIA, _FILE_NODE):
            parts.append(content.decode("utf-16-le", "replace").split("\0")[0])
    path = "/".join(parts).replace("\\", "/") if parts else None
    return LoadOption(description, partition, path, attributes, rest[size:])
