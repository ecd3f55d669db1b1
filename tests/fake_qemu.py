# SPDX-License-Identifier: BSD-2-Clause
"""A fast machine for tests of the command kexec-efi-test: a shell script that replaces QEMU.

The script gets QEMU's arguments. Its output is the guest's serial line, and its stderr is QEMU's. It holds a pipe open,
by which `qemu_ends` knows whether it has ended.
"""

import contextlib
import os
import pathlib
import signal
import struct
import subprocess
import sys
import time

import pytest

from kexec_efi_test import lifetime

ROOT = pathlib.Path(__file__).resolve().parents[1]
COMMAND = ROOT / "tools/kexec-efi-test"

# The first lines of firmware and Linux.
GOOD_BOOT = """echo 'BdsDxe: starting Boot0001 "UEFI Misc Device" from PciRoot(0x0)/Pci(0x1,0x0)'
echo 'kexec: kexec-efi 0.1'
echo '[    0.000000] Linux version 6.1.0 (test)'
echo '[    1.000000] Run /init as init process'
"""
WAITS = "sleep 600\n"


def kernel(magic=b"HdrS", machine=0x8664, sections=()):
    """The headers of a kernel with an EFI stub. With `machine` None, a bzImage without a stub. `sections` are names."""
    content = bytearray(0x206)
    content[0x202:0x206] = magic
    if machine is not None:
        table = b"".join(name.encode().ljust(40, b"\0") for name in sections)
        content[:2], content[0x3c:0x40] = b"MZ", struct.pack("<I", 0x40)
        content[0x40:0x58 + len(table)] = struct.pack("<4sHH16x", b"PE\0\0", machine, len(sections)) + table
    return bytes(content)


class FakeQemu:
    """`scenario` is the script. The command's files are made below `folder`."""

    def __init__(self, folder, scenario):
        self.folder = pathlib.Path(folder)
        self.program = self.folder / "qemu"
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        self.alive = self.folder / "alive"
        if not self.alive.exists():
            os.mkfifo(self.alive)
        # The pipe has a writer as long as the script or a child lives. A call for QEMU's options starts no machine.
        self.program.write_text(f"#!/bin/sh\n[ \"$1\" != -help ] || exit 0\nexec 9<>{self.alive}\n" + scenario)
        self.program.chmod(0o755)
        (self.folder / "vmlinuz").write_bytes(kernel())
        self.environment = {**os.environ, "KEXEC_QEMU": str(self.program), "KEXEC_ACCEL": "tcg",
                            "TMPDIR": str(self.temporary), "KEXEC_TIMEOUT": "60"}

    def words(self, *arguments):
        """A command line that needs no ESP, so no time is spent making one."""
        return [sys.executable, "-B", str(COMMAND), "--kernel", str(self.folder / "vmlinuz"), "--via", "stub",
                *map(str, arguments)]

    def run(self, *arguments, **options):
        """Runs the command and returns the finished process. The command must have left nothing behind."""
        result = subprocess.run(self.words(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                errors="replace", cwd=self.folder, **{"env": self.environment, **options})
        self.assert_nothing_left()
        return result

    def start(self, *arguments, preexec_fn=None, **options):
        def begin():
            # The caller of the tests may ignore signals, as nohup does, or a shell for jobs in the background.
            for number in lifetime.SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            if preexec_fn:
                preexec_fn()
        return subprocess.Popen(self.words(*arguments), cwd=self.folder, env=self.environment, preexec_fn=begin,
                                **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True, **options})

    def processes(self):
        """The processes of the script and its children."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if any(os.path.samefile(link, self.alive) for link in (entry / "fd").iterdir()):
                        found.append(int(entry.name))
        return found

    def assert_no_machine(self, seconds=20):
        """Waits until no machine is left: a killed process takes a moment to end."""
        deadline = time.monotonic() + seconds
        while self.machine_processes():
            assert time.monotonic() < deadline, f"QEMU is still there: {self.machine_processes()}"
            time.sleep(0.02)

    def machine_processes(self):
        """The script's processes without its children. A real QEMU has no children, so a shell's `sleep` does not
        count."""
        found = []
        for pid in self.processes():
            with contextlib.suppress(OSError):
                if str(self.program) in pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
                    found.append(pid)
        return found

    def assert_nothing_left(self, files=()):
        self.assert_no_machine()
        found = sorted(path.name for path in self.temporary.iterdir())
        assert found == sorted(files), found

    def end(self):
        for pid in self.processes():
            if pid != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@pytest.fixture
def qemu(tmp_path):
    """qemu(scenario) -> a FakeQemu that runs the script."""
    made = []

    def make(scenario):
        made.append(FakeQemu(tmp_path, scenario))
        return made[-1]
    yield make
    for one in made:
        one.end()
