# SPDX-License-Identifier: BSD-2-Clause
"""The ends of a test that did not pass: each has one line of text, and an exit status."""

PASSED, FAILED, UNUSABLE, TIMED_OUT = range(4)

# The names of the statuses, in tables and files.
VERDICTS = {PASSED: "pass", FAILED: "fail", UNUSABLE: "error", TIMED_OUT: "timeout"}


class Ended(Exception):
    status = FAILED


class GuestFailed(Ended):
    """The guest did something forbidden, or ended before everything expected had come."""


class WrongCall(Ended):
    """The call makes no sense, or QEMU does not start."""

    status = UNUSABLE


class TimeRanOut(Ended):
    status = TIMED_OUT


def reason_of(error: OSError, doing: str = "cannot use") -> str:
    """An OSError in one line, with the file that it is about."""
    where = f"{doing} {error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"
