# SPDX-License-Identifier: BSD-2-Clause
"""Where things are in a PE32+ image (PE Format, "COFF File Header" and "Section Table"), for the tools beside this."""

import collections
import struct

# From the PE signature on.
SECTION_COUNT = 6
TIME_DATE_STAMP = 8
OPTIONAL_SIZE = 20
OPTIONAL = 24
SIZE_OF_HEADERS = OPTIONAL + 60
CHECKSUM = OPTIONAL + 64
DLL_CHARACTERISTICS = OPTIONAL + 70
CERTIFICATES = OPTIONAL + 144  # the data directory's entry of them

PE32_PLUS = 0x20b

Section = collections.namedtuple("Section", "name size address file_size offset flags")


def header(image):
    """The offset of the PE signature; None unless a PE32+ image with all its section headers and a section follows."""
    try:
        offset, = struct.unpack_from("<I", image, 0x3c)
        magic, = struct.unpack_from("<H", image, offset + OPTIONAL)
        count, end = section_table(image, offset)[1:]
    except struct.error:
        return None
    is_pe = image[:2] == b"MZ" and image[offset:offset + 4] == b"PE\0\0" and magic == PE32_PLUS
    return offset if is_pe and count and end <= len(image) else None


def section_table(image, offset):
    """(where the section headers begin, how many there are, where they end)."""
    count, = struct.unpack_from("<H", image, offset + SECTION_COUNT)
    optional_size, = struct.unpack_from("<H", image, offset + OPTIONAL_SIZE)
    start = offset + OPTIONAL + optional_size
    return start, count, start + 40 * count


def sections(image):
    """As the headers have them, in order. The names are without the zeros that fill them up."""
    start, _, end = section_table(image, header(image))
    for offset in range(start, end, 40):
        name, *numbers, flags = struct.unpack_from("<8sIIII12xI", image, offset)
        yield Section(name.rstrip(b"\0").decode("ascii", "replace"), *numbers, flags)
