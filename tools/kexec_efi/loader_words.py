# SPDX-License-Identifier: BSD-2-Clause
"""What the loader and its purgatory left to be read: the loader's log of this boot, and the note of a start that stopped
behind the firmware's back, which the next start of the loader reports and deletes."""

import struct

from .variables import KEXEC

# efi/linux/loader_interface.h, common/stop_note.h, purgatory_abi.h, exception.h.
LOG, NOTE = "KexecLog", "KexecMismatch"
_NOTE_HEAD = struct.Struct("<II16s")
_DIGESTS, _EXCEPTION, _EXIT = struct.Struct("<32s32s"), struct.Struct("<QQQQQ"), struct.Struct("<QQQQ")
_MISMATCH, _EXCEPTION_KIND, _NMI, _EXIT_KIND = 1, 2, 3, 4
_NOTE_SIZE_MIN = _NOTE_HEAD.size + 64

# Marks of a line that somebody should see, after "kexec: ".
_MARKS = ("warning: ", "error: ")


def log(variables):
    """The lines of the loader's log of this boot; empty without one."""
    data = variables.data(LOG, KEXEC) if variables else None
    return (data or b"").decode("utf-16-le", "replace").rstrip("\0").splitlines()


def warnings(lines):
    return [line for line in lines if any(mark in line for mark in _MARKS)]


def _region(name):
    """As the loader reads it: as far as it is a name."""
    text = name.split(b"\0")[0].decode("ascii", "replace")
    end = next((i for i, c in enumerate(text) if not (c.islower() or c.isdigit() or c == "_")), len(text))
    return text[:end]


def note_text(data):
    """What a note says, in a line; None if it is none."""
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
