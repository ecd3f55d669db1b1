# SPDX-License-Identifier: BSD-2-Clause
"""A QEMU machine with a firmware and a disk, whose serial line can be read, waited on and typed into."""

import functools
import os
import pathlib
import re
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"

# Emulated boots take 10 to 30 seconds; this only ends those that hang.
TIMEOUT = float(os.environ.get("KEXEC_TIMEOUT", "240"))

# Another QEMU than the installed one, with the options that it needs to find its files.
QEMU = shlex.split(os.environ.get("KEXEC_QEMU", "qemu-system-x86_64"))


class Timeout(AssertionError):
    """What was waited for did not come."""


class Firmware:
    """A firmware: its code, and the variable store that each machine gets a copy of, None where it has none.

    `smm`: it keeps its variables from the operating system by System Management Mode, as builds with Secure Boot do.
    `key` and `certificate`: what Secure Boot accepts, where we have the key; the key's password is `snakeoil`.
    """

    def __init__(self, folder, code, variables=None, smm=False, key=None):
        self.code = pathlib.Path(folder) / code
        self.variables = variables and pathlib.Path(folder) / variables
        self.smm = smm
        self.key = key and pathlib.Path(key)
        self.certificate = key and self.key.with_suffix(".pem")

    @property
    def present(self):
        return self.code.exists() and (not self.variables or self.variables.exists())


_HERE = "/usr/share/OVMF"
_HERE_KEY = "/usr/share/ovmf/PkKek-1-snakeoil.key"
_NEWER = BUILD / "deps/ovmf"
_NEWER_KEY = _NEWER / "PkKek-1-snakeoil.key"

# QEMU 10, which `make deps` has fetched beside an older one that is installed.
NEWER_QEMU = [str(BUILD / "deps/qemu/run")]

# OVMF: the installed package's builds, and those of Debian 13 that `make deps` has fetched. Secure Boot is on in those
# that end in -snakeoil, whose key is public, and -ms, which have Microsoft's keys and so trust Debian's shim. U-Boot
# wants the board "pc", and keeps variables in a file on the disk.
FIRMWARE = {
    "ovmf": Firmware(_HERE, "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),
    "ovmf-2m": Firmware(_HERE, "OVMF_CODE.fd", "OVMF_VARS.fd"),
    "secboot": Firmware(_HERE, "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd", smm=True),
    "snakeoil": Firmware(_HERE, "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.snakeoil.fd", smm=True, key=_HERE_KEY),
    "ms": Firmware(_HERE, "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd", smm=True),
    "trixie": Firmware(_NEWER, "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),
    "trixie-secboot": Firmware(_NEWER, "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd", smm=True),
    "trixie-snakeoil": Firmware(_NEWER, "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.snakeoil.fd", smm=True,
                                key=_NEWER_KEY),
    "trixie-ms": Firmware(_NEWER, "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd", smm=True),
    "strictnx": Firmware(_NEWER, "OVMF_CODE_4M.secboot.strictnx.fd", "OVMF_VARS_4M.fd", smm=True),
    "strictnx-snakeoil": Firmware(_NEWER, "OVMF_CODE_4M.secboot.strictnx.fd", "OVMF_VARS_4M.snakeoil.fd", smm=True,
                                  key=_NEWER_KEY),
    "strictnx-ms": Firmware(_NEWER, "OVMF_CODE_4M.secboot.strictnx.fd", "OVMF_VARS_4M.ms.fd", smm=True),
    "u-boot": Firmware("/usr/lib/u-boot/qemu-x86_64", "u-boot.rom"),
}
OVMF = FIRMWARE["ovmf"]


@functools.lru_cache
def accelerator():
    """"kvm" where it really runs the firmware, else "tcg": that /dev/kvm opens does not mean that it works."""
    cache = BUILD / "qemu-accelerator"
    if cache.exists():
        return cache.read_text().strip()
    found = "tcg"
    if os.access("/dev/kvm", os.R_OK | os.W_OK):
        # Without a disk OVMF says on the serial line that it found nothing to boot.
        command = [*QEMU, "-machine", "q35,accel=kvm", "-cpu", "host", "-m", "256", "-nodefaults",
                   "-display", "none", "-serial", "stdio", "-net", "none", *_flash(OVMF, OVMF.variables, snapshot=True)]
        try:
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL) as process:
                if _read_until(process, re.compile(rb"BdsDxe|Shell"), 20):
                    found = "kvm"
                process.kill()
        except OSError:
            pass
    # Several workers may do this at once, none may see half of it.
    BUILD.mkdir(exist_ok=True)
    partial = cache.with_suffix(f".{os.getpid()}")
    partial.write_text(found + "\n")
    partial.replace(cache)
    return found


def _read_until(process, pattern, seconds):
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ)
    deadline = time.monotonic() + seconds
    seen = b""
    while time.monotonic() < deadline and selector.select(deadline - time.monotonic()):
        data = os.read(process.stdout.fileno(), 65536)
        if not data:
            break
        seen += data
        if pattern.search(seen):
            return True
    return False


def _flash(firmware, variables, snapshot=False):
    if not firmware.variables:
        return ["-bios", str(firmware.code)]
    extra = ",snapshot=on" if snapshot else ""
    secure = ["-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1"]
    return [*(secure if firmware.smm else []),
            "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={firmware.code}",
            "-drive", f"if=pflash,unit=1,format=raw,file={variables}{extra}"]


def _disk(bus, sector, index):
    properties = "drive=esp" + index
    if sector != 512:
        properties += f",logical_block_size={sector},physical_block_size={sector}"
    return {"virtio": ["-device", "virtio-blk-pci," + properties],
            "nvme": ["-device", "nvme,serial=1," + properties],
            "ahci": ["-device", "ide-hd," + properties],
            "usb": ["-device", "qemu-xhci", "-device", "usb-storage," + properties]}[bus]


def command_line(disk, variables, firmware=OVMF, board="q35", memory=512, sparse=None, cpus=1, bus="virtio", sector=512,
                 display=False, cpu=None, boot_order=False, reboot=False, snapshot=False, qemu=None):
    """QEMU's command line for a machine that boots `disk`, or has none, but for its serial line and monitor.

    The disk is what the firmware tries first, unless `boot_order` leaves that to the variable store. `board` is "q35"
    or "pc", which has an older IDE controller for the bus "ahci"; `sector` is the disk's in bytes; `sparse` is a file
    that holds the machine's memory, where that is more than this one has; `display` is True or a device's name;
    `snapshot` lets the machine's state be saved, and keeps the variable store as it is; `qemu` is another QEMU.
    """
    kind = accelerator()
    properties = f"{board},accel={kind}" + (",smm=on" if firmware.smm else "")
    if sparse:
        properties += ",memory-backend=sparse"
    return [*(qemu or QEMU), "-machine", properties,
            "-cpu", cpu or ("host" if kind == "kvm" else "max"), "-m", str(memory), "-smp", str(cpus),
            *(["-object", f"memory-backend-file,id=sparse,size={memory}M,mem-path={sparse},share=on,prealloc=off"]
              if sparse else []),
            "-nodefaults", "-net", "none",
            *([] if reboot else ["-no-reboot"]),
            *(["-device", "VGA" if display is True else display] if display else []),
            *_flash(firmware, variables, snapshot),
            *(["-drive", f"if=none,id=esp,format=raw,snapshot=on,file={disk}",
               *_disk(bus, sector, "" if boot_order else ",bootindex=1")] if disk else [])]


class Machine:
    """A running machine. Use it as a context manager: leaving it ends QEMU.

    `log` holds all that the serial line has shown, as text with \\n for line ends and without escape sequences.
    """

    def __init__(self, disk, firmware=OVMF, variables=None, gdb=False, tpm=None, tpm_state=None, com=1, extra=(),
                 **options):
        """`variables`: a variable store that is used and written to as it is; without it, a copy of the firmware's.

        `tpm`: "tpm-crb" or "tpm-tis", a TPM 2.0 with that interface, new unless `tpm_state` is the folder of one.
        `com`: the number of the only serial port.
        """
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kexec-"))
        if variables is None and firmware.variables:
            variables = self.folder / "vars.fd"
            shutil.copyfile(firmware.variables, variables)
        command = command_line(disk, variables, firmware, **options)
        self._monitor_socket = self.folder / "monitor"
        command += ["-display", "none", "-monitor", f"unix:{self._monitor_socket},server=on,wait=off",
                    "-serial", "none", "-chardev", "stdio,id=serial",
                    "-device", f"isa-serial,index={com - 1},chardev=serial", *extra]
        self.gdb_socket = self.folder / "gdb"
        if gdb:
            command += ["-S", "-chardev", f"socket,path={self.gdb_socket},server=on,wait=off,id=gdb",
                        "-gdb", "chardev:gdb"]
        self._tpm = None
        if tpm:
            command += self._start_tpm(tpm, tpm_state or self.folder)
        self.raw = b""
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.process.stdout, selectors.EVENT_READ)

    def _start_tpm(self, model, state):
        """Starts swtpm, which ends with QEMU's connection, and returns what QEMU needs to use it."""
        path = self.folder / "tpm"
        self._tpm = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--terminate",
                                      "--ctrl", f"type=unixio,path={path}", "--flags", "not-need-init"],
                                     stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + TIMEOUT
        while not path.exists() and self._tpm.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        return ["-chardev", f"socket,id=tpm,path={path}", "-tpmdev", "emulator,id=tpm0,chardev=tpm",
                "-device", f"{model},tpmdev=tpm0"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self._tpm:
            self._tpm.kill()
            self._tpm.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self):
        text = re.sub(r"\r*\n|\r", "\n", self.raw.decode("utf-8", "replace"))
        return re.sub(r"\x1b(\[[0-9;?=]*[A-Za-z]|[()].)", "", text)

    def _read(self, seconds):
        """Reads what comes within `seconds`. Returns False at the end of the line."""
        if not self._selector.select(max(seconds, 0)):
            return True
        data = os.read(self.process.stdout.fileno(), 65536)
        self.raw += data
        return bool(data)

    def expect(self, pattern, timeout=TIMEOUT, start=0, show=None):
        """Waits until the log matches `pattern`, a regular expression, from `start` on, and returns the match.

        `show` is called with the log whenever it has grown.
        """
        expression = re.compile(pattern, re.MULTILINE)
        deadline = time.monotonic() + timeout
        alive = True
        while True:
            log = self.log
            if show:
                show(log)
            match = expression.search(log, start)
            if match:
                return match
            if not alive:
                raise Timeout(f"QEMU ended without {pattern!r}:\n{self.log}")
            if time.monotonic() >= deadline:
                raise Timeout(f"no {pattern!r} within {timeout:.0f} s:\n{self.log}")
            alive = self._read(deadline - time.monotonic())

    def wait(self, timeout=TIMEOUT):
        """Waits until the machine switches itself off (or resets, which ends QEMU as well)."""
        deadline = time.monotonic() + timeout
        while self._read(deadline - time.monotonic()):
            if time.monotonic() >= deadline:
                raise Timeout(f"not switched off within {timeout:.0f} s:\n{self.log}")
        self.process.wait()

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def _connect(self, path):
        """A connection to QEMU's end of a socket, which it makes when it starts."""
        connection = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                connection.connect(str(path))
                return connection
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() >= deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def connect_gdb(self):
        """A connection to QEMU's gdbstub; the machine waits before its first instruction until it is told to run."""
        from . import gdb
        return gdb.Gdb(self._connect(self.gdb_socket))

    def monitor(self, command):
        """What QEMU's monitor answers. The command has been carried out when the next one is answered."""
        with self._connect(self._monitor_socket) as monitor, monitor.makefile("rwb") as stream:
            stream.write(f"{command}\ninfo status\n".encode())
            stream.flush()
            answer = b""
            while b"VM status" not in answer:
                line = stream.readline()
                assert line, f"QEMU ended:\n{self.log}"
                answer += line
        return answer.decode("utf-8", "replace")

    def pause(self):
        """Stops the machine; its debugger is told."""
        self.monitor("stop")

    def save_state(self):
        assert "Error" not in self.monitor("savevm state")

    def load_state(self):
        """Makes a machine that has run since, and is paused, what it was, its disk and variables included."""
        assert "Error" not in self.monitor("loadvm state")

    def memory(self, address, size):
        """Physical memory. For much of it: the debugger takes minutes where this takes a moment."""
        content = self.folder / "memory"
        self.monitor(f"pmemsave {address:#x} {size:#x} \"{content}\"")
        return content.read_bytes()

    def screenshot(self):
        """What the screen shows, as a portable pixmap."""
        picture = self.folder / "screen.ppm"
        self.monitor(f"screendump {picture}")
        return picture.read_bytes()

    def wait_until_halted(self):
        """Waits until the CPU has halted with interrupts off: nothing will come from it any more."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            registers = self.monitor("info registers")
            flags = int(re.search(r"RFL=(\w+)", registers)[1], 16)
            if "HLT=1" in registers and not flags & 1 << 9:
                return
            assert time.monotonic() < deadline, f"expected a halted CPU, found:\n{registers}"
            time.sleep(0.5)
