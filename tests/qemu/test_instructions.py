#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The number of instructions from the loader's start to the kernel's first one. Unlike times, these counts repeat.

The counts are compared with tests/bench/instructions.json; run this file as a program to record them there. A higher
count fails. So does a much lower one: an unrecorded improvement could be lost unnoticed.
"""

import hashlib
import json
import pathlib
import re
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "bench")]

import measure   # noqa: E402
import patterns  # noqa: E402
from kexec_efi_test import machine, uki  # noqa: E402

RECORD = HERE.parent / "bench/instructions.json"
MARGIN = 0.05

# Two sizes, to separate the cost of each boot from the cost of each MiB.
INITRD_SIZES = [1, 32]

# A stand-in kernel. Debian's changes its size and its first code with each update. Ours only needs a place in memory.
KERNEL_SIZE = 8 * measure.MIB

# QEMU derives the time from the guest's instructions, so a busy host does not change the number of the firmware's timer
# ticks.
BY_INSTRUCTIONS = ["-icount", "shift=2,sleep=off"]


def circumstances():
    """What the counts depend on, except for the loader."""
    version = re.search(r"version (\d+\.\d+)", measure.plugin()[1])[1]
    return {"QEMU": version, "accelerator": machine.accelerator(),
            "firmware": hashlib.sha256(machine.OVMF.code.read_bytes()).hexdigest()}


def split(kernel, initrd):
    return {"/vmlinuz": kernel, "/initrd": initrd}, "linux=/vmlinuz initrd=/initrd"


def unified(kernel, initrd):
    return {"/x.efi": uki.make([(".linux", kernel), (".initrd", initrd)])}, "linux=/x.efi"


def count(size, form=split):
    """The loader's counts with an initrd of `size` MiB: without its hashing, and of the hashing."""
    def loader(folder, _):
        files, options = form(measure.stand_in_kernel(KERNEL_SIZE), bytes(size * measure.MIB))
        return {"/peer.efi": machine.BUILD / "kexecx64.efi", **files}, options

    trace = measure.boot(loader, None, [*patterns.marks(), *patterns.hashes()], "kernel", BY_INSTRUCTIONS)
    found = trace.measures(last="kernel")
    return {name: found[name] for name in ("instructions", "hash instructions")}


def recorded_here():
    recorded = json.loads(RECORD.read_text())
    for name, value in circumstances().items():
        if recorded[name] != value:
            pytest.skip(f"recorded with {name} {recorded[name]}, found {value}")
    return recorded


@pytest.mark.parametrize("size", [1, pytest.param(32, marks=pytest.mark.matrix)])
def test_instructions(size):
    recorded = recorded_here()
    for name, value in count(size).items():
        expected = recorded[f"{size} MiB"][name]
        assert value <= expected * (1 + MARGIN), f"{name}: recorded {expected}, found {value}"
        assert value >= expected * (1 - MARGIN), f"{name}: recorded {expected}, found {value}: fewer, record them"


@pytest.mark.parametrize("size", [1, pytest.param(32, marks=pytest.mark.matrix)])
def test_unified_image_costs_as_much_as_its_parts(size):
    expected = sum(recorded_here()[f"{size} MiB"].values())
    found = sum(count(size, unified).values())
    assert found <= expected * (1 + MARGIN), f"recorded {expected} for the same files split, found {found}"


if __name__ == "__main__":
    RECORD.write_text(json.dumps({**circumstances(), **{f"{size} MiB": count(size) for size in INITRD_SIZES}},
                                 indent=1) + "\n")
