# SPDX-License-Identifier: BSD-2-Clause
"""The implementations of SHA-256 in their real environments: under the firmware, and in the purgatory after
ExitBootServices."""

import re

import pytest

from conftest import files, wait_for_report
from kexec_efi_test import esp
from kexec_efi_test.machine import BUILD, Machine
from test_boot import segments
from test_tampering import purgatory_entry

CR0_EM, CR0_TS = 1 << 2, 1 << 3
CR4_PAE, CR4_MCE, CR4_OSXSAVE = 1 << 5, 1 << 6, 1 << 18


# A good boot shows that loader and purgatory compute the same digests. test_tampering.py checks that they are correct.
@pytest.mark.parametrize("cpu", ["max", pytest.param("max,sha-ni=off", marks=pytest.mark.matrix), "qemu64"])
def test_best_code_of_the_cpu(boot, cpu):
    guest = boot(cpu=cpu)
    report = wait_for_report(guest)
    flags = report["cpu-flags"].split()
    names = {"sha_ni": "the SHA extensions", "avx2": "AVX2", "ssse3": "SSSE3"}
    expected = next((name for flag, name in names.items() if flag in flags), "C")
    assert ("ssse3" in flags) == (cpu != "qemu64")
    assert f"\nkexec: sha256 by {expected}\n" in guest.log
    assert "digest mismatch" not in guest.log


# For each code, the line that tests/qemu/leaves.c prints if the digests are correct.
def leaves_report(boot, cpu):
    guest = boot({"/EFI/BOOT/BOOTX64.EFI": BUILD / "leaves.efi"}, cpu=cpu)
    guest.expect(r"^kexec: leaves: done$")
    found = {}
    for line in re.findall(r"^kexec: leaves: (by .*)$", guest.log, re.MULTILINE):
        parts = re.fullmatch(r"by (\S+) with (.*): CR4 (\w+) \3, XCR0 (\w+) \4, IF (\w+) \5, unseen", line)
        assert parts, line
        found[parts[1], parts[2]] = tuple(int(value, 16) for value in parts.groups()[2:])
    assert "differs" not in guest.log
    return guest.log, found


def test_avx_is_on_only_while_leaves_are_hashed(boot):
    log, found = leaves_report(boot, "max")
    assert "leaves: with AVX off the best is " + ("NI" if ("NI", "AVX on") in found else "AVX2") in log
    ways = ["AVX off", "AVX and interrupts off", "XSAVE on", "AVX on"]
    off, masked, xsave, on = (found["AVX2", how] for how in ways)
    assert [bool(cr4 & CR4_OSXSAVE) for cr4, _, _ in (off, masked, xsave, on)] == [False, False, True, True]
    assert [xcr0 for _, xcr0, _ in (off, masked, xsave, on)] == [0, 0, 1, 7]
    assert [bool(interrupts) for _, _, interrupts in (off, masked, xsave, on)] == [True, False, True, True]


def test_avx_that_cannot_be_turned_on_is_not_used(boot):
    log, found = leaves_report(boot, "max,sha-ni=off,xsave=off")
    assert "leaves: with AVX off the best is SSSE3" in log
    assert {code for code, _ in found} == {"SSSE3"}


def vector_registers(debugger):
    return [debugger.register(f"xmm{number}") for number in range(16)]


def test_kernel_finds_vector_registers_off_and_empty(tmp_path):
    disk = esp.make(tmp_path / "esp.img", files())
    with Machine(disk) as guest:
        guest.expect(r"^kexec: purgatory digest .*\n")
        table, purgatory = segments(guest.log), purgatory_entry(guest.log)
    with Machine(disk, gdb=True) as guest:
        debugger = guest.connect_gdb()
        debugger.run_to(purgatory)
        guest.expect(r"^kexec: purgatory digest .*\n")
        assert (segments(guest.log), purgatory_entry(guest.log)) == (table, purgatory)
        # The loader's hash has left these values.
        assert vector_registers(debugger) != [0] * 16
        entry = table["kernel"][0] + 0x200
        debugger.run_to(entry)
        assert debugger.register("rip") == entry
        assert debugger.register("cr0") & (CR0_EM | CR0_TS) == 0
        assert debugger.register("cr4") & ~CR4_MCE == CR4_PAE
        assert vector_registers(debugger) == [0] * 16
