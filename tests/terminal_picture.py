# SPDX-License-Identifier: BSD-2-Clause
"""Draws a command's output on a terminal, for the documents. It has a background, so that it is readable on white and
on black."""

import re
from xml.sax.saxutils import escape

COLUMNS, ADVANCE, LINE, MARGIN, BAR = 100, 7.25, 17, 12, 22
GROUND, TEXT, PROMPT, GOOD, BAD, LATER = "#0d1117", "#c9d1d9", "#7d8590", "#3fb950", "#ff7b72", "#d29922"

# Words at the beginning of a line, and their colours.
COLOURS = {"good": GOOD, "failed": BAD, "damaged": BAD, "refused": BAD, "next": LATER, "trial": LATER, "waiting": LATER}


def wrapped(line):
    return [line[start:start + COLUMNS] for start in range(0, len(line), COLUMNS)] or [""]


def _word(content, colour):
    return f'<tspan fill="{colour}">{escape(content)}</tspan>'


def _coloured(line):
    found = re.match(r"([* ] *)([a-z]+)(:.*)", line)
    if found and found[2] in COLOURS:
        return escape(found[1]) + _word(found[2], COLOURS[found[2]]) + escape(found[3])
    return escape(line)


def draw(command, output):
    """The picture of a prompt with the command, and of its output, wrapped to COLUMNS."""
    rows = [_word("# ", PROMPT) + escape(command)]
    for line in output.splitlines():
        first, *rest = wrapped(line)
        rows += [_coloured(first), *map(escape, rest)]
    width, height = round(2 * MARGIN + COLUMNS * ADVANCE), BAR + 2 * MARGIN + LINE * len(rows)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
             f'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="12" fill="{TEXT}">',
             f'<rect width="{width}" height="{height}" rx="8" fill="{GROUND}"/>']
    lines += [f'<circle cx="{MARGIN + 5 + 16 * number}" cy="{BAR - 6}" r="5" fill="{colour}"/>'
              for number, colour in enumerate((BAD, LATER, GOOD))]
    for number, row in enumerate(rows):
        # textLength sets the width of a row to that on a terminal, whatever the font.
        plain = re.sub("<[^>]*>", "", row)
        length = len(plain.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))
        lines.append(f'<text x="{MARGIN}" y="{BAR + MARGIN + LINE * number + 12}" xml:space="preserve" '
                     f'textLength="{length * ADVANCE:.0f}">{row}</text>')
    return "\n".join([*lines, "</svg>", ""])
