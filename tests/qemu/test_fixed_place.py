# SPDX-License-Identifier: BSD-2-Clause
"""Payloads that run only at one address, which the firmware occupies: the purgatory moves them as its last act, and
verifies them there."""

import random
import struct
import subprocess

import pytest

from conftest import HERE, entry, files, kernel, wait_for_report
from kexec_efi_test import esp
from kexec_efi_test.machine import BUILD, Machine
from test_boot import KASLR_OFF_TEXT, segments
from test_tampering import purgatory_entry

# OVMF has memory of its own there, which becomes free at ExitBootServices; and ACPI NVS memory.
OCCUPIED = 0x1000000
KEPT = 0x800000
FREE = 0x6000000
INIT_SIZE = 0x400000

MEMTESTS = sorted((BUILD / "deps/memtest86+").glob("*"))


def checksum(words):
    total = 0
    for word in words:
        total = ((total << 1 | total >> 63) + word) % 2**64
    return total


def payload(folder, address):
    """A bzImage that is not relocatable. Its setup sectors do not fill a block of the digest, and it ends within a
    page."""
    binary = folder / "payload.bin"
    subprocess.run(["nasm", "-f", "bin", f"-DADDRESS={address:#x}", f"-DINIT_SIZE={INIT_SIZE:#x}", "-o", binary,
                    HERE / "fixed_payload.asm"], check=True)
    words = struct.unpack("<40001Q", random.Random(address).randbytes(8 * 40001))
    content = binary.read_bytes() + struct.pack(f"<{2 + len(words)}Q", checksum(words), len(words), *words)
    content += bytes(-len(content) % 16)
    setup = bytearray(3 * 512)
    for layout, offset, value in (("B", 0x1f1, 2), ("I", 0x1f4, len(content) // 16), ("H", 0x1fe, 0xaa55), ("B", 0x201, 0x66),
                                  ("4s", 0x202, b"HdrS"), ("H", 0x206, 0x20f), ("B", 0x211, 1), ("I", 0x22c, 0x7fffffff),
                                  ("I", 0x230, 0x1000), ("B", 0x234, 0), ("H", 0x236, 3), ("I", 0x238, 255),
                                  ("Q", 0x258, address), ("I", 0x260, INIT_SIZE)):
        struct.pack_into("<" + layout, setup, offset, value)
    return bytes(setup) + content


def contents(linux, options="console=ttyS0"):
    return files({"/vmlinuz": linux, "/initrd": None}, conf=entry(initrds=(), options=options))


def expect_intact(guest, start=0):
    guest.expect(r"^payload: its place is memory$", start=start)
    assert "payload: intact" in guest.log[start:]


def test_payload_in_the_firmwares_place(boot, tmp_path):
    guest = boot(contents(payload(tmp_path, OCCUPIED)), memory=256)
    expect_intact(guest)
    assert f"kexec: kernel moves to {OCCUPIED:#018x}" in guest.log
    assert segments(guest.log)["kernel"][0] != OCCUPIED


def test_payload_in_free_memory_is_not_moved(boot, tmp_path):
    """The twin: the payload is read straight to its address."""
    guest = boot(contents(payload(tmp_path, FREE)), memory=256)
    expect_intact(guest)
    assert "moves to" not in guest.log
    assert segments(guest.log)["kernel"][0] == FREE


def test_payload_in_memory_that_the_firmware_keeps(boot, tmp_path):
    guest = boot(contents(payload(tmp_path, KEPT)), memory=256)
    guest.expect(r"^kexec: /vmlinuz: not relocatable: expected memory that is free after the firmware's exit from 0x800000 to "
                 r"0xc00000, found ACPI NVS memory from 0x\w+ to 0x\w+; a relocatable kernel goes elsewhere$")
    guest.expect("BdsDxe: failed to start Boot")


def test_kernel_that_is_not_relocatable(boot):
    """Debian's kernel is relocatable; the test makes its header claim the opposite."""
    linux = bytearray(kernel().read_bytes())
    assert linux[0x234] == 1 and linux[0x258:0x260] == struct.pack("<Q", OCCUPIED)
    linux[0x234] = 0
    guest = boot(files({"/vmlinuz": bytes(linux)}, conf=entry(options="console=ttyS0 kexec.test nokaslr")))
    report = wait_for_report(guest)
    assert f"kexec: kernel moves to {OCCUPIED:#018x}" in guest.log
    assert report["payload"] == "payload: OK"
    assert int(report["text-address"], 16) == KASLR_OFF_TEXT
    assert int(report["efi-runtime-map"]) > 0


@pytest.mark.parametrize("path", [pytest.param(path, marks=[pytest.mark.matrix] if path.suffix == ".bin" else [])
                                  for path in MEMTESTS] or [None], ids=lambda path: path and path.name)
def test_memtest(boot, path):
    """Debian 12 has two, a .bin and an .efi file. Neither is relocatable, and both run at 1 MiB."""
    assert path, "expected memtest86+ below build/deps: run make deps"
    guest = boot(contents(path, options="console=ttyS0,115200"), memory=256)
    guest.expect(r"kernel moves to 0x0000000000100000")
    guest.expect(r"Memtest86\+ v\d.*\n?(.*\n)*.*Pass")


# --- the copy is verified ---


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fixed")
    return esp.make(folder / "esp.img", contents(payload(folder, OCCUPIED)))


def function(name):
    """The offset of a function in the purgatory, whose code lies first."""
    symbols = subprocess.run(["readelf", "-sW", BUILD / "purgatory/purgatory.ro"], check=True, capture_output=True, text=True)
    return next(int(line.split()[1], 16) for line in symbols.stdout.splitlines() if line.endswith(" " + name))


@pytest.fixture(scope="module")
def moved(disk):
    """A machine that was stopped and saved between the move and its verification."""
    with Machine(disk, memory=256) as guest:
        guest.expect(r"^kexec: purgatory entry .*\n")
        start = purgatory_entry(guest.log)
        expect_intact(guest)
    with Machine(disk, memory=256, gdb=True, snapshot=True) as guest:
        debugger = guest.connect_gdb()
        debugger.run_to(start)
        guest.expect(r"^kexec: fsverity purgatory .*\n")
        assert purgatory_entry(guest.log) == start
        purgatory = segments(guest.log)["purgatory"][0]
        debugger.run_to(purgatory + function("move_kernel"))
        debugger.run_to(purgatory + function("region_digest_now"))
        guest.save_state()
        yield guest, debugger


@pytest.mark.parametrize("place", ["first", "last", "where it was"])
def test_bit_flipped_after_the_copy(moved, place):
    guest, debugger = moved
    mem, bufsz, _ = segments(guest.log)["kernel"]
    before = len(guest.log)
    debugger.flip({"first": OCCUPIED, "last": OCCUPIED + bufsz - 1, "where it was": mem + 1000}[place], bit=3)
    debugger.run()
    if place == "where it was":
        expect_intact(guest, before)
    else:
        guest.expect(rf"^purgatory: digest mismatch in kernel_copy \(0x\w+ bytes at {OCCUPIED:#x}\)$", start=before)
        guest.expect(r"^purgatory: the kernel was not started; halted$", start=before)
        guest.wait_until_halted()
        assert "payload:" not in guest.log[before:]
    guest.pause()
    debugger.wait_until_stopped()
    guest.load_state()
