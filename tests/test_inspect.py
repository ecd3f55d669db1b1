# SPDX-License-Identifier: BSD-2-Clause
"""The program `inspect`, by which the tools see entries, images and kernels as the loader does."""

import json
import pathlib
import re
import struct
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/qemu"))

from kexec_efi_test import uki  # noqa: E402

# Built with sanitizers, so that a wrong memory access is an error.
INSPECT = ROOT / "build/host/inspect"
IMAGE = ROOT / "build/kexecx64.efi"
DIGEST = "0123456789abcdef" * 4


def inspect(command, content, name="name"):
    return subprocess.run([INSPECT, command, *([name] if isinstance(name, str) else name)], input=content,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def answer(command, content, *more):
    result = inspect(command, content, ["name", *more])
    assert (result.returncode, result.stderr) == (0, b"")
    return json.loads(result.stdout)


def refusal(command, content, *more):
    result = inspect(command, content, ["name", *more])
    assert (result.returncode, result.stdout) == (1, b"")
    line, = result.stderr.decode("ascii").splitlines()
    return line


ENTRY = b"linux /vmlinuz\ninitrd \\initrd\noptions a\nfoo bar\noptions b\nverbose yes\n"


def test_entry_becomes_a_plan():
    plan = answer("entry", ENTRY + f"sha256 {DIGEST} /initrd\nfsverity sha256:{DIGEST[::-1].upper()} /initrd\n".encode())
    assert plan["kernel"] == {"name": "/vmlinuz", "source": "volume", "trust": "platform", "fsverity": None, "sha256": None}
    assert plan["initrds"] == [{"name": "\\initrd", "source": "volume", "trust": "nobody", "fsverity": DIGEST[::-1],
                                "sha256": DIGEST}]
    assert plan["command_line"] == "a b"
    assert plan["unknown_keys"] == ["foo"]
    assert plan["volume"] is None
    assert plan["verbose"] and not plan["require_signature"] and not plan["require_measurement"]
    assert plan["on_mismatch"] == "halt"


def test_volume_of_an_entry():
    assert answer("entry", ENTRY + b"volume xbootldr\n")["volume"] == "xbootldr"
    volume = "0123abcd-4567-89ab-cdef-0123456789ab"
    assert answer("entry", ENTRY + f"volume PARTUUID={volume.upper()}\n".encode())["volume"] == volume


def test_entry_in_utf_16_is_the_same():
    text = ENTRY.decode() + "options \u00e4\U0001f427\n"
    plan = answer("entry", text.encode())
    assert answer("entry", text.encode("utf-16")) == plan
    assert answer("entry", text.encode("utf-16-le")) == plan
    # The measured text: in UTF-8, with the line end that the loader adds to a file.
    assert plan["text"].encode("latin-1") == text.encode() + b"\n"


def test_sealed_entry_needs_each_digest():
    digests = f"fsverity {DIGEST} /vmlinuz\nsha256 {DIGEST} /initrd\n".encode()
    plan = answer("sealed-entry", ENTRY + digests)
    assert {part["trust"] for part in [plan["kernel"], *plan["initrds"]]} == {"digest"}
    assert refusal("sealed-entry", ENTRY) == 'name: expected a line "fsverity HEX /vmlinuz" (or sha256), found none'


def test_bytes_survive():
    """All bytes except the NUL, which entries may not contain, and the ends of lines and words. A path must be UTF-8."""
    every = bytes(byte for byte in range(1, 256) if byte not in b"\n\r\t ")
    path = "".join(map(chr, [*range(1, 9), *range(11, 13), *range(14, 32), *range(33, 256)])).encode()
    plan = answer("entry", b"linux /" + path + b"\noptions " + every + b"\n")
    assert plan["kernel"]["name"].encode("latin-1") == b"/" + path
    assert plan["command_line"].encode("latin-1") == every


@pytest.mark.parametrize("content, line", [
    (b"", 'name: expected a line "linux PATH", found none'),
    (b"linux /k\n\0", "name: expected text, found a NUL at byte 9"),
    (b"linux /k\n" + b"#" * 65536, "name: expected at most 65535 bytes, found 65545"),
    (b"linux /k\ndma \x1b[31m\xff\n", 'name: line 2: dma: expected on or off, found "?[31m?"'),
    ("linux /k\n".encode("utf-16-be"), "name: expected UTF-8, or UTF-16 little endian, found UTF-16 big endian"),
])
def test_entry_that_is_refused(content, line):
    """The refusal is one line of plain ASCII, whatever the entry contains."""
    assert refusal("entry", content) == line


def test_our_own_image():
    content = IMAGE.read_bytes()
    found = answer("image", content)
    assert found["plan"] is None and found["is_marked"] is False and found["entries"] == 0
    names = [section["name"] for section in found["sections"]]
    assert names[:2] == [".text", ".rodata"] and ".sbat" in names
    # Everything except CheckSum and the directory entry of the certificates.
    assert sum(end - start for start, end in found["authenticode"]) == len(content) - 4 - 8


def image_with(sections):
    """A small PE32+ image with these sections, each padded as linkers pad them."""
    image = bytearray(0x400)
    image[:2], image[0x40:0x44] = b"MZ", b"PE\0\0"
    for offset, value in ((0x3c, 0x40), (0x46, len(sections)), (0x54, 0xf0), (0x58, 0x20b), (0x58 + 60, 0x400),
                          (0x58 + 56, 0x1000 * (len(sections) + 1)), (0x58 + 108, 16)):
        struct.pack_into("<H", image, offset, value)
    for index, (name, content) in enumerate(sections.items()):
        struct.pack_into("<8sIIII", image, 0x148 + 40 * index, name.encode(), len(content), 0x1000 * (index + 1),
                         len(content) + 16, len(image))
        image += content + bytes(16)
    return bytes(image)


def test_own_image_with_sections_of_a_unified_one():
    plan = answer("image", image_with({".osrel": b"ID=x", ".cmdline": b"quiet\n", ".linux": b"K", ".initrd": b"I"}))["plan"]
    assert plan["kernel"] == {"name": ".linux", "source": "image", "trust": "image", "fsverity": None, "sha256": None}
    assert [part["name"] for part in plan["initrds"]] == [".initrd"]
    assert plan["command_line"] == "quiet"
    assert plan["text"] == "linux .linux\ninitrd .initrd\noptions quiet "


def test_section_that_is_larger_in_memory():
    """Zeros follow the content in memory. The loader turns those in a command line into blanks."""
    image = bytearray(image_with({".cmdline": b"quiet", ".linux": b"K"}))
    struct.pack_into("<I", image, 0x148 + 8, 5 + 16 + 3)
    plan = answer("image", bytes(image))["plan"]
    assert plan["text"] == "linux .linux\noptions quiet" + 19 * " "
    assert plan["command_line"] == "quiet"


def test_sealed_entry_that_the_loader_would_refuse():
    assert refusal("image", image_with({".entry": b"linux /k\n"})) == \
        'sealed entry: expected a line "fsverity HEX /k" (or sha256), found none'


def test_which_of_several_sealed_entries():
    """A refused entry does not affect the others."""
    digest = b"fsverity " + 64 * b"0"
    content = bytearray(image_with({".entry": b"linux /a\n" + digest + b" /a\n", ".entryX": b"linux /b\n", ".linux": b"K"}))
    offset = content.index(b".entryX")
    content[offset:offset + 8] = b".entry\0\0"
    found = answer("image", bytes(content))
    assert (found["entries"], found["plan"]["kernel"]["name"]) == (2, "/a")
    assert answer("image", bytes(content), "", "1") == found
    assert refusal("image", bytes(content), "", "2") == \
        'sealed entry 2: expected a line "fsverity HEX /b" (or sha256), found none'
    assert refusal("image", bytes(content), "", "3") == "this image: expected a section .entry number 3, found 2"


def test_fallback_of_an_entry():
    assert answer("entry", b"linux /k\n")["fallback"] is None
    assert answer("entry", b"linux /k\nfallback /old.conf\n")["fallback"] == "/old.conf"


@pytest.mark.parametrize("cut, section", [(1, ".initrd"), (17, ".initrd"), (33, ".initrd"), (34, ".linux")])
def test_image_without_the_end_of_a_section(cut, section):
    """No firmware loads such an image, so inspect refuses it. Missing padding does no harm."""
    whole = image_with({".linux": b"K" * 17, ".initrd": b"I" * 17})
    assert answer("image", whole[:-16])["plan"]
    assert re.match(rf"name: section {section}: expected it between 0x400 and \w+, found 0x11 bytes at ",
                    refusal("image", whole[:-16 - cut]))


@pytest.mark.parametrize("size", [0, 1, 0x40, 0x57, 0x100, 0x147, 0x190])
def test_image_cut_short(size):
    """As a loaded image it is refused, because it does not show what is sealed in it; as a file it has no sections."""
    image = image_with({".linux": b"K", ".initrd": b"I"})
    assert answer("image", image)["plan"] and answer("file", image)["sections"]
    assert refusal("image", image[:size]).startswith("name: expected the headers of a PE image in its ")
    found = answer("file", image[:size])
    assert found["sections"] == [] and found["authenticode"] is None


SECTIONS = 0x148
SIZE_OF_IMAGE = 0x58 + 56
SIZE_OF_HEADERS = 0x58 + 60


@pytest.mark.parametrize("offset, value, line", [
    (0x46, 0, "name: expected at least 1 section, found 0"),
    (SIZE_OF_HEADERS, SECTIONS + 80 - 1,
     "name: expected SizeOfHeaders of at least 0x198 (the end of the section table), found 0x197"),
    (SECTIONS + 12, 0x100, "name: section .linux: expected it between 0x400 and 0x3000, found 0x1 bytes at 0x100"),
    (SECTIONS + 12, 0x3000, "name: section .linux: expected it between 0x400 and 0x3000, found 0x1 bytes at 0x3000"),
    (SIZE_OF_IMAGE, 0x2000, "name: section .initrd: expected it between 0x400 and 0x2000, found 0x1 bytes at 0x2000"),
    (SIZE_OF_IMAGE, 0x3ff, "name: expected SizeOfImage between 0x400 and 0x100000000, found 0x3ff"),
])
def test_image_whose_headers_lie(offset, value, line):
    """For example, a section over the section table would show the loader other sections than a reader of the file."""
    image = bytearray(image_with({".linux": b"K", ".initrd": b"I"}))
    assert answer("image", bytes(image))["plan"]
    struct.pack_into("<H", image, offset, value)
    assert refusal("image", bytes(image)) == line


GENERIC, SEALED = (text.ljust(32, b"\0") for text in (b"kexec-efi: generic", b"kexec-efi: sealed"))


@pytest.mark.parametrize("mark, is_marked", [(GENERIC, False), (SEALED, True), (bytes(32), True), (GENERIC[:31], True),
                                             (GENERIC + b"\0", True), (b"", True), (None, None)])
def test_mark(mark, is_marked):
    """Any mark except the generic one demands a seal."""
    sections = {".text": b"T"} if mark is None else {".text": b"T", ".seal": mark}
    assert answer("image", image_with({**sections, ".linux": b"K"}))["is_marked"] is is_marked
    if is_marked:
        assert refusal("image", image_with(sections)) == \
            "this image: is marked as sealed: expected a section .entry or .linux, found neither"
    else:
        assert answer("image", image_with(sections))["plan"] is None


def test_sections_with_unprintable_names():
    found = answer("file", image_with({"\x1b[2J\x9b": b"K"}))
    assert found["sections"][0]["name"] == "\x1b[2J\xc2\x9b"


def test_keys():
    assert {"linux", "initrd", "fsverity", "sha256"} < set(answer("keys", b""))


def test_kernel():
    kernel = (ROOT / "build/deps/kernels/amd64/vmlinuz").read_bytes()
    assert answer("kernel", kernel) == {"authenticode_covers": True, "unified": None}
    assert answer("kernel", b"\0" + kernel[1:]) == {"authenticode_covers": False, "unified": None}
    assert refusal("kernel", kernel[:4000000]).startswith("name: truncated: expected ")
    assert refusal("kernel", b"\1" * 5000) == "name: no kernel: boot_flag at 0x1fe: expected 0xaa55, found 0x101"
    assert refusal("kernel", b"\1") == "name: too short for a kernel: expected at least 620 bytes, found 1"
    assert inspect("kernel", kernel, ["name", "2047"]).returncode == 0
    assert refusal("kernel", kernel, "2048") == "options: expected at most 2047 bytes (the kernel's cmdline_size), found 2048"


# The command that makes the file from a kernel on standard input, and the kind that the loader reports.
MADE_BY = {
    "gzip": "a gzip file", "xz": "an xz file", "zstd -q": "a zstd file", "lz4 -q": "an lz4 file",
    "lz4 -q -l": "an lz4 file of the old format", "bzip2": "a bzip2 file", "xz --format=lzma": "an lzma file",
    "tar -cf - GNUmakefile": "a tar archive", "sh -c 'echo README.md | cpio --quiet -o -H newc'": "a cpio archive",
    "sh -c 'echo README.md | cpio --quiet -o -H odc'": "a cpio archive of the old format",
    "cat build/kexecx64.efi": "an EFI application",
    "cat build/host/inspect": "an ELF file", "cat tests/score": 'a script ("#!/usr/bin/python3")',
    "cat LICENSE": "a text", "cat doc/bench.svg": "a web page or XML", "dd status=none if=/dev/zero bs=8192 count=1": "zeros",
    "true": "an empty file", "cat /usr/lib/systemd/boot/efi/linuxx64.efi.stub": "an EFI application",
}


@pytest.mark.parametrize("command", MADE_BY)
def test_files_that_are_no_kernels(command):
    made = subprocess.run(command, shell=True, cwd=ROOT, check=True, capture_output=True, input=bytes(range(1, 256)) * 100)
    assert refusal("kernel", made.stdout[:1 << 20]).startswith(f"name: expected a kernel (bzImage), found {MADE_BY[command]}")


def test_unified_image():
    kernel = (ROOT / "build/deps/kernels/amd64/vmlinuz").read_bytes()
    sections = [(".cmdline", b"quiet\n"), (".linux", kernel), (".initrd", b"I" * 5), (".ucode", b"U"),
                (".profile", b"ID=a"), (".profile", b"ID=b"), (".cmdline", b"b")]
    image = uki.make(sections)
    found = answer("kernel", image)
    assert found["authenticode_covers"]
    assert found["unified"]["initrds"] == [".ucode", ".initrd"]
    sizes = {".linux": len(kernel), ".cmdline": 6, ".initrd": 5, ".ucode": 1, ".sbat": None, ".profile": 4}
    assert list(found["unified"]["sections"]) == list(sizes)
    for name, size in sizes.items():
        assert size is None or found["unified"]["sections"][name] == [uki.section(image, name)[0], size, size]
    second = answer("kernel", image, "0", "1")["unified"]["sections"]
    assert second[".cmdline"] == [uki.section(image, ".cmdline", 1)[0], 1, 1]
    assert second[".profile"] == [uki.section(image, ".profile", 1)[0], 4, 4]
    assert refusal("kernel", image, "0", "2") == "name: profile: expected one below 2, found 2"
    assert refusal("kernel", kernel, "0", "0") == "name: profile: expected a unified image, found a bzImage"
    assert refusal("kernel", image, "2048") == "options: expected at most 2047 bytes (the kernel's cmdline_size), found 2048"
    nested = uki.make([(".linux", image)])
    assert refusal("kernel", nested) == "name: .linux: expected a kernel, found another unified image"


def options(text):
    return text.encode("utf-16-le") + bytes(2)


def test_load_options():
    plan = answer("load-options", options("loader.efi linux=/vmlinuz initrd=/i -- quiet  a=\u017e"))["plan"]
    assert (plan["kernel"]["name"], [part["name"] for part in plan["initrds"]]) == ("/vmlinuz", ["/i"])
    assert plan["command_line"].encode("latin-1").decode() == "quiet  a=\u017e"
    found = answer("load-options", options("volume=esp entry=/my.conf -- quiet"))
    assert (found["entry"], found["volume"], found["plan"]) == ("/my.conf", "esp", None)
    more = found["lines"]
    assert answer("entry", ENTRY, more)["command_line"] == "a b quiet"
    assert answer("entry", ENTRY, more)["text"].endswith(more)
    for nothing in (b"", options(""), options("RC"), bytes(range(200, 256))):
        assert answer("load-options", nothing) == {"lines": "", "volume": "", "entry": "", "plan": None}
    assert refusal("load-options", options("linux=/vmlinuz volume=x")).startswith("load options: volume: ")
    assert refusal("load-options", options("linux=/../x")).startswith("/../x: expected a path below the volume's root")
    ignored = inspect("load-options", options("x" * 40000))
    assert (ignored.returncode, json.loads(ignored.stdout)["lines"]) == (0, "")
    assert ignored.stderr.startswith(b"warning: load options ignored: ")


def test_sidecars():
    for path, folder in (("/a/x.efi", "/a/x.efi.extra.d"), ("x+3-1.efi", "x.efi.extra.d"), ("/" + "x" * 600, None)):
        result = inspect("sidecar-folder", b"", path)
        assert (result.returncode, json.loads(result.stdout), result.stderr) == (0, folder, b"")
    names = [b"a.cred", b"A.RAW", b"b.confext.raw", b"c.addon.efi", b".a.cred", b"\xc3\xa4.cred", b"", b"x" * 251 + b".cred"]
    assert answer("sidecars", b"".join(name + b"\0" for name in names) + b"no end.cred") == \
        ["credential", "sysext", "confext", "addon", None, None, None, None]
    assert answer("sidecars", b"") == []


def test_archive():
    pieces = inspect("archive", b"a\0" b"3\0" b"b\0" b"1000\0", [".extra", "365", "292"])
    assert pieces.returncode == 0
    first, second, third = json.loads(pieces.stdout)
    assert first.startswith("070701") and first.endswith(".extra/a\0\0") and second.startswith("\0" "070701")
    assert third.endswith("TRAILER!!!\0\0\0\0")
    for content, modes in ((b"a\0" b"4294967296\0", ["365", "292"]), (b"a\0" b"x\0", ["365", "292"]),
                           (b"a\0\0", ["365", "292"])):
        result = inspect("archive", content, [".extra", *modes])
        assert (result.returncode, result.stdout) == (1, b"")
    for modes in ([], ["365"], ["365", "x"], ["4096", "1"], ["1", "2", "3"]):
        assert inspect("archive", b"", [".extra", *modes]).returncode == 2


def test_addon():
    found = answer("addon", uki.make([(".cmdline", b"a"), (".initrd", b"I")]))
    assert [name for name in found["sections"] if name != ".sbat"] == [".cmdline", ".initrd"]
    for content in (b"", b"MZ", uki.make([(".linux", b"L")])):
        result = inspect("addon", content)
        assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (0, b"null\n", 1)


@pytest.mark.parametrize("given, wanted", [("@1 a  b", (1, "a  b")), ("a", (0, "a")), ("", (0, "quiet")), ("@0", (0, "quiet")),
                                           ("@x y", (0, "@x y")), ("@2", None)])
def test_load_options_of_a_unified_image(given, wanted):
    """Load options may choose a profile. They are the command line if the image has none."""
    kernel = (ROOT / "build/deps/kernels/amd64/vmlinuz").read_bytes()
    has_own = wanted and wanted[1] == "quiet"
    line = [(".cmdline", b"quiet")] if has_own else []
    image = uki.make([(".linux", kernel), *line, (".profile", b"ID=a"), (".profile", b"ID=b")], IMAGE)
    result = inspect("image", image, ["name", options(given).hex()])
    if wanted is None:
        assert (result.returncode, result.stdout) == (1, b"")
        assert result.stderr == b"this image: profile: expected one below 2, found 2\n"
        return
    plan = json.loads(result.stdout)["plan"]
    assert (plan["chosen_profile"], plan["command_line"]) == wanted
    assert plan["options_are_added"] == (not has_own)
    assert inspect("image", image, ["name", "0"]).returncode == 2
    assert inspect("image", image, ["name", "0G"]).returncode == 2


def test_initrd():
    result = inspect("initrd", b"x")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    assert inspect("initrd", b"\3" * 16).stderr == \
        b"warning: name: expected an archive that Linux unpacks, found something else (03 03 03 03)\n"
    assert refusal("initrd", b"") == "name: empty: expected an initrd of at least 1 byte, found 0"
    result = inspect("initrd", b"MZ")
    assert (result.returncode, result.stdout) == (0, b"")
    assert result.stderr == b"warning: name: expected an archive that Linux unpacks, found an EFI application\n"


@pytest.mark.parametrize("path, line", [
    (b"/a\xff", "/a?: expected a path in UTF-8, found other bytes"),
    (b"/" + 511 * b"x", "/" + 59 * "x" + "...: expected a path of at most 511 bytes, found 512")])
def test_paths_that_no_volume_has(path, line):
    for command, more in (("entry", b""), ("sealed-entry", f"sha256 {DIGEST} ".encode() + path + b"\n")):
        assert refusal(command, b"linux " + path + b"\n" + more) == line
    sealed = b"linux " + path + f"\nsha256 {DIGEST} ".encode() + path + b"\n"
    assert refusal("image", image_with({".entry": sealed})) == line
    assert answer("entry", b"linux /a\xc3\xa4\xc2\xa0\n")["kernel"]["name"] == "/a\xc3\xa4\xc2\xa0"


@pytest.mark.parametrize("command", ["entry", "file", "keys"])
def test_answer_that_cannot_be_written(command):
    with open("/dev/full", "wb") as full:
        result = subprocess.run([INSPECT, command, "name"], input=b"linux /k\n", stdout=full, stderr=subprocess.PIPE)
    assert (result.returncode, result.stderr) == (1, b"name: cannot write the answer\n")


def test_name_of_the_input_is_printable():
    result = inspect("initrd", b"", "/\x1b[31m\u202e")
    assert result.stderr == b"/?[31m???: empty: expected an initrd of at least 1 byte, found 0\n"


def test_program_of_the_tools_answers_alike():
    """The tools use a program that is built without sanitizers."""
    for command, content in (("image", IMAGE.read_bytes()), ("entry", ENTRY), ("entry", b"\0")):
        results = [subprocess.run([program, command, "name"], input=content, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                   for program in (INSPECT, ROOT / "build/inspect")]
        assert len({(result.returncode, result.stdout, result.stderr) for result in results}) == 1


@pytest.mark.parametrize("arguments", [[], ["entry"], ["entries", "x"], ["entry", "x", "y", "z"], ["keys", "x", "1"],
                                       ["kernel", "x", "-1"], ["kernel", "x", ""], ["kernel", "x", "1", "x"],
                                       ["kernel", "x", "1", "4294967296"], ["kernel", "x", "1", "2", "3"],
                                       ["image", "x", "", "0"], ["image", "x", "", "-1"], ["image", "x", "", "1", "2"]])
def test_wrong_calls(arguments):
    result = subprocess.run([INSPECT, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.startswith(b"usage: inspect ")
