# SPDX-License-Identifier: BSD-2-Clause
"""What Linux gets besides its memory map: a random seed, and devices that cannot write to memory."""

import re
import uuid

import pytest

from conftest import entry, files, wait_for_report
from kexec_efi_test import esp, varstore
from kexec_efi_test.machine import FIRMWARE, OVMF, Machine
from test_systemd_boot import NEWER_SYSTEMD_BOOT, menu

RNG = ["-device", "virtio-rng-pci"]
SEED_VENDOR = uuid.UUID("1ce1e5bc-7ceb-42f2-81e5-8aadf180f57b")


@pytest.fixture
def seed_variable(tmp_path):
    """seed_variable(size, ...) -> a variable store with a RandomSeed of `size` bytes."""
    def make(size, attributes=varstore.DEFAULT_ATTRIBUTES):
        store = varstore.VariableStore(OVMF.variables)
        store.set("RandomSeed", bytes(range(256)) * 3 if size > 256 else bytes(range(size)), SEED_VENDOR, attributes)
        return store.save(tmp_path / "seed.fd")
    return make


def has_seed(variables):
    """Whether the variable still exists. Linux 6.2 and later hide it."""
    return varstore.VariableStore(variables).holds("RandomSeed", SEED_VENDOR)


def seed_sizes(log):
    pattern = (r"^kexec: random seed: (\d+) bytes of the firmware, (\d+) of the variable RandomSeed, "
               r"(\d+) of the loader before$")
    return tuple(map(int, re.search(pattern, log, re.MULTILINE).groups()))


def test_seed_of_the_firmware_and_of_the_variable(boot, seed_variable):
    variables = seed_variable(48)
    guest = boot(extra=RNG, variables=variables)
    report = wait_for_report(guest)
    assert seed_sizes(guest.log) == (32, 48, 0)
    assert re.search(r"efi: .*\bRNG=0x", report.dmesg)
    assert re.search(r"\[    0\.000000\] random: crng init done", report.dmesg)
    # The loader deletes the variable when it uses it.
    assert not has_seed(variables)


# Newer builds of OVMF have a generator wherever the CPU has one.
NO_RNG = {"cpu": "max,-rdrand"}


@pytest.mark.matrix
def test_seed_of_the_variable_alone(boot, seed_variable):
    variables = seed_variable(32)
    guest = boot(variables=variables, **NO_RNG)
    report = wait_for_report(guest)
    assert seed_sizes(guest.log) == (0, 32, 0)
    assert re.search(r"efi: .*\bRNG=0x", report.dmesg)
    assert not has_seed(variables)


@pytest.mark.matrix
def test_seed_variable_that_is_too_long(boot, seed_variable):
    variables = seed_variable(600)
    guest = boot(variables=variables, **NO_RNG)
    report = wait_for_report(guest)
    assert ("kexec: warning: random seed: cannot use the variable RandomSeed: expected at most 480 bytes, found 768"
            in guest.log)
    assert not re.search(r"efi: .*\bRNG=0x", report.dmesg)
    assert has_seed(variables)


@pytest.mark.matrix
def test_seed_of_the_loader_before(boot):
    contents = menu(["options entry=/kexec.conf"], changes={
        "/EFI/BOOT/BOOTX64.EFI": NEWER_SYSTEMD_BOOT, "/loader/random-seed": bytes(range(32)), "/kexec.conf": entry()})
    guest = boot(contents, extra=RNG)
    report = wait_for_report(guest)
    assert seed_sizes(guest.log) == (32, 0, 32)
    assert re.search(r"efi: .*\bRNG=0x", report.dmesg)


def test_nothing_to_leave(boot):
    guest = boot(**NO_RNG)
    report = wait_for_report(guest)
    assert "random seed" not in guest.log
    assert "MemoryOverwriteRequestControl" not in report["variables"]
    assert not re.search(r"efi: .*\bRNG=0x", report.dmesg)


def bridged(disk):
    """A second device for the same disk, behind a bridge, from which the firmware boots first."""
    return ["-device", "i82801b11-bridge,id=bridge,addr=5",
            "-drive", f"if=none,id=bridged,format=raw,snapshot=on,file={disk}",
            "-device", "ich9-ahci,id=bridged-ahci,bus=bridge,addr=1",
            "-device", "ide-hd,drive=bridged,bus=bridged-ahci.0,bootindex=0"]


@pytest.mark.parametrize("dma, command", [("off", "0003"), ("on", "0007")])
def test_bridge_with_dma(tmp_path, dma, command):
    """Neither the kernel nor the initrd has the disk's driver, so Linux leaves the bridge as the loader left it. Bit 2
    of its command register enables DMA."""
    disk = esp.make(tmp_path / "esp.img", files(conf=entry(extra=["verbose yes", f"dma {dma}"])))
    with Machine(disk, extra=bridged(disk), display=True) as guest:
        report = wait_for_report(guest)
        assert report["bridge 0000:00:05.0"] == command
        assert ("kexec: dma: off in PCI bridges" in guest.log) == (dma == "off")
        assert report["payload"] == "payload: OK"


@pytest.mark.parametrize("extra, value", [
    pytest.param([], "01", id="on"), pytest.param(["memory-overwrite off"], "00", id="off", marks=pytest.mark.matrix)])
def test_memory_is_to_be_overwritten_at_the_next_reset(boot, tmp_path, extra, value):
    """Firmware that can overwrite memory has a variable for it. OVMF does not create the variable, but keeps it if
    there is a TPM."""
    firmware = FIRMWARE["secboot"]
    store = varstore.VariableStore(firmware.variables)
    store.set("MemoryOverwriteRequestControl", b"\0", uuid.UUID("e20939be-32d4-41be-a150-897f85d49829"))
    variables = store.save(tmp_path / "vars.fd")
    report = wait_for_report(boot(files(conf=entry(extra=extra)), firmware=firmware, variables=variables, tpm="tpm-crb"))
    assert report["MemoryOverwriteRequestControl"] == value
