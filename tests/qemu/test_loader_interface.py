# SPDX-License-Identifier: BSD-2-Clause
"""The Boot Loader Interface: what bootctl and systemd-analyze read in the booted system."""

import re

import pytest

from conftest import DEFAULT_OPTIONS, INITRD, SYSTEMD_KERNEL, entry, files, fsverity, kernel, wait_for_report
from kexec_efi_test import esp, uki
from kexec_efi_test.machine import BUILD, Machine
from test_systemd_boot import menu


def check_times(report):
    started, left = int(report["LoaderTimeInitUSec"]), int(report["LoaderTimeExecUSec"])
    assert 0 < started < left < 600 * 1000 * 1000


def features(report, name):
    """The numbers of the bits that are set."""
    value = int.from_bytes(bytes.fromhex(report[name]), "little")
    assert len(report[name]) == 16
    return {bit for bit in range(64) if value >> bit & 1}


def test_alone(boot):
    report = wait_for_report(boot())
    assert report["LoaderInfo"].startswith("kexec-efi ")
    assert report["LoaderImageIdentifier"] == "\\EFI\\BOOT\\BOOTX64.EFI"
    assert report["LoaderFirmwareInfo"].startswith(("EDK II ", "Debian distribution of EDK II "))
    assert report["LoaderFirmwareType"].startswith("UEFI 2.")
    assert report["LoaderDevicePartUUID"].lower() == esp.PARTITION_UUID
    assert report["LoaderEntrySelected"] == "BOOTX64.conf"
    # XBOOTLDR, a random seed, profiles of a unified image, the key uki.
    assert features(report, "LoaderFeatures") == {5, 6, 14, 16}
    assert not any(line.startswith("Stub") for line in report.lines)
    check_times(report)


def test_behind_systemd_boot(boot):
    report = wait_for_report(boot(menu([f"options linux=/vmlinuz initrd=/initrd -- {DEFAULT_OPTIONS}"])))
    assert report["LoaderInfo"].startswith("systemd-boot ")
    assert report["StubInfo"].startswith("kexec-efi ")
    assert report["LoaderImageIdentifier"] == "\\EFI\\BOOT\\BOOTX64.EFI"
    assert report["LoaderEntrySelected"] == "entry0.conf"
    # systemd-boot has set these: it has a menu.
    assert {0, 1, 2, 3} < features(report, "LoaderFeatures")
    check_stub(report, "\\EFI\\kexec\\kexecx64.efi")
    assert not any(line.startswith("StubProfile") for line in report.lines)
    check_times(report)


def check_stub(report, path):
    assert report["StubInfo"].startswith("kexec-efi ")
    # All features of systemd-stub except addons with a device tree, and the URL.
    assert features(report, "StubFeatures") == set(range(11)) - {7}
    assert report["StubImageIdentifier"] == path
    assert report["StubDevicePartUUID"].lower() == esp.PARTITION_UUID


def test_in_place_of_an_images_stub(boot):
    image = uki.make([(".linux", kernel().read_bytes()), (".initrd", INITRD.read_bytes()), (".profile", b"ID=a"),
                      (".profile", b"ID=b"), (".cmdline", DEFAULT_OPTIONS.encode())])
    guest = boot(files({"/x.efi": image}, conf=b"linux /x.efi\nprofile 1\n"))
    report = wait_for_report(guest)
    assert report["LoaderInfo"].startswith("kexec-efi ")
    assert report["StubProfile"] == "1"
    check_stub(report, "\\EFI\\BOOT\\BOOTX64.EFI")
    assert dict(word.split("=") for word in report["loader-attributes"].split())["StubFeatures"] == "06"


def seconds(text):
    """Seconds of a time span in systemd's notation."""
    units = {"min": 60, "s": 1, "ms": 0.001}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([0-9.]+)(min|ms|s)", text))


def systemd_report(guest):
    """The output of systemd's own tools in the booted system: the first line of systemd-analyze, and all of bootctl."""
    guest.expect(r"^report: done$")
    analyze, bootctl = ("\n".join(re.findall(rf"^report: {tool} (.*)$", guest.log, re.MULTILINE))
                        for tool in ("analyze", "bootctl"))
    return analyze.splitlines()[0], bootctl


def check_bootctl(status, *lines):
    """Checks bootctl's output. Its words are those of version 252 (Debian 12) or 257 (Debian 13), where they differ."""
    for line in lines:
        assert re.search(f"^(?:{line})$", status, re.MULTILINE), f"expected {line} in\n{status}"


def check_analyze(line):
    firmware, loader = re.search(r" in (.*) \(firmware\) \+ (.*) \(loader\) \+ .* \(kernel\) ", line).groups()
    assert 0.1 < seconds(firmware) < 600 and 0.1 < seconds(loader) < 600, line


SYSTEMD_OPTIONS = "console=ttyS0 systemd.unit=report.target"
SYSTEMD_FILES = {"/vmlinuz": kernel(SYSTEMD_KERNEL), "/initrd": BUILD / "systemd-own.cpio.zst"}


@pytest.mark.matrix
def test_systemd_tools_alone(boot):
    guest = boot(files(SYSTEMD_FILES, conf=entry(options=SYSTEMD_OPTIONS)))
    time, status = systemd_report(guest)
    check_analyze(time)
    check_bootctl(status, r"Product: kexec-efi [0-9.]+",
                  "✓ Boot loader (?:sets ESP|set partition) information",
                  f"(?:ESP|Partition): /dev/disk/by-partuuid/{esp.PARTITION_UUID}",
                  r"(?:File|Loader): └─/EFI/BOOT/BOOTX64\.EFI")


def test_systemd_tools_behind_systemd_boot(boot):
    guest = boot(menu([f"options linux=/vmlinuz initrd=/initrd -- {SYSTEMD_OPTIONS}"],
                      changes=SYSTEMD_FILES))
    time, status = systemd_report(guest)
    check_analyze(time)
    check_bootctl(status, r"Product: systemd-boot .*", r"Stub: kexec-efi [0-9.]+|Current Stub:\nProduct: kexec-efi [0-9.]+")


@pytest.mark.parametrize("table", ["mbr", pytest.param(None, marks=pytest.mark.matrix)])
def test_partition_without_a_guid(tmp_path, table):
    with Machine(esp.make(tmp_path / "esp.img", files(), table)) as guest:
        report = wait_for_report(guest)
        assert not any(line.startswith("LoaderDevicePartUUID") for line in report.lines)


def log_left(report):
    return "\n".join(line[len("log "):] for line in report.lines if line.startswith("log "))


def test_log_is_left_for_the_booted_system(boot):
    """Every user of Linux can read the log, so it contains no addresses."""
    guest = boot(files(conf=entry(extra=[])))
    log = log_left(wait_for_report(guest))
    # The shown lines, and the lines that only `verbose` would have shown.
    assert re.search(r"^kexec: /vmlinuz: 100 %, \d+ MB/s", log, re.MULTILINE)
    assert re.search(r"^kexec: segment kernel mem 0x\*{16} ", log, re.MULTILINE)
    assert re.search(r"^kexec: purgatory entry 0x\*{16}$", log, re.MULTILINE)
    assert not re.search(r"0x0*[1-9a-f][0-9a-f]{4}", log, re.IGNORECASE)
    for phase in ("read", "place", "hash"):
        assert re.search(rf"^kexec: time {phase} \d+\.\d{{3}} ms$", log, re.MULTILINE)
    content = kernel().read_bytes()
    digest = fsverity(kernel())
    assert f"kexec: fsverity kernel {digest} ({len(content)} bytes at 0x{'*' * 16})\n" in log
    assert not re.search(r"^kexec: (segment|time|fsverity)", guest.log, re.MULTILINE)


@pytest.mark.matrix
def test_log_with_addresses_for_who_asks_for_verbose(boot):
    guest = boot(files(conf=entry(extra=["verbose yes"])))
    log = log_left(wait_for_report(guest))
    shown = re.search(r"^kexec: segment kernel mem 0x[0-9a-f]{16} .*$", guest.log, re.MULTILINE)[0]
    assert shown in log.splitlines()
    assert "0x*" not in log


def test_progress_of_a_large_file(boot):
    large = INITRD.read_bytes() + bytes(80 * 1024 * 1024)
    # 20 MB/s, so that the file takes seconds on any machine.
    guest = boot(files({"/initrd": large}), bus="ahci", memory=1024,
                 extra=["-set", "drive.esp.throttling.bps-read=20000000"])
    guest.expect(r"^kexec: /initrd: 100 %, \d+ MB/s$")
    shown = [int(percent) for percent in re.findall(r"^kexec: /initrd: +(\d+) %", guest.log, re.MULTILINE)]
    assert shown[-1] == 100 and shown == sorted(shown)
    assert len(shown) > 2
