# SPDX-License-Identifier: BSD-2-Clause
"""/etc/kexec-efi.conf, and the files that kernel-install uses for the command line and the entry token."""

import dataclasses
import difflib
import os
import pathlib
import re
import shlex

import loader

from .errors import WRONG_CALL, Refused

FILE = "/etc/kexec-efi.conf"

SPLIT, SEALED, UKI = MODES = ("split", "sealed", "uki")
FIRMWARE, SYSTEMD_BOOT = "firmware", "systemd-boot"


@dataclasses.dataclass
class Configuration:
    """
    mode         split: an entry beside the image; sealed: the entry in the image; uki: all in one image
    key, certificate  sign the images, for Secure Boot
    generic      yes: the key may sign images with nothing sealed in them, which `split` needs
    esp          the folder where the EFI system partition is mounted, if bootctl would not find it
    menu         firmware, systemd-boot, or auto: systemd-boot if that has started this machine
    keep         the number of kernel versions that stay
    shim         a file: shim in front of each image; empty: none
    removable    yes: also as EFI/BOOT/BOOTX64.EFI
    pcr_private_key, pcr_public_key  sign the values of register 11 for disks that are bound to it
    pcr_phases   a path of systemd-pcrphase's phases to sign for; may be repeated
    initrd       a file in front of the kernel's own initrd, such as microcode; may be repeated
    tries        how often systemd-boot tries a new kernel
    entry        a line for each entry, such as `measure require`; may be repeated
    sbat         a line for the image's .sbat; may be repeated
    """

    mode: str = SPLIT
    key: str = ""
    certificate: str = ""
    generic: str = "no"
    esp: str = ""
    menu: str = "auto"
    keep: int = 3
    tries: int = 3
    shim: str = ""
    removable: str = "no"
    pcr_private_key: str = ""
    pcr_public_key: str = ""
    pcr_phases: list = dataclasses.field(default_factory=list)
    initrd: list = dataclasses.field(default_factory=list)
    entry: list = dataclasses.field(default_factory=list)
    sbat: list = dataclasses.field(default_factory=list)


_CHOICES = {"mode": MODES, "generic": ("yes", "no"), "removable": ("yes", "no"), "menu": ("auto", FIRMWARE, SYSTEMD_BOOT)}
_NUMBERS = {"keep": (1, 100), "tries": (1, 100)}


def _value(place, key, value):
    if key in _CHOICES and value not in _CHOICES[key]:
        raise Refused(f"{place}: {key}: expected {' or '.join(_CHOICES[key])}, found {value or 'nothing'}", WRONG_CALL)
    if key in _NUMBERS:
        low, high = _NUMBERS[key]
        if not re.fullmatch("[0-9]{1,3}", value) or not low <= int(value) <= high:
            raise Refused(f"{place}: {key}: expected a number from {low} to {high}, found {value or 'nothing'}", WRONG_CALL)
        return int(value)
    return value


def parse(name, text):
    """A Configuration from lines KEY=VALUE. A line that begins with # is a comment."""
    configuration, seen = Configuration(), set()
    keys = [field.name for field in dataclasses.fields(Configuration)]
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        place = f"{name}: line {number}"
        key, is_there, value = (part.strip() for part in line.partition("="))
        if not is_there or key not in keys:
            close = difflib.get_close_matches(key, keys, 1)
            raise Refused(f"{place}: expected {close[0] if close else 'one of ' + ', '.join(keys)} and =, found {key}",
                          WRONG_CALL)
        value = _value(place, key, value)
        if isinstance(getattr(configuration, key), list):
            getattr(configuration, key).append(value)
        elif key in seen:
            raise Refused(f"{place}: expected {key} once, found it again", WRONG_CALL)
        else:
            setattr(configuration, key, value)
        seen.add(key)
    if bool(configuration.key) != bool(configuration.certificate):
        missing = "certificate" if configuration.key else "key"
        raise Refused(f"{name}: expected key and certificate, found no {missing}", WRONG_CALL)
    if configuration.key and configuration.mode == SPLIT and configuration.generic != "yes":
        raise Refused(f"{name}: mode=split signs an image that boots any files beside it, so images sealed with the key "
                      "protect nothing: set mode=sealed, or generic=yes to accept that", WRONG_CALL)
    _expect_entry_lines(name, configuration.entry)
    if bool(configuration.pcr_private_key) != bool(configuration.pcr_public_key):
        missing = "pcr_public_key" if configuration.pcr_private_key else "pcr_private_key"
        raise Refused(f"{name}: expected pcr_private_key and pcr_public_key, found no {missing}", WRONG_CALL)
    if configuration.pcr_phases and not configuration.pcr_private_key:
        raise Refused(f"{name}: expected pcr_phases= with pcr_private_key=, found it without", WRONG_CALL)
    # A key without effect in this mode is refused.
    for key, modes in (("entry", (SPLIT, SEALED)), ("sbat", (SEALED, UKI)), ("pcr_private_key", (SPLIT, SEALED))):
        if getattr(configuration, key) and configuration.mode not in modes:
            raise Refused(f"{name}: expected {key}= with mode={' or '.join(modes)}, found it with {configuration.mode}",
                          WRONG_CALL)
    return configuration


# Keys of an entry that name files. Each file would have to be on the ESP.
_FILES = {"linux": "a kernel has its own line", "uki": "a kernel has its own line", "initrd": "initrd=FILE copies one",
          "pcrsig": "pcr_private_key=FILE makes it", "pcrpkey": "pcr_public_key=FILE copies it",
          "fsverity": "each file has its line", "sha256": "each file has its line", "volume": "all files are on the ESP"}


def _expect_entry_lines(name, lines):
    """Refuses a line of entry= that names a file or that the loader would refuse."""
    for line in lines:
        key = line.split(None, 1)[0] if line.strip() else ""
        if key in _FILES:
            raise Refused(f"{name}: entry: expected a key that names no file, found {key}: {_FILES[key]}", WRONG_CALL)
    # The loader numbers the lines of the entry made here. The configuration does not have its first line, so the number
    # is left out.
    text = "\n".join(["linux /vmlinuz", *lines, ""]).encode("utf-8", "surrogateescape")
    complaint = loader.complaint_of(lambda: loader.entry("entry=", text)) if lines else None
    if complaint:
        raise Refused(f"{name}: {re.sub('^entry=: line [0-9]+: ', 'entry=', complaint)}", WRONG_CALL)


def _read(path):
    """The text of a file, or None if it is not there."""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused(f"cannot read {path}: {error.strerror}") from None


def read(system, name=None):
    """The configuration in the file `name`, which must exist, or else in the usual file, which may be missing."""
    path = system.file(FILE) if name is None else name
    text = _read(pathlib.Path(path))
    if text is None and name is not None:
        raise Refused(f"cannot read {path}: No such file or directory", WRONG_CALL)
    return parse(path, text or "")


# --- files of kernel-install (kernel-install(8)) ----------------------------------------------------------------------


def os_release(system):
    """os-release(5) as a dict."""
    text = _read(system.file("/etc/os-release")) or _read(system.file("/usr/lib/os-release")) or ""
    found = {}
    for line in text.splitlines():
        key, is_there, value = line.partition("=")
        try:
            words = shlex.split(value)
        except ValueError:
            continue
        if is_there and re.fullmatch("[A-Z0-9_]+", key) and len(words) <= 1:
            found[key] = words[0] if words else ""
    return found


def machine_id(system):
    text = (_read(system.file("/etc/machine-id")) or "").strip()
    return text if re.fullmatch("[0-9a-f]{32}", text) else ""


def entry_token(system):
    """The token that names this machine's folder: several machines may share an ESP."""
    release = os_release(system)
    for token in (os.environ.get("KERNEL_INSTALL_ENTRY_TOKEN"), _read(system.file("/etc/kernel/entry-token")),
                  machine_id(system), release.get("IMAGE_ID"), release.get("ID")):
        token = (token or "").strip()
        if token:
            break
    return check_token(token, system.file("/etc/kernel/entry-token"))


def check_token(token, path="/etc/kernel/entry-token"):
    """Refuses a token that is not a valid name on FAT."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}(?<!\.)", str(token)):
        also = "" if token else " there, in /etc/machine-id and in os-release"
        raise Refused(f"entry token: expected letters, digits and ._- ({path}), found {token or 'nothing'}{also}")
    return token


def words_of(line):
    """Splits a command line as Linux does (lib/cmdline.c): blanks between double quotes belong to the word."""
    return re.findall(r'(?:"[^"]*(?:"|$)|[^\s"])+', line)


def _running_command_line(system):
    """The running kernel's command line, without the words that boot loaders add."""
    words = words_of(system.kernel_text("/proc/cmdline"))
    return " ".join(word for word in words if not word.startswith(("BOOT_IMAGE=", "initrd=")))


def command_line(system):
    """The kernel command line for new entries."""
    folder = os.environ.get("KERNEL_INSTALL_CONF_ROOT")
    places = [pathlib.Path(folder) / "cmdline"] if folder else \
        [system.file("/etc/kernel/cmdline"), system.file("/usr/lib/kernel/cmdline")]
    for place in places:
        text = _read(place)
        if text is not None:
            line = " ".join(text.split())
            break
    else:
        # With --root or in a chroot, the running kernel's command line may be another machine's.
        if not system.runs_here:
            raise Refused(f"expected the kernel command line in {places[0]}, found none")
        line = _running_command_line(system)
    if "\0" in line:
        raise Refused(f"the kernel command line: expected text, found a NUL in it ({places[0]})")
    identity = machine_id(system)
    if identity and entry_token(system) == identity and "systemd.machine_id=" not in line:
        line = f"{line} systemd.machine_id={identity}".strip()
    return line
