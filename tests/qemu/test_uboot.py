# SPDX-License-Identifier: BSD-2-Clause
"""U-Boot's UEFI on x86-64 offers less than edk2: vector registers may be off (in 2023.01), its IDT has no gates for
64-bit mode, and ExitBootServices replaces services in the runtime services table."""

import hashlib
import re

import pytest

import lines
from conftest import INITRD, entry, files, kernel, wait_for_report
from kexec_efi_test import esp
from kexec_efi_test.machine import FIRMWARE, Machine
from test_boot import segments
from test_tampering import purgatory_entry

UBOOT = {"firmware": FIRMWARE["u-boot"], "board": "pc"}

pytestmark = pytest.mark.skipif(not UBOOT["firmware"].present, reason="no U-Boot: make deps installs u-boot-qemu")

# Options that Linux needs on this U-Boot with any loader. SetVirtualAddressMap reads U-Boot's data, in memory that its
# map reports as free. And the MTRRs make all RAM uncachable, which makes Linux on such a CPU drop it.
OPTIONS = "console=ttyS0 kexec.test efi=noruntime disable_mtrr_trim"

# U-Boot passes its built-in command line to each image.
LOAD_OPTIONS = "load options ignored: expected .*, found \"root=/dev/sdb3\""

CR0_MP, CR0_EM, CR0_TS = 1 << 1, 1 << 2, 1 << 3
CR4_OSFXSR = 1 << 9


def digests(initrd=INITRD):
    return [f"sha256 {hashlib.sha256(path.read_bytes()).hexdigest()} {name}"
            for name, path in (("/vmlinuz", kernel()), ("/initrd", initrd))]


def contents(*extra):
    return files(conf=entry(options=OPTIONS, extra=["verbose yes", *extra]))


def control_registers(guest):
    registers = guest.monitor("info registers")
    return [int(re.search(rf"{name}=(\w+)", registers)[1], 16) for name in ("CR0", "CR4")]


def expect_only_the_load_options(log):
    assert not lines.errors(log)
    assert len(lines.warnings(log)) == 1 and re.fullmatch(LOAD_OPTIONS, lines.warnings(log)[0])


@pytest.mark.parametrize("cpu", ["max", pytest.param("qemu64", marks=pytest.mark.matrix)])
def test_boots(boot, cpu):
    guest = boot(contents(*digests()), cpu=cpu, **UBOOT)
    report = wait_for_report(guest)
    # Debian 13's kernel prints revision 2.10 as the specification does; Debian 12's adds a digit.
    assert re.search(r"efi: EFI v2\.100? by Das U-Boot", report.dmesg)
    assert report["payload"] == "payload: OK"
    assert report["cmdline"] == OPTIONS
    table = segments(guest.log)
    verified = int(re.search(r"^purgatory: verified (\d+) bytes$", guest.log, re.MULTILINE)[1])
    assert verified > table["kernel"][2] + table["initrd"][2]
    expect_only_the_load_options(guest.log)


def test_refusal_returns_to_the_shell(boot):
    """The twin of the boot above: one digit of a digest is wrong. U-Boot goes on, with CR0 and CR4 unchanged."""
    wrong = digests()[1]
    wrong = wrong[:10] + ("0" if wrong[10] != "0" else "1") + wrong[11:]
    guest = boot(contents(wrong), cpu="max", **UBOOT)
    guest.expect(r"Hit any key to stop autoboot")
    before = control_registers(guest)
    guest.expect(r"^kexec: /initrd: sha256 mismatch: expected [0-9a-f]{64}, found [0-9a-f]{64}$")
    guest.expect(r"^=> $")
    assert control_registers(guest) == before
    guest.type("version\r")
    guest.expect(r"^=> version\n(.*\n)*U-Boot 20\d\d")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """stopped() -> a machine at the purgatory's first instruction, its debugger, and the start of its log. The entry
    has `on-mismatch reset`."""
    disk = esp.make(tmp_path_factory.mktemp("uboot") / "esp.img", contents("on-mismatch reset"))
    with Machine(disk, **UBOOT) as guest:
        guest.expect(r"^kexec: purgatory digest .*\n")
        place = segments(guest.log), purgatory_entry(guest.log)
    with Machine(disk, gdb=True, snapshot=True, **UBOOT) as guest:
        debugger = guest.connect_gdb()
        debugger.run_to(place[1])
        guest.expect(r"^kexec: purgatory digest .*\n")
        assert (segments(guest.log), purgatory_entry(guest.log)) == place
        guest.save_state()

        def start():
            if debugger.running:
                guest.pause()
                debugger.wait_until_stopped()
                guest.load_state()
            return guest, debugger, len(guest.log)
        yield start


def test_purgatory_turns_vector_registers_on_itself(stopped):
    """The purgatory works with any CR0 and CR4, and restores them."""
    guest, debugger, _ = stopped()
    cr0 = debugger.register("cr0") & ~CR0_MP | CR0_EM | CR0_TS
    cr4 = debugger.register("cr4") & ~CR4_OSFXSR
    debugger.set_register("cr0", cr0)
    debugger.set_register("cr4", cr4)
    debugger.run_to(segments(guest.log)["kernel"][0] + 0x200)
    assert (debugger.register("cr0"), debugger.register("cr4")) == (cr0, cr4)
    debugger.run()
    wait_for_report(guest)


def test_mismatch_that_this_firmware_cannot_note(stopped):
    """After ExitBootServices this firmware stores no variable, and returns an error. A reset without a note could
    repeat for ever, so the purgatory halts."""
    guest, debugger, start = stopped()
    debugger.flip(segments(guest.log)["initrd"][0] + 1000)
    debugger.run()
    guest.expect(r"^purgatory: digest mismatch in initrd\b", start=start)
    guest.expect(r"^purgatory: the firmware did not take a note of this$", start=start)
    guest.expect(r"^purgatory: the kernel was not started; halted$", start=start)
    guest.wait_until_halted()
    assert "exception" not in guest.log[start:] and "Linux version" not in guest.log[start:]
    assert ("on-mismatch reset: this firmware stores no note after ExitBootServices; the machine will halt instead"
            in lines.warnings(guest.log))
