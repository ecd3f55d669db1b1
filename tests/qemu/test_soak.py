# SPDX-License-Identifier: BSD-2-Clause
"""Many boots of one machine in a row, all equal: `make soak BOOTS=100`. No other run includes it."""

import os
import re

import pytest

from conftest import entry, files, kernel, wait_for_report
from kexec_efi_test import esp
from kexec_efi_test.machine import Machine
from test_parity import dmesg_facts

BOOTS = int(os.environ.get("BOOTS", "100"))

# Lines that may differ between boots.
DIFFERENT = {
    "text-address": "the kernel's place is random",
    "memory-kib": "and what it takes for itself with it",
    "dmesg": "compared without its times",
    "LoaderTimeInitUSec": "a time",
    "LoaderTimeExecUSec": "a time",
    "log": "compared where it is printed, without its times",
}


def said(log):
    """The lines of loader and purgatory, without times, and without the progress of a file that takes longer than a
    second."""
    lines = re.findall(r"^(?:kexec|purgatory): .*$", log, re.MULTILINE)
    return [re.sub(r"\d+\.\d+ ms$", "N ms", line) for line in lines if not re.search(r": +\d+ %, \d+ MB/s *$", line)]


def facts(log, report):
    return [*said(log), *(line for line in report.lines if line.partition(" ")[0] not in DIFFERENT), *dmesg_facts(report)]


@pytest.mark.soak
def test_boots_are_equal(tmp_path, record_property):
    disk = esp.make(tmp_path / "esp.img", files({"/vmlinuz": kernel("cloud-amd64")}, entry()))
    first = None
    equal = 0
    try:
        for _ in range(BOOTS):
            with Machine(disk) as guest:
                report = wait_for_report(guest)
                found = facts(guest.log, report)
            first = first or found
            assert found == first
            equal += 1
    finally:
        record_property("boots", BOOTS)
        record_property("equal", equal)
