# SPDX-License-Identifier: BSD-2-Clause
"""Results for people and for other programs: JSON, JUnit's XML, a table, and a page of HTML in one file."""

import base64
import html
import json
import pathlib
import re
import struct
import xml.sax.saxutils
import zlib
from typing import Dict, List

from . import screen
from .machine import Path
from .session import Result


def check_writable(path: Path, option: str) -> None:
    """Raises OSError before the boot if the file could not be written after it. Leaves no trace."""
    path = pathlib.Path(path)
    existed = path.exists()
    with open(path, "ab"):
        pass
    if not existed:
        path.unlink()


def as_dict(result: Result) -> Dict:
    return {"name": result.name, "verdict": result.verdict, "status": result.status, "reason": result.reason,
            "seconds": result.seconds, "times": result.times,
            "pcrs": {str(register): value for register, value in result.pcrs.items()},
            "loader_log": result.loader_log, "output": result.output, "log": result.log, "qemu_messages": result.qemu,
            "qemu_command": result.command}


def as_json(results: List[Result]) -> str:
    """One boot as an object, several as a list of them."""
    dicts = [as_dict(result) for result in results]
    return json.dumps(dicts[0] if len(dicts) == 1 else dicts, indent=1) + "\n"


def _xml(text: str) -> str:
    """The text without most control characters, which XML 1.0 cannot represent."""
    return xml.sax.saxutils.escape(re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text),
                                   {'"': "&quot;", "\n": "&#10;"})


def as_junit(results: List[Result]) -> str:
    failures = sum(result.verdict in ("fail", "timeout") for result in results)
    errors = sum(result.verdict == "error" for result in results)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             f'<testsuite name="kexec-efi-test" tests="{len(results)}" failures="{failures}" errors="{errors}" '
             f'time="{sum(result.seconds for result in results):.3f}">']
    for result in results:
        lines.append(f'<testcase classname="kexec-efi-test" name="{_xml(result.name)}" time="{result.seconds:.3f}">')
        if result.verdict != "pass":
            kind = "error" if result.verdict == "error" else "failure"
            lines.append(f'<{kind} type="{result.verdict}" message="{_xml(result.reason)}"/>')
        lines += [f"<system-out>{_xml(result.log)}</system-out>", f"<system-err>{_xml(result.qemu)}</system-err>",
                  "</testcase>"]
    return "\n".join([*lines, "</testsuite>", ""])


def table(results: List[Result]) -> str:
    rows = [["boot", "verdict", "seconds", "userspace", "why"]]
    for result in results:
        userspace = result.times.get("userspace")
        rows.append([result.name, result.verdict, f"{result.seconds:.1f}",
                     "-" if userspace is None else f"{userspace:.1f}", result.reason])
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[4]]) for row in rows)


def png(ppm: bytes) -> bytes:
    """A portable pixmap as PNG (ISO/IEC 15948)."""
    picture = screen.Picture(ppm)
    row = 3 * picture.width
    raw = b"".join(b"\0" + picture.pixels[start:start + row] for start in range(0, row * picture.height, row))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    header = struct.pack(">IIBBBBB", picture.width, picture.height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def picture_file(ppm: bytes, path: Path) -> bytes:
    """The content of a screenshot's file, by its name."""
    return ppm if pathlib.Path(path).suffix == ".ppm" else png(ppm)


_STYLE = """body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 1em;color:#222;background:#fff}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.35em .7em;border-bottom:1px solid #ddd;
vertical-align:top}td:first-child{white-space:nowrap}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.v{font-weight:600;border-radius:.3em;padding:.1em .5em;color:#fff}.pass{background:#1a7f37}.fail{background:#c62828}
.timeout{background:#9a6700}.error{background:#57606a}
pre{background:#f6f8fa;padding:.8em;overflow:auto;max-height:30em;font-size:12px}img{max-width:100%;border:1px solid #ddd}
summary{cursor:pointer}h2{margin:2em 0 .3em;font-size:1.1em}code{overflow-wrap:anywhere}"""

STEPS = ("firmware", "loader", "kernel", "userspace")


def _row(number: int, result: Result) -> str:
    times = "".join(f'<td class="n">{result.times[step]:.1f}</td>' if step in result.times else '<td class="n">-</td>'
                    for step in STEPS)
    return (f'<tr><td><a href="#b{number}">{html.escape(result.name)}</a></td>'
            f'<td><span class="v {result.verdict}">{result.verdict}</span></td>{times}'
            f'<td class="n">{result.seconds:.1f}</td><td>{html.escape(result.reason)}</td></tr>')


def _details(number: int, result: Result) -> str:
    parts = [f'<h2 id="b{number}">{html.escape(result.name)} <span class="v {result.verdict}">{result.verdict}</span></h2>',
             f"<p>{html.escape(result.reason)}</p>"]
    if result.screenshot:
        data = base64.b64encode(png(result.screenshot)).decode()
        parts.append(f'<p><img alt="screen of {html.escape(result.name)}" src="data:image/png;base64,{data}"></p>')
    if result.pcrs:
        rows = "".join(f"<tr><td>{number}</td><td><code>{value}</code></td></tr>"
                       for number, value in sorted(result.pcrs.items()) if value.strip("0f"))
        parts.append(f"<details><summary>TPM registers (SHA-256)</summary><table>{rows}</table></details>")
    for title, text in (("output of the command", result.output), ("serial line", result.log),
                        ("messages of QEMU", result.qemu), ("QEMU's command line", " ".join(result.command))):
        if text.strip():
            opened = " open" if title == "serial line" and result.verdict != "pass" else ""
            parts.append(f"<details{opened}><summary>{title}</summary><pre>{html.escape(text)}</pre></details>")
    return "\n".join(parts)


def as_html(results: List[Result]) -> str:
    good = sum(result.verdict == "pass" for result in results)
    heads = "".join(f'<th class="n">{name}</th>' if name in (*STEPS, "seconds") else f"<th>{name}</th>"
                    for name in ("boot", "verdict", *STEPS, "seconds", "why"))
    return "\n".join([
        '<!DOCTYPE html>', '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width"><title>UEFI boots</title>',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>UEFI boots: {good} of {len(results)} passed</h1>", f"<table><tr>{heads}</tr>",
        *(_row(number, result) for number, result in enumerate(results)), "</table>",
        "<p>Seconds are counted from QEMU's start to the first line of each step.</p>",
        *(_details(number, result) for number, result in enumerate(results)), "</body></html>", ""])
