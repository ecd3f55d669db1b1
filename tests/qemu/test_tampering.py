# SPDX-License-Identifier: BSD-2-Clause
"""Memory that changes between the hand-over and the purgatory: one bit is enough, and the region is named."""

import hashlib
import re
import struct

import pytest

import esp
from conftest import entry, files
from machine import Machine
from test_boot import segments

# In the order in which they are hashed.
REGIONS = ["kernel", "initrd", "cmdline", "page_tables", "purgatory", "boot_params", "memory_map", "e820_ext"]
SEGMENTS = [name for name in REGIONS if name != "purgatory"]
REGIONS_MAX = 16


def purgatory_entry(log):
    return int(re.search(r"^kexec: purgatory entry (0x\w{16})$", log, re.MULTILINE)[1], 16)


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """Its system gives a shell, and stays."""
    return esp.make(tmp_path_factory.mktemp("tampering") / "esp.img", files(conf=entry(options="console=ttyS0")))


@pytest.fixture(scope="module")
def layout(disk):
    """Where everything is. The same firmware, memory and disk give the same addresses in each boot."""
    with Machine(disk) as guest:
        guest.expect(r"^kexec: purgatory digest .*\n")
        return segments(guest.log), purgatory_entry(guest.log)


@pytest.fixture(scope="module")
def saved(disk, layout):
    """A machine whose state was saved at the purgatory's first instruction, and the connection to its debugger."""
    with Machine(disk, gdb=True, snapshot=True) as guest:
        debugger = guest.connect_gdb()
        debugger.run_to(layout[1])
        guest.expect(r"^kexec: purgatory digest .*\n")
        assert (segments(guest.log), purgatory_entry(guest.log)) == layout
        guest.save_state()
        yield guest, debugger


class Stopped:
    """The machine, stopped at the purgatory's first instruction."""

    def __init__(self, guest, debugger, layout):
        self.guest = guest
        self.debugger = debugger
        self.segments = layout[0]
        self._before = len(guest.log)

    def address(self, name):
        """Of the digest, and of the end of what the purgatory hashes of itself."""
        return int(re.search(rf"^kexec: purgatory {name} (0x\w{{16}})$", self.guest.log, re.MULTILINE)[1], 16)

    def find_table(self, *numbers):
        """Where these 64-bit numbers stand in the purgatory, once."""
        mem, bufsz, _ = self.segments["purgatory"]
        content, wanted = self.debugger.read(mem, bufsz), struct.pack(f"<{len(numbers)}Q", *numbers)
        assert content.count(wanted) == 1
        return mem + content.index(wanted)

    def flip(self, address, bit=0):
        self.debugger.flip(address, bit)
        self.debugger.run()

    def expect(self, pattern):
        self.guest.expect(pattern, start=self._before)

    def expect_refusal(self, region):
        self.expect(rf"^purgatory: digest mismatch in {region}\b")
        self.expect(r"^purgatory: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}$")
        self.expect(r"^purgatory: the kernel was not started; halted$")
        self.guest.wait_until_halted()
        assert "Linux version" not in self.guest.log[self._before:]
        assert self.guest.process.poll() is None


@pytest.fixture
def stopped(saved, layout):
    guest, debugger = saved
    yield Stopped(guest, debugger, layout)
    if debugger.running:
        guest.pause()
        debugger.wait_until_stopped()
        guest.load_state()


@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.parametrize("region", SEGMENTS)
def test_bit_flipped_in(stopped, region, place):
    mem, bufsz, _ = stopped.segments[region]
    stopped.flip(mem + {"first": 0, "middle": bufsz // 2, "last": bufsz - 1}[place], bit=3)
    stopped.expect_refusal(region)


def test_bit_flipped_in_the_zeros_behind_the_kernel(stopped):
    mem, bufsz, memsz = stopped.segments["kernel"]
    assert memsz > bufsz
    stopped.flip(mem + memsz - 1)
    stopped.expect_refusal("kernel")


def test_digest_is_that_of_what_lies_there(stopped):
    """Calculated apart from loader and purgatory, and from memory."""
    own_end = stopped.address("digested up to")
    digest = hashlib.sha256()
    for name in REGIONS:
        mem, _, memsz = stopped.segments[name]
        digest.update(stopped.guest.memory(mem, own_end - mem if name == "purgatory" else memsz))
    assert stopped.debugger.read(stopped.address("digest"), 32) == digest.digest()


@pytest.mark.parametrize("byte", range(32))
def test_digest_that_differs_in_one_byte(stopped, byte):
    stopped.flip(stopped.address("digest") + byte, bit=byte % 8)
    stopped.expect_refusal("purgatory")


@pytest.mark.parametrize("number", range(REGIONS_MAX))
def test_running_digest_that_differs(stopped, number):
    """It only says which region has changed. The purgatory does not know who changed it, and refuses."""
    start = stopped.address("digested up to")
    assert stopped.address("digest") - start in (0, 32 * REGIONS_MAX)
    running = start + (32 if stopped.address("digest") == start else 0)
    stopped.flip(running + 32 * number + number)
    stopped.expect_refusal("purgatory")


@pytest.mark.parametrize("field", ["start", "length"])
@pytest.mark.parametrize("number", range(REGIONS_MAX))
def test_region_told_otherwise(stopped, number, field):
    """The purgatory would hash something else. The table is part of what it hashes, and is found out itself at last."""
    mem, _, memsz = stopped.segments["kernel"]
    table = stopped.find_table(mem, memsz)
    stopped.flip(table + 16 * number + (8 if field == "length" else 0))
    stopped.expect_refusal(REGIONS[min(number, REGIONS.index("purgatory"))])


def test_kernel_entry_that_the_purgatory_was_told(stopped):
    """The purgatory's own tables: it would enter the kernel elsewhere."""
    entry_point = stopped.segments["kernel"][0] + 0x200
    stopped.flip(stopped.find_table(entry_point, stopped.segments["boot_params"][0]), bit=4)
    stopped.expect_refusal("purgatory")


def test_nothing_changed(stopped):
    """The twin: the same machine, stopped at the same place, boots if it is left alone."""
    stopped.debugger.run()
    stopped.expect(r"This is a busybox shell in the initrd")
    assert "digest mismatch" not in stopped.guest.log[stopped._before:]
