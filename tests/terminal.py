# SPDX-License-Identifier: BSD-2-Clause
"""A command on its own pseudo-terminal, for tests of interactive use."""

import os
import pty
import re
import select
import signal
import subprocess
import time


class Terminal:
    """A running command. Use it as a context manager: leaving it ends the command.

    `seen` is its output so far.
    """

    def __init__(self, command, **options):
        self._controller, terminal = pty.openpty()
        self.process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal,
                                        start_new_session=True, **options)
        os.close(terminal)
        self.seen = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._controller)

    def _read(self):
        """Reads output for up to a second. Returns False once the command has ended: it has the only other end of the
        terminal."""
        if not select.select([self._controller], [], [], 1)[0]:
            return True
        try:
            self.seen += os.read(self._controller, 65536).decode("utf-8", "replace")
        except OSError:
            return False
        return True

    def _read_until(self, is_enough, what, timeout):
        deadline = time.monotonic() + timeout
        while not is_enough():
            assert time.monotonic() < deadline, f"no {what} within {timeout:.0f} s:\n{self.seen}"
            if not self._read():
                self.process.wait()
                assert is_enough(), f"the command ended without {what}:\n{self.seen}"

    def expect(self, pattern, timeout):
        """Waits until `seen` matches `pattern`."""
        self._read_until(lambda: re.search(pattern, self.seen), repr(pattern), timeout)

    def wait(self, timeout):
        """Waits for the command's end. Returns its status."""
        self._read_until(lambda: self.process.poll() is not None, "end", timeout)
        return self.process.returncode

    def type(self, text):
        os.write(self._controller, text.encode())


def use_shell(command, timeout, start_timeout=None, **options):
    """Runs `make run`: waits for the shell, uses it, and leaves it as the output says.

    `timeout` is the longest time between two lines of the boot; `start_timeout` is the longest time until the boot
    begins.
    """
    with Terminal(command, **options) as terminal:
        terminal.expect(r"Ctrl-A X leaves QEMU", start_timeout or timeout)
        terminal.expect(r"To leave: poweroff, or Ctrl-A X", timeout)
        terminal.expect(r"/ # ", timeout)
        terminal.type("echo the sum is $((40 + 2))\n")
        terminal.expect(r"the sum is 42", timeout)
        terminal.type("poweroff\n")
        status = terminal.wait(timeout)
        assert status == 0, f"it ended with {status}:\n{terminal.seen}"
