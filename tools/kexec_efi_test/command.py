# SPDX-License-Identifier: BSD-2-Clause
"""Boots a kernel through real UEFI firmware in QEMU: on this terminal, or as a test with a verdict.

  kexec-efi-test --kernel bzImage --initrd initrd.img --cmdline 'console=ttyS0'
  kexec-efi-test --kernel bzImage --run 'uname -r'
  kexec-efi-test --kernel bzImage --expect 'Linux version' --expect 'login:' --timeout 120

Without --expect, --run, --forbid, --debug-exit, --screenshot, a file for results or --matrix, the machine is on this
terminal. Otherwise the guest's serial line goes to the standard output, and one line on the standard error gives the
verdict. The exit status is 0 if all went well, 1 if the guest failed, 2 for a wrong call or if QEMU does not start, 3
if time ran out; if the command of --run fails, the status is that command's.
"""

import argparse
import dataclasses
import io
import math
import os
import pathlib
import re
import select
import shlex
import shutil
import signal
import sys
from typing import Any, Callable, Dict, List, NoReturn, Optional, Union

from . import guest, lifetime, machine, matrix, results, session
from .boots import DEFAULT_CMDLINE, VIAS, Boot, default_kernel, loader_image
from .errors import FAILED, PASSED, TIMED_OUT, UNUSABLE, VERDICTS, WrongCall, reason_of
from .session import Expectation, Result

PROGRAM = "kexec-efi-test"


def printable(text: str) -> str:
    """The text in one line, without control characters for a terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def say(line: str) -> None:
    if sys.stderr:
        print(f"{PROGRAM}: {printable(line)}", file=sys.stderr, flush=True)


class Parser(argparse.ArgumentParser):
    """A parser that raises WrongCall with its message, in one line."""

    def error(self, message: str) -> NoReturn:
        raise WrongCall(message)


# --- values of options ---

def _count(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, found {text}")
    return int(text)


def _memory(text: str) -> int:
    """Memory in MiB, from a number with or without a unit."""
    found = re.fullmatch("([1-9][0-9]{0,8})([MG]?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"expected MiB from 1 on, or a number with M or G, found {text}")
    return int(found[1]) * (1024 if found[2] == "G" else 1)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected seconds above 0, found {text}")
    return value


def _pattern(text: str) -> str:
    try:
        if re.compile(text).search(""):
            raise argparse.ArgumentTypeError(f"expected an expression that does not match everywhere, found {text!r}")
    except re.error as error:
        raise argparse.ArgumentTypeError(f"expected a regular expression, found {text}: {error}") from error
    return text


def _ports(text: str) -> str:
    found = re.fullmatch(r"(\d{1,5}):(\d{1,5})", text)
    if not found or not all(0 < int(port) < 65536 for port in found.groups()):
        raise argparse.ArgumentTypeError(f"expected HOST:GUEST, two TCP ports, found {text}")
    return text


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"expected a TCP port, found {text}")
    return int(text)


def _exit_code(text: str) -> int:
    if not re.fullmatch(r"0x[0-9a-fA-F]{1,2}|\d{1,3}", text) or not 0 < int(text, 0) < 128:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 127, found {text}")
    return int(text, 0)


def _on_esp(text: str) -> str:
    if not re.match(r"[/\\].*=.", text):
        raise argparse.ArgumentTypeError(f"expected PATH=FILE with a PATH from / on, found {text}")
    return text


def _readable(text: str) -> str:
    try:
        with open(text, "rb") as file:
            file.read(1)
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"cannot read {text or 'a file without a name'}: "
                                         f"{getattr(error, 'strerror', error)}") from error
    return text


def _word(text: str) -> str:
    if "\n" in text or "\0" in text:
        raise argparse.ArgumentTypeError(f"expected one line, found {text!r}")
    return text


def _keys(text: str) -> str:
    try:
        return text.encode("latin-1", "backslashreplace").decode("unicode_escape")
    except UnicodeDecodeError as error:
        raise argparse.ArgumentTypeError(f"expected text with \\r and the like, found {text}") from error


class _KeysAction(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any,
                 option_string: Optional[str] = None) -> None:
        try:
            pair = _pattern(values[0]), _keys(values[1])
        except argparse.ArgumentTypeError as error:
            raise argparse.ArgumentError(self, str(error)) from error
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), pair])


# The settings of an option that can be given several times.
REPEATABLE: Dict[str, Any] = {"action": "append", "default": []}


def parser() -> Parser:
    """The parser of the command line, whose destinations are fields of Boot and Expectation."""
    made = Parser(PROGRAM, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    boot = made.add_argument_group("the boot")
    boot.add_argument("--kernel", type=_readable, help=f"({default_kernel()})")
    boot.add_argument("--initrd", dest="initrds", type=_readable, **REPEATABLE, help="repeatable, in order")
    boot.add_argument("--initrds", dest="initrd_list", default="", metavar="LIST",
                      help="several initrds, separated by blanks, quoted as in a shell")
    boot.add_argument("--cmdline", type=_word, help=f"({DEFAULT_CMDLINE}), or load options of an EFI application")
    boot.add_argument("--via", default="kexec-efi", help=f"{', '.join(VIAS)}, or an EFI application (%(default)s)")
    boot.add_argument("--image", type=_readable, help=f"the loader of --via kexec-efi ({loader_image()})")
    boot.add_argument("--entry", type=_word, **REPEATABLE, metavar="LINE",
                      help="a further line of its entry, where the files lie on the ESP as /vmlinuz, /initrd0, /initrd1...")
    boot.add_argument("--file", dest="files", type=_on_esp, **REPEATABLE, metavar="PATH=FILE",
                      help="a further file on the ESP, or another content for one of these files")
    boot.add_argument("--esp", metavar="FOLDER", help="a folder of further files for the ESP")
    hardware = made.add_argument_group("the machine")
    hardware.add_argument("--firmware", default="ovmf", help=f"{', '.join(machine.FIRMWARE)}, or a file (%(default)s)")
    hardware.add_argument("--secure-boot", metavar="KEYS",
                          help="turn it on, with the keys of snakeoil or ms, or a certificate in PEM")
    hardware.add_argument("--sign", nargs="?", const="all", choices=["all", "loader", "kernel"], metavar="WHAT",
                          help="sign loader, kernel or all, with --key or the key of snakeoil")
    hardware.add_argument("--key", type=_readable, help="in PEM, of --secure-boot's certificate or of KEY.pem")
    hardware.add_argument("--tpm", choices=["crb", "tis"], help="a TPM 2.0, new at each boot")
    hardware.add_argument("--memory", type=_memory, default=1024, metavar="SIZE", help="MiB, or as 512M or 2G (%(default)s)")
    hardware.add_argument("--cpus", type=_count, default=1, help="(%(default)s)")
    hardware.add_argument("--cpu", metavar="MODEL", help="(KVM's host, or all that QEMU emulates)")
    hardware.add_argument("--numa", type=_count, default=0, metavar="NODES", help="divide memory and CPUs among so many nodes")
    hardware.add_argument("--bus", default="virtio", choices=["virtio", "nvme", "ahci"], help="of the disks (%(default)s)")
    hardware.add_argument("--disk", dest="disks", type=_readable, **REPEATABLE, metavar="IMAGE",
                          help="a further disk, which stays unchanged; it is booted if there is no --kernel; repeatable")
    hardware.add_argument("--share", metavar="FOLDER", help="by 9p; at /share for --run")
    hardware.add_argument("--net", action="store_true", help="a network card, which --run configures")
    hardware.add_argument("--forward", type=_ports, **REPEATABLE, metavar="HOST:GUEST", help="a TCP port; repeatable")
    hardware.add_argument("--display", nargs="?", const=True, default=False, metavar="DEVICE", help="a graphics card (VGA)")
    hardware.add_argument("--modules", metavar="FOLDER",
                          help="the kernel's, for --run (lib/modules beside it, or this machine's)")
    hardware.add_argument("--qemu-arg", dest="qemu_args", **REPEATABLE, metavar="WORD", help="for QEMU; repeatable")
    hardware.add_argument("--gdb", nargs="?", type=_port, const=1234, metavar="PORT",
                          help="wait for a debugger before the first instruction (1234)")
    verdict = made.add_argument_group("the verdict")
    verdict.add_argument("--expect", type=_pattern, **REPEATABLE, metavar="REGEX",
                         help="text that must come; repeatable, in this order")
    verdict.add_argument("--forbid", type=_pattern, **REPEATABLE, metavar="REGEX", help="text that must not come; repeatable")
    verdict.add_argument("--no-default-forbid", dest="default_forbid", action="store_false",
                         help="do not fail on a panic, an oops and the like")
    verdict.add_argument("--run", metavar="COMMAND", help="run in a shell in the guest; its status is passed on")
    verdict.add_argument("--keys", nargs=2, action=_KeysAction, default=[], metavar=("REGEX", "TEXT"),
                         help="type the text when the expression has come; \\r in it presses Enter; repeatable")
    verdict.add_argument("--debug-exit", type=_exit_code, metavar="CODE",
                         help="the value that the guest writes to port 0xf4 if all is well")
    verdict.add_argument("--timeout", type=_seconds, metavar="SECONDS", help=f"of the boot ({machine.TIMEOUT:g})")
    verdict.add_argument("--line-timeout", type=_seconds, metavar="SECONDS", help="between two lines")
    files = made.add_argument_group("results")
    files.add_argument("--log", metavar="FILE", help="the serial line")
    files.add_argument("--junit", metavar="FILE", help="the verdict as JUnit's XML")
    files.add_argument("--json", metavar="FILE",
                       help="verdict, times, the log, and with --run the registers of the TPM, as JSON")
    files.add_argument("--html", metavar="FILE", help="a page of all that")
    files.add_argument("--screenshot", metavar="FILE", help="the screen at the time of the verdict, as PNG or .ppm")
    files.add_argument("--matrix", metavar="FILE", help="boots from a file in TOML, with a table at the end")
    files.add_argument("--name", help="the name of this boot in results")
    files.add_argument("--quiet", action="store_true", help="do not show the serial line")
    return made


def known_options(made: Parser) -> Dict[str, bool]:
    """A dict from each long name to whether the option can be given several times."""
    known = {}
    for action in made._actions:
        for option in action.option_strings:
            if option.startswith("--"):
                known[option[2:]] = isinstance(action, argparse._AppendAction)
    # --keys takes two words, and a value in a matrix is one.
    del known["keys"]
    return known


def boot_of(options: argparse.Namespace) -> Boot:
    try:
        more = shlex.split(options.initrd_list)
    except ValueError as error:
        raise WrongCall(f"--initrds {options.initrd_list}: {error}") from error
    for path in more:
        try:
            _readable(path)
        except argparse.ArgumentTypeError as error:
            raise WrongCall(f"--initrds: {error}") from error
    values = {field.name: getattr(options, field.name) for field in dataclasses.fields(Boot)}
    values["initrds"] = [*options.initrds, *more]
    values["files"] = dict(text.split("=", 1) for text in options.files)
    for path in values["files"].values():
        try:
            _readable(path)
        except argparse.ArgumentTypeError as error:
            raise WrongCall(f"--file: {error}") from error
    if options.via not in VIAS and not os.path.isfile(options.via):
        raise WrongCall(f"--via {options.via}: expected {', '.join(VIAS)} or an EFI application, found no such file")
    return Boot(**values)


def expectation_of(options: argparse.Namespace) -> Expectation:
    values: Dict[str, Any] = {field.name: getattr(options, field.name) for field in dataclasses.fields(Expectation)}
    values["timeout"] = values["timeout"] or machine.TIMEOUT
    return Expectation(**values)


def _reader_is_gone() -> bool:
    """Whether the reader of the standard output is gone. A write would notice that only at the guest's next output."""
    poll = select.poll()
    poll.register(1, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


class Shown:
    """Prints the new whole lines of a log."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, log: str) -> None:
        end = log.rfind("\n") + 1
        if end > self.count and sys.stdout:
            # Leaves out the lines that --run uses for itself.
            print(guest.MARKED.sub("", log[self.count:end]), end="", flush=True)
            self.count = end
        if _reader_is_gone():
            raise BrokenPipeError


def _say_nothing(log: str) -> None:
    pass


def _write(path: str, content: Union[bytes, str]) -> None:
    data = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    try:
        with open(path, "wb") as file:
            file.write(data)
    except OSError as error:
        raise WrongCall(f"cannot write {path}: {error.strerror}") from error


def write_results(options: argparse.Namespace, found: List[Result]) -> None:
    log = "".join(result.log if len(found) == 1 else f"--- {result.name}\n{result.log}" for result in found)
    for path, make in ((options.log, lambda: log), (options.junit, lambda: results.as_junit(found)),
                       (options.json, lambda: results.as_json(found)), (options.html, lambda: results.as_html(found))):
        if path:
            _write(path, make())


def test(options: argparse.Namespace, name: str, quiet: bool) -> Result:
    with lifetime.folder() as folder:
        boot = boot_of(options)
        show: Callable[[str], None] = Shown()
        if quiet:
            show = _say_nothing
        wants_picture = bool(options.screenshot or (options.html and options.display))
        result = session.judge(boot, expectation_of(options), folder, name, show, wants_picture)
    if options.screenshot and result.screenshot:
        _write(options.screenshot, results.picture_file(result.screenshot, options.screenshot))
    elif options.screenshot and result.status == PASSED:
        result.end(UNUSABLE, f"--screenshot {options.screenshot}: expected a machine that is still there, found it ended")
    return result


def run_one(options: argparse.Namespace) -> int:
    result = test(options, options.name or "boot", options.quiet)
    write_results(options, [result])
    if result.status != PASSED:
        for line in result.qemu.splitlines():
            say(f"QEMU said: {line}")
    say(f"{result.verdict}: {result.reason}")
    return result.status


def run_matrix(options: argparse.Namespace, made: Parser) -> int:
    for name in ("log", "junit", "json", "html"):
        if getattr(options, name):
            setattr(options, name, os.path.abspath(getattr(options, name)))
    boots = matrix.read(options.matrix, known_options(made))
    os.chdir(pathlib.Path(options.matrix).resolve().parent)
    # All boots are checked before the first one starts.
    parsed = [(name, made.parse_args(words)) for name, words in boots]
    found = []
    for name, one in parsed:
        one.html = options.html
        try:
            found.append(test(one, name, quiet=True))
        except (WrongCall, OSError) as error:
            found.append(Result(name))
            found[-1].end(UNUSABLE, str(error) if isinstance(error, WrongCall) else reason_of(error))
        if not options.quiet:
            say(f"{name}: {found[-1].verdict}: {found[-1].reason}")
    write_results(options, found)
    print(results.table(found), flush=True)
    bad = [result for result in found if result.status != PASSED]
    first = f", {bad[0].name} is the first that did not" if bad else ""
    say(f"{len(found) - len(bad)} of {len(found)} boots passed{first}")
    # A failure takes precedence. A command's own status is not passed on.
    verdicts = {result.verdict for result in bad}
    return next((status for status in (FAILED, TIMED_OUT, UNUSABLE) if VERDICTS[status] in verdicts), PASSED)


def run_on_terminal(options: argparse.Namespace) -> int:
    with lifetime.folder() as folder:
        disk, machine_options = boot_of(options).prepare(folder)
        print("Booting in QEMU; this takes a while without KVM. Ctrl-A X leaves QEMU.", flush=True)
        with machine.Machine(disk, terminal=True, **machine_options) as running:
            status = running.process.wait()
    if status:
        say(f"error: QEMU ended with status {status}")
    return UNUSABLE if status else PASSED


def check(options: argparse.Namespace) -> None:
    """Finds errors before anything is made, and says how to connect gdb."""
    if not shutil.which(machine.QEMU[0]):
        raise WrongCall(f"expected QEMU, found no {machine.QEMU[0]}" +
                        (": run make deps run" if machine.IN_CHECKOUT else ": install qemu-system-x86"))
    for name in ("log", "junit", "json", "html", "screenshot"):
        path = getattr(options, name)
        if path is None:
            continue
        try:
            results.check_writable(path, name)
        except OSError as error:
            raise WrongCall(f"--{name}: cannot write {path or 'a file without a name'}: {error.strerror}") from error
    if options.gdb:
        options.qemu_args = [*options.qemu_args, "-S", "-gdb", f"tcp:127.0.0.1:{options.gdb}"]
        say(f"the machine waits for gdb: target remote localhost:{options.gdb}")


# Any of these options asks for a verdict.
JUDGED = ("expect", "forbid", "run", "debug_exit", "keys", "timeout", "line_timeout", "log", "junit", "json", "html",
          "screenshot")


def run(words: Optional[List[str]] = None) -> int:
    made = parser()
    options = made.parse_args(words)
    check(options)
    if options.matrix:
        return run_matrix(options, made)
    if any(getattr(options, name) not in (None, []) for name in JUDGED):
        return run_one(options)
    return run_on_terminal(options)


def main(words: Optional[List[str]] = None) -> int:
    """Runs the command, and returns its status. Whatever ends it, its machine and files are removed."""
    lifetime.end_by_exception()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = run(words)
        if sys.stdout:
            sys.stdout.flush()
        return status
    except lifetime.Signalled as signalled:
        lifetime.end_all()
        say(f"ended by {signalled}")
        lifetime.end_by_signal(signalled.number)
    except BrokenPipeError:
        # The reader is gone. Do not try again to write the rest when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        lifetime.end_by_signal(signal.SIGPIPE)
    except WrongCall as error:
        say(f"error: {error}")
    except OSError as error:
        say(f"error: {reason_of(error)}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return UNUSABLE
