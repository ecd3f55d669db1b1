# SPDX-License-Identifier: BSD-2-Clause
"""Keeps the kernels that this machine boots by kexec-efi.

A new kernel is put beside those that boot now, on trial: it is started once, and becomes the first if it comes up.

  0  done, or nothing to do     3  status or verify: something is damaged, or has not come up
  1  refused, or failed         4  no room on the ESP or among the EFI variables
  2  a wrong call, or /etc/kexec-efi.conf is wrong      5  the machine is not set up: kexec-efi install
"""

import argparse
import json
import os
import sys

import loader

from . import boot_files, changes, check, configuration, enrolment, images, report
from .errors import FAILED, NOT_INSTALLED, Refused
from .machine import Machine
from .record import Record
from .system import System


def _machine(options):
    system = System(options.root)
    return Machine(system, configuration.read(system, options.config), options.variables)


def _machine_to_look_at(options):
    """The machine. If it is not set up, it need not have an ESP either, and there is nothing to look at."""
    try:
        return _machine(options)
    except Refused as refused:
        if refused.code != FAILED or Record(System(options.root)).is_installed:
            raise
        raise Refused(f"the machine is not set up (kexec-efi install): {refused}", NOT_INSTALLED) from None


def _change(options, plan_change, needs_installation=True):
    if needs_installation:
        record = Record(System(options.root))
        # Hooks call this on machines that boot by other loaders too, so it prints nothing there.
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
    if plan.complaint:
        raise plan.complaint
    if options.json:
        loader.say(json.dumps({"operations": [str(operation) for operation in plan], "done": not options.dry_run,
                               "result": words}))
    else:
        loader.say(("after the change: " if options.dry_run else "") + words)
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
        keys = enrolment.read(machine, options.enroll_keys, options.force) if options.enroll_keys else []
        return changes.install(machine, _source(options, machine, version), changes.Setup(
            options.force, options.removable, options.shim, keys))
    return _change(options, plan, needs_installation=False)


def _uninstall(options):
    try:
        machine = _machine_to_look_at(options)
        is_there = machine.record.is_installed or machine.store.names() or machine.menu.named()
    except Refused as refused:
        if refused.code != NOT_INSTALLED:
            raise
        is_there = False
    if not is_there:
        words = "nothing is set up"
        result = {"operations": [], "done": not options.dry_run, "result": words}
        loader.say(json.dumps(result) if options.json else words)
        return 0
    return _change(options, lambda machine: changes.uninstall(machine, options.force), needs_installation=False)


def _report(make):
    def run(options):
        machine = _machine_to_look_at(options)
        value, lines, code = make(machine)
        report.print_lines(json.dumps(value, indent=1).splitlines() if options.json else lines)
        return code if code or machine.record.is_installed else NOT_INSTALLED
    return run


def _of_version(run):
    """A command about one boot, which the user names by a kernel's version or by an image."""
    def run_it(options):
        if (options.version is None) == (options.image is None):
            raise Refused("expected VERSION or --image, found " + ("neither" if options.image is None else "both"), 2)
        if options.image is not None:
            return run(options, None)
        Record(System(options.root)).expect_installed()
        return run(options, _machine(options))
    return run_it


# --- the words of the command line -----------------------------------------------------------------------------------


class Parser(loader.Parser):
    """The parser of a command. argparse makes subcommands with this class."""

    def __init__(self, description, prog="kexec-efi", **options):
        super().__init__(description, **options)
        self.prog = prog


COMMON = {
    "--root": {"metavar": "DIR", "help": "the machine's files are below DIR, its ESP is mounted there"},
    "--config": {"metavar": "FILE", "help": f"instead of {configuration.FILE}"},
    "--variables": {"choices": ["auto", "yes", "no"],
                    "help": "whether to use the EFI variables of the running machine (auto: unless --root or a chroot is "
                            "used)"},
    "--no-variables": {"dest": "variables", "action": "store_const", "const": "no",
                       "help": "as --variables=no, for images of disks"},
    "--json": {"action": "store_true", "help": "print JSON"},
}
DEFAULTS = {"root": "/", "config": None, "variables": "auto", "json": False}


def _add_common(parser):
    """These options may precede the command or follow it, so neither place sets defaults."""
    for name, words in COMMON.items():
        parser.add_argument(name, default=argparse.SUPPRESS, **words)


def _add_hook(parser):
    parser.add_argument("--if-installed", action="store_true", help="do nothing unless kexec-efi install has run")


def _add_change(parser):
    parser.add_argument("--dry-run", action="store_true", help="print what would be done, and do nothing")


def _add_files(parser):
    parser.add_argument("--kernel", metavar="FILE", help="instead of /boot/vmlinuz-VERSION")
    parser.add_argument("--initrd", metavar="FILE", action="append", default=[],
                        help="instead of /boot/initrd.img-VERSION; may be repeated")
    parser.add_argument("--no-initrd", action="store_true", help="boot without an initrd")


def _add_install(parser):
    parser.add_argument("--removable", action="store_true",
                        help="also write EFI/BOOT/BOOTX64.EFI; refused if another program's file is there")
    parser.add_argument("--shim", metavar="FILE", help="put this shim in front of each image")
    parser.add_argument("--enroll-keys", metavar="DIR",
                        help="enrol DIR/db.auth, KEK.auth and PK.auth; the firmware must be in its setup mode")


def _parser():
    parser = Parser(__doc__)
    parser.add_argument("--version", action="store_true", help="print the version of the loader that would be installed")
    _add_common(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)

    def command(name, text, run, *parts, version=None, force=None):
        one = commands.add_parser(name, prog=f"kexec-efi {name}", help=text, description=text)
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
            _add_install, version="?", force="even if Secure Boot would not start it")
    command("add", "put a kernel on trial, beside those that boot now", _add, _add_change, _add_files, _add_hook, version=1) \
        .add_argument("--again", action="store_true", help="put it on trial again")
    command("remove", "remove a kernel", _remove, _add_change, _add_hook, version=1, force=left)
    command("list", "print the kernels that are set up", _report(report.listing))
    command("status", "print what boots, the outcome of each trial, and damage", _report(report.status))
    command("verify", "check all files as the loader would, with their digests and signatures", _report(report.verification))
    command("check", "check entries and images as the loader would, before they boot", check.check, check.add_arguments)
    command("bless", "record that the running kernel has come up (kexec-efi-bless.service does)", _bless, _add_change)
    command("uninstall", "remove everything, and restore the boot order", _uninstall, _add_change, force=left)
    command("predict", "print what a TPM will hold after a boot of VERSION, or of an image", _of_version(images.predict),
            images.add_boot, images.add_predict, version="?")
    command("pcrlock", "write the measurements of a boot of VERSION, or of an image, for systemd-pcrlock",
            _of_version(images.pcrlock), images.add_boot, images.add_pcrlock, version="?")
    command("seal", "make a sealed image: an entry with the digests of its files", images.seal, images.add_seal,
            images.add_image)
    command("uki", "make a unified image, of an installed kernel VERSION or of files", images.uki, images.add_uki,
            images.add_image)
    command("sign", "sign an image for Secure Boot", images.sign, images.add_sign)
    return parser


def _is_json():
    """Whether the call asks for JSON, even if it is wrong otherwise."""
    words = sys.argv[1:]
    return "--json" in words[:words.index("--") if "--" in words else None]


def _end(message, code):
    """Ends the program after the caller has printed the message on the standard error. With --json prints it as JSON as
    well."""
    if _is_json():
        loader.say(json.dumps({"error": loader.printable(message), "status": code}))
    sys.exit(code)


def _run():
    if sys.argv[1:] == ["--version"]:
        loader.say(f"kexec-efi {boot_files.image_version()}")
        return 0
    options = _parser().parse_args()
    # Without --root, an entry's paths begin where its volume is mounted.
    options.is_root_given = hasattr(options, "root")
    for name, value in DEFAULTS.items():
        if not hasattr(options, name):
            setattr(options, name, value)
    if isinstance(getattr(options, "version", None), list):
        options.version, = options.version
    return options.run(options)


def main():
    try:
        sys.exit(_run())
    except Refused as refused:
        loader.warn(str(refused))
        _end(str(refused), refused.code)
    except loader.Failed as failed:
        _end(failed.message, failed.code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except OSError as error:
        # An error without a file name is about the output itself, and loader.run handles it.
        if error.filename is None:
            raise
        message = f"{error.filename}: {error.strerror}"
        loader.warn(message)
        _end(message, FAILED)
