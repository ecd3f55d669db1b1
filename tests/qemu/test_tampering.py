# SPDX-License-Identifier: BSD-2-Clause
"""Memory that changes between the hand-over and the purgatory: one bit is enough, and the region is named."""

import hashlib
import re

import pytest

import esp
from conftest import files
from machine import Machine
from test_boot import segments

REGIONS = ["kernel", "initrd", "cmdline", "boot_params", "memory_map", "page_tables", "e820_ext"]


def purgatory_entry(log):
    return int(re.search(r"^kexec: purgatory entry (0x\w{16})$", log, re.MULTILINE)[1], 16)


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    return esp.make(tmp_path_factory.mktemp("tampering") / "esp.img", files())


@pytest.fixture(scope="module")
def layout(disk):
    """Where everything is. The same firmware, memory and disk give the same addresses in each boot."""
    with Machine(disk) as guest:
        guest.expect(r"^kexec: purgatory digest .*\n")
        return segments(guest.log), purgatory_entry(guest.log)


@pytest.fixture
def stopped(disk, layout):
    """A machine at the purgatory's first instruction, and the connection to its debugger."""
    with Machine(disk, gdb=True) as guest:
        debugger = guest.connect_gdb()
        debugger.run_to(layout[1])
        guest.expect(r"^kexec: purgatory digest .*\n")
        assert (segments(guest.log), purgatory_entry(guest.log)) == layout
        yield guest, debugger


def expect_refusal(guest, region):
    guest.expect(rf"^purgatory: digest mismatch in {region}\b")
    guest.expect(r"^purgatory: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}$")
    guest.expect(r"^purgatory: the kernel was not started; halted$")
    guest.wait_until_halted()
    assert "Linux version" not in guest.log
    assert guest.process.poll() is None


@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize("region", REGIONS)
def test_bit_flipped_in(stopped, layout, region, place):
    guest, debugger = stopped
    mem, bufsz, _ = layout[0][region]
    debugger.flip(mem if place == "first" else mem + bufsz - 1, bit=3)
    debugger.resume()
    expect_refusal(guest, region)


def test_bit_flipped_in_the_zeros_behind_the_kernel(stopped, layout):
    guest, debugger = stopped
    mem, bufsz, memsz = layout[0]["kernel"]
    assert memsz > bufsz
    debugger.flip(mem + memsz - 1)
    debugger.resume()
    expect_refusal(guest, "kernel")


@pytest.mark.parametrize("byte", [0, 31])
def test_digest_that_differs_in_one_byte(stopped, layout, byte):
    guest, debugger = stopped
    place = int(re.search(r"^kexec: purgatory digest (0x\w{16})$", guest.log, re.MULTILINE)[1], 16)
    # What lies there is the digest, calculated apart from loader and purgatory.
    end = int(re.search(r"^kexec: purgatory digested up to (0x\w{16})$", guest.log, re.MULTILINE)[1], 16)
    digest = hashlib.sha256()
    for name in ("kernel", "initrd", "cmdline", "page_tables", "purgatory", "boot_params", "memory_map", "e820_ext"):
        mem, _, memsz = layout[0][name]
        digest.update(debugger.read(mem, end - mem if name == "purgatory" else memsz))
    assert debugger.read(place, 32) == digest.digest()
    debugger.flip(place + byte)
    debugger.resume()
    expect_refusal(guest, "purgatory")


def test_kernel_entry_that_the_purgatory_was_told(stopped, layout):
    """The purgatory's own tables: it would enter the kernel elsewhere."""
    guest, debugger = stopped
    mem, bufsz, _ = layout[0]["purgatory"]
    content = debugger.read(mem, bufsz)
    entry = (layout[0]["kernel"][0] + 0x200).to_bytes(8, "little") + layout[0]["boot_params"][0].to_bytes(8, "little")
    assert content.count(entry) == 1
    debugger.flip(mem + content.index(entry), bit=4)
    debugger.resume()
    expect_refusal(guest, "purgatory")


def test_nothing_changed(stopped):
    """The twin: the same machine, stopped at the same place, boots if it is left alone."""
    guest, debugger = stopped
    debugger.resume()
    guest.expect(r"^report: done$")
    assert "digest mismatch" not in guest.log
