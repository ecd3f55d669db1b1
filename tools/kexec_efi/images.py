# SPDX-License-Identifier: BSD-2-Clause
"""Makes and measures images from files that the user names. Where one tool suffices for `seal`, `uki`, `sign`,
`predict` or `pcrlock`, it replaces this process, so messages and exit status are the tool's."""

import os
import pathlib
import sys

import loader

from . import boot_files, configuration, report
from .errors import WRONG_CALL, Refused
from .system import System


def _run(options, name, arguments):
    program = boot_files.LIBRARY / name
    sys.stdout.flush()
    os.execve(program, [str(program), *map(str, arguments)], {**os.environ, loader.CALLED: f"kexec-efi {options.command}"})


def _given(options, *names):
    """The given options as arguments of a tool."""
    found = []
    for name in names:
        value = getattr(options, name.replace("-", "_"))
        for one in value if isinstance(value, list) else [value] if value is not None else []:
            found.append(f"--{name}={one}")
    return found


# --- making images ----------------------------------------------------------------------------------------------------


def add_image(parser):
    parser.add_argument("--out", metavar="FILE", required=True, help="the file to write, as a whole or not at all")
    parser.add_argument("--image", metavar="FILE", help="the loader, instead of the installed one")
    parser.add_argument("--osrel", metavar="FILE", help="an os-release file with the name that boot menus show")
    parser.add_argument("--uname", metavar="TEXT", help="the kernel's version that bootctl shows")
    parser.add_argument("--sbat", metavar="LINES", help="further lines for .sbat, by which shim can revoke it")
    parser.add_argument("--key", metavar="FILE", help="sign it: a private key in PEM, or a pkcs11: URI")
    parser.add_argument("--certificate", metavar="FILE", help="the key's certificate, in PEM or DER")


def add_seal(parser):
    parser.add_argument("--entry", metavar="FILE", action="append", required=True,
                        help="the entry, whose paths are below --root; may be repeated: if the loader refuses one, it tries "
                             "the next")
    parser.add_argument("--entries", metavar="LIST", default="", help="more entries, separated by blanks, quoted as in a shell")


def add_uki(parser):
    parser.add_argument("--kernel-version", metavar="VERSION", dest="version", help="an installed kernel, with the "
                        "settings of /etc/kexec-efi.conf and /etc/kernel/cmdline")
    parser.add_argument("--linux", "--kernel", dest="kernel", metavar="FILE", help="the kernel, instead of an installed one")
    parser.add_argument("--initrd", metavar="FILE", action="append", default=[], help="may be repeated")
    parser.add_argument("--initrds", metavar="LIST", default="",
                        help="several initrds, separated by blanks, quoted as in a shell")
    parser.add_argument("--no-initrd", action="store_true", help="boot an installed kernel without an initrd")
    parser.add_argument("--cmdline", metavar="TEXT", help="the kernel command line")
    parser.add_argument("--ucode", metavar="FILE", help="an initrd with microcode")


def _expect_no_options(given, why):
    if given:
        raise Refused(f"expected no {given[0].split('=')[0]} {why}, found one", WRONG_CALL)


def _make(options, arguments):
    """Makes an image by the tool `seal`, and signs it if a key is named."""
    image = options.image or boot_files.image_file()
    out = pathlib.Path(options.out)
    words = [f"--image={image}", *_given(options, "osrel", "uname", "sbat"), *arguments]
    if options.key is None and options.certificate is None:
        return _run(options, "seal", [*words, f"--out={out}"])
    for name in ("key", "certificate"):
        if not getattr(options, name):
            raise Refused(f"expected {name} (--{name}), found none", WRONG_CALL)
    os.environ[loader.CALLED] = f"kexec-efi {options.command}"
    with loader.temporary_folder("kexec-efi-") as folder:
        unsigned, signed = pathlib.Path(folder) / "unsigned.efi", pathlib.Path(folder) / "signed.efi"
        boot_files.run_tool("seal", folder, *words, f"--out={unsigned}")
        boot_files.run_tool("sign", folder, "--", options.key, options.certificate, unsigned, signed)
        loader.write(out, loader.read(signed))
    loader.say(f"{out}: {out.stat().st_size} bytes, signed with {options.certificate}")
    return 0


def seal(options):
    return _make(options, [*_given(options, "entry"), f"--entries={options.entries}", f"--root={options.root}"])


def uki(options):
    if options.version is None:
        if options.kernel is None:
            raise Refused("expected --kernel-version or --linux, found neither", WRONG_CALL)
        _expect_no_options(["--no-initrd"] if options.no_initrd else [], "with --linux")
        files = [f"--linux={options.kernel}", f"--initrds={options.initrds}", *_given(options, "initrd", "cmdline", "ucode")]
        return _make(options, [*files, f"--root={options.root}"])
    _expect_no_options(_given(options, "cmdline", "ucode", "osrel", "uname", "sbat", "key", "certificate", "image"),
                       "with --kernel-version, which uses the machine's settings")
    system = System(options.root)
    settings = configuration.read(system, options.config)
    if settings.entry:
        raise Refused(f"{configuration.FILE}: a unified image has no entry: expected no entry=, found {settings.entry[0]}")
    settings.mode = configuration.UKI
    initrds = [*options.initrd, *loader.words(options.initrds)]
    source = boot_files.find(system, options.version, options.kernel, initrds, options.no_initrd)
    content = boot_files.make(boot_files.recipe(system, settings, source), options.version, "")[-1][1]
    loader.write(options.out, content)
    return 0


def add_sign(parser):
    parser.add_argument("--generic", action="store_true", help="also sign an image with nothing sealed in it: images "
                        "sealed with the key then protect nothing")
    for name, text in (("key", "a private key in PEM, or a pkcs11: URI"), ("cert", "its certificate, in PEM or DER"),
                       ("file", "an image"), ("out", "the signed image; may be IMAGE itself")):
        parser.add_argument(name, metavar={"file": "IMAGE"}.get(name, name.upper()), help=text)


def sign(options):
    generic = ["--generic"] if options.generic else []
    return _run(options, "sign", [*generic, "--", options.key, options.cert, options.file, options.out])


# --- measurements of a boot -------------------------------------------------------------------------------------------


def add_boot(parser):
    parser.add_argument("--image", metavar="FILE", help="an image, instead of VERSION; its files are below --root")
    parser.add_argument("--entry", metavar="FILE", help="the entry beside --image")
    parser.add_argument("--load-options", metavar="TEXT", help="the load options of its boot entry")
    parser.add_argument("--sealed-entry", metavar="N", help="the number of an entry sealed in the image, from 1 on")


def add_predict(parser):
    parser.add_argument("--bank", metavar="BANK", action="append", default=[],
                        help="sha1, sha256, sha384 or sha512; may be repeated")


def add_pcrlock(parser):
    parser.add_argument("--out", metavar="DIR", help="the folder of components; default: /var/lib/pcrlock.d")
    parser.add_argument("--name", metavar="NAME",
                        help="the name of the variant; default: the name of the entry or the image, or the version")


def _boot(options, machine):
    """The arguments that describe the boot to the tools."""
    if machine is None:
        return [*_given(options, "image", "entry", "load-options", "sealed-entry"), f"--root={options.root}"]
    _expect_no_options(_given(options, "entry", "load-options", "sealed-entry"), "with VERSION")
    return report.image_of(machine, options.version)


def predict(options, machine):
    return _run(options, "predict-pcrs", [*_boot(options, machine), *_given(options, "bank")])


def pcrlock(options, machine):
    """Names the component after the version, so that the next one of this version replaces it."""
    words = _boot(options, machine)
    if machine is not None:
        options.name = options.name or f"kexec-efi-{options.version.replace('~', '_')}"
        options.out = options.out or machine.system.file("/var/lib/pcrlock.d")
    return _run(options, "pcrlock", [*words, *_given(options, "name", "out")])
