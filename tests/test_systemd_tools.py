# SPDX-License-Identifier: BSD-2-Clause
"""Debian 13's systemd-measure and systemd-pcrlock agree with our tools on unified images."""

import hashlib
import json
import pathlib
import struct
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/qemu"))

import pcrlock  # noqa: E402
from kexec_efi_test import uki  # noqa: E402

IMAGE = ROOT / "build/kexecx64.efi"
KERNEL = ROOT / "build/deps/kernels/amd64/vmlinuz"
BANKS = ("sha1", "sha256", "sha384", "sha512")

# In ukify's order, which is not the order of the measurements. Blanks, padding and zeros in the contents matter.
SECTIONS = {".osrel": b"ID=debian\n", ".uname": b"6.1.0\n", ".pcrpkey": b"-----BEGIN PUBLIC KEY-----\n",
            ".splash": b"BM" + bytes(100), ".cmdline": b"quiet  root=/dev/sda1\n", ".initrd": b"I" * 4097,
            ".ucode": b"U" * 511, ".pcrsig": b'{"sha256":[]}', ".dtb": b"\xd0\r\xfe\xed", ".linux": None}


@pytest.fixture(scope="module")
def sections():
    return {name: KERNEL.read_bytes() if content is None else content for name, content in SECTIONS.items()}


def predict(image, *arguments):
    """Bank -> register -> value."""
    result = subprocess.run([ROOT / "tools/predict-pcrs", f"--image={image}", *(f"--bank={bank}" for bank in BANKS),
                             *arguments], check=True, stdout=subprocess.PIPE, text=True)
    found = {bank: {} for bank in BANKS}
    for _, register, bank, value in map(str.split, result.stdout.splitlines()):
        found[bank][int(register)] = value
    return found


def calculated(folder, sections):
    """Bank -> register 11 before systemd's first phase, by systemd-measure."""
    for name, content in sections.items():
        (folder / name[1:]).write_bytes(content)
    files = [f"--{name[1:]}={folder / name[1:]}" for name in sections if name != ".pcrsig"]
    answer = json.loads(pcrlock.run("systemd-measure", "calculate", *files, *(f"--bank={bank}" for bank in BANKS), "--phase=:",
                                    "--json=short").stdout)
    return {bank: {entry["hash"] for entry in answer[bank]} for bank in BANKS}


def without_its_own(image, name):
    """The content of a section that our image has as built."""
    offset, size = uki.section(image, name)
    return image[offset:offset + size]


def expect_agreement(tmp_path, image, sections, *arguments):
    path = tmp_path / "image"
    path.write_bytes(image)
    found = predict(path, *arguments)
    assert calculated(tmp_path, sections) == {bank: {found[bank][11]} for bank in BANKS}
    return found


def test_sections(tmp_path, sections):
    """All sections except .hwids, for which systemd-measure 257 needs the option --dtbauto; and 20 sections that are
    not measured."""
    sbat = without_its_own(IMAGE.read_bytes(), ".sbat")
    more = [(f".more{number}", bytes([number])) for number in range(20)]
    found = expect_agreement(tmp_path, uki.make([*sections.items(), *more], IMAGE), {**sections, ".sbat": sbat})
    for register in (12, 13):
        assert all(set(found[bank][register]) == {"0"} for bank in BANKS)
    # Another byte in a section changes the value.
    changed = {**sections, ".splash": sections[".splash"] + b"\0"}
    assert expect_agreement(tmp_path, uki.make(list(changed.items()), IMAGE), {**changed, ".sbat": sbat})["sha1"][11] != \
        found["sha1"][11]


@pytest.mark.parametrize("number, count", [(0, 1), (1, 3), (2, 3)])
def test_profiles(tmp_path, sections, number, count):
    """Profile 0 is the default. A profile's section replaces the base's."""
    profiles = [{".profile": b"ID=%d\n" % number, ".cmdline": b"profile %d" % number} for number in range(count)]
    profiles[-1][".initrd"] = b"another"
    sbat = without_its_own(IMAGE.read_bytes(), ".sbat")
    image = uki.make([*sections.items(), *(section for profile in profiles for section in profile.items())], IMAGE)
    asked = [f"--load-options=@{number}"] if number else []
    found = expect_agreement(tmp_path, image, {**sections, ".sbat": sbat, **profiles[number]}, *asked)
    # Register 12 records only a chosen profile.
    chosen = hashlib.sha256(f"{number}\0".encode("utf-16-le")).digest()
    assert found["sha256"][12] == (hashlib.sha256(bytes(32) + chosen).hexdigest() if number else "0" * 64)


def test_section_that_a_file_does_not_have_whole(tmp_path, sections):
    """Zeros follow the content in memory."""
    image = bytearray(uki.make(list(sections.items()), IMAGE))
    header = image.index(b".splash\0", 0x100)
    struct.pack_into("<I", image, header + 8, 5000)
    sbat = without_its_own(IMAGE.read_bytes(), ".sbat")
    splash = sections[".splash"].ljust(5000, b"\0")
    expect_agreement(tmp_path, bytes(image), {**sections, ".sbat": sbat, ".splash": splash})


@pytest.mark.parametrize("lines, initrds, options, key", [
    (["options quiet  root=/dev/sda1", "initrd /one", "initrd /two", "pcrpkey /key", "pcrsig /signature"], ["one", "two"],
     b"quiet  root=/dev/sda1", b"a key\n"),
    (["initrd /two"], ["two"], b"", b""), (["options quiet"], [], b"quiet", b"")])
def test_entry_that_is_measured_as_a_unified_image(tmp_path, sections, lines, initrds, options, key):
    """The files are measured like sections. Several initrds count as one, with the gaps between them. The signature is
    not measured."""
    files = {"one": b"O" * 5, "two": b"T" * 6, "key": b"a key\n", "signature": b"{}", "vmlinuz": sections[".linux"]}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "conf").write_text("\n".join(["linux /vmlinuz", "measure uki", *lines, ""]))
    found = predict(IMAGE, f"--entry={tmp_path}/conf", f"--root={tmp_path}")
    (tmp_path / "signature").write_bytes(b"{ }")
    changed = predict(IMAGE, f"--entry={tmp_path}/conf", f"--root={tmp_path}")
    assert {register for register in found["sha1"] if changed["sha1"][register] != found["sha1"][register]} == \
        ({9} if key else set())
    initrd = b""
    for name in initrds:
        initrd += bytes(-len(initrd) % 4) + files[name]
    parts = {".linux": sections[".linux"], ".cmdline": options, ".initrd": initrd, ".pcrpkey": key}
    folder = tmp_path / "parts"
    folder.mkdir()
    expected = calculated(folder, {name: content for name, content in parts.items() if content})
    assert expected == {bank: {found[bank][11]} for bank in BANKS}


def records(path):
    """(register, bank -> digest) for each record of a component."""
    return [(record["pcr"], {digest["hashAlg"]: digest["digest"] for digest in record["digests"]})
            for record in json.loads(path.read_bytes())["records"]]


@pytest.mark.parametrize("name", ["ours", "systemd's"])
def test_components_of_unified_images(tmp_path, sections, name):
    """systemd-pcrlock and tools/pcrlock agree on registers 4 and 11, for an image with our stub, and for one with
    systemd's stub that an entry names. systemd-pcrlock predicts no others."""
    image, component = tmp_path / "image.efi", tmp_path / "theirs"
    stub = IMAGE if name == "ours" else uki.STUB
    image.write_bytes(uki.make([*sections.items(), (".hwids", b"\1\0\0\0"), (".profile", b"ID=main\n")], stub))
    pcrlock.run("systemd-pcrlock", "lock-uki", image, f"--pcrlock={component}")
    (tmp_path / "conf").write_text("linux /image.efi\n")
    which = [f"--image={image}"] if name == "ours" else [f"--image={IMAGE}", f"--entry={tmp_path}/conf", f"--root={tmp_path}"]
    subprocess.run([ROOT / "tools/pcrlock", *which, f"--out={tmp_path}", "--name=ours"], check=True, stdout=subprocess.DEVNULL)
    found = records(tmp_path / "650-kernel.pcrlock.d/ours.pcrlock")
    if name != "ours":
        del found[0]
    assert [record for record in found if record[0] in (4, 11)] == records(component)
    assert [pcr for pcr, _ in found if pcr not in (4, 11)] == [9, 9]
