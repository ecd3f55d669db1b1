# SPDX-License-Identifier: BSD-2-Clause
"""How a test ends that is not good: each is one line, and an exit status."""

PASSED, FAILED, UNUSABLE, TIMED_OUT = range(4)

# What the statuses are called, in tables and files.
VERDICTS = {PASSED: "pass", FAILED: "fail", UNUSABLE: "error", TIMED_OUT: "timeout"}


class Ended(Exception):
    status = FAILED


class GuestFailed(Ended):
    """The guest did what it must not do, or ended without what it had to do."""


class WrongCall(Ended):
    """What was asked for makes no sense, or there is no machine to try it on."""

    status = UNUSABLE


class TimeRanOut(Ended):
    status = TIMED_OUT


def reason_of(error: OSError, doing: str = "cannot use") -> str:
    """An operating system's error in one line, with the file that it is about."""
    where = f"{doing} {error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"
