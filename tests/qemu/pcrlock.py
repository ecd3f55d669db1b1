# SPDX-License-Identifier: BSD-2-Clause
"""Debian 13's systemd-pcrlock, run on a boot that has ended. It gets the booted system's event log, and a TPM in which
the digests of that log have been extended.

TPM 2.0 Library, Part 3: TPM2_Startup, TPM2_PCR_Extend. Part 2: the constants. systemd.pcrlock(5) describes the files of
components.
"""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import time

from kexec_efi_test import event_log
from kexec_efi_test.machine import BUILD, TIMEOUT

TOOLS = BUILD / "deps/boot-tools"
SYSTEMS_OWN = TOOLS / "newer/usr/lib/pcrlock.d"

NO_SESSIONS, SESSIONS = 0x8001, 0x8002
STARTUP, PCR_EXTEND = 0x144, 0x182
PASSWORD = 0x40000009  # TPM_RS_PW, with an empty password

# The range of systemd's own components for events of a running system. An initrd without systemd causes none of them.
BEFORE_USERSPACE = "740-:940-"


def run(program, *arguments, check=True, **options):
    """Runs one of systemd's programs and returns its output. Asserts success unless `check` is False."""
    result = subprocess.run([TOOLS / program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, **options)
    assert not check or result.returncode == 0, result.stderr
    return result


def lock_uki(components, image):
    """Adds a unified image to the components, by systemd-pcrlock itself."""
    variants = pathlib.Path(components) / "650-kernel.pcrlock.d"
    variants.mkdir(parents=True, exist_ok=True)
    run("systemd-pcrlock", "lock-uki", image, f"--pcrlock={variants / image.stem}.pcrlock")


class Tpm:
    """A TPM with the register values of a log. A context manager: leaving it ends the TPM."""

    def __init__(self, events):
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="kexec-tpm-"))
        # libtss2 expects the control channel at this port.
        self._path = self._folder / "socket"
        self._swtpm = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self._folder}", "--flags", "not-need-init",
             "--server", f"type=unixio,path={self._path}", "--ctrl", f"type=unixio,path={self._path}.ctrl"],
            stderr=subprocess.DEVNULL)
        with contextlib.closing(self._connect()) as connection:
            self._command(connection, NO_SESSIONS, STARTUP, struct.pack(">H", 0))
            for event in events:
                if event.kind != event_log.EV_NO_ACTION:
                    self._extend(connection, event)
        self.device = f"swtpm:path={self._path}"

    def _connect(self):
        connection = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                connection.connect(str(self._path))
                return connection
            except (FileNotFoundError, ConnectionRefusedError):
                assert time.monotonic() < deadline and self._swtpm.poll() is None, "swtpm did not start"
                time.sleep(0.05)

    @staticmethod
    def _command(connection, tag, code, parameters):
        connection.sendall(struct.pack(">HII", tag, 10 + len(parameters), code) + parameters)
        answer = connection.recv(4096)
        result, = struct.unpack_from(">6xI", answer)
        assert result == 0, f"TPM command {code:#x}: {result:#x}"

    def _extend(self, connection, event):
        authorization = struct.pack(">IHBH", PASSWORD, 0, 0, 0)
        digests = b"".join(struct.pack(">H", algorithm) + digest for algorithm, digest in event.digests.items())
        self._command(connection, SESSIONS, PCR_EXTEND,
                      struct.pack(">II", event.pcr, len(authorization)) + authorization +
                      struct.pack(">I", len(event.digests)) + digests)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._swtpm.kill()
        self._swtpm.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


class Pcrlock:
    """`log`: the log of a boot, as Linux shows it. `components`: a folder of components, used in addition to systemd's
    own."""

    def __init__(self, log, components):
        self._components = components
        self._log = log
        self._events = event_log.parse(log)

    def _ask(self, *arguments):
        with tempfile.NamedTemporaryFile(prefix="kexec-log-") as log, Tpm(self._events) as tpm:
            log.write(self._log)
            log.flush()
            environment = {**os.environ, "SYSTEMD_TPM2_DEVICE": tpm.device, "SYSTEMD_MEASURE_LOG_FIRMWARE": log.name,
                           "SYSTEMD_MEASURE_LOG_USERSPACE": "/dev/null"}
            return json.loads(run("systemd-pcrlock", f"--components={SYSTEMS_OWN}", f"--components={self._components}",
                                  f"--location={BEFORE_USERSPACE}", "--json=short", *arguments, env=environment).stdout)

    def unrecognised(self, registers):
        """The events of these registers that no component explains, as (register, description). The registers must
        match the log."""
        answer = self._ask("log")
        assert len(answer["log"]) == sum(event.kind != event_log.EV_NO_ACTION for event in self._events)
        assert all(pcr["hashMatchesEventLog"] for pcr in answer["pcrs"] if pcr["pcr"] in registers), answer["pcrs"]
        return [(event["pcr"], event["description"]) for event in answer["log"]
                if event["pcr"] in registers and not event["component"]]

    def predicted(self, registers):
        """Bank -> register -> the predicted values. Components must explain each event of the registers."""
        answer = self._ask(f"--pcr={'+'.join(map(str, registers))}", "predict")
        return {bank: {entry["pcr"]: set(entry["values"]) for entry in entries} for bank, entries in answer.items()}
