# SPDX-License-Identifier: BSD-2-Clause
"""What the tools share: messages, exit, files and digests; and the loader's own judgement of entries, images and kernels. The
program `inspect` (tools/inspect.c), which contains the loader's code, gives that judgement."""

import argparse
import contextlib
import hashlib
import io
import json
import os
import pathlib
import re
import secrets
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

# Beside the tools where they are installed, in the checkout where they were built.
PROGRAMS = [HERE / "inspect", HERE.parent / "build/inspect"]

# --- messages --------------------------------------------------------------------------------------------------------


def printable(text):
    """Text or bytes as a terminal may show them. Control characters (with escape sequences), invisible characters, those that
    change the direction of writing, and bytes that are not UTF-8 are escaped: a file must not command a terminal."""
    if not isinstance(text, str):
        text = os.fsdecode(text)
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(c):
    if "\udc80" <= c <= "\udcff":
        return f"\\x{ord(c) - 0xdc00:02x}"
    return f"\\x{ord(c):02x}" if c <= "\xff" else f"\\u{ord(c):04x}" if c <= "\uffff" else f"\\U{ord(c):08x}"


def say(message, file=None):
    """Prints a line. Every tool prints only by this function."""
    print(printable(message), file=file or sys.stdout)


# An environment variable: the name that a tool shows in its messages if a command runs it.
CALLED = "KEXEC_EFI_CALLED"


def warn(message):
    say(f"{os.environ.get(CALLED) or pathlib.Path(sys.argv[0]).name}: {message}", sys.stderr)


class Failed(SystemExit):
    """Ends the program, after the reason was printed."""

    def __init__(self, message, code=1):
        super().__init__(code)
        self.message = message


def fail(message):
    """Prints what went wrong, and ends the program."""
    warn(message)
    raise Failed(message)


def complaint_of(function):
    """Calls the function. If it ends the program, returns what it printed, with the warnings last; otherwise None. Nothing is
    printed in either case."""
    with tempfile.TemporaryFile() as file:
        sys.stderr.flush()
        saved = os.dup(2)
        try:
            os.dup2(file.fileno(), 2)
            ours = io.TextIOWrapper(os.fdopen(os.dup(file.fileno()), "wb"), "utf-8", "backslashreplace")
            with contextlib.redirect_stderr(ours):
                try:
                    function()
                    failed = False
                except SystemExit:
                    failed = True
                sys.stderr.flush()
        finally:
            os.dup2(saved, 2)
            os.close(saved)
        file.seek(0)
        text = file.read().decode("utf-8", "replace").strip()
    lines = [line.split(": ", 1)[-1] if line.startswith(("kexec-efi: ", "kexec: ")) else line
             for line in text.splitlines()]
    warnings_last = sorted(lines, key=lambda line: line.startswith("warning: "))
    return "; ".join(warnings_last) or "it would not boot" if failed else None


class Parser(argparse.ArgumentParser):
    """A parser whose messages are printable. Options cannot be abbreviated, and a word that begins with - is no value."""

    def __init__(self, description, **options):
        super().__init__(description=description, formatter_class=argparse.RawDescriptionHelpFormatter,
                         allow_abbrev=False, **options)
        self.prog = os.environ.get(CALLED) or self.prog

    def error(self, message):
        self.print_usage(sys.stderr)
        warn(message)
        raise Failed(message, 2)


SIGNALS = signal.SIGHUP, signal.SIGINT, signal.SIGTERM


@contextlib.contextmanager
def temporary_folder(prefix):
    """A folder that is removed at the end. Signals are held back while it is made or removed."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    folder = None
    try:
        folder = tempfile.mkdtemp(prefix=prefix)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        yield folder
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        if folder:
            shutil.rmtree(folder)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run(main):
    """Runs a tool. A signal lets it clean up before it ends, and an I/O error gives one line."""
    for number in SIGNALS:
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        # Otherwise the next file that is opened would get the number of the closed stream.
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w"))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")
    try:
        main()
        sys.stdout.flush()
    except OSError as error:
        # Python would try to write the rest again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        fail(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)


# --- files and programs ----------------------------------------------------------------------------------------------


def read(path):
    try:
        return pathlib.Path(path).read_bytes()
    except (OSError, ValueError) as error:
        return fail(f"cannot read {path or 'a file without a name'}: {getattr(error, 'strerror', error)}")


def flush(path):
    """Waits until a file, or the names in a folder, are on the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def rename(partial, path):
    """Gives a file that is on the disk its name, and waits until the name is there with the whole file. On FAT,
    Linux writes the new name without the file's size and first cluster, which follow with the inode (fs/fat/namei_vfat.c)."""
    os.replace(partial, path)
    flush(path)


def write(path, content):
    """Writes a file as a whole or not at all: until it is complete and on the disk, what was there before stays."""
    path = pathlib.Path(path)
    # A file must not replace a device or a folder.
    if not path.name or (os.path.exists(path) and not os.path.isfile(path)):
        fail(f"cannot write {path}: expected the name of a file, found something else")
    partial = path.parent / f".{path.name[:50]}.{secrets.token_hex(8)}.partial"
    try:
        with open(partial, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        rename(partial, path)
    except (OSError, ValueError) as error:
        fail(f"cannot write {path}: {getattr(error, 'strerror', error)}")
    finally:
        with contextlib.suppress(OSError, ValueError):
            os.unlink(partial)
    # Flush the name as well, where the file system allows it.
    with contextlib.suppress(OSError):
        flush(path.parent)


def run_program(command, package):
    """Runs a program that is not ours. Returns whether it succeeded, and its output, which is not printed."""
    try:
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        fail(f"{command[0]} is not there: install {package}")
    return result.returncode == 0, result.stdout


def expect_success(command, package):
    succeeded, output = run_program(command, package)
    if not succeeded:
        for line in output.splitlines():
            warn(f"{command[0]}: {printable(line)}")
        fail(f"{command[0]} failed: see above" if output else f"{command[0]} failed")


def words(text):
    """Splits a list into words by a shell's rules for quotes, without expansions."""
    try:
        return shlex.split(text)
    except ValueError as error:
        return fail(f"{text}: expected words, with a quote or a backslash for a blank in one, found {error}")


# --- digests ---------------------------------------------------------------------------------------------------------

BLOCK = 4096


def _hashes_of_blocks(content):
    """The SHA-256 of each block. The last block is filled up with zeros."""
    blocks = (content[start:start + BLOCK].ljust(BLOCK, b"\0") for start in range(0, len(content), BLOCK))
    return b"".join(hashlib.sha256(block).digest() for block in blocks)


def fsverity_digest(content):
    """What `fsverity digest --compact` prints: with SHA-256, blocks of 4096 bytes and no salt. Of Linux's
    Documentation/filesystems/fsverity.rst: hashes are put into blocks, which are hashed in turn, until one is left; of
    an empty file it is all zeros. A struct fsverity_descriptor holds it, whose SHA-256 is the digest."""
    hashes = _hashes_of_blocks(content)
    while len(hashes) > hashlib.sha256().digest_size:
        hashes = _hashes_of_blocks(hashes)
    version, algorithm, log_of_block_size, salt_size = 1, 1, 12, 0
    descriptor = struct.pack("<BBBB4xQ64s32s144x", version, algorithm, log_of_block_size, salt_size, len(content),
                             hashes, b"")
    return hashlib.sha256(descriptor).hexdigest()


def sha256_digest(content):
    return hashlib.sha256(content).hexdigest()


# By the keys of an entry.
DIGESTS = {"fsverity": fsverity_digest, "sha256": sha256_digest}


def expect_digests(part, name, content):
    """Ends the program unless `content` has each digest that the plan requires of the part."""
    for key, digest in DIGESTS.items():
        if part[key] is not None and part[key] != (found := digest(content)):
            fail(f"{name}: {key} mismatch: expected {part[key]}, found {found}")


# Of efi/load/pcr_files.h.
PCR_FILE_SIZE_MAX = 1 << 20

# --- the loader's own judgement --------------------------------------------------------------------------------------


def _run(command, name, content, *more):
    """The answer of `inspect`; None if it is empty. If the loader refuses, `inspect` prints why, and the program ends."""
    program = next((path for path in PROGRAMS if path.exists()), None)
    if program is None:
        fail(f"{PROGRAMS[-1]} is not there: run make build/inspect")
    result = subprocess.run([program, command, str(name), *more], input=content, stdout=subprocess.PIPE)
    if result.returncode:
        sys.exit(1)
    return json.loads(result.stdout) if result.stdout else None


def to_bytes(text):
    """The bytes of a string in an answer, which has one character for each byte."""
    return text.encode("latin-1")


def path_of(part):
    """A part's path, as the entry spells it."""
    return os.fsdecode(to_bytes(part["name"]))


def file_below(root, part):
    """The path of a part's file, if the volume is mounted at `root`."""
    names = []
    for name in path_of(part).replace("\\", "/").split("/"):
        if name == "..":
            if not names:
                fail(f"{path_of(part)}: expected a path below {root}, found one that leads out of it")
            names.pop()
        elif name not in ("", "."):
            names.append(name)
    return pathlib.Path(root).joinpath(*names)


def part_content(part, root, image=None):
    """The content of a part: a section of `image`, or a file of the volume that is mounted at `root`."""
    return image.section(part["name"]) if part["source"] == "image" else read(file_below(root, part))


def joined(initrds):
    """Several initrds as one, as the loader joins them: each begins at a multiple of 4."""
    initrd = b""
    for part in initrds:
        initrd += bytes(-len(initrd) % 4) + part
    return initrd


def keys():
    """The keys that an entry may have."""
    return _run("keys", "keys", b"")


def entry(name, text, sealed=False, more=b""):
    """The plan of the entry `text`, as one that is sealed in an image or lies beside it, with `more` lines."""
    return _run("sealed-entry", name, text) if sealed else _run("entry", name, text, more)


def _load_options(text):
    """As a boot entry of the firmware has them."""
    return text.encode("utf-16-le", "surrogatepass") + bytes(2) if text else b""


class LoadOptions:
    """Load options of an image in which nothing is sealed, as a boot entry of the firmware has them.

    Either `plan` is complete, or the load options add `lines` to an entry file: to `entry`, a part on the volume `volume`;
    or, if `entry` is None, to the file beside the image."""

    def __init__(self, text):
        answer = _run("load-options", "load options", _load_options(text))
        self.lines = to_bytes(answer["lines"])
        self.volume = answer["volume"] or None
        self.entry = {"name": answer["entry"]} if answer["entry"] else None
        self.plan = answer["plan"]


def expect_kernel(name, content, command_line=b""):
    """Ends the program unless `content` is a kernel that can be put into an image, with this command line."""
    if _run("kernel", name, content, str(len(command_line)))["unified"]:
        fail(f"{name}: expected a kernel, found a unified image")


# The setup header of a bzImage (Linux, Documentation/arch/x86/boot.rst): its magic, and where, 0x200 bytes on, the text is
# that `uname -r` begins.
_HEADER, _HEADER_MAGIC, _KERNEL_VERSION, _KERNEL_VERSION_BASE = 0x202, b"HdrS", 0x20e, 0x200
_VERSION_MAX = 64


def first_word(text):
    """The characters of ASCII ahead of the first blank or NUL; nothing where that is no name of a version."""
    word = re.match(rb"[!-~]*", text[:_VERSION_MAX + 1]).group()
    return word if len(word) <= _VERSION_MAX else b""


def kernel_version(kernel):
    """A kernel's release as bytes: the first word of its version text. Empty if it has none."""
    if kernel[_HEADER:_HEADER + len(_HEADER_MAGIC)] != _HEADER_MAGIC:
        return b""
    place, = struct.unpack_from("<H", kernel.ljust(_KERNEL_VERSION + 2, b"\0"), _KERNEL_VERSION)
    return first_word(kernel[place + _KERNEL_VERSION_BASE:][:_VERSION_MAX + 1]) if place else b""


def _one_line(content):
    """The content of a .cmdline as a command line."""
    return bytes(max(byte, ord(" ")) for byte in content).strip(b" ")


def _is_utf8(content):
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


class Unified:
    """The sections of a unified image for one profile: `sections` maps names to contents, in the order of measurement;
    `initrds` has the contents of those that Linux unpacks."""

    def __init__(self, content, answer):
        self.sections = {name: content[offset:offset + file_size] + bytes(size - file_size)
                         for name, (offset, file_size, size) in answer["sections"].items()}
        self.initrds = [self.sections[name] for name in answer["initrds"]]


class Loaded:
    """A plan together with its kernel's file, which may be a unified image.

    `kernel` is the file's content, `unified` its Unified or None, `initrds` the initrds in it, `more` the parts of further
    initrds that its command line names, and `command_line` the command line for the kernel."""

    def __init__(self, plan, kernel, name=None):
        self.kernel = kernel
        self.unified = None
        self.initrds = []
        self.more = []
        self.command_line = to_bytes(plan["command_line"])
        name = name or path_of(plan["kernel"])
        profile = [] if plan["profile"] is None else [str(plan["profile"])]
        answer = _run("kernel", name, kernel, "0", *profile)
        self.authenticode_covers = answer["authenticode_covers"]
        if answer["unified"]:
            if plan["kernel"]["source"] == "image":
                fail(f"{name}: expected a kernel, found another unified image")
            if plan["pcr_signature"] or plan["pcr_key"]:
                fail(f"{name}: expected a kernel beside pcrsig or pcrpkey, found a unified image, which has its own")
            self.unified = Unified(kernel, answer["unified"])
            self.initrds = self.unified.initrds
            embedded = self._settle(self.unified.sections.get(".cmdline", b""), is_sealed(plan["kernel"]))
            if ".initrd" not in self.unified.sections:
                self.more = self._named(f"{name}: .cmdline", embedded, plan)
        _run("kernel", name, kernel, str(len(self.command_line)), *profile)

    def _settle(self, embedded, adds):
        embedded = _one_line(embedded)
        if adds or not self.command_line:
            self.command_line = b" ".join(filter(None, [embedded, self.command_line]))
            return embedded
        return b""

    @staticmethod
    def _named(name, embedded, plan):
        """The initrds that a .cmdline names in addition to the plan's. The loader finds them as in an entry's options."""
        if b"initrd=" not in embedded:
            return []
        before = [b"initrd " + to_bytes(part["name"]) for part in plan["initrds"]]
        text = b"\n".join([b"linux /x", *before, b"options " + embedded, b""])
        return entry(name, text, is_sealed(plan["kernel"]))["initrds"][len(before):]


def pcr_files(plan):
    """The parts of a plan that hand files to systemd: the signature of register 11, and its key."""
    return list(filter(None, (plan["pcr_signature"], plan["pcr_key"])))


def is_sealed(part):
    """Whether our own image contains a part of the plan, or its digest."""
    return part["trust"] == "image" or (part["trust"] == "digest" and any(part[key] for key in DIGESTS))


def sidecar_folder(path):
    """The folder with the sidecars of the unified image `path`, or None."""
    answer = _run("sidecar-folder", path, b"")
    return answer and os.fsdecode(to_bytes(answer))


def sidecar_kinds(names):
    """The kind of each name's sidecar: credential, sysext, confext, addon or None."""
    return _run("sidecars", "sidecars", b"".join(os.fsencode(name) + b"\0" for name in names))


def archive(folder, mode, file_mode, files):
    """The initrd that hands `files`, pairs of a name and its content, to the system."""
    listing = "".join(f"{name}\0{len(content)}\0" for name, content in files)
    pieces = _run("archive", folder, listing.encode(), str(mode), str(file_mode))
    first, *others = map(to_bytes, pieces)
    return first + b"".join(content + piece for (_, content), piece in zip(files, others))


def expect_initrd(name, content):
    _run("initrd", name, content)


def expect_pcr_file(name, content):
    """A signature of register 11, or the key of it."""
    if not 1 <= len(content) <= PCR_FILE_SIZE_MAX:
        fail(f"{name}: expected 1 to {PCR_FILE_SIZE_MAX} bytes, found {len(content)}")


def expect_plan(plan, read_part):
    """Ends the program unless the loader would boot the plan with the parts that `read_part` returns. What only the
    machine can say is left: whether it has the memory, and trusts the kernel where nobody else vouches for it."""
    kernel = read_part(plan["kernel"])
    loaded = Loaded(plan, kernel)
    expect_digests(plan["kernel"], path_of(plan["kernel"]), kernel)
    others = [*((part, expect_initrd) for part in [*plan["initrds"], *loaded.more]),
              *((part, expect_pcr_file) for part in pcr_files(plan))]
    for part, expect in others:
        content = read_part(part)
        expect(path_of(part), content)
        expect_digests(part, path_of(part), content)


class File:
    """A file that may be a PE image, or just be measured or signed as one."""

    command = "file"

    def __init__(self, name, content, *more):
        self.content = content
        self.answer = _run(self.command, name, content, *more)
        self._sections = self.answer["sections"]
        self._authenticode = self.answer["authenticode"]

    @property
    def is_pe(self):
        return self._authenticode is not None

    @property
    def section_names(self):
        return [section["name"] for section in self._sections]

    @property
    def end_in_memory(self):
        return max(section["address"] + section["size"] for section in self._sections)

    def place(self, name):
        """The offset and the size of a section in the file."""
        section = next(section for section in self._sections if section["name"] == name)
        return section["file_offset"], min(section["size"], section["file_size"])

    def section(self, name):
        """The content of a section as the firmware loads it."""
        return self._content(next(section for section in self._sections if section["name"] == name))

    def _content(self, section):
        offset, size = section["file_offset"], min(section["size"], section["file_size"])
        return self.content[offset:offset + size] + bytes(section["size"] - size)

    def sections(self, name):
        """The contents of all sections of a name, in their order."""
        return [self._content(section) for section in self._sections if section["name"] == name]

    def authenticode(self, algorithm="sha256"):
        """The digest that a signature of the image is made for, and that stands for it in register 4."""
        digest = hashlib.new(algorithm)
        for start, end in self._authenticode:
            digest.update(self.content[start:end])
        return digest.digest()


class Addon(File):
    """An addon of unified images. `sections` are what it has of theirs, or None if it is no addon, and nothing of it is used;
    `options` what it adds to the command line."""

    def __init__(self, name, content):
        super().__init__(name, content)
        self._name = name
        answer = _run("addon", name, content)
        self.sections = Unified(content, answer).sections if answer else None
        self.options = b""
        if self.sections:
            line = self.sections.get(".cmdline", b"").split(b"\0")[0]
            self.options = _one_line(line)
            if not _is_utf8(self.options):
                fail(f"{name}: .cmdline: expected UTF-8, found other bytes")

    def suits(self, version):
        """Whether it is for a kernel with this content of .uname. It is for any that has none, or if it has none itself."""
        wanted = self.sections.get(".uname", b"").split(b"\0")[0]
        version = (version or b"").split(b"\0")[0]
        if not wanted or not version or wanted == version:
            return True
        warn(f"{self._name}: not used: expected an addon for {os.fsdecode(version)}, found one for {os.fsdecode(wanted)}")
        return False


class Image(File):
    """Our own image, with or without something sealed in it, as it is started with load options. Ends the program if it
    would boot nothing at all.

    `entries` is how many entries are sealed in it; `plan` is of what is sealed in it, or None: of several entries, of number
    `sealed_entry`, counted from 1; `unified` of the sections of a unified image, or None; `is_marked` whether
    tools/seal has marked it, None if it has no mark."""

    command = "image"

    def __init__(self, name, content, load_options="", sealed_entry=1):
        super().__init__(name, content, _load_options(load_options).hex(), str(sealed_entry))
        self._name = name
        self.entries = self.answer["entries"]
        self.plan = self.answer["plan"]
        self.unified = Unified(content, self.answer["unified"]) if self.answer["unified"] else None
        self.is_marked = self.answer["is_marked"]

    def plans(self):
        """The plans of an image that was made without load options: one for each sealed entry, or that of its unified
        image; none if nothing is sealed in it."""
        if self.plan:
            yield self.plan
        for number in range(2, self.entries + 1):
            yield Image(self._name, self.content, sealed_entry=number).plan
