# SPDX-License-Identifier: BSD-2-Clause
"""A machine with a Debian on its disk. It runs the test's commands, and the test can restart it."""

import base64
import io
import os
import pathlib
import selectors
import shlex
import shutil
import tarfile
import tempfile
import time

from kexec_efi_test import lifetime, machine

# For an emulated machine on a busy host. It only ends a test that hangs.
TIMEOUT = 20 * machine.TIMEOUT

MEMORY = 1024

# A folder with these files holds a machine: its disk, and the variables of its firmware.
NAMES = ("disk.qcow2", "vars.fd")


class Failed(AssertionError):
    """A command in the guest ended with an unexpected status."""


class Guest(machine.Machine):
    """Boots as the firmware's variables say. It writes to `overlay` and `variables`.

    `write_log` is a file that logs each write to the disk (write_log.py).
    `cargo` maps names to content or paths: `load_cargo` copies these files to the guest's /srv/cargo.
    """

    def __init__(self, overlay, variables, firmware, cargo=None, write_log=None, extra=(), **options):
        self._overlay, self._variables = overlay, variables
        self._sockets = tempfile.TemporaryDirectory(prefix="kexec-")
        self._agent_path = pathlib.Path(self._sockets.name) / "agent"
        self._agent = None
        self._received = b""
        # QEMU merges requests up to the number of pieces that a host takes in one write. The logging driver adds pieces
        # of its own, which would be too many.
        drives = ["-drive", self._root(overlay, write_log),
                  "-device", "virtio-blk-pci,drive=root" + (",request-merging=off" if write_log else "")]
        drives += ["-drive", f"if=none,id=cargo,format=raw,readonly=on,file={self._pack(overlay, cargo or {})}",
                   "-device", "virtio-blk-pci,drive=cargo"]
        super().__init__(None, firmware=firmware, variables=variables, reboot=True,
                         **{"memory": MEMORY, **options},
                         extra=[*drives, "-chardev", f"socket,id=agent,path={self._agent_path},server=on,wait=off",
                                "-device", "isa-serial,index=1,chardev=agent", "-device", "virtio-rng-pci", *extra])

    @staticmethod
    def _root(overlay, log):
        if log is None:
            return f"if=none,id=root,format=qcow2,cache=unsafe,file={overlay}"
        log.write_bytes(b"")
        return (f"if=none,id=root,driver=blklogwrites,file.driver=qcow2,file.file.filename={overlay},log.driver=file,"
                f"log.filename={log}")

    @staticmethod
    def _pack(overlay, cargo):
        path = overlay.with_suffix(".cargo")
        with tarfile.open(path, "w") as tar:
            for name, content in cargo.items():
                if not isinstance(content, bytes):
                    content = content.read_bytes()
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), 0o755
                tar.addfile(member, io.BytesIO(content))
        return path

    def __exit__(self, *arguments):
        if self._agent:
            self._agent.close()
        super().__exit__(*arguments)
        self._sockets.cleanup()

    # --- commands in the guest ---

    def read(self, seconds):
        """Reads from the console and the agent for up to `seconds`. Returns False at the console's end."""
        lifetime.check()
        for key, _ in self._selector.select(max(seconds, 0)):
            data = os.read(key.fd, 65536)
            if key.fileobj is self._agent:
                self._received += data
                if not data:
                    self._selector.unregister(self._agent)
            elif data:
                self.raw += data
                self._note(data.decode("utf-8", "replace"))
            else:
                return False
        return True

    def _note(self, text):
        """Appends to the file that shows why a test takes long."""
        with open(self._overlay.with_suffix(".log"), "a") as file:
            file.write(text)

    def _attach(self):
        if self._agent is None:
            self._agent = self._connect(self._agent_path)
            self._selector.register(self._agent, selectors.EVENT_READ)

    def _line(self, timeout):
        """The agent's next line. The console's output goes to the log meanwhile."""
        self._attach()
        deadline = time.monotonic() + timeout
        while b"\n" not in self._received:
            if not self.read(deadline - time.monotonic()):
                raise machine.Timeout(f"QEMU ended:\n{self.log}")
            if time.monotonic() >= deadline:
                raise machine.Timeout(f"nothing from the guest's agent within {timeout:.0f} s:\n{self.log[-20000:]}")
        line, _, self._received = self._received.partition(b"\n")
        return line.decode()

    def wait_until_up(self, timeout=TIMEOUT):
        """Waits until a system has started all of its services. Returns systemd's word for its state."""
        word = ""
        while word != "ready":
            word = self._line(timeout)
        return self.run("systemctl is-system-running --wait", None).strip()

    def load_cargo(self):
        self.run("blockdev --flushbufs /dev/vdb && mkdir -p /srv/cargo && tar -C /srv/cargo -xf /dev/vdb")

    def run(self, command, expected=0, timeout=TIMEOUT):
        """Runs a command for sh and returns its output, both streams in one. Raises Failed unless its status is
        `expected`; with None any status is accepted."""
        self._agent.sendall(base64.b64encode(command.encode()) + b"\n")
        word, status, *output = self._line(timeout).split(" ")
        assert word == "done", f"expected the end of {command}, found {word}: the guest has started again:\n{self.log[-5000:]}"
        text = base64.b64decode(output[0] if output else "").decode("utf-8", "replace")
        self.status = int(status)
        self._note(f"# {command}\n{text}# status {status}\n")
        if expected is not None and self.status != expected:
            raise Failed(f"{command}: expected status {expected}, found {status}:\n{text}")
        return text

    def reboot(self, command="systemctl reboot"):
        """Reboots by the running system. Returns systemd's word for the state of the system that comes up. `start` is
        the offset of that boot in the log."""
        self.start = len(self.log)
        self._agent.sendall(base64.b64encode(f"nohup sh -c {shlex.quote('sleep 1; ' + command)} >/dev/null 2>&1 &".encode())
                            + b"\n")
        return self.wait_until_up()

    def power_off(self):
        self._agent.sendall(base64.b64encode(b"systemctl poweroff") + b"\n")
        self.wait(TIMEOUT)

    # --- saving and restoring ---

    def save(self, folder):
        """Switches the machine off, and copies to `folder` the files that `started` needs."""
        self.power_off()
        for path in (self._overlay, self._variables):
            shutil.copyfile(path, folder / path.name)

    @classmethod
    def started(cls, saved, folder, firmware, **options):
        """Starts the machine that `save` left in the folder `saved`, with copies of its files in `folder`."""
        for name in NAMES:
            shutil.copyfile(saved / name, folder / name)
        made = cls(*(folder / name for name in NAMES), firmware, **options)
        made.wait_until_up()
        return made

    # --- its state ---

    def variable(self, name, vendor="8be4df61-93ca-11d2-aa0d-00e098032b8c"):
        """The data of an EFI variable, or None if it does not exist."""
        text = self.run(f"base64 -w0 /sys/firmware/efi/efivars/{name}-{vendor} 2>/dev/null", None).strip()
        return base64.b64decode(text)[4:] if text else None

    def loader_variable(self, name):
        """A text variable of the Boot Loader Interface."""
        data = self.variable(name, "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f")
        return data.decode("utf-16-le").rstrip("\0") if data else None

    @property
    def boot_order(self):
        return [entry.to_bytes(2, "big").hex().upper() for entry in memoryview(self.variable("BootOrder") or b"").cast("H")]

    @property
    def release(self):
        return self.run("uname -r").strip()

    @property
    def uptime(self):
        """Seconds since the kernel started."""
        return float(self.run("cat /proc/uptime").split()[0])
