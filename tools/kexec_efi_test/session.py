# SPDX-License-Identifier: BSD-2-Clause
"""Judges a boot while it runs: by expected and forbidden text, and by time limits."""

import contextlib
import dataclasses
import re
import time
from typing import Callable, Dict, List, Optional, Tuple

from . import guest, lifetime, machine
from .boots import Boot, Path
from .errors import FAILED, PASSED, VERDICTS, Ended, GuestFailed, TimeRanOut, WrongCall

# Lines that no good boot prints: by Linux, then by edk2. `--expect` with the same line takes precedence.
FORBIDDEN = [r"Kernel panic - not syncing", r"^(\[.*\] )?(Oops: |BUG: |kernel BUG at |Internal error: )",
             r"general protection fault", r"INFO: task .* blocked for more than \d+ seconds",
             r"!!!! X64 Exception Type"]

# The firmware's message when a loader returns, and how long expected text may still come after it.
LOADER_FAILED = r"^BdsDxe: failed to (start|load)|^BdsDxe: No bootable option|^UEFI Interactive Shell|^Shell> "
SECONDS_AFTER_FAILURE = 10

# The last line of the loader before it returns to the firmware, or of the purgatory when it stops.
_REASONS = r"^(kexec: .*|purgatory: digest mismatch.*)"

# Steps of a boot, by the first line that belongs to each.
MILESTONES = {"firmware": r"^BdsDxe: (loading|starting)", "loader": r"^kexec: |^EFI stub: |^Welcome to GRUB",
              "kernel": r"Linux version ", "userspace": rf"Run /\S+ as init process|^{guest.MARK}-\w+ up$"}


@dataclasses.dataclass
class Expectation:
    """The criteria for a boot. Regular expressions are searched in each line; those of `expect` must come in this
    order.

    keys: pairs of an expression and of the text to type on the serial line when it has come; "\\r" presses Enter.
    debug_exit: the value that the guest writes to port 0xf4 (isa-debug-exit) if all is well.
    """

    expect: List[str] = dataclasses.field(default_factory=list)
    forbid: List[str] = dataclasses.field(default_factory=list)
    default_forbid: bool = True
    keys: List[Tuple[str, str]] = dataclasses.field(default_factory=list)
    debug_exit: Optional[int] = None
    timeout: float = machine.TIMEOUT
    line_timeout: Optional[float] = None


@dataclasses.dataclass
class Result:
    """The result of a boot. `status` is the exit status, `reason` the line that explains it.

    output, pcrs: the command's output and the TPM's registers, which only a boot with `run` has.
    """

    name: str = "boot"
    status: int = PASSED
    reason: str = ""
    verdict: str = "pass"
    log: str = ""
    output: str = ""
    seconds: float = 0.0
    times: Dict[str, float] = dataclasses.field(default_factory=dict)
    pcrs: Dict[int, str] = dataclasses.field(default_factory=dict)
    loader_log: List[str] = dataclasses.field(default_factory=list)
    qemu: str = ""
    command: List[str] = dataclasses.field(default_factory=list)
    screenshot: Optional[bytes] = None      # a portable pixmap

    def end(self, status: int, reason: str, verdict: Optional[str] = None) -> None:
        self.status, self.reason = status, reason
        # Any other status is that of the guest's command.
        word = VERDICTS.get(status, VERDICTS[FAILED])
        self.verdict = verdict or word


def line_around(log: str, position: int) -> str:
    start = log.rfind("\n", 0, position) + 1
    end = log.find("\n", position)
    return log[start:end if end >= 0 else None].strip()


class Session:
    """A machine and the expectation for its boot. `show` is called with the log whenever it has grown."""

    def __init__(self, running: machine.Machine, expectation: Expectation, result: Result,
                 command: Optional[guest.Command] = None, show: Callable[[str], None] = lambda log: None):
        self.machine, self.wanted, self.result, self.command, self.show = running, expectation, result, command, show
        self.start = time.monotonic()
        self.last_line = self.start
        self.position = 0
        # The ends of the searched parts of the log: for forbidden text and for steps, for the next expected text, and
        # for the end of the command.
        self.judged = 0
        self.searched = 0
        self.ended_from = 0
        self.failed_at: Optional[float] = None
        self.left = list(expectation.expect)
        self.keys = [(pattern, text, 0) for pattern, text in expectation.keys]
        self.forbidden = [*expectation.forbid, *(FORBIDDEN if expectation.default_forbid else [])]

    # --- lines ---

    def _judge_lines(self, log: str, end: int) -> None:
        """Judges each line once it is complete."""
        for line in log[self.judged:end].splitlines():
            if not line:
                continue
            for name, pattern in MILESTONES.items():
                if name not in self.result.times and re.search(pattern, line):
                    self.result.times[name] = round(time.monotonic() - self.start, 3)
            if re.search(LOADER_FAILED, line) and self.failed_at is None:
                self.failed_at = time.monotonic()
            missing = self.command and self.command.missing(line)
            if missing:
                raise GuestFailed(missing)
            # A line that is still expected is never forbidden.
            if any(re.search(pattern, line) for pattern in self.wanted.expect):
                continue
            for pattern in self.forbidden:
                if re.search(pattern, line):
                    whose = "--forbid" if pattern in self.wanted.forbid else "forbidden unless --no-default-forbid:"
                    raise GuestFailed(f"{whose} {pattern!r} came: {line.strip()}")
        self.judged = end

    def _expect_next(self, log: str) -> bool:
        """Looks for the expected text. Returns whether all of it has come."""
        while self.left:
            found = re.compile(self.left[0], re.MULTILINE).search(log, max(self.position, self.searched))
            if not found:
                # Complete lines are not searched again, because a log may be long.
                self.searched = log.rfind("\n") + 1
                return False
            self.position = found.end()
            self.searched = 0
            self.left.pop(0)
        return True

    def _type_keys(self, log: str) -> None:
        for number, (pattern, text, position) in enumerate(self.keys):
            found = re.compile(pattern, re.MULTILINE).search(log, position)
            if found:
                self.keys.pop(number)
                # The caller reports that the machine has ended.
                with contextlib.suppress(BrokenPipeError):
                    self.machine.type(text)
                return

    def _look(self, alive: bool) -> bool:
        """Judges the log so far. Returns whether the boot has passed; raises if it has failed."""
        log = self.machine.log
        self.show(log)
        end = log.rfind("\n") + 1 if alive else len(log)
        if end > self.judged:
            self.last_line = time.monotonic()
        # A forbidden line takes precedence over an expected one, unless the latter came first.
        is_complete = self._expect_next(log)
        if is_complete and self.left == [] and self.wanted.expect and not self._waits_for_more():
            self._judge_lines(log, min(end, max(self.judged, log.rfind("\n", 0, self.position) + 1)))
            return True
        self._judge_lines(log, end)
        self._type_keys(log)
        if self.command and is_complete:
            return self._command_ended(self.command, log)
        return False

    def _waits_for_more(self) -> bool:
        return bool(self.command) or self.wanted.debug_exit is not None

    def _command_ended(self, command: guest.Command, log: str) -> bool:
        status = command.status(log[self.ended_from:])
        if status is None:
            self.ended_from = log.rfind("\n") + 1
            return False
        self.result.output = command.output(log)
        for name, value in command.facts(log).items():
            setattr(self.result, name, value)
        if status:
            raise CommandFailed(status)
        return True

    # --- time, and the machine's end ---

    def _remaining(self) -> float:
        now = time.monotonic()
        ends = [self.start + self.wanted.timeout]
        if self.wanted.line_timeout:
            ends.append(self.last_line + self.wanted.line_timeout)
        if self.failed_at is not None and (self.left or self.command):
            ends.append(self.failed_at + SECONDS_AFTER_FAILURE)
        return min(ends) - now

    def _missing(self) -> str:
        if self.left:
            return f"--expect {self.left[0]!r} did not come"
        if self.command:
            return "--run did not end" if "userspace" in self.result.times else "--run did not start"
        if self.wanted.debug_exit is not None:
            return "--debug-exit did not come"
        return "the machine did not end"

    def _loader_reason(self) -> str:
        """The loader's last message before it gave up, for the end of a line."""
        log = self.machine.log
        failed = re.search(LOADER_FAILED, log, re.MULTILINE)
        said = re.findall(_REASONS, log[:failed.start()] if failed else log, re.MULTILINE)
        mismatch = [line for line in said if line.startswith("purgatory: ")]
        if failed and said:
            return f": {said[-1]}"
        if mismatch:
            return f": {mismatch[-1]}"
        return f": {line_around(log, failed.start())}" if failed else ""

    def _time_is_up(self) -> None:
        now = time.monotonic()
        if self.failed_at is not None and now >= self.failed_at + SECONDS_AFTER_FAILURE and (self.left or self.command):
            raise GuestFailed(f"{self._missing()}{self._loader_reason()}")
        if self.wanted.line_timeout and now >= self.last_line + self.wanted.line_timeout:
            last = line_around(self.machine.log.rstrip("\n"), len(self.machine.log.rstrip("\n")))
            raise TimeRanOut(f"{self._missing()}: no line for {self.wanted.line_timeout:g} s, the last: {last}")
        if now >= self.start + self.wanted.timeout:
            raise TimeRanOut(f"{self._missing()} within {self.wanted.timeout:g} s{self._loader_reason()}")

    def _machine_ended(self) -> None:
        status = self.machine.process.wait()
        if self.wanted.debug_exit is not None and not self.left and status == self.wanted.debug_exit << 1 | 1:
            return
        messages = self.machine.messages.strip().splitlines()
        if not self.machine.raw and status:
            raise WrongCall("QEMU: " + (re.sub(r"^\S*qemu\S*: ", "", messages[-1]) if messages else f"status {status}"))
        if self.wanted.debug_exit is not None and status & 1 and status > 1:
            raise GuestFailed(f"--debug-exit: expected {self.wanted.debug_exit}, found {status >> 1}")
        if status:
            how = f"signal {-status}" if status < 0 else f"status {status}"
            raise GuestFailed(f"{self._missing()}: QEMU ended with {how}" + (f": {messages[-1]}" if messages else ""))
        if not self._waits_for_more() and not self.wanted.expect:
            return
        raise GuestFailed(f"{self._missing()}: the machine switched itself off or reset{self._loader_reason()}")

    def run(self) -> None:
        """Runs the boot to its end. Raises Ended if the boot has not passed."""
        alive = True
        while True:
            if self._look(alive):
                return
            if not alive:
                self._machine_ended()
                return
            self._time_is_up()
            alive = self.machine.read(min(self._remaining(), 1))


class CommandFailed(Ended):
    """The guest's command ended with another status than 0."""

    def __init__(self, status: int):
        super().__init__(f"--run ended with status {status}")
        self.status = status


def judge(boot: Boot, expectation: Optional[Expectation] = None, folder: Optional[Path] = None, name: str = "boot",
          show: Callable[[str], None] = lambda log: None, screenshot: bool = False) -> Result:
    """Boots, judges, and returns the Result. Raises WrongCall if the boot cannot be tried at all.

    The files of the boot are made in `folder`, or else in a folder that is removed with the boot.
    """
    if folder is None:
        with lifetime.folder() as made:
            return judge(boot, expectation, made, name, show, screenshot)
    expectation = expectation or Expectation()
    result = Result(name)
    disk, options, command = boot.prepared(folder)
    if expectation.debug_exit is not None:
        options["extra"] = [*options["extra"], "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]
    if screenshot:
        options["display"] = options["display"] or True
    with machine.Machine(disk, **options) as running:
        session = Session(running, expectation, result, command, show)
        result.command = running.command
        try:
            session.run()
            result.end(PASSED, _reason_of_pass(session))
        except Ended as ended:
            result.end(ended.status, str(ended), "fail" if isinstance(ended, (GuestFailed, CommandFailed)) else None)
        finally:
            result.seconds = round(time.monotonic() - session.start, 3)
        _collect(session, result, screenshot)
    return result


def _reason_of_pass(session: Session) -> str:
    wanted = session.wanted
    if session.command:
        return "--run ended with status 0"
    if wanted.debug_exit is not None:
        return f"--debug-exit {wanted.debug_exit} came"
    if wanted.expect:
        return f"--expect {wanted.expect[-1]!r} came: {line_around(session.machine.log, max(session.position - 1, 0))}"
    return "the machine switched itself off"


def _collect(session: Session, result: Result, screenshot: bool) -> None:
    running = session.machine
    if running.process.poll() is None:
        # Reads the rest of the output: the end of a line, or of a panic.
        deadline = time.monotonic() + (0.5 if result.status == FAILED else 0.1)
        with contextlib.suppress(OSError):
            while time.monotonic() < deadline and running.read(deadline - time.monotonic()):
                pass
        if screenshot:
            with contextlib.suppress(OSError, AssertionError):
                result.screenshot = running.screenshot()
    result.log, result.qemu = running.log, running.messages
    result.loader_log = result.loader_log or re.findall(r"^kexec: (.*)$", result.log, re.MULTILINE)
    session.show(result.log + ("" if result.log.endswith("\n") else "\n"))
