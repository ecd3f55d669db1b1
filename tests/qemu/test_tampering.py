# SPDX-License-Identifier: BSD-2-Clause
"""Memory that changes after the hand-over, before the purgatory runs: one bit stops the boot, and the message names the
region."""

import hashlib
import re
import struct
import tempfile

import pytest

from conftest import INITRD, entry, files, fsverity, kernel
from kexec_efi_test import esp
from kexec_efi_test.machine import Machine
from test_boot import regions, segments

SEGMENTS = ["kernel", "initrd", "cmdline", "page_tables", "boot_params", "memory_map", "e820_ext"]
# In the order of the purgatory's list. The zeros behind the files of kernel and initrd are regions as well.
REGIONS = ["kernel", "kernel", "initrd", "initrd", "cmdline", "page_tables", "purgatory", "boot_params", "memory_map",
           "e820_ext"]
REGIONS_MAX = 32


def purgatory_entry(log):
    return int(re.search(r"^kexec: purgatory entry (0x\w{16})$", log, re.MULTILINE)[1], 16)


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """A disk whose system starts a shell, and does not power off."""
    return esp.make(tmp_path_factory.mktemp("tampering") / "esp.img", files(conf=entry(options="console=ttyS0")))


@pytest.fixture(scope="module")
def layout(disk):
    """All addresses. The same firmware, memory and disk give the same addresses in each boot."""
    with Machine(disk) as guest:
        guest.expect(r"^kexec: fsverity purgatory .*\n")
        return segments(guest.log), regions(guest.log), purgatory_entry(guest.log)


@pytest.fixture(scope="module")
def saved(disk, layout):
    """A machine saved at the purgatory's first instruction, and the connection to its debugger."""
    with Machine(disk, gdb=True, snapshot=True) as guest:
        debugger = guest.connect_gdb()
        debugger.run_to(layout[-1])
        guest.expect(r"^kexec: fsverity purgatory .*\n")
        found = segments(guest.log), regions(guest.log), purgatory_entry(guest.log)
        # The regions contain the random seed, for example, so their digests differ between boots.
        assert (found[0], found[2]) == (layout[0], layout[2])
        guest.save_state()
        yield guest, debugger


class Stopped:
    """The machine, stopped at the purgatory's first instruction."""

    def __init__(self, guest, debugger, layout):
        self.guest = guest
        self.debugger = debugger
        self.segments = layout[0]
        self.regions = regions(guest.log)
        self._before = len(guest.log)

    def region(self, name):
        """Start and size of the first region of this name."""
        return next((start, size) for region, start, size, _ in self.regions if region == name)

    def address(self, name):
        """The address of the digest, or of the end of the range that the purgatory hashes of itself."""
        return int(re.search(rf"^kexec: purgatory {name} (0x\w{{16}})$", self.guest.log, re.MULTILINE)[1], 16)

    def find_table(self, *numbers):
        """The only place of these 64-bit numbers in the purgatory."""
        mem, bufsz, _ = self.segments["purgatory"]
        content, wanted = self.debugger.read(mem, bufsz), struct.pack(f"<{len(numbers)}Q", *numbers)
        assert content.count(wanted) == 1
        return mem + content.index(wanted)

    def recorded_digests(self):
        """The address of the regions' digests, which lie beside the digest of their list."""
        start = self.address("digested up to")
        assert self.address("digest") - start in (0, 32 * REGIONS_MAX)
        return start + (64 if self.address("digest") == start else 0)

    def flip(self, address, bit=0):
        self.debugger.flip(address, bit)
        self.debugger.run()

    def expect(self, pattern):
        self.guest.expect(pattern, start=self._before)

    def expect_refusal(self, region):
        self.expect(rf"^purgatory: digest mismatch in {region}\b")
        self.expect(r"^purgatory: expected (sha256|fsverity) [0-9a-f]{64}, found [0-9a-f]{64}$")
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


@pytest.mark.parametrize("region", ["kernel", "initrd"])
@pytest.mark.parametrize("place", ["first of the file", "last of the file", "first behind it", "last of the segment"])
def test_bit_flipped_at_an_end_of(stopped, region, place):
    start, size = stopped.region(region)
    mem, _, memsz = stopped.segments[region]
    assert size % 4096, "there are zeros behind the file"
    stopped.flip({"first of the file": start, "last of the file": start + size - 1, "first behind it": start + size,
                  "last of the segment": mem + memsz - 1}[place])
    stopped.expect_refusal(region)


def fsverity_of(content):
    """The fs-verity digest by Debian's program, computed without loader and purgatory."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return bytes.fromhex(fsverity(file.name))


def test_digests_are_those_of_what_lies_there(stopped):
    """The digests of files are those that `fsverity digest` prints."""
    read = stopped.guest.memory
    found = [fsverity_of(read(start, size)) for _, start, size, _ in stopped.regions]
    assert found == [digest for *_, digest in stopped.regions]
    assert found[REGIONS.index("kernel")].hex() == fsverity(kernel())
    assert found[REGIONS.index("initrd")].hex() == fsverity(INITRD)
    # The regions behind the purgatory's were hashed after ExitBootServices.
    late = [stopped.segments[name] for name in REGIONS[len(found):]]
    found += [fsverity_of(read(mem, memsz)) for mem, _, memsz in late]
    assert len(found) == len(REGIONS)
    digests = stopped.debugger.read(stopped.recorded_digests(), 32 * len(REGIONS))
    assert digests == b"".join(found)
    assert stopped.debugger.read(stopped.address("digest"), 32) == hashlib.sha256(digests).digest()


@pytest.mark.parametrize("byte", range(32))
def test_digest_that_differs_in_one_byte(stopped, byte):
    stopped.flip(stopped.address("digest") + byte, bit=byte % 8)
    stopped.expect_refusal("purgatory")


@pytest.mark.parametrize("number", range(REGIONS_MAX))
def test_recorded_digest_that_differs(stopped, number):
    """The recorded digest only tells which region has changed. The purgatory cannot know which of the two was changed,
    and refuses."""
    stopped.flip(stopped.recorded_digests() + 32 * number + number)
    stopped.expect_refusal("purgatory")


@pytest.mark.parametrize("field", ["start", "length"])
@pytest.mark.parametrize("number", range(REGIONS_MAX))
def test_region_told_otherwise(stopped, number, field):
    """The purgatory would hash another range. It hashes the table of regions as well, so it finds the change in the
    end."""
    table = stopped.find_table(*stopped.region("kernel"))
    stopped.flip(table + 16 * number + (8 if field == "length" else 0))
    name = REGIONS[min(number, REGIONS.index("purgatory"))]
    # A range of zeros that starts one byte later may still contain only zeros.
    stopped.expect_refusal(f"({name}|purgatory)" if number in (1, 3) else name)


def test_regions_in_another_order(stopped):
    table = stopped.find_table(*stopped.region("kernel"))
    first, second = stopped.debugger.read(table, 16), stopped.debugger.read(table + 32, 16)
    stopped.debugger.write(table, second)
    stopped.debugger.write(table + 32, first)
    stopped.debugger.run()
    stopped.expect_refusal("kernel")


def test_region_moved_with_its_content(stopped):
    """The hashed bytes are unchanged, but the bytes that would run are others."""
    start, size = stopped.region("cmdline")
    table = stopped.find_table(start, size)
    stopped.debugger.write(0x10000, stopped.debugger.read(start, size))
    stopped.debugger.write(table, struct.pack("<Q", 0x10000))
    stopped.debugger.run()
    stopped.expect_refusal("purgatory")


def test_kernel_entry_that_the_purgatory_was_told(stopped):
    """The purgatory's own table is changed, so it would enter the kernel at another address."""
    entry_point = stopped.segments["kernel"][0] + 0x200
    stopped.flip(stopped.find_table(entry_point, stopped.segments["boot_params"][0]), bit=4)
    stopped.expect_refusal("purgatory")


def test_nothing_changed(stopped):
    """The twin: the same machine, stopped at the same place and continued unchanged, boots."""
    stopped.debugger.run()
    stopped.expect(r"This is a busybox shell in the initrd")
    assert "digest mismatch" not in stopped.guest.log[stopped._before:]
