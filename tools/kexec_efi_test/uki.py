# SPDX-License-Identifier: BSD-2-Clause
"""Makes unified kernel images as ukify does: sections behind those of systemd's stub, in the given order, with
VirtualSize as long as their content and SizeOfRawData padded. Names may come more than once, for profiles."""

import pathlib
import struct

STUB = pathlib.Path("/usr/lib/systemd/boot/efi/linuxx64.efi.stub")

# Section characteristics (PE Format, "Section Flags"): initialized data, read
DATA = 0x40000040


def up(value, alignment):
    return -(-value // alignment) * alignment


def without_trailing_table(image, table, count):
    """(the end of the stub's section table, the beginning of the first content). More section headers fit between
    them."""
    end = table + 40 * count
    first = min(offset for number in range(count)
                if (offset := struct.unpack_from("<I", image, table + 40 * number + 20)[0]))
    return end, first


def make(sections, stub=STUB):
    """The bytes of an image with these sections, pairs of a name and its content."""
    image = bytearray(pathlib.Path(stub).read_bytes())
    pe, = struct.unpack_from("<I", image, 0x3c)
    optional = pe + 24
    count, = struct.unpack_from("<H", image, pe + 6)
    table = optional + struct.unpack_from("<H", image, pe + 20)[0]
    alignment, file_alignment = struct.unpack_from("<II", image, optional + 32)
    end, first = without_trailing_table(image, table, count)
    address = max(sum(struct.unpack_from("<II", image, table + 40 * number + 8)) for number in range(count))
    room = (first - end) // 40
    if room < len(sections):
        grow_headers(image, table, count, up((len(sections) - room) * 40, file_alignment), first)
    for number, (name, content) in enumerate(sections, count):
        address = up(address, alignment)
        offset = up(len(image), file_alignment)
        image += bytes(offset - len(image)) + content
        image += bytes(up(len(image), file_alignment) - len(image))
        struct.pack_into("<8sIIIIIIHHI", image, table + 40 * number, name.encode(), len(content), address,
                         len(image) - offset, offset, 0, 0, 0, 0, DATA)
        address += len(content)
    struct.pack_into("<H", image, pe + 6, count + len(sections))
    struct.pack_into("<I", image, optional + 56, up(address, alignment))
    return bytes(image)


def grow_headers(image, table, count, size, first):
    """Moves all content, to make room for more headers. The first section in memory must lie behind them."""
    optional = struct.unpack_from("<I", image, 0x3c)[0] + 24
    for number in range(count):
        place = table + 40 * number + 20
        offset, = struct.unpack_from("<I", image, place)
        if offset:
            struct.pack_into("<I", image, place, offset + size)
    struct.pack_into("<I", image, optional + 60, struct.unpack_from("<I", image, optional + 60)[0] + size)
    image[first:first] = bytes(size)


def section(image, name, index=0):
    """The place of a section's content in the file, and its VirtualSize; `index` counts the sections of this name."""
    pe, = struct.unpack_from("<I", image, 0x3c)
    table = pe + 24 + struct.unpack_from("<H", image, pe + 20)[0]
    found = [table + 40 * number for number in range(struct.unpack_from("<H", image, pe + 6)[0])
             if image[table + 40 * number:table + 40 * number + 8].rstrip(b"\0") == name.encode()]
    size, _, _, offset = struct.unpack_from("<IIII", image, found[index] + 8)
    return offset, size
