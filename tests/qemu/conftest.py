# SPDX-License-Identifier: BSD-2-Clause
"""The fixture of the boot tests: `boot` makes an ESP from a description and starts a machine with it."""

import contextlib
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from kexec_efi_test import esp, machine, varstore  # noqa: E402

IMAGE = machine.BUILD / "kexecx64.efi"
INITRD = machine.BUILD / "initrd.cpio"
KERNELS = machine.BUILD / "deps/kernels"

DEFAULT_OPTIONS = "console=ttyS0 kexec.test"
# Debian 12's kernel for clouds is packed so that it unpacks fast: emulated, amd64 needs three seconds more.
USUAL_KERNEL = "cloud-amd64"
# The kernel whose modules are in the initrds with systemd (systemd/make).
SYSTEMD_KERNEL = "amd64"


def kernel(name=USUAL_KERNEL):
    return KERNELS / name / "vmlinuz"


def fsverity(path):
    """The fs-verity digest of a file, computed by Debian's program."""
    return subprocess.run(["fsverity", "digest", "--compact", path], check=True, capture_output=True,
                          text=True).stdout.strip()


def entry(linux="/vmlinuz", initrds=("/initrd",), options=DEFAULT_OPTIONS, extra=("verbose yes",)):
    """The text of an entry."""
    lines = [f"linux {linux}"] if linux else []
    lines += [f"initrd {path}" for path in initrds]
    lines += [f"options {options}"] if options else []
    return "\n".join([*lines, *extra, ""]).encode()


def files(changes=None, conf=None):
    """The files of an ESP that boots Debian's kernel, with `changes`. None as content removes a file."""
    result = {
        "/EFI/BOOT/BOOTX64.EFI": IMAGE,
        "/EFI/BOOT/BOOTX64.conf": entry() if conf is None else conf,
        "/vmlinuz": kernel(),
        "/initrd": INITRD,
        **(changes or {}),
    }
    return {path: content for path, content in result.items() if content is not None}


@pytest.fixture
def boot(tmp_path):
    """boot(files, **options of esp.make and machine.Machine) -> a running machine, which is stopped at the end of the
    test."""
    with contextlib.ExitStack() as stack:
        def start(contents=None, table="gpt", fat=32, more=(), **options):
            disk = esp.make(tmp_path / "esp.img", files() if contents is None else contents, table,
                            options.get("sector", 512), fat, more)
            return stack.enter_context(machine.Machine(disk, **options))
        yield start


@pytest.fixture
def boot_options(tmp_path):
    """boot_options((label, path, optional data), ...) -> the options of `boot` for a firmware with these entries."""
    def make(*entries):
        store = varstore.boot_options(machine.OVMF.variables, tmp_path / "vars.fd", entries)
        return {"variables": store, "boot_order": True}
    return make


def utf16(text):
    """Optional data as firmware entries hold it."""
    return text.encode("utf-16-le") + b"\0\0"


class Report:
    """The report of the booted system (tests/qemu/initrd/report)."""

    def __init__(self, log):
        self.lines = [line[len("report: "):] for line in log.splitlines() if line.startswith("report: ")]

    def __getitem__(self, key):
        values = [line[len(key) + 1:] for line in self.lines if line.startswith(key + " ")]
        assert len(values) == 1, f"expected one report of {key}, found {values}"
        return values[0]

    @property
    def dmesg(self):
        return "\n".join(line[len("dmesg "):] for line in self.lines if line.startswith("dmesg "))


def wait_for_report(guest):
    guest.expect(r"^report: done$")
    return Report(guest.log)
