# SPDX-License-Identifier: BSD-2-Clause
"""Reads the text on a machine's screen, if it is written in a known font."""

import gzip
import pathlib

FONT = pathlib.Path("/usr/share/consolefonts/spleen-8x16.psfu.gz")
WIDTH, HEIGHT = 8, 16


def _glyphs():
    """From the glyph of a character, 16 rows of 8 pixels, to the character."""
    font = gzip.decompress(FONT.read_bytes())
    assert font[:2] == b"\x36\x04" and font[3] == HEIGHT, f"{FONT}: expected a PSF 1 font of {HEIGHT} rows"
    return {font[4 + HEIGHT * code:4 + HEIGHT * (code + 1)]: chr(code) for code in range(ord(" "), ord("~") + 1)}


class Picture:
    """A picture in the binary portable pixmap format, as QEMU's screendump writes it."""

    def __init__(self, ppm):
        magic, size, depth, self.pixels = ppm.split(b"\n", 3)
        assert magic == b"P6" and depth == b"255"
        self.width, self.height = map(int, size.split())
        assert len(self.pixels) == 3 * self.width * self.height

    def _is_white(self, x, y):
        offset = 3 * (y * self.width + x)
        return self.pixels[offset:offset + 3] == b"\xff\xff\xff"

    def _rows(self, left, top, scale):
        for y in range(HEIGHT):
            row = 0
            for x in range(WIDTH):
                row = row << 1 | self._is_white(left + x * scale, top + y * scale)
            yield row

    def text(self, scale):
        """The lines on the screen, with `scale` pixels for one of the font's. An unknown glyph becomes U+FFFD."""
        glyphs = _glyphs()
        lines = []
        for top in range(0, self.height - HEIGHT * scale + 1, HEIGHT * scale):
            cells = [bytes(self._rows(left, top, scale))
                     for left in range(0, self.width - WIDTH * scale + 1, WIDTH * scale)]
            lines.append("".join(glyphs.get(cell, "\ufffd") for cell in cells).rstrip())
        return lines
