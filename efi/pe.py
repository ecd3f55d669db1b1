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

Section = collections.namedtuple("Section", "name size address file_size offset flags")


def header(image):
    """The offset of the PE signature; None if there is none."""
    if len(image) < 0x40 or image[:2] != b"MZ":
        return None
    offset, = struct.unpack_from("<I", image, 0x3c)
    return offset if image[offset:offset + 4] == b"PE\0\0" else None


def sections(image):
    """As the headers have them, in order. The names are without the zeros that fill them up."""
    pe = header(image)
    count, = struct.unpack_from("<H", image, pe + SECTION_COUNT)
    optional_size, = struct.unpack_from("<H", image, pe + OPTIONAL_SIZE)
    for offset in range(pe + OPTIONAL + optional_size, pe + OPTIONAL + optional_size + 40 * count, 40):
        name, *numbers, flags = struct.unpack_from("<8sIIII12xI", image, offset)
        yield Section(name.rstrip(b"\0").decode("ascii", "replace"), *numbers, flags)
