# SPDX-License-Identifier: BSD-2-Clause
"""Keeps the kernels that this machine boots by kexec-efi.

A new kernel is put beside what boots, and is on trial: it is started once, and is first from then on if it comes up.

  0  done, or nothing to do     3  status or verify: something is damaged, or has not come up
  1  refused, or failed         4  no room on the ESP or among the EFI variables
  2  a wrong call, or /etc/kexec-efi.conf is wrong      5  the machine is not set up: kexec-efi install
"""

import json
import os
import sys

import loader

from . import boot_files, changes, configuration, report
from .errors import FAILED, Refused
from .machine import Machine
from .record import Record
from .system import System


def _machine(options):
    system = System(options.root)
    return Machine(system, configuration.read(system, options.config), options.variables)


def _change(options, plan_change, needs_installation=True):
    if needs_installation:
        record = Record(System(options.root))
        # What hooks call on machines that boot otherwise says nothing.
        if not record.is_installed and getattr(options, "if_installed", False):
            return 0
        record.expect_installed()
    machine = _machine(options)
    with machine.locked():
        plan, words = plan_change(machine)
        if not options.dry_run:
            plan.carry_out()
        elif not options.json:
            plan.show()
    if options.json:
        loader.say(json.dumps({"operations": [str(operation) for operation in plan], "done": not options.dry_run,
                               "result": words}))
    else:
        loader.say(("would be: " if options.dry_run else "") + words)
    return 0


def _source(options, machine, version):
    return boot_files.find(machine.system, version, options.kernel, options.initrd, options.no_initrd)


def _add(options):
    def plan(machine):
        return changes.add(machine, _source(options, machine, options.version), options.again)
    return _change(options, plan)


def _remove(options):
    return _change(options, lambda machine: changes.remove(machine, options.version, options.force))


def _bless(options):
    return _change(options, changes.bless)


def _install(options):
    def plan(machine):
        versions = boot_files.installed_versions(machine.system)
        running = machine.system.running_kernel
        version = options.version or (running if running in versions else next(iter(versions), None))
        if version is None:
            raise Refused("expected a kernel /boot/vmlinuz-VERSION, found none: name its version")
        return changes.install(machine, _source(options, machine, version), options.force)
    return _change(options, plan, needs_installation=False)


def _uninstall(options):
    machine = _machine(options)
    if not machine.record.is_installed and not machine.store.names():
        loader.say("nothing is there")
        return 0
    return _change(options, lambda machine: changes.uninstall(machine, options.force), needs_installation=False)


def _report(make):
    def run(options):
        value, lines, code = make(_machine(options))
        report.print_lines(json.dumps(value, indent=1).splitlines() if options.json else lines)
        return code
    return run


# --- the tools by themselves -----------------------------------------------------------------------------------------


def _run(name, arguments):
    """Runs a tool beside us in our place; what it says and how it ends is its own, and so are signals."""
    program = boot_files.LIBRARY / name
    sys.stdout.flush()
    os.execv(program, [str(program), *arguments])


def _uki(arguments):
    """Of words of our own where --kernel-version is one of them, as kernel-install's plugin calls it."""
    if not any(word.startswith("--kernel-version") for word in arguments):
        return _seal(arguments)
    parser = Parser("Makes the unified image of a kernel, as /etc/kexec-efi.conf and /etc/kernel/cmdline have it.",
                    "kexec-efi uki")
    parser.add_argument("--kernel-version", dest="version", required=True)
    parser.add_argument("--out", required=True)
    _add_common(parser)
    _add_files(parser)
    options = parser.parse_args(arguments)
    system = System(options.root)
    settings = configuration.read(system, options.config)
    if settings.entry:
        raise Refused(f"{configuration.FILE}: a unified image has no entry: expected no entry=, found {settings.entry[0]}")
    settings.mode = configuration.UKI
    source = boot_files.find(system, options.version, options.kernel, options.initrd, options.no_initrd)
    (_, content), = boot_files.make(boot_files.recipe(system, settings, source), options.version, "")
    loader.write(options.out, content)
    return 0


def _seal(arguments):
    """`seal` and `uki` are one tool: what it makes depends on --entry and --linux."""
    image = [] if any(word.startswith("--image") for word in arguments) else [f"--image={boot_files.image_file()}"]
    return _run("seal", [*image, *arguments])


# Name -> (what it does, what runs it), of tools that take words of their own.
TOOLS = {
    "seal": ("make a sealed image: --out=OUT --entry=ENTRY --root=DIR", _seal),
    "uki": ("make a unified image: --out=OUT --linux=KERNEL --initrd=INITRD --cmdline=TEXT; or "
            "--kernel-version=VERSION --out=OUT", _uki),
    "sign": ("sign an image: [--generic] KEY CERT IMAGE OUT", lambda arguments: _run("sign", arguments)),
}


def _predict(options):
    return _run("predict-pcrs", report.image_of(_machine(options), options.version))


def _pcrlock(options):
    """Under a name by which the next one of this version replaces it."""
    machine = _machine(options)
    name = options.version.replace("~", "_")
    return _run("pcrlock", [*report.image_of(machine, options.version), f"--name=kexec-efi-{name}",
                            f"--out={machine.system.file('/var/lib/pcrlock.d')}"])


# --- the words of the command line -----------------------------------------------------------------------------------


class Parser(loader.Parser):
    """As argparse makes one for a command of several."""

    def __init__(self, description, prog="kexec-efi"):
        super().__init__(description)
        self.prog = prog


def _add_common(parser):
    parser.add_argument("--root", default="/", metavar="DIR", help="the machine's files are below DIR")
    parser.add_argument("--config", metavar="FILE", help=f"instead of {configuration.FILE}")
    parser.add_argument("--variables", choices=["auto", "yes", "no"], default="auto",
                        help="whether to use the EFI variables of the running machine (auto: if it is that which is set up)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_hook(parser):
    parser.add_argument("--if-installed", action="store_true", help="do nothing unless kexec-efi install has run")


def _add_change(parser):
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")


def _add_files(parser):
    parser.add_argument("--kernel", metavar="FILE", help="instead of /boot/vmlinuz-VERSION")
    parser.add_argument("--initrd", metavar="FILE", action="append", default=[],
                        help="instead of /boot/initrd.img-VERSION; may be repeated")
    parser.add_argument("--no-initrd", action="store_true", help="boot without an initrd")


def _parser():
    parser = Parser(__doc__)
    parser.add_argument("--version", action="store_true", help="print the version of the loader that would be installed")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)

    def command(name, text, run, *parts, version=None, force=None):
        one = commands.add_parser(name, help=text, description=text)
        for part in (_add_common, *parts):
            part(one)
        if version:
            one.add_argument("version", metavar="VERSION", nargs=version)
        if force:
            one.add_argument("--force", action="store_true", help=force)
        one.set_defaults(run=run)
        return one

    left = "even if nothing that boots is left"
    command("install", "set this machine up, with the kernel that runs, or VERSION", _install, _add_change, _add_files,
            version="?", force="even if Secure Boot would not start it")
    command("add", "put a kernel beside what boots, on trial", _add, _add_change, _add_files, _add_hook, version=1) \
        .add_argument("--again", action="store_true", help="put it on trial again")
    command("remove", "remove a kernel", _remove, _add_change, _add_hook, version=1, force=left)
    command("list", "the kernels that are there", _report(report.listing))
    command("status", "what boots, and what became of what was tried", _report(report.status))
    command("verify", "look at all files as the loader would", _report(report.verification))
    command("bless", "say that what runs has come up (kexec-efi-bless.service does)", _bless, _add_change)
    command("uninstall", "remove all of it, and leave the boot order as it was", _uninstall, _add_change, force=left)
    command("predict", "what a TPM will hold after a boot of VERSION", _predict, version=1)
    command("pcrlock", "write what a boot of VERSION measures, for systemd-pcrlock", _pcrlock, version=1)
    for name, (text, _) in TOOLS.items():
        commands.add_parser(name, help=text, description=text)
    return parser


def main():
    words = sys.argv[1:]
    try:
        if words == ["--version"]:
            loader.say(f"kexec-efi {boot_files.image_version()}")
            sys.exit(0)
        if words and words[0] in TOOLS:
            sys.exit(TOOLS[words[0]][1](words[1:]))
        options = _parser().parse_args(words)
        if isinstance(getattr(options, "version", None), list):
            options.version, = options.version
        sys.exit(options.run(options))
    except Refused as refused:
        loader.warn(str(refused))
        sys.exit(refused.code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
