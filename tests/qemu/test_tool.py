# SPDX-License-Identifier: BSD-2-Clause
"""The tasks of the test tool's README, and tests of the tool, on real machines."""

import os
import pathlib
import re
import shutil
import struct

import pytest

from conftest import INITRD, kernel
from kexec_efi_test import Boot, Expectation, judge, machine
from kexec_efi_test.machine import BUILD, FIRMWARE, NEWER_QEMU, TIMEOUT
from kexec_efi_test.screen import Picture
from kexec_efi_test.signing import Key
from test_tool_readme import TASKS, run_task

# `make check` boots these. It runs the other tasks with a script as the machine (test_tool_readme.py).
CHEAP = {"Boot a kernel and run a command", "Take a screenshot", "Give up after some time"}
NEED_MODULES = {"Share a folder", "Use the network"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in CHEAP else pytest.mark.matrix) for name in TASKS])
def test_task(tmp_path, name):
    if name in NEED_MODULES and not (BUILD / "deps/kernels/amd64/guest").exists():
        pytest.skip("make deps has not fetched further modules")
    if name == "Boot under four firmwares" and not FIRMWARE["strictnx"].present:
        pytest.skip("make deps has not fetched Debian 13's OVMF")
    (tmp_path / "tmp").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "KEXEC_TIMEOUT": str(max(TIMEOUT, 600))}
    out = run_task(name, tmp_path, environment, INITRD, kernel("amd64").resolve(), modules=kernel("amd64").parent)
    if name == "Boot a kernel and run a command":
        assert re.search(r"^6\.\d[\w.+-]*-amd64$", out, re.MULTILINE)
    if name == "Take a screenshot":
        assert struct.unpack_from(">II", (tmp_path / "screen.png").read_bytes(), 16) > (600, 400)
    if name == "Compare a TPM's registers before and after a change":
        # kexec-efi measures the command line into 12. The other registers are equal.
        assert re.search(r"^changed: 12$", out, re.MULTILINE)
    assert not list((tmp_path / "tmp").iterdir())


def test_plugin_gives_a_machine(uefi_machine):
    """Uses the plugin's machine as this project's own tests use theirs."""
    guest = uefi_machine(kernel=kernel(), initrds=[INITRD], cmdline="console=ttyS0 by-plugin", display=True)
    guest.expect(r"Command line: console=ttyS0 by-plugin")
    assert Picture(guest.screenshot()).width >= 640


@pytest.mark.matrix
@pytest.mark.parametrize("fields",
                         [{"via": "uki"}, {"tpm": "tis"},
                          {"secure_boot": "snakeoil", "sign": "all", "via": "kexec-efi"},
                          {"secure_boot": "snakeoil", "sign": "all", "via": "systemd-boot"}, {"firmware": "strictnx"},
                          {"numa": 2, "cpus": 2, "bus": "nvme"}, {"firmware": "trixie"}], ids=str)
def test_command_runs(uefi_run, fields):
    result = uefi_run("cat /sys/firmware/efi/fw_platform_size", timeout=max(TIMEOUT, 600), kernel=kernel(), **fields)
    assert (result.verdict, result.output) == ("pass", "64"), result


@pytest.mark.matrix
@pytest.mark.parametrize("fields, line",
                         [({"share": "."}, r"--share: the guest cannot mount the folder: expected 9pnet_virtio and 9p"),
                          ({"net": True}, r"--net: the guest has no network link: expected virtio_net")],
                         ids=["share", "network"])
def test_device_whose_modules_are_missing(uefi_run, tmp_path, fields, line):
    (tmp_path / "modules.dep").write_text("")
    result = uefi_run("true", timeout=max(TIMEOUT, 600), kernel=kernel(), via="stub", modules=tmp_path, **fields)
    assert (result.verdict, result.status) == ("fail", 1) and re.match(line, result.reason), result


@pytest.mark.matrix
def test_share_with_modules_beside_the_file_of_a_symlink(uefi_run, tmp_path):
    if not (BUILD / "deps/kernels/amd64/guest").exists():
        pytest.skip("make deps has not fetched further modules")
    (tmp_path / "share").mkdir()
    (tmp_path / "bzImage").symlink_to(kernel("amd64"))
    result = uefi_run("uname -r >/share/release", timeout=max(TIMEOUT, 600), kernel=tmp_path / "bzImage", via="stub",
                      share=tmp_path / "share")
    assert result.verdict == "pass" and (tmp_path / "share/release").read_text().startswith("6."), result


@pytest.mark.matrix
def test_keys_press_enter_in_the_firmware(tmp_path):
    """The README names the key sequence for Enter. tests/test_tool_verdicts.py tests the option's other escapes."""
    (tmp_path / "empty").write_bytes(bytes(1 << 20))
    result = judge(Boot(disks=[tmp_path / "empty"]),
                   Expectation([r"^typed"], keys=[("Shell> $", "echo typed\r")], timeout=max(TIMEOUT, 600)))
    assert result.verdict == "pass", result


@pytest.mark.matrix
@pytest.mark.skipif(not shutil.which("grub-mkstandalone"), reason="needs grub-mkstandalone (make deps-dev)")
def test_grub(uefi_run):
    result = uefi_run("cat /proc/cmdline", timeout=max(TIMEOUT, 600), kernel=kernel(), via="grub",
                      cmdline="console=ttyS0 x=$y;z")
    assert result.verdict == "pass" and "x=$y;z" in result.output, result


@pytest.mark.matrix
@pytest.mark.skipif(not pathlib.Path(NEWER_QEMU[0]).exists() or not FIRMWARE["trixie"].present,
                    reason="make deps has not fetched QEMU 10 and Debian 13's OVMF, which know -shim")
def test_loader_without_a_disk(uefi_run, monkeypatch):
    """Both QEMU and the firmware must support -shim."""
    monkeypatch.setattr(machine, "QEMU", NEWER_QEMU)
    machine.knows_shim.cache_clear()
    result = uefi_run("cat /sys/firmware/efi/efivars/KexecLog-* | tail -c +5", timeout=max(TIMEOUT, 600),
                      kernel=kernel(), initrds=[INITRD], firmware="trixie", cmdline="console=ttyS0")
    machine.knows_shim.cache_clear()
    assert result.verdict == "pass" and result.loader_log, result
    assert "-shim" in result.command and not any("esp.img" in word for word in result.command)


@pytest.mark.matrix
def test_keys_of_ones_own(uefi_run, tmp_path):
    """A certificate becomes PK and db: with Secure Boot on, images signed with its key boot."""
    key = Key.new(tmp_path, "owner")
    result = uefi_run("dmesg | grep 'Secure boot enabled'", timeout=max(TIMEOUT, 600), kernel=kernel(), via="stub",
                      secure_boot=key.certificate, sign="kernel", key=key.key)
    assert result.verdict == "pass", result
