# SPDX-License-Identifier: BSD-2-Clause
"""The same kernel, initrd and options, started by the same systemd-boot, once through the kernel's EFI stub and once
through kexec-efi. The reports of the two booted systems must be equal, except for the differences that this file lists
and explains.

systemd-boot starts both, so both have its variables and measurements, and only the last step differs.
"""

import base64
import collections
import re

import pytest

from conftest import DEFAULT_OPTIONS, IMAGE, files, kernel, wait_for_report
from kexec_efi_test import event_log
from kexec_efi_test.machine import FIRMWARE
from test_systemd_boot import NEWER_SYSTEMD_BOOT, SYSTEMD_BOOT

STUB = ["linux /vmlinuz", "initrd /initrd", f"options {DEFAULT_OPTIONS}"]
OURS = ["efi /EFI/kexec/kexecx64.efi", f"options linux=/vmlinuz initrd=/initrd verbose -- {DEFAULT_OPTIONS}"]

# Allowed differences between the reports.
EXPLAINED = {
    "cmdline": "systemd-boot hands the stub its initrds as initrd= in the options",
    "text-address": "the kernel's place is random",
    "memory-kib": "differs by pages: compared below",
    "firmware-memmap": "differs in the number of pieces: newer stubs leave the map in ACPI memory; sizes are compared below",
    "boot-params": "compared below, field by field",
    "variables": "compared below, by name",
    "efivars": "the number of variables",
    "event-log": "compared below, with the PCRs",
    "dmesg": "compared below, line by line",
    "pcr-4": "the firmware measures the image that it starts: the kernel, or ours",
    "pcr-8": "our own measurements",
    "pcr-9": "initrd and load options, measured by the program that loads them",
    "pcr-10": "the kernel's own log (IMA), which begins with the earlier PCRs",
    "pcr-11": "we end it with a separator, because no unified image is measured into it",
    "pcr-12": "systemd-boot measures the options that it passes",
    "log": "only ours",
    "StubInfo": "only ours",
    "StubFeatures": "only ours",
    "StubImageIdentifier": "only ours",
    "StubDevicePartUUID": "only ours",
    "loader-attributes": "includes these variables and those below",
    "LoaderTimeInitUSec": "only ours: this systemd-boot finds no clock in QEMU's CPU",
    "LoaderTimeExecUSec": "only ours",
    "LoaderRandomSeed": "systemd-boot makes a new one each time",
}

# Registers that unified images are measured into, in the other banks.
EXPLAINED.update({f"pcr-{bank}-{pcr}": EXPLAINED[f"pcr-{pcr}"] for bank in ("sha1", "sha384") for pcr in (4, 9, 11, 12)})

OUR_VARIABLES = {"KexecLog", "StubInfo", "StubFeatures", "StubImageIdentifier", "StubDevicePartUUID", "LoaderTimeInitUSec",
                 "LoaderTimeExecUSec"}

# The stub also leaves the initrd's place in a table, for architectures without boot_params. On x86 the kernel looks
# there only if boot_params has no initrd (arch/x86/kernel/setup.c, get_ramdisk_image).
STUB_TABLES = {"INITRD"}

# Fields of boot_params, by offset and length, that loader or stub must fill in.
FIELDS = {
    "screen_info": (0x000, 0x40),
    "edid_info": (0x140, 0x80),
    "efi_loader_signature, efi_systab": (0x1c0, 8),
    "efi_memdesc_size, efi_memdesc_version": (0x1c8, 8),
    "efi_systab_hi": (0x1d8, 4),
    "alt_mem_k": (0x1e0, 4),
    "secure_boot": (0x1ec, 1),
    "root_flags": (0x1f2, 2),
    "vid_mode": (0x1fa, 2),
}

# The kernel's own sizes vary by less than this between boots.
MEMORY_TOLERANCE_KIB = 128

# The seed and the event log lie in ACPI memory, whose size the firmware may round up; the logs differ in length.
ACPI_TOLERANCE = 64 * 1024


def contents(lines, name, loader=SYSTEMD_BOOT):
    return files({
        "/EFI/BOOT/BOOTX64.EFI": loader,
        "/EFI/BOOT/BOOTX64.conf": None,
        "/EFI/kexec/kexecx64.efi": IMAGE,
        "/vmlinuz": kernel(name),
        "/loader/loader.conf": b"timeout 0\ndefault entry.conf\nrandom-seed-mode always\n",
        "/loader/random-seed": bytes(range(32)),
        "/loader/entries/entry.conf": "\n".join(["title entry", *lines, ""]).encode(),
    })


def facts(report):
    """Key -> values of a report, without the explained differences."""
    result = collections.defaultdict(list)
    for line in report.lines:
        key, _, value = line.partition(" ")
        if key not in EXPLAINED:
            result[key].append(value)
    return result


def dmesg_facts(report):
    """The kernel's lines without times, without the e820 table, and without the list of EFI's tables, which is compared
    below."""
    text = re.sub(r"^\[[ .\d]*\] ", "", report.dmesg, flags=re.MULTILINE)
    # The number in this line depends on how many pieces the memory map has before it.
    lines = re.sub(r"(efi: Remove mem)\d+", r"\1", text).splitlines()
    # Memory of boot services depends on the firmware's work so far, including the loader's calls. Messages about slow
    # calls depend on the host.
    skipped = r"BIOS-e820|efi: .*ACPI.*=0x|efi: Freeing EFI boot services|Kernel random base|took \d+ usecs"
    return [line for line in lines if not re.search(skipped, line)]


def efi_tables(report):
    line = re.search(r"efi: (.*ACPI.*=0x.*)$", report.dmesg, re.MULTILINE)[1]
    return set(re.findall(r"([^=]+)=0x[0-9a-f]+\s*", line))


def e820_totals(report):
    """Kind -> bytes. `usable or ACPI data` counts memory that may become ACPI memory."""
    totals = collections.Counter()
    for start, end, kind in re.findall(r"BIOS-e820: \[mem (0x\w+)-(0x\w+)\] +(.*)$", report.dmesg, re.MULTILINE):
        # Linux 7 calls it System RAM.
        totals["usable" if kind == "System RAM" else kind] += int(end, 16) + 1 - int(start, 16)
    assert totals["usable"] and totals["ACPI data"]
    totals["usable or ACPI data"] = totals.pop("usable") + totals["ACPI data"]
    return totals


def variable_names(report):
    return {name[:-37] for name in report["variables"].split()}


def expect_parity(stub, ours):
    assert facts(ours) == facts(stub)
    assert dmesg_facts(ours) == dmesg_facts(stub)
    assert efi_tables(ours) == efi_tables(stub) - STUB_TABLES
    totals = [e820_totals(report) for report in (ours, stub)]
    assert abs(totals[0].pop("ACPI data") - totals[1].pop("ACPI data")) <= ACPI_TOLERANCE
    assert totals[0] == totals[1]
    assert abs(int(ours["memory-kib"]) - int(stub["memory-kib"])) < MEMORY_TOLERANCE_KIB
    assert variable_names(ours) - OUR_VARIABLES == variable_names(stub) - OUR_VARIABLES
    params = [bytes.fromhex(report["boot-params"]) for report in (ours, stub)]
    for field, (start, length) in FIELDS.items():
        assert params[0][start:start + length] == params[1][start:start + length], field


def expect_event_log(report):
    """Linux's log has each earlier measurement once: its replay gives the TPM's values."""
    events = event_log.parse(base64.b64decode(report["event-log"]))
    values = event_log.replay(events)
    assert {0, 1, 2, 3, 4, 5, 6, 7} <= set(values)
    for pcr in range(10):
        assert report[f"pcr-{pcr}"] == values.get(pcr, bytes(32)).hex().upper(), f"PCR {pcr}"
    # The firmware's last events come from the table of final events, behind the copied log.
    assert events[-1].content == b"Exit Boot Services Returned with Success"


def boot_both(boot, name, loader=SYSTEMD_BOOT, **options):
    options = {"display": True, "extra": ["-device", "virtio-rng-pci"], **options}
    for lines in STUB, OURS:
        guest = boot(contents(lines, name, loader), **options)
        yield wait_for_report(guest)
        guest.__exit__()


def test_parity(boot):
    stub, ours = boot_both(boot, "amd64", tpm="tpm-crb")
    expect_parity(stub, ours)
    expect_event_log(stub)
    expect_event_log(ours)
    # The values exist, and are not equal only because both are missing.
    assert {"RNG", "TPMEventLog", "TPMFinalLog"} <= efi_tables(ours)
    assert re.search(r"\[    0\.000000\] random: crng init done", ours.dmesg)
    assert "secureboot: Secure boot disabled" in ours.dmesg
    assert facts(ours)["framebuffer"] and facts(ours)["setup-data"] and facts(ours)["lockdown"]


@pytest.mark.matrix
@pytest.mark.parametrize("name", ["cloud-amd64", "rt-amd64", "trixie-amd64", "installer-amd64"])
@pytest.mark.parametrize("firmware", ["ovmf", "trixie"])
def test_kernels(boot, name, firmware):
    stub, ours = boot_both(boot, name, firmware=FIRMWARE[firmware], memory=1024)
    expect_parity(stub, ours)
    assert "RNG" in efi_tables(ours)


@pytest.mark.matrix
@pytest.mark.parametrize("name", ["amd64", "trixie-amd64"])
def test_newer_loader(boot, name):
    stub, ours = boot_both(boot, name, loader=NEWER_SYSTEMD_BOOT, tpm="tpm-crb")
    expect_parity(stub, ours)
    expect_event_log(stub)
    expect_event_log(ours)


@pytest.mark.matrix
@pytest.mark.parametrize("tpm", ["tpm-tis", "tpm-crb"])
@pytest.mark.parametrize("name, firmware", [("amd64", "trixie"), ("trixie-amd64", "trixie"), ("trixie-amd64", "ovmf"),
                                            ("amd64", "secboot")])
def test_event_log(boot, name, firmware, tpm):
    stub, ours = boot_both(boot, name, firmware=FIRMWARE[firmware], tpm=tpm)
    expect_parity(stub, ours)
    expect_event_log(stub)
    expect_event_log(ours)
