# SPDX-License-Identifier: BSD-2-Clause
"""The codes for SHA-256 where they have to work: under firmware, and with it gone in the purgatory."""

import pytest

import esp
from conftest import files, wait_for_report
from machine import Machine
from test_boot import segments
from test_tampering import purgatory_entry

CR0_EM, CR0_TS = 1 << 2, 1 << 3
CR4_PAE, CR4_MCE = 1 << 5, 1 << 6


# That a boot ends well says that loader and purgatory agree. What the digests are is asked in test_tampering.py.
@pytest.mark.parametrize("cpu", ["max", pytest.param("max,sha-ni=off", marks=pytest.mark.matrix), "qemu64"])
def test_best_code_of_the_cpu(boot, cpu):
    guest = boot(cpu=cpu)
    report = wait_for_report(guest)
    flags = report["cpu-flags"].split()
    expected = "C" if "ssse3" not in flags else "the SHA extensions" if "sha_ni" in flags else "SSSE3"
    assert ("ssse3" in flags) == (cpu != "qemu64")
    assert f"\nkexec: sha256 by {expected}\n" in guest.log
    assert "digest mismatch" not in guest.log


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
        # What the loader's hash left.
        assert vector_registers(debugger) != [0] * 16
        entry = table["kernel"][0] + 0x200
        debugger.run_to(entry)
        assert debugger.register("rip") == entry
        assert debugger.register("cr0") & (CR0_EM | CR0_TS) == 0
        assert debugger.register("cr4") & ~CR4_MCE == CR4_PAE
        assert vector_registers(debugger) == [0] * 16
