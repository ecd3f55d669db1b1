# SPDX-License-Identifier: BSD-2-Clause
"""Reads the loader's messages about boots: its log of this boot, its note of starts, and the note of a stop between
firmware and kernel, which the loader or its purgatory writes. The next start of the loader reports and deletes the note
of a stop."""

import dataclasses
import struct

from .variables import KEXEC, STORED

# efi/linux/loader_interface.h, efi/notes/start_note.h, common/stop_note.h, purgatory_abi.h, exception.h.
LOG, NOTE, STARTS = "KexecLog", "KexecMismatch", "KexecStarts"
_NOTE_HEAD = struct.Struct("<II16s")
_DIGESTS, _EXCEPTION, _EXIT = struct.Struct("<32s32s"), struct.Struct("<QQQQQ"), struct.Struct("<QQQQ")
_MISMATCH, _EXCEPTION_KIND, _NMI, _EXIT_KIND = 1, 2, 3, 4
_NOTE_SIZE_MIN = _NOTE_HEAD.size + 64

# The marks of lines for the user, behind "kexec: ".
_MARKS = ("warning: ", "error: ")


def log(variables):
    """The lines of the loader's log of this boot; empty without one."""
    data = variables.data(LOG, KEXEC) if variables else None
    return (data or b"").decode("utf-16-le", "replace").rstrip("\0").splitlines()


def warnings(lines):
    return [line for line in lines if any(mark in line for mark in _MARKS)]


def stop_in(lines):
    """The report of an earlier, stopped start in the loader's log of this boot; None without one."""
    return next((line.split("warning: ", 1)[-1] for line in lines if "stopped the last start: " in line), None)


@dataclasses.dataclass(frozen=True)
class Start:
    """A line of the note of starts. `what` is refused, started or stopped; `path` is the image's path on its volume,
    with / between its parts; `line` is the loader's message; `time` is the firmware's time."""

    what: str
    path: str
    line: str
    time: str


_STARTS_SIZE_MAX = 1024


def parse_starts(data):
    """Skips malformed lines: any program may have written them."""
    found = []
    for line in (data or b"")[:_STARTS_SIZE_MAX].decode("utf-8", "replace").split("\n"):
        fields = line.split("\t")
        if len(fields) == 4 and fields[0] in ("refused", "started", "stopped"):
            what, path, said, time = fields
            found.append(Start(what, path.replace("\\", "/"), said.removeprefix("warning: "), time))
    return found


def starts(variables):
    """The starts that the loader has noted, the oldest first."""
    variable = variables.read(STARTS, KEXEC) if variables else None
    return parse_starts(variable.data) if variable and variable.attributes == STORED else []


def fallback(lines):
    """The loader's message that it boots a fallback; None if it has booted the first entry."""
    mark = "kexec: warning: "
    return next((line.removeprefix(mark) for line in reversed(lines) if line.startswith(mark + "booting ")), None)


def _region(name):
    """Reads the name of a region as the loader does: up to the first character that names cannot have."""
    text = name.split(b"\0")[0].decode("ascii", "replace")
    end = next((i for i, c in enumerate(text) if not (c.islower() or c.isdigit() or c == "_")), len(text))
    return text[:end]


def note_text(data):
    """A note as a line of text; None if the bytes are no note."""
    if not data or len(data) < _NOTE_SIZE_MIN:
        return None
    kind, _, name = _NOTE_HEAD.unpack_from(data)
    region = _region(name)
    if kind == _MISMATCH:
        expected, found = _DIGESTS.unpack_from(data, _NOTE_HEAD.size)
        return f"the purgatory stopped a start: digest mismatch in {region}: expected {expected.hex()}, found {found.hex()}"
    if kind in (_EXCEPTION_KIND, _NMI):
        vector, rip, code, address, _ = _EXCEPTION.unpack_from(data, _NOTE_HEAD.size)
        what = "an exception stopped a start" if kind == _EXCEPTION_KIND else "a start went on after an exception"
        where = f", while verifying {region}" if region else ""
        return f"{what}: vector {vector} at {rip:#x}, address {address:#x}, error code {code:#x}{where}"
    if kind == _EXIT_KIND:
        attempts, status, _, _ = _EXIT.unpack_from(data, _NOTE_HEAD.size)
        return f"the firmware stopped a start: ExitBootServices: refused {attempts} times, status {status:#x}"
    return None


def note(variables):
    return note_text(variables.data(NOTE, KEXEC)) if variables else None
