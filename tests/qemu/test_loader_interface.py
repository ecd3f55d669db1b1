# SPDX-License-Identifier: BSD-2-Clause
"""The Boot Loader Interface: what bootctl and systemd-analyze would read in the booted system."""

import pytest

import esp
from conftest import DEFAULT_OPTIONS, files, wait_for_report
from machine import Machine
from test_systemd_boot import menu


def check_times(report):
    started, left = int(report["LoaderTimeInitUSec"]), int(report["LoaderTimeExecUSec"])
    assert 0 < started < left < 600 * 1000 * 1000


def test_alone(boot):
    report = wait_for_report(boot())
    assert report["LoaderInfo"].startswith("kexec-efi ")
    assert report["LoaderImageIdentifier"] == "\\EFI\\BOOT\\BOOTX64.EFI"
    assert report["LoaderFirmwareInfo"].startswith(("EDK II ", "Debian distribution of EDK II "))
    assert report["LoaderFirmwareType"].startswith("UEFI 2.")
    assert report["LoaderDevicePartUUID"].lower() == esp.PARTITION_UUID
    assert not any(line.startswith("StubInfo") for line in report.lines)
    check_times(report)


def test_behind_systemd_boot(boot):
    report = wait_for_report(boot(menu([f"options linux=/vmlinuz initrd=/initrd -- {DEFAULT_OPTIONS}"])))
    assert report["LoaderInfo"].startswith("systemd-boot ")
    assert report["StubInfo"].startswith("kexec-efi ")
    assert report["LoaderImageIdentifier"] == "\\EFI\\BOOT\\BOOTX64.EFI"
    assert report["LoaderEntrySelected"] == "entry0.conf"
    check_times(report)


@pytest.mark.parametrize("table", ["mbr", None])
def test_partition_without_a_guid(tmp_path, table):
    with Machine(esp.make(tmp_path / "esp.img", files(), table)) as guest:
        report = wait_for_report(guest)
        assert not any(line.startswith("LoaderDevicePartUUID") for line in report.lines)
