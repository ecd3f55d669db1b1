# SPDX-License-Identifier: BSD-2-Clause
"""ESPs with the image that makes the firmware fail (tests/firmware), and its reports about each start of the loader."""

import collections
import re

import lines
from conftest import IMAGE, entry, files
from kexec_efi_test.machine import BUILD

DIFFICULT = BUILD / "difficult.efi"


def difficult(*runs, changes=None, conf=None):
    """The files of an ESP on which difficult.efi starts the loader, \\app.efi, once for each of `runs`."""
    conf = entry() if conf is None else conf
    return files({"/EFI/BOOT/BOOTX64.EFI": DIFFICULT, "/EFI/BOOT/BOOTX64.conf": None, "/app.efi": IMAGE,
                  "/app.conf": conf, "/difficult.conf": "".join(f"run {run}\n" for run in runs).encode(),
                  **(changes or {})})


class Attempt:
    """One start of the loader, as difficult.efi and the loader reported it."""

    def __init__(self, text):
        self.text = text
        self.name, number = re.match(r"(.*) (\d+)\n", text).groups()
        self.number = int(number)
        end = re.search(r"^difficult: (returned|would boot) (\w+): fired (\d) left (.*)$", text, re.MULTILINE)
        self.status = end[2] if end and end[1] == "returned" else None
        self.fired = bool(re.search(r"^difficult: .*: fired 1", text, re.MULTILINE))
        self.left = {kind: int(count) for kind, count in re.findall(r"(\w+) (\d+)", end[4])} if end else {}
        self.free = int((re.findall(r"^difficult: free (\d+) KiB$", text, re.MULTILINE) or [0])[0])
        self.faults = re.findall(r"^difficult: with (\S+)", text, re.MULTILINE)
        self.exits = re.search(r"^difficult: reached the exit: fired \d reads (\d+) bytes (\d+) watchdog (\d+)$",
                               text, re.MULTILINE)
        self.errors = lines.errors(text)
        self.warnings = lines.warnings(text)

    def counts(self):
        """The counts for the score. An attempt that neither returned nor called ExitBootServices counts as hung. Leaks
        count only if it was refused."""
        outcome = "survived" if self.exits else "refused" if self.status else "hung"
        if re.search(r"^kexec: .*; resetting$", self.text, re.MULTILINE):
            outcome = "refused"
        return {"injected": 1, outcome: 1, "exceptions": self.text.count("X64 Exception"),
                "leaks": sum(self.left.values()) if outcome == "refused" else 0}

    def __str__(self):
        return f"{self.name} {self.number}: {self.text}"


def attempts(log):
    assert "X64 Exception" not in log
    assert "gave back what it did not hold" not in log
    return [Attempt(text) for text in log.split("difficult: begin ")[1:]]


def assert_refused(attempt):
    assert attempt.exits is None, attempt
    assert attempt.status not in (None, "SUCCESS"), attempt
    assert len(attempt.errors) == 1, attempt
    assert attempt.left == {"pages": 0, "pools": 0, "files": 0, "images": 0}, attempt


def assert_survived_or_refused(log):
    """Checks each attempt, and returns them all. In the log's machine Linux must have booted in the end."""
    found = attempts(log)
    for attempt in found:
        if attempt.exits:
            assert not attempt.errors, attempt
        else:
            assert_refused(attempt)
    # A sweep ends with the first run that does not reach its fault. That run must boot.
    last = {attempt.name: attempt for attempt in found}
    assert all(attempt.exits for attempt in last.values())
    return found


def count_faults(log):
    """fault -> a Counter of injections and outcomes."""
    counts = collections.defaultdict(collections.Counter)
    for attempt in map(Attempt, log.split("difficult: begin ")[1:]):
        # The last run of a sweep does not reach its fault.
        if attempt.faults and (attempt.fired or not attempt.number):
            counts[" + ".join(attempt.faults)].update(attempt.counts())
    return counts
