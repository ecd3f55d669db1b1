# SPDX-License-Identifier: BSD-2-Clause
"""The program that the tools ask: what the loader makes of entries, images and kernels."""

import json
import pathlib
import struct
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
INSPECT = ROOT / "build/inspect"
IMAGE = ROOT / "build/kexecx64.efi"
DIGEST = "0123456789abcdef" * 4


def inspect(command, content, name="name"):
    return subprocess.run([INSPECT, command, name], input=content, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def answer(command, content):
    result = inspect(command, content)
    assert (result.returncode, result.stderr) == (0, b"")
    return json.loads(result.stdout)


def refusal(command, content):
    result = inspect(command, content)
    assert (result.returncode, result.stdout) == (1, b"")
    line, = result.stderr.decode("ascii").splitlines()
    return line


ENTRY = b"linux /vmlinuz\ninitrd \\initrd\noptions a\nfoo bar\noptions b\nverbose yes\n"


def test_entry_becomes_a_plan():
    plan = answer("entry", ENTRY + f"sha256 {DIGEST} /initrd\n".encode())
    assert plan["kernel"] == {"name": "/vmlinuz", "source": "volume", "trust": "platform", "sha256": None}
    assert plan["initrds"] == [{"name": "\\initrd", "source": "volume", "trust": "nobody", "sha256": DIGEST}]
    assert plan["command_line"] == "a b"
    assert plan["unknown_keys"] == ["foo"]
    assert plan["verbose"] and not plan["require_signature"] and not plan["require_measurement"] and plan["on_mismatch"] == "halt"


def test_sealed_entry_needs_each_digest():
    digests = b"".join(f"sha256 {DIGEST} {path}\n".encode() for path in ("/vmlinuz", "/initrd"))
    plan = answer("sealed-entry", ENTRY + digests)
    assert {part["trust"] for part in [plan["kernel"], *plan["initrds"]]} == {"digest"}
    assert refusal("sealed-entry", ENTRY) == 'name: expected a line "sha256 HEX /vmlinuz", found none'


def test_bytes_survive():
    """All but the NUL, which no entry may have, and what ends a line or a word."""
    every = bytes(byte for byte in range(1, 256) if byte not in b"\n\r\t ")
    plan = answer("entry", b"linux /" + every + b"\noptions " + every + b"\n")
    assert plan["kernel"]["name"].encode("latin-1") == b"/" + every
    assert plan["command_line"].encode("latin-1") == every


@pytest.mark.parametrize("content, line", [
    (b"", 'name: expected a line "linux PATH", found none'),
    (b"linux /k\n\0", "name: expected text, found a NUL at byte 9"),
    (b"linux /k\n" + b"#" * 65536, "name: expected at most 65536 bytes, found 65545"),
    (b"linux /k\ndma \x1b[31m\xff\n", 'name: dma: expected on or off, found "?[31m?"'),
])
def test_entry_that_is_refused(content, line):
    """In one line of plain ASCII, whatever stands in the entry."""
    assert refusal("entry", content) == line


def test_our_own_image():
    content = IMAGE.read_bytes()
    found = answer("image", content)
    assert found["plan"] is None
    names = [section["name"] for section in found["sections"]]
    assert names[:2] == [".text", ".rodata"] and ".sbat" in names
    # All but the checksum and the entry of the certificates.
    assert sum(end - start for start, end in found["authenticode"]) == len(content) - 4 - 8


def image_with(sections):
    """A small file of a PE32+ image with these sections, each padded as linkers do."""
    image = bytearray(0x400)
    image[:2], image[0x40:0x44] = b"MZ", b"PE\0\0"
    for offset, value in ((0x3c, 0x40), (0x46, len(sections)), (0x54, 0xf0), (0x58, 0x20b), (0x58 + 60, 0x400),
                          (0x58 + 108, 16)):
        struct.pack_into("<H", image, offset, value)
    for index, (name, content) in enumerate(sections.items()):
        struct.pack_into("<8sIIII", image, 0x148 + 40 * index, name.encode(), len(content), 0x1000 * (index + 1),
                         len(content) + 16, len(image))
        image += content + bytes(16)
    return bytes(image)


def test_unified_image():
    plan = answer("image", image_with({".osrel": b"ID=x", ".cmdline": b"quiet\n", ".linux": b"K", ".initrd": b"I"}))["plan"]
    assert plan["kernel"] == {"name": ".linux", "source": "image", "trust": "image", "sha256": None}
    assert [part["name"] for part in plan["initrds"]] == [".initrd"]
    assert plan["command_line"] == "quiet"
    assert plan["text"] == "linux .linux\ninitrd .initrd\noptions quiet "


def test_section_that_is_larger_in_memory():
    """Zeros follow, and the loader makes blanks of those in a command line."""
    image = bytearray(image_with({".cmdline": b"quiet", ".linux": b"K"}))
    struct.pack_into("<I", image, 0x148 + 8, 5 + 16 + 3)
    plan = answer("image", bytes(image))["plan"]
    assert plan["text"] == "linux .linux\noptions quiet" + 19 * " "
    assert plan["command_line"] == "quiet"


def test_sealed_entry_that_the_loader_would_refuse():
    assert refusal("image", image_with({".entry": b"linux /k\n"})) == \
        'sealed entry: expected a line "sha256 HEX /k", found none'


@pytest.mark.parametrize("cut, section", [(1, ".initrd"), (17, ".initrd"), (33, ".initrd"), (34, ".linux")])
def test_image_without_the_end_of_a_section(cut, section):
    """No firmware loads it, so nothing can be said of what it would boot. Padding does not count."""
    whole = image_with({".linux": b"K" * 17, ".initrd": b"I" * 17})
    assert answer("image", whole[:-16])["plan"]
    assert refusal("image", whole[:-16 - cut]).startswith(f"name: section {section}: expected 0x11 bytes at ")


@pytest.mark.parametrize("size", [0, 1, 0x40, 0x57, 0x100, 0x147, 0x190])
def test_image_cut_short(size):
    found = answer("image", image_with({".linux": b"K", ".initrd": b"I"})[:size])
    assert found["plan"] is None and found["sections"] == [] and found["authenticode"] is None


def test_kernel():
    kernel = (ROOT / "build/deps/kernels/amd64/vmlinuz").read_bytes()
    result = inspect("kernel", kernel)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    assert refusal("kernel", kernel[:4000000]).startswith("name: truncated: expected ")
    assert refusal("kernel", bytes(5000)) == "name: no kernel: boot_flag at 0x1fe: expected 0xaa55, found 0x0"
    assert refusal("kernel", b"") == "name: too short for a kernel: expected at least 620 bytes, found 0"


@pytest.mark.parametrize("arguments", [[], ["entry"], ["entries", "x"], ["entry", "x", "y"]])
def test_wrong_calls(arguments):
    result = subprocess.run([INSPECT, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.startswith(b"usage: inspect ")
