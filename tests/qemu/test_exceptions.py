# SPDX-License-Identifier: BSD-2-Clause
"""Exceptions between ExitBootServices and the kernel: each is reported and noted, and stops the boot. An NMI is
reported and noted, and the boot goes on."""

import re
import struct
import subprocess
import uuid

import pytest

from conftest import entry, files, wait_for_report
from kexec_efi_test import esp
from kexec_efi_test.machine import BUILD, OVMF, Machine
from kexec_efi_test.varstore import VariableStore
from test_boot import segments
from test_tampering import purgatory_entry

LOADER = BUILD / "efi/kexec.so"
PURGATORY = BUILD / "purgatory/purgatory.ro"

VENDOR = uuid.UUID("5f0a6dd6-9a3e-4c1f-8d46-2c1a1d1b6a10")

# struct stop_note, common/stop_note.h
NOTE = struct.Struct("<II16sQQQQQ24x")
KIND_EXCEPTION, KIND_NMI = 2, 3
HALT, RESET = 0, 1

# Neither the firmware's page tables nor the purgatory's map this address.
UNMAPPED = 0x7FFF_F000_0000

# The status of a machine check bank: valid, uncorrected, enabled, address valid (Intel SDM volume 3, 16.3.2.2). And the
# address in the bank.
BANK_STATUS = 0xB400_0000_0000_0134
FAILED_MEMORY = 0x1234_5000

FLASH = 0xFFC0_0000


def instructions(program, symbol):
    """(address in the program, text) for each instruction of a function."""
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", program], check=True, stdout=subprocess.PIPE,
                             text=True).stdout
    body = re.search(rf"^[0-9a-f]+ <{symbol}>:\n((?: .*\n)+(?:\n[0-9a-f]+ <{symbol}\..*>:\n(?: .*\n)+)*)", listing,
                     re.MULTILINE)[1]
    return [(int(address, 16), text) for address, text in re.findall(r"^ +([0-9a-f]+):\t(.*)$", body, re.MULTILINE)]


def place(program, symbol, wanted, after=False):
    """The address of the first instruction of a function that contains `wanted`; with `after`, of the next one."""
    found = instructions(program, symbol)
    index = next(index for index, (_, text) in enumerate(found) if wanted in text)
    return found[index + after][0]


def points(loader, purgatory, kernel):
    """Point -> address, in order from the return of ExitBootServices to the kernel. The arguments are the load
    addresses of the programs."""
    return {
        "descriptor tables loaded": loader + place(LOADER, "exit_and_take_over", "lidt", after=True),
        "machine checks on": loader + place(LOADER, "exit_and_take_over", ",%cr4", after=True),
        "back in the loader": loader + place(LOADER, "handover_jump", "cli"),
        "before the page tables": loader + place(LOADER, "handover_jump", ",%cr3"),
        "after the page tables": loader + place(LOADER, "handover_jump", ",%cr3", after=True),
        "purgatory": purgatory + place(PURGATORY, "purgatory_start", "cli"),
        "between GDT and code segment": purgatory + place(PURGATORY, "purgatory_start", "lgdt", after=True),
        "hashing": purgatory + place(PURGATORY, "sha256_update", ""),
        "verified": purgatory + place(PURGATORY, "purgatory_start", "call", after=True),
        "last instruction": purgatory + place(PURGATORY, "purgatory_start", "jmp"),
        "kernel": kernel + 0x200,
    }


POINTS = ["descriptor tables loaded", "machine checks on", "back in the loader", "before the page tables",
          "after the page tables", "purgatory", "between GDT and code segment", "hashing", "verified", "last instruction",
          "kernel"]


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    return esp.make(tmp_path_factory.mktemp("exceptions") / "esp.img", files())


def loader_addresses(guest):
    """Candidates for the loader's address: memory holds its code several times, because the file that was read is there
    as well."""
    code = LOADER.read_bytes()
    wanted = place(LOADER, "exit_and_take_over", "push")
    headers = subprocess.run(["readelf", "-SW", LOADER], check=True, stdout=subprocess.PIPE, text=True).stdout
    address, offset = (int(word, 16) for word in re.search(r"\.text +PROGBITS +(\w+) (\w+)", headers).groups())
    pattern = code[wanted - address + offset:][:64]
    memory = guest.memory(0, 512 << 20)
    found = [match.start() - wanted for match in re.finditer(re.escape(pattern), memory)]
    at_pages = [base for base in found if base % 4096 == 0 and memory[base:base + 2] == b"MZ"]
    assert at_pages, f"expected the loader in memory, found its code at {found}"
    return at_pages


@pytest.fixture(scope="module")
def layout(disk):
    """All addresses. The same firmware, memory and disk give the same addresses in each boot."""
    with Machine(disk) as guest:
        guest.expect(r"^kexec: purgatory digest .*\n")
        kernel, purgatory, start = segments(guest.log)["kernel"][0], segments(guest.log)["purgatory"][0], \
            purgatory_entry(guest.log)
    with Machine(disk, gdb=True) as guest:
        debugger = guest.connect_gdb()
        debugger.run_to(start)
        loaders = loader_addresses(guest)
    return loaders, purgatory, kernel


@pytest.fixture(scope="module")
def saved(disk, layout):
    """A machine saved right after ExitBootServices returned, its debugger, and all points."""
    loaders, purgatory, kernel = layout
    with Machine(disk, gdb=True, snapshot=True) as guest:
        debugger = guest.connect_gdb()
        found = debugger.run_to_any([points(base, purgatory, kernel)["descriptor tables loaded"] for base in loaders])
        guest.expect(r"^kexec: purgatory digest .*\n")
        guest.save_state()
        addresses = points(loaders[found], purgatory, kernel)
        assert list(addresses) == POINTS
        yield guest, debugger, addresses


class Stopped:
    def __init__(self, guest, debugger, address):
        self.guest = guest
        self.debugger = debugger
        self.address = address
        self._before = len(guest.log)

    def expect(self, line):
        """Expects a line whose beginning may be missing: the previous test may have left half of it."""
        return self.guest.expect(line + "$", start=self._before)

    def said(self):
        """The purgatory's lines, without those that only `verbose` shows."""
        return re.findall(r"purgatory: (?!time |verified ).*", self.guest.log[self._before:])

    def note(self):
        """The note for the next start, as (kind, on_mismatch, region, vector, rip, error code, address, status)."""
        content = self.guest.memory(FLASH, OVMF.variables.stat().st_size)
        path = self.guest.folder / "flash"
        path.write_bytes(content)
        value = VariableStore(path).get("KexecMismatch", VENDOR)
        return value and NOTE.unpack(value)


@pytest.fixture
def stopped(saved, request):
    """stopped(point) -> the machine, stopped at that point."""
    guest, debugger, addresses = saved

    def stop(point):
        if debugger.register("rip") != addresses[point]:
            debugger.run_to(addresses[point])
        return Stopped(guest, debugger, addresses[point])

    yield stop
    if debugger.running:
        guest.pause()
        debugger.wait_until_stopped()
    guest.load_state()


def raise_exception(machine, kind):
    """Makes the machine run into the exception. Returns the vector, and the report without name and address."""
    if kind == "UD":
        machine.debugger.write(machine.address, b"\x0f\x0b")
    elif kind == "PF":
        # mov al, [UNMAPPED]
        machine.debugger.write(machine.address, b"\xa0" + struct.pack("<Q", UNMAPPED))
    elif kind == "MC":
        machine.guest.monitor(f"mce 0 9 {BANK_STATUS:#x} 0x5 {FAILED_MEMORY:#x} 0")
    machine.debugger.run()
    return {"UD": (6, "invalid opcode", ""),
            "PF": (14, "page fault", f", address {UNMAPPED:#x}"),
            "MC": (18, "machine check", f", address {FAILED_MEMORY:#x}, bank status {BANK_STATUS:#x}")}[kind]


# Without --matrix: machine checks at all points, the other kinds at a few.
@pytest.mark.parametrize("kind, point", [
    pytest.param(kind, point, marks=() if kind == "MC" or point in ("back in the loader", "hashing", "kernel")
                 else pytest.mark.matrix)
    for point in POINTS for kind in ("UD", "PF", "MC")])
def test_reported_noted_and_halted(stopped, kind, point):
    machine = stopped(point)
    vector, name, details = raise_exception(machine, kind)
    region = ", while verifying kernel" if point == "hashing" else ""
    machine.expect(rf"purgatory: {name} \({vector}\) at {machine.address:#x}{details}{region}")
    machine.expect(r"purgatory: the kernel was not started; halted")
    machine.guest.wait_until_halted()
    assert len(machine.said()) == 2
    kind, policy, noted_region, *exception = machine.note()
    assert (kind, policy, noted_region.rstrip(b"\0")) == (KIND_EXCEPTION, HALT, b"kernel" if region else b"")
    assert exception[:2] == [vector, machine.address]


@pytest.mark.parametrize("segment", ["initrd", "cmdline", "page_tables", "boot_params", "purgatory"])
def test_data_is_not_executed(stopped, segment):
    """The test makes the purgatory jump into data, or onto the stack at the end of its own segment."""
    machine = stopped("purgatory")
    mem, _, memsz = segments(machine.guest.log)[segment]
    target = mem + memsz - 16 if segment == "purgatory" else mem
    # mov rax, target; jmp rax
    machine.debugger.write(machine.address, b"\x48\xb8" + struct.pack("<Q", target) + b"\xff\xe0")
    machine.debugger.run()
    # The error code: the page is present, and an instruction was fetched (Intel SDM volume 3, figure 4-12).
    machine.expect(rf"purgatory: page fault \(14\) at {target:#x}, address {target:#x}, error code 0x11")
    machine.expect(r"purgatory: the kernel was not started; halted")


@pytest.mark.parametrize("point", POINTS)
def test_nmi_goes_by(stopped, point):
    machine = stopped(point)
    machine.guest.monitor("nmi")
    machine.debugger.run()
    region = ", while verifying kernel" if point == "hashing" else ""
    machine.expect(rf"purgatory: NMI \(2\) at {machine.address:#x}{region}; going on")
    machine.expect(r"Linux version .*")
    assert len(machine.said()) == 1
    if point == "kernel":
        # On the kernel's stack the purgatory does not call the firmware, so there is no note.
        assert machine.note() is None
        return
    kind, policy, _, vector, address, *_ = machine.note()
    assert (kind, policy, vector, address) == (KIND_NMI, HALT, 2, machine.address)


def test_nothing_happens(stopped):
    """The twin: the same machine, stopped at the same place and continued unchanged, boots and leaves no note."""
    machine = stopped("descriptor tables loaded")
    machine.debugger.run()
    machine.expect(r"Linux version .*")
    assert machine.note() is None


@pytest.mark.parametrize("kind, said", [
    (KIND_EXCEPTION, "an exception stopped the last start: page fault (14) at 0x1000, address 0x2000, error code 0x2, "
                     "while verifying initrd"),
    (KIND_NMI, "the last start went on after an exception: NMI (2) at 0x1000, while verifying initrd"),
])
def test_next_start_tells(boot, tmp_path, kind, said):
    vector = 14 if kind == KIND_EXCEPTION else 2
    store = VariableStore(OVMF.variables)
    store.set("KexecMismatch", NOTE.pack(kind, HALT, b"initrd", vector, 0x1000, 2 if vector == 14 else 0,
                                         0x2000 if vector == 14 else 0, 0), vendor=VENDOR)
    store.save(tmp_path / "noted.fd")
    guest = boot(variables=tmp_path / "noted.fd")
    wait_for_report(guest)
    assert f"kexec: warning: {said}\n" in guest.log
    assert VariableStore(tmp_path / "noted.fd").get("KexecMismatch", VENDOR) is None


def test_note_does_not_overrule_the_entry(boot, tmp_path):
    """Anybody can write a note, so an entry without `on-mismatch reset` boots nevertheless."""
    store = VariableStore(OVMF.variables)
    store.set("KexecMismatch", NOTE.pack(KIND_EXCEPTION, RESET, b"\x1b[31mx", 6, 0x1000, 0, 0, 0), vendor=VENDOR)
    store.save(tmp_path / "noted.fd")
    guest = boot(files(conf=entry(extra=["on-mismatch halt"])), variables=tmp_path / "noted.fd")
    wait_for_report(guest)
    assert "kexec: warning: an exception stopped the last start: invalid opcode (6) at 0x1000\n" in guest.log
