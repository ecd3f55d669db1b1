# SPDX-License-Identifier: BSD-2-Clause
"""A QEMU machine with a firmware and a disk, whose serial line can be read, waited on and typed into."""

import contextlib
import functools
import hashlib
import os
import pathlib
import re
import selectors
import shlex
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any, Callable, List, Optional, Sequence, Union

from . import lifetime

if TYPE_CHECKING:
    from .gdb import Gdb

Path = Union[str, "os.PathLike[str]"]

HERE = pathlib.Path(__file__).resolve().parent

# In a checkout, the files that it has built and fetched.
BUILD = HERE.parents[1] / "build"
IN_CHECKOUT = (HERE.parents[1] / "GNUmakefile").exists()

# Emulated boots take 10 to 30 seconds; this limit only ends those that hang.
TIMEOUT = float(os.environ.get("KEXEC_TIMEOUT", "240"))

# Another QEMU than the installed one, with the options that it needs to find its files.
QEMU = shlex.split(os.environ.get("KEXEC_QEMU", "qemu-system-x86_64"))


class Timeout(AssertionError):
    """The expected text did not come."""


class Firmware:
    """A firmware: its code, and the variable store of which each machine gets a copy; None if it has none.

    `smm`: it keeps its variables from the operating system by System Management Mode, as builds with Secure Boot do.
    `knows_shim`: it starts the image that QEMU's -shim names (edk2 of 2025).
    `key` and `certificate`: Secure Boot accepts their signatures, if we have the key; its password is `snakeoil`.
    """

    def __init__(self, folder: Path, code: str, variables: Optional[str] = None, smm: bool = False, key: Optional[Path] = None,
                 knows_shim: bool = False) -> None:
        self._knows_shim = knows_shim
        self.code = pathlib.Path(folder) / code
        self.variables = pathlib.Path(folder) / variables if variables else None
        self.smm = smm
        self.key = pathlib.Path(key) if key else None
        self.certificate = self.key.with_suffix(".pem") if self.key else None

    @property
    def knows_shim(self) -> bool:
        return self._knows_shim or (self.code.parent == pathlib.Path(_HERE) and _installed_ovmf_year() >= 2025)

    @property
    def present(self) -> bool:
        return self.code.exists() and (not self.variables or self.variables.exists())


_HERE = "/usr/share/OVMF"
_HERE_KEY = "/usr/share/ovmf/PkKek-1-snakeoil.key"
# Without a checkout, the installed firmware is the newest available.
_NEWER = BUILD / "deps/ovmf" if IN_CHECKOUT else pathlib.Path(_HERE)
_NEWER_KEY = _NEWER / "PkKek-1-snakeoil.key" if IN_CHECKOUT else pathlib.Path(_HERE_KEY)

# QEMU 10, which `make deps` has fetched beside an older one that is installed.
NEWER_QEMU = [str(BUILD / "deps/qemu/run")]

# OVMF: the installed package's builds, and those of Debian 13 that `make deps` has fetched. Secure Boot is on in those
# with -snakeoil, whose key is public, and with -ms, which have Microsoft's keys and so trust Debian's shim. U-Boot
# wants the board "pc", and keeps variables in a file on the disk.
FIRMWARE = {
    "ovmf": Firmware(_HERE, "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),
    "ovmf-2m": Firmware(_HERE, "OVMF_CODE.fd", "OVMF_VARS.fd"),
    "secboot": Firmware(_HERE, "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd", smm=True),
    "snakeoil": Firmware(_HERE, "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.snakeoil.fd", smm=True, key=_HERE_KEY),
    "ms": Firmware(_HERE, "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd", smm=True),
    "trixie": Firmware(_NEWER, "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", knows_shim=True),
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
def _installed_ovmf_year() -> int:
    """The year of Debian's package, 0 if it is not installed."""
    try:
        version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "ovmf"], stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True).stdout
    except OSError:
        return 0
    found = re.match(r"(\d{4})\.", version)
    return int(found[1]) if found else 0


@functools.lru_cache
def knows_shim() -> bool:
    """Whether this QEMU has the option -shim (10.0)."""
    try:
        words = subprocess.run([*QEMU, "-help"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               timeout=20, preexec_fn=lifetime.child_setup()).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    return re.search(rb"^-shim ", words, re.MULTILINE) is not None


def _cache() -> pathlib.Path:
    """The file that keeps the result of `accelerator`, for this QEMU and until the host restarts."""
    circumstances = [pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(), *QEMU, shutil.which(QEMU[0]),
                     os.access("/dev/kvm", os.R_OK | os.W_OK)]
    name = "qemu-accelerator-" + hashlib.sha256(repr(circumstances).encode()).hexdigest()[:16]
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path("~/.cache").expanduser()
    return (BUILD if IN_CHECKOUT else pathlib.Path(home) / "kexec-efi-test") / name


@functools.lru_cache
def accelerator() -> str:
    """"kvm" if it really runs the firmware, else "tcg". KVM may not work although /dev/kvm can be opened."""
    forced = os.environ.get("KEXEC_ACCEL")
    if forced:
        return forced
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    cache = _cache()
    try:
        return cache.read_text().strip()
    except OSError:
        pass
    found = "kvm" if _kvm_runs_firmware() else "tcg"
    # If the cache cannot be written, there is none. Several programs may write at once, and none may see half a file.
    with contextlib.suppress(OSError):
        cache.parent.mkdir(parents=True, exist_ok=True)
        partial = cache.with_suffix(f".{os.getpid()}")
        partial.write_text(found + "\n")
        partial.replace(cache)
    return found


# The longest time for firmware with KVM, which takes 2 seconds. If KVM does not work, QEMU mostly says so, or ends.
_KVM_SECONDS = 10


def _kvm_runs_firmware() -> bool:
    """Whether OVMF runs by KVM. Without a disk it says on the serial line that it found nothing to boot."""
    command = [*QEMU, "-machine", "q35,accel=kvm", "-cpu", "host", "-m", "256", "-nodefaults",
               "-display", "none", "-serial", "stdio", "-net", "none", *_flash(OVMF, OVMF.variables, snapshot=True)]
    process = None
    try:
        with lifetime.undisturbed():
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, preexec_fn=lifetime.child_setup())
        seen = _read_until(process, re.compile(rb"BdsDxe|Shell|KVM internal error"), _KVM_SECONDS)
        return seen is not None and seen[0] != b"KVM internal error"
    except OSError:
        return False
    finally:
        with lifetime.undisturbed():
            if process:
                process.kill()
                process.wait()
                if process.stdout:
                    process.stdout.close()


def _read_until(process: "subprocess.Popen[bytes]", pattern: "re.Pattern[bytes]",
                seconds: float) -> "Optional[re.Match[bytes]]":
    """The match of `pattern` in a process's output within these seconds; None without one."""
    selector = selectors.DefaultSelector()
    assert process.stdout
    selector.register(process.stdout, selectors.EVENT_READ)
    deadline = time.monotonic() + seconds
    seen = b""
    while time.monotonic() < deadline and selector.select(deadline - time.monotonic()):
        data = os.read(process.stdout.fileno(), 65536)
        if not data:
            break
        seen += data
        match = pattern.search(seen)
        if match:
            return match
    return None


def _flash(firmware: Firmware, variables: Optional[Path], snapshot: bool = False) -> List[str]:
    if not firmware.variables:
        return ["-bios", str(firmware.code)]
    extra = ",snapshot=on" if snapshot else ""
    secure = ["-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1"]
    return [*(secure if firmware.smm else []),
            "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={firmware.code}",
            "-drive", f"if=pflash,unit=1,format=raw,file={variables}{extra}"]


def _disk(bus: str, sector: int, index: str) -> List[str]:
    properties = "drive=esp" + index
    if sector != 512:
        properties += f",logical_block_size={sector},physical_block_size={sector}"
    return {"virtio": ["-device", "virtio-blk-pci," + properties],
            "nvme": ["-device", "nvme,serial=1," + properties],
            "ahci": ["-device", "ide-hd," + properties],
            "usb": ["-device", "qemu-xhci", "-device", "usb-storage," + properties]}[bus]


def command_line(disk: Optional[Path], variables: Optional[Path], firmware: Firmware = OVMF, board: str = "q35",
                 memory: int = 512, sparse: Optional[Path] = None, cpus: int = 1, bus: str = "virtio",
                 sector: int = 512, display: Union[bool, str] = False, cpu: Optional[str] = None,
                 boot_order: bool = False, reboot: bool = False, snapshot: bool = False,
                 qemu: Optional[Sequence[str]] = None) -> List[str]:
    """QEMU's command line for a machine that boots `disk`, or has none. Its serial line and monitor are not included.

    The firmware tries the disk first, unless `boot_order` leaves that to the variable store. `board` is "q35" or "pc",
    which has an older IDE controller for the bus "ahci"; `sector` is the size of the disk's sectors in bytes; `sparse`
    is a file for the machine's memory, if the host does not have as much; `display` is True or a device's name;
    `snapshot` allows saving the machine's state, and keeps the variable store as it is; `qemu` is another QEMU.
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
            *(["-device", display if isinstance(display, str) else "VGA"] if display else []),
            *_flash(firmware, variables, snapshot),
            *(["-drive", f"if=none,id=esp,format=raw,snapshot=on,file={disk}",
               *_disk(bus, sector, "" if boot_order else ",bootindex=1")] if disk else [])]


class Machine:
    """A running machine. Use it as a context manager: leaving it ends QEMU.

    `log` is all output of the serial line, as text with \\n for line ends and without escape sequences.
    """

    process: "subprocess.Popen[bytes]"

    def __init__(self, disk: Optional[Path], firmware: Firmware = OVMF, variables: Optional[Path] = None, gdb: bool = False,
                 tpm: Optional[str] = None, tpm_state: Optional[Path] = None, com: int = 1, extra: Sequence[Any] = (),
                 terminal: bool = False, **options: Any) -> None:
        """`variables`: a variable store, which is written to in place; without it, a copy of the firmware's.

        `tpm`: "tpm-crb" or "tpm-tis", a TPM 2.0 with that interface, new unless `tpm_state` is the folder of one.
        `com`: the number of the only serial port. `terminal`: the port is on our terminal, with QEMU's monitor, so
        `expect` and the like do not work. `options` are those of command_line.
        """
        self.raw = b""
        self._decoded, self._decoded_size = "", 0
        self._tpm: "Optional[subprocess.Popen[bytes]]" = None
        # This may take seconds, so it runs here, where signals are not held back.
        accelerator()
        with lifetime.undisturbed():
            self.folder = lifetime.make_folder(for_sockets=True)
            lifetime.must_end(self, self._end)
            try:
                self._start(disk, firmware, variables, gdb, tpm, tpm_state, com, extra, terminal, options)
            except BaseException:
                self._end()
                raise

    def _start(self, disk: Optional[Path], firmware: Firmware, variables: Optional[Path], gdb: bool, tpm: Optional[str],
               tpm_state: Optional[Path], com: int, extra: Sequence[Any], terminal: bool, options: dict) -> None:
        if variables is None and firmware.variables:
            variables = self.folder / "vars.fd"
            shutil.copyfile(firmware.variables, variables)
        command = command_line(disk, variables, firmware, **options)
        self._monitor_socket = self.folder / "monitor"
        command += ["-display", "none", *extra]
        if terminal:
            command += ["-serial", "mon:stdio"]
        else:
            command += ["-monitor", f"unix:{self._monitor_socket},server=on,wait=off", "-serial", "none",
                        "-chardev", "stdio,id=serial", "-device", f"isa-serial,index={com - 1},chardev=serial"]
        self.gdb_socket = self.folder / "gdb"
        if gdb:
            command += ["-S", "-chardev", f"socket,path={self.gdb_socket},server=on,wait=off,id=gdb",
                        "-gdb", "chardev:gdb"]
        if tpm:
            command += self._start_tpm(tpm, tpm_state or self.folder)
        self.command = [str(word) for word in command]
        if terminal:
            self.process = subprocess.Popen(self.command, preexec_fn=lifetime.child_setup())
            return
        with open(self.folder / "messages", "wb") as messages:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=messages,
                                            start_new_session=True, preexec_fn=lifetime.child_setup())
        self._selector = selectors.DefaultSelector()
        assert self.process.stdout
        self._selector.register(self.process.stdout, selectors.EVENT_READ)

    def _start_tpm(self, model: str, state: Path) -> List[str]:
        """Starts swtpm, which ends with QEMU's connection. Returns QEMU's options for it."""
        path = self.folder / "tpm"
        self._tpm = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--terminate",
                                      "--ctrl", f"type=unixio,path={path}", "--flags", "not-need-init"],
                                     stderr=subprocess.DEVNULL, start_new_session=True,
                                     preexec_fn=lifetime.child_setup())
        deadline = time.monotonic() + TIMEOUT
        while not path.exists() and self._tpm.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        return ["-chardev", f"socket,id=tpm,path={path}", "-tpmdev", "emulator,id=tpm0,chardev=tpm",
                "-device", f"{model},tpmdev=tpm0"]

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *_: object) -> None:
        with lifetime.undisturbed():
            self._end()

    def _end(self) -> None:
        # If QEMU could not be started, there is no process.
        process: "Optional[subprocess.Popen[bytes]]" = getattr(self, "process", None)
        if process:
            if process.poll() is None and not process.stdout:
                # QEMU restores the terminal when it is terminated.
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(5)
            if process.poll() is None:
                process.kill()
            process.wait()
            # Typed text that the machine has not read is lost.
            with contextlib.suppress(BrokenPipeError):
                for stream in (process.stdin, process.stdout):
                    if stream:
                        stream.close()
        if self._tpm:
            self._tpm.kill()
            self._tpm.wait()
        lifetime.remove_folder(self.folder)
        lifetime.has_ended(self)

    @property
    def log(self) -> str:
        # Complete lines do not change any more.
        end = self.raw.rfind(b"\n") + 1
        if end > self._decoded_size:
            self._decoded += self._decode(self.raw[self._decoded_size:end])
            self._decoded_size = end
        return self._decoded + self._decode(self.raw[end:])

    @staticmethod
    def _decode(raw: bytes) -> str:
        text = re.sub(r"\r*\n|\r", "\n", raw.decode("utf-8", "replace"))
        return re.sub(r"\x1b(\[[0-9;?=]*[A-Za-z]|[()].)", "", text)

    @property
    def messages(self) -> str:
        """QEMU's own messages."""
        return (self.folder / "messages").read_text(errors="replace")

    def read(self, seconds: float) -> bool:
        """Reads the output of these `seconds`. Returns False at the end of the serial line."""
        lifetime.check()
        if not self._selector.select(max(seconds, 0)):
            return True
        assert self.process.stdout
        data = os.read(self.process.stdout.fileno(), 65536)
        self.raw += data
        return bool(data)

    def expect(self, pattern: str, timeout: float = TIMEOUT, start: int = 0,
               show: Optional[Callable[[str], None]] = None) -> "re.Match[str]":
        """Waits until the log matches `pattern`, a regular expression, from `start` on, and returns the match.

        `show` is called with the log whenever it has grown. A group that ends where the log ends may be half of a word:
        the match is final when more has come, or when nothing has come for a second.
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
                is_at_end = len(log) in (match.end(group + 1) for group in range(expression.groups))
                size = len(self.raw)
                alive = alive and is_at_end and self.read(1)
                if len(self.raw) == size:
                    return match
                continue
            if not alive:
                raise Timeout(f"QEMU ended without {pattern!r}:\n{self.log}{self.messages}")
            if time.monotonic() >= deadline:
                raise Timeout(f"no {pattern!r} within {timeout:.0f} s:\n{self.log}")
            alive = self.read(deadline - time.monotonic())

    def wait(self, timeout: float = TIMEOUT) -> None:
        """Waits until the machine switches itself off (or resets, which ends QEMU as well)."""
        deadline = time.monotonic() + timeout
        while self.read(deadline - time.monotonic()):
            if time.monotonic() >= deadline:
                raise Timeout(f"not switched off within {timeout:.0f} s:\n{self.log}")
        self.process.wait()

    def type(self, text: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def _connect(self, path: pathlib.Path) -> socket.socket:
        """Connects to a socket that QEMU makes when it starts."""
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

    def connect_gdb(self) -> "Gdb":
        """Connects to QEMU's gdbstub. The machine waits before its first instruction until it is told to run."""
        from . import gdb
        return gdb.Gdb(self._connect(self.gdb_socket))

    def monitor(self, command: str) -> str:
        """The answer of QEMU's monitor. A second command is sent, because the first has been carried out once the
        second is answered."""
        with self._connect(self._monitor_socket) as monitor, monitor.makefile("rwb") as stream:
            stream.write(f"{command}\ninfo status\n".encode())
            stream.flush()
            answer = b""
            while b"VM status" not in answer:
                line = stream.readline()
                assert line, f"QEMU ended:\n{self.log}{self.messages}"
                answer += line
        return answer.decode("utf-8", "replace")

    def pause(self) -> None:
        """Stops the machine; its debugger is told."""
        self.monitor("stop")

    def save_state(self) -> None:
        assert "Error" not in self.monitor("savevm state")

    def load_state(self) -> None:
        """Restores the saved state, with disk and variables. The machine must have run since it was saved, and be
        paused."""
        assert "Error" not in self.monitor("loadvm state")

    def memory(self, address: int, size: int) -> bytes:
        """Physical memory. For large parts: this takes a moment, and the debugger takes minutes."""
        content = self.folder / "memory"
        self.monitor(f"pmemsave {address:#x} {size:#x} \"{content}\"")
        return content.read_bytes()

    def screenshot(self) -> bytes:
        """The screen as a portable pixmap."""
        picture = self.folder / "screen.ppm"
        self.monitor(f"screendump {picture}")
        return picture.read_bytes()

    def wait_until_halted(self) -> None:
        """Waits until the CPU has halted with interrupts off: nothing will come from it any more."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            registers = self.monitor("info registers")
            flags = re.search(r"RFL=(\w+)", registers)
            if flags and "HLT=1" in registers and not int(flags[1], 16) & 1 << 9:
                return
            assert time.monotonic() < deadline, f"expected a halted CPU, found:\n{registers}"
            time.sleep(0.5)
