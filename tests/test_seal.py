# SPDX-License-Identifier: BSD-2-Clause
"""tools/seal writes only images that would boot. The twins of the refusals are `sealed` and `unified`, which other
tests boot (tests/qemu/test_sealed.py)."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
SEAL = ROOT / "tools/seal"
IMAGE = ROOT / "build/kexecx64.efi"
INITRD = ROOT / "build/initrd.cpio"
KERNEL = ROOT / "build/deps/kernels/amd64/vmlinuz"
GENERIC, SEALED = b"kexec-efi: generic".ljust(32, b"\0"), b"kexec-efi: sealed".ljust(32, b"\0")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A volume with the files that these tests' entries name."""
    folder = tmp_path_factory.mktemp("volume")
    for name in ("vmlinuz", "vm\u00a0linuz", "v\x1b[31mlinuz"):
        (folder / name).symlink_to(KERNEL)
    (folder / "initrd").symlink_to(INITRD)
    (folder / "empty").touch()
    os.symlink(KERNEL, os.fsencode(folder) + b"/vm\xfflinuz")
    return folder


def run(*arguments, image=IMAGE, out=None, **options):
    command = [SEAL, f"--image={image}", *([f"--out={out}"] if out else []), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def seal_entry(root, out, text, *more, **options):
    conf = out.with_suffix(".conf")
    conf.write_bytes(text)
    return run(f"--entry={conf}", f"--root={root}", *more, out=out, **options)


def inspected(image, entry=1):
    result = subprocess.run([ROOT / "build/inspect", "image", "x", "", str(entry)], input=image.read_bytes(), check=True,
                            stdout=subprocess.PIPE)
    return json.loads(result.stdout)


def sections(image, name):
    """The sections of the file, parsed without the code under test."""
    content = image.read_bytes()
    pe, = struct.unpack_from("<I", content, 0x3c)
    count, = struct.unpack_from("<H", content, pe + 6)
    table = pe + 24 + struct.unpack_from("<H", content, pe + 20)[0]
    found = []
    for header in range(table, table + 40 * count, 40):
        if content[header:header + 8].rstrip(b"\0") == name.encode():
            size, _, _, offset = struct.unpack_from("<IIII", content, header + 8)
            found.append(content[offset:offset + size])
    return found


def section(image, name):
    found = sections(image, name)
    assert len(found) == 1
    return found[0]


def assert_refused(result, out, complaint):
    """The tool refuses, with messages that are safe for a terminal, and leaves no file."""
    assert result.returncode == 1 and result.stdout == b""
    assert re.fullmatch(complaint + "\n", result.stderr.decode()), result.stderr
    assert "Traceback" not in result.stderr.decode()
    assert not out.exists()
    assert not [path.name for path in out.parent.iterdir() if "partial" in path.name]


def test_entry(tmp_path, root):
    out = tmp_path / "out.efi"
    result = seal_entry(root, out, b"linux /vmlinuz\ninitrd \\initrd\noptions quiet")
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.decode() == f"{out}: {out.stat().st_size} bytes: {out.with_suffix('.conf')}, its files below {root}\n"
    digests = [fsverity_digest(path) for path in (KERNEL, INITRD)]
    assert section(out, ".entry").decode() == (
        f"linux /vmlinuz\ninitrd \\initrd\noptions quiet\nfsverity {digests[0]} /vmlinuz\nfsverity {digests[1]} \\initrd\n")
    plan = inspected(out)["plan"]
    assert (plan["kernel"]["fsverity"], plan["kernel"]["sha256"]) == (digests[0], None)
    assert out.stat().st_mode & 0o777 == 0o666 & ~umask()


def test_entry_in_utf_16_is_sealed_in_utf_8(tmp_path, root):
    out = tmp_path / "out.efi"
    assert seal_entry(root, out, "linux /vmlinuz\r\noptions \u00e4\r\n".encode("utf-16")).returncode == 0
    assert section(out, ".entry").decode() == (
        f"linux /vmlinuz\r\noptions \u00e4\r\nfsverity {fsverity_digest(KERNEL)} /vmlinuz\n")


@pytest.mark.parametrize("has_fsverity, has_sha256", [(False, True), (True, False), (True, True)])
def test_entry_that_has_digests(tmp_path, root, has_fsverity, has_sha256):
    """Existing digests stay, and missing ones are added as fs-verity digests. A file that is loaded twice needs one
    line."""
    out = tmp_path / "out.efi"
    entry = "linux /vmlinuz\ninitrd /initrd\ninitrd /initrd\n"
    added = "" if has_fsverity else f"fsverity {fsverity_digest(INITRD)} /initrd\n"
    if has_fsverity:
        entry += f"fsverity sha256:{fsverity_digest(INITRD).upper()} \\initrd\n"
    if has_sha256:
        entry += f"sha256 {hashlib.sha256(INITRD.read_bytes()).hexdigest()} */initrd\n"
    result = seal_entry(root, out, entry.encode())
    assert (result.returncode, result.stderr) == (0, b"")
    assert section(out, ".entry").decode() == f"{entry}fsverity {fsverity_digest(KERNEL)} /vmlinuz\n{added}"


def test_entry_with_a_signature_of_a_register(tmp_path, root):
    """Each file that the loader passes on gets a digest, including the signature and its key."""
    out = tmp_path / "out.efi"
    (tmp_path / "key").write_bytes(b"a key")
    (tmp_path / "signature").write_bytes(b"{}")
    for name in ("vmlinuz", "initrd"):
        (tmp_path / name).symlink_to(root / name)
    entry = "linux /vmlinuz\ninitrd /initrd\nmeasure uki\npcrsig /signature\npcrpkey /key\n"
    result = seal_entry(tmp_path, out, entry.encode())
    assert (result.returncode, result.stderr) == (0, b"")
    lines = [f"fsverity {fsverity_digest(tmp_path / name)} /{name}\n" for name in ("vmlinuz", "initrd", "signature", "key")]
    assert section(out, ".entry").decode() == entry + "".join(lines)
    (tmp_path / "key").write_bytes(b"")
    assert_refused(seal_entry(tmp_path, tmp_path / "none.efi", entry.encode()), tmp_path / "none.efi",
                   r"seal: \S+/key: expected 1 to 1048576 bytes, found 0")


def fsverity_digest(path):
    return subprocess.run(["fsverity", "digest", "--compact", path], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip()


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_unified_image(tmp_path):
    out, osrel = tmp_path / "out.efi", tmp_path / "osrel"
    osrel.write_bytes(b"ID=x\n")
    result = run(f"--linux={KERNEL}", f"--initrd={INITRD}", "--cmdline= a\tb \n", f"--osrel={osrel}", "--uname=6.1", out=out)
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.decode().endswith(f': {KERNEL}, {INITRD}, "a b"\n')
    assert section(out, ".linux") == KERNEL.read_bytes() and section(out, ".initrd") == INITRD.read_bytes()
    assert (section(out, ".cmdline"), section(out, ".osrel"), section(out, ".uname")) == (b" a\tb \n", b"ID=x\n", b"6.1")
    assert inspected(out)["plan"]["command_line"] == "a b"


def test_unified_image_of_which_linux_loses_a_part(tmp_path):
    """Linux loses the part behind lz4, and the tool warns: once the initrds are joined, nobody else can see that there
    were two."""
    out, lz4 = tmp_path / "out.efi", tmp_path / "lz4"
    lz4.write_bytes(b"\x02\x21\x4c\x18\x04\0\0\0\x30abc")
    result = run(f"--linux={KERNEL}", f"--initrd={INITRD}", f"--initrd={lz4}", out=out)
    assert (result.returncode, result.stderr) == (0, b"")
    result = run(f"--linux={KERNEL}", f"--initrd={lz4}", f"--initrd={INITRD}", out=out)
    assert result.returncode == 0
    assert result.stderr.startswith(b"warning: .initrd: expected lz4 up to the end, found something else behind it: Linux ")
    assert result.stderr.count(b"\n") == 1


def test_image_that_is_sealed_is_marked(tmp_path, root):
    assert section(IMAGE, ".seal") == GENERIC and inspected(IMAGE)["is_marked"] is False
    for number, more in enumerate(([], ["--sbat=acme,1,Acme,acme,1,https://acme.test"])):
        out = tmp_path / f"{number}.efi"
        assert run(f"--linux={KERNEL}", *more, out=out).returncode == 0
        assert section(out, ".seal") == SEALED and inspected(out)["is_marked"] is True
    out = tmp_path / "entry.efi"
    assert seal_entry(root, out, b"linux /vmlinuz\n").returncode == 0
    assert section(out, ".seal") == SEALED


# --- several entries --------------------------------------------------------------------------------------------------


def seal_entries(root, out, texts, *more):
    confs = []
    for number, text in enumerate(texts):
        confs.append(out.with_name(f"{out.stem} {number}.conf"))
        confs[-1].write_bytes(text)
    return run(f"--entry={confs[0]}", f"--root={root}", "--entries=" + " ".join(f"'{conf}'" for conf in confs[1:]),
               *more, out=out)


def test_several_entries(tmp_path, root):
    """The entries are sealed in order, each with its own digests; menus show the first."""
    out = tmp_path / "out.efi"
    texts = [b"title one\nlinux /vmlinuz\ninitrd /initrd\n", b"title two\nlinux /vm\xc2\xa0linuz\n", b"linux /vmlinuz\n"]
    result = seal_entries(root, out, texts, "--sbat=acme,1,Acme,acme,1,https://acme.test")
    assert (result.returncode, result.stderr) == (0, b"")
    said = result.stdout.decode()
    assert f"out 0.conf, then {tmp_path}/out 1.conf, then {tmp_path}/out 2.conf, their files below {root}\n" in said
    found = sections(out, ".entry")
    assert [text.startswith(entry) for text, entry in zip(found, texts)] == [True] * 3 and len(found) == 3
    assert [text.count(b"fsverity ") for text in found] == [2, 1, 1]
    assert b"PRETTY_NAME=\"one\"" in section(out, ".osrel")
    for number, name in enumerate(["/vmlinuz", "/vm\xc2\xa0linuz", "/vmlinuz"], 1):
        answer = inspected(out, number)
        assert answer["entries"] == 3 and answer["plan"]["kernel"]["name"] == name
    assert not [name for name in (b".entry2", b".entry3") if name in out.read_bytes()]
    assert section(out, ".seal") == SEALED


def test_as_many_entries_as_the_loader_tries(tmp_path, root):
    out = tmp_path / "out.efi"
    assert seal_entries(root, out, [b"linux /vmlinuz\n"] * 8).returncode == 0
    assert len(sections(out, ".entry")) == 8
    out = tmp_path / "more.efi"
    assert_refused(seal_entries(root, out, [b"linux /vmlinuz\n"] * 9), out,
                   "this image: expected at most 8 sections .entry, found 9")


@pytest.mark.parametrize("name", ["entry", "vmlinuz"])
def test_what_goes_into_an_image_is_not_replaced_by_it(tmp_path, root, name):
    path = tmp_path / name
    path.write_bytes(b"linux /vmlinuz\n" if name == "entry" else (root / "vmlinuz").read_bytes())
    before = path.read_bytes()
    option = "--entry" if name == "entry" else "--linux"
    result = run(f"--out={tmp_path}/./{name}", f"{option}={path}", f"--root={root}")
    assert result.returncode == 1 and path.read_bytes() == before
    assert result.stderr.decode().endswith("expected a new file or an earlier image, found one that goes into the image\n")


def test_each_of_several_entries_is_judged(tmp_path, root):
    out = tmp_path / "out.efi"
    assert_refused(seal_entries(root, out, [b"linux /vmlinuz\n", b"linux /initrd\n"]), out,
                   r"\S+/initrd: expected a kernel \(bzImage\), found a cpio archive: .*")
    assert_refused(seal_entries(root, out, [b"linux /vmlinuz\n", b"linux /vmlinuz\nfallback /old.conf\n"]), out,
                   r"sealed entry .+conf: fallback: expected none in a sealed entry \(seal the fallback as another "
                   r'entry instead\), found "/old.conf"')


@pytest.mark.parametrize("entry, complaint", [
    (b"linux /vmlinuz\ninitrd /missing\n", r"seal: \S+conf: expected /missing below \S+ \(--root, ROOT=\), found none"),
    (b"linux /initrd\n", r"\S+/initrd: expected a kernel \(bzImage\), found a cpio archive: .*"),
    (b"linux /missing\nvolume xbootldr\n",
     r"seal: \S+conf: expected /missing below \S+ \(--root, ROOT=, where the volume xbootldr is mounted\), found none"),
    (b"linux /vmlinuz\nvolume /boot\n", r'\S+conf: line \d: volume: expected esp, xbootldr or a PARTUUID, found "/boot"'),
    (b"linux /vmlinuz\nvolume esp\nvolume xbootldr\n",
     r'\S+conf: line \d: volume: expected one volume for all paths, found "xbootldr"'),
    (b"initrd /initrd\n", r'\S+conf: expected a line "linux PATH", found none'),
    (b"linux /vmlinuz\nverbose maybe\n", r'\S+conf: line 2: verbose: expected yes or no, found "maybe"'),
    (b"linux /vmlinuz\nsha256 " + 64 * b"0" + b" /vmlinuz\n",
     r"seal: \S+/vmlinuz: sha256 mismatch: expected 0{64}, found \w{64}"),
    (b"linux /vmlinuz\nfsverity " + 64 * b"0" + b" /vmlinuz\n",
     r"seal: \S+/vmlinuz: fsverity mismatch: expected 0{64}, found \w{64}"),
    (b"linux /vmlinuz\nfsverity sha512:" + 128 * b"0" + b" /vmlinuz\n",
     r"\S+conf: line 2: fsverity: expected 64 hexadecimal digits, of SHA-256, and a path, found \"sha512:0+\""),
    (b"linux /Vmlinuz\nsha256 " + 64 * b"0" + b" vmlinuz\n",
     r"\S+conf: line 2: sha256: expected the path of a linux or initrd line, found \S+"),
    (b"linux\v/vmlinuz\n", r"\S+conf: line 1: linux\?/vmlinuz: expected linux, set off by plain blanks"),
    (b"linux /vmlinuz\xc2\xa0\n", r"seal: \S+conf: expected /vmlinuz\\xa0 below .*, found none"),
    (b"linux /vm\xfflinuz\n", r"/vm\?linuz: expected a path in UTF-8, found other bytes"),
    (b"linux /vmlinuz\ninitrd /empty\n", r"\S+/empty: empty: expected an initrd of at least 1 byte, found 0"),
    (b"linux /vmlinuz\noptions " + 2048 * b"x" + b"\n",
     r"options: expected at most 2047 bytes \(the kernel's cmdline_size\), found 2048"),
    (b"linux /vmlinuz\n\0", r"\S+conf: expected text, found a NUL at byte 15"),
    (b"linux /../" + b"vmlinuz\n", r"/../vmlinuz: expected a path below the volume's root, found .. above it"),
    (b"linux /initrd/x\n", r"seal: \S+conf: expected /initrd/x below \S+ .*, found none"),
    (b"linux /\n", r"seal: cannot read \S+: Is a directory"),
    (b"linux /vmlinuz\nsha265 0 /vmlinuz\n",
     r"\S+conf: line 2: sha265: expected sha256"),
    (b"linux /vmlinuz\nfs-verity 0 /vmlinuz\n",
     r"\S+conf: line 2: fs-verity: expected fsverity"),
    (b"linux /vmlinuz\ngrub_users x\nSgnatur require\n",
     r"seal: \S+conf: expected .*, found grub_users, which the loader would skip: leave the line out\n"
     r"seal: \S+conf: expected .*, found Sgnatur, perhaps for signature\nseal: \S+conf: not sealed"),
    (b"linux /vmlinuz\nini\xc2\x85trd\x1b[2J\xe2\x80\xae /initrd\n",
     r"seal: \S+conf: expected .*, found ini\\x85trd\\x1b\[2J\\u202e, .*\nseal: \S+conf: not sealed"),
    (b"linux /v\x1b[31mlinuzz\n", r"seal: \S+conf: expected /v\\x1b\[31mlinuzz below .*, found none"),
    (b"linux /v\x1b[31mlinuz\ninitrd /empty\nverbose \x1b]0;x\a\n",
     r'\S+conf: line 3: verbose: expected yes or no, found "\?]0;x\?"'),
])
def test_entry_that_could_not_boot_is_not_sealed(tmp_path, root, entry, complaint):
    out = tmp_path / "out.efi"
    assert_refused(seal_entry(root, out, entry), out, complaint)


def test_entry_with_a_path_of_all_characters(tmp_path, root):
    """A character that only looks like a blank belongs to the path, as in the loader."""
    out = tmp_path / "out.efi"
    assert seal_entry(root, out, b"linux /vm\xc2\xa0linuz\n").returncode == 0
    assert inspected(out)["plan"]["kernel"]["name"].encode("latin-1") == b"/vm\xc2\xa0linuz"
    assert seal_entry(root, out, b"linux /x/..//./vmlinuz\n").returncode == 0


@pytest.mark.parametrize("arguments, complaint", [
    (["--initrd={empty}"], r"\S+/empty: empty: expected an initrd of at least 1 byte, found 0"),
    (["--ucode={empty}"], r"\S+/empty: empty: expected an initrd of at least 1 byte, found 0"),
    (["--ucode="], r"seal: cannot read a file without a name: .*"),
    (["--initrd="], r"seal: cannot read a file without a name: .*"),
    (["--osrel=/none/\x1b[31m"], r"seal: cannot read /none/\\x1b\[31m: No such file or directory"),
    (["--cmdline=" + 2048 * "x"], r"options: expected at most 2047 bytes \(the kernel's cmdline_size\), found 2048"),
    (["--cmdline=quiet initrd=\\initrd.img"], r"unified image: options: expected sealed initrds only, found "
     r'"initrd=\\initrd\.img", which the kernel\'s EFI stub would read'),
    (["--initrds='a"], r"seal: 'a: expected words, .*, found No closing quotation"),
])
def test_unified_image_that_could_not_boot_is_not_made(tmp_path, root, arguments, complaint):
    out = tmp_path / "out.efi"
    arguments = [argument.format(empty=root / "empty") for argument in arguments]
    assert_refused(run(f"--linux={KERNEL}", *arguments, out=out), out, complaint)


def other_unified_image(path, *sections):
    """A unified image with another stub."""
    arguments = []
    for number, (name, content) in enumerate(sections, 1):
        file = path.with_suffix(name)
        file.write_bytes(content)
        arguments += ["--add-section", f"{name}={file}", "--change-section-vma", f"{name}={number * 0x4000000:#x}"]
    subprocess.run(["objcopy", *arguments, IMAGE, path], check=True)


def test_unified_image_whose_command_line_names_an_initrd(tmp_path):
    """The image's digest does not cover the file that its command line names. If there is an .initrd, the words have no
    effect."""
    conf, out = tmp_path / "my.conf", tmp_path / "out.efi"
    conf.write_text("linux /x.efi\n")
    parts = [(".linux", KERNEL.read_bytes()), (".cmdline", b"quiet initrd=/initrd")]
    other_unified_image(tmp_path / "x.efi", *parts)
    assert_refused(run(f"--entry={conf}", f"--root={tmp_path}", out=out), out,
                   r"\S+x\.efi: \.cmdline: options: expected sealed initrds only, found \"initrd=/initrd\", which the "
                   r"kernel's EFI stub would read")
    other_unified_image(tmp_path / "x.efi", *parts, (".initrd", b"I"))
    assert run(f"--entry={conf}", f"--root={tmp_path}", out=out).returncode == 0


def test_warning_about_an_initrd_comes_once(tmp_path):
    (tmp_path / "vmlinuz").symlink_to(KERNEL)
    (tmp_path / "initrd").write_text("no archive, but a text\n")
    result = seal_entry(tmp_path, tmp_path / "out.efi", b"linux /vmlinuz\ninitrd /initrd\n")
    assert result.returncode == 0
    assert re.fullmatch(rb"warning: /initrd: expected an archive that Linux unpacks, found .*\n", result.stderr), result.stderr


def test_file_that_changes_meanwhile(tmp_path):
    """The tool checks the written image against the files as they are then. Here a file is a pipe that gives other
    content each time."""
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "vmlinuz").symlink_to(KERNEL)
    os.mkfifo(volume / "initrd")
    for contents in ([b"one", b"two"], [b"one", b""], [b"one", b"one"]):
        out = tmp_path / "out.efi"
        # Each write waits until a reader has opened the pipe, and the pause lets it reach the end.
        script = "; ".join(f"printf %s '{content.decode()}' >'{volume}/initrd'; sleep 0.3" for content in contents)
        feeder = subprocess.Popen(["sh", "-c", script])
        result = seal_entry(volume, out, b"linux /vmlinuz\ninitrd /initrd\n")
        feeder.kill()
        feeder.wait()
        if contents[0] == contents[1]:
            assert result.returncode == 0 and inspected(out)["plan"]
        else:
            assert_refused(result, out, r"(seal: /initrd: fsverity mismatch: expected \w+, found \w+|/initrd: empty: .*)")


def test_initrds_whose_names_have_blanks(tmp_path):
    for name in ("a b", "c'd", 'e"f'):
        (tmp_path / name).write_bytes(name.encode())
    out = tmp_path / "out.efi"
    words = f"'{tmp_path}/a b'  \"{tmp_path}/c'd\"\n{tmp_path}/e\\\"f"
    assert run(f"--linux={KERNEL}", f"--initrds={words}", out=out).returncode == 0
    assert section(out, ".initrd") == b"a b\0c'd\0e\"f"


def damaged(tmp_path, offset, value):
    content = bytearray(IMAGE.read_bytes())
    pe, = struct.unpack_from("<I", content, 0x3c)
    struct.pack_into("<H", content, pe + offset, value)
    path = tmp_path / "damaged.efi"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("make, complaint", [
    (lambda folder: KERNEL, r"seal: \S+: expected an image of kexec-efi, as it was built, found another"),
    (lambda folder: INITRD, r"\S+: expected the headers of a PE image in its \w+ bytes, found none"),
    (lambda folder: folder, r"seal: cannot read \S+: Is a directory"),
    (lambda folder: damaged(folder, 6, 0), r"\S+: expected at least 1 section, found 0"),
    (lambda folder: damaged(folder, 6, 0xffff), r"\S+: expected .*, found .*"),
])
def test_image_that_is_none(tmp_path, make, complaint):
    out = tmp_path / "out.efi"
    assert_refused(run(f"--linux={KERNEL}", image=make(tmp_path), out=out), out, complaint)


def test_image_that_is_sealed_already(tmp_path):
    sealed, again = tmp_path / "sealed.efi", tmp_path / "again.efi"
    assert run(f"--linux={KERNEL}", out=sealed).returncode == 0
    assert_refused(run(f"--linux={KERNEL}", image=sealed, out=again), again,
                   r"seal: \S+: expected an image with nothing sealed in it, found .linux")
    # Removing the sealed sections does not make a sealed image generic.
    torn = tmp_path / "torn.efi"
    subprocess.run(["objcopy", "--remove-section", ".linux", sealed, torn], check=True)
    assert_refused(run(f"--linux={KERNEL}", image=torn, out=again), again,
                   r"this image: is marked as sealed: expected a section .entry or .linux, found neither")


# --- names in menus ---------------------------------------------------------------------------------------------------


def release(image):
    return section(image, ".osrel").decode()


def uname():
    return (ROOT / "build/deps/kernels/amd64/package").read_text().strip().removeprefix("linux-image-")


@pytest.mark.parametrize("lines, expected", [
    ("title Debian, twice\nversion 7.1\nsort-key deb\nmachine-id x\n",
     'PRETTY_NAME="Debian, twice"\nIMAGE_ID="deb"\nIMAGE_VERSION="7.1"\n'),
    ("title  a\ntitle\tb \n", 'PRETTY_NAME="b"\nIMAGE_VERSION="{uname}"\n'),
    ("sort-key deb\n", 'PRETTY_NAME="Linux"\nIMAGE_ID="deb"\nIMAGE_VERSION="{uname}"\n'),
    ("", 'PRETTY_NAME="Linux"\nIMAGE_VERSION="{uname}"\n'),
    ("# title no\ntitle\n", 'PRETTY_NAME="Linux"\nIMAGE_VERSION="{uname}"\n'),
    ('title a "b" $c\nversion it\'s\n', "PRETTY_NAME='a \"b\" $c'\nIMAGE_VERSION=\"it's\"\n"),
    ("title '\"`$\\\nversion 1\n", 'PRETTY_NAME="\'\\"\\`\\$\\\\"\nIMAGE_VERSION="1"\n'),
    ("title \u00e4\u00a0b\nversion 1\n", 'PRETTY_NAME="\u00e4\u00a0b"\nIMAGE_VERSION="1"\n'),
])
def test_title_and_version_of_the_entry(tmp_path, root, lines, expected):
    out = tmp_path / "out.efi"
    result = seal_entry(root, out, f"{lines}linux /vmlinuz\n".encode())
    assert (result.returncode, result.stderr) == (0, b"")
    assert release(out) == "NAME=Linux\nID=linux\n" + expected.replace("{uname}", uname())
    assert section(out, ".uname").decode() == uname()


def test_version_in_a_unified_image(tmp_path, root):
    """The version is from .uname, or else from the kernel inside."""
    unified, again = tmp_path / "unified.efi", tmp_path / "again.efi"
    for more, expected in ((["--uname="], uname()), (["--uname=6.1-own"], "6.1-own"), ([], uname())):
        assert run(f"--linux={KERNEL}", *more, out=unified).returncode == 0
        assert (".uname" in inspected_names(unified)) == (more != ["--uname="])
        volume = tmp_path / "volume"
        volume.mkdir(exist_ok=True)
        shutil.copy(unified, volume / "x.efi")
        assert seal_entry(volume, again, b"linux /x.efi\n").returncode == 0
        assert section(again, ".uname").decode() == expected


def inspected_names(image):
    return [section["name"] for section in inspected(image)["sections"]]


@pytest.mark.parametrize("place, text, expected", [
    (0, b"", None), (0x3000, b"\x016.1", None), (0x3000, 65 * b"x", None), (0x3000, 64 * b"x" + b" y", 64 * b"x"),
    (0x3000, b"6.1-own\0", b"6.1-own"),
])
def test_version_that_a_kernel_says(tmp_path, place, text, expected):
    """If the kernel states no version, the image gets none."""
    kernel, out = bytearray(KERNEL.read_bytes()), tmp_path / "out.efi"
    struct.pack_into("<H", kernel, 0x20e, place)
    kernel[place + 0x200:place + 0x200 + len(text)] = text
    (tmp_path / "vmlinuz").write_bytes(kernel)
    assert run(f"--linux={tmp_path / 'vmlinuz'}", out=out).returncode == 0
    assert (".uname" in inspected_names(out)) == (expected is not None)
    assert not expected or section(out, ".uname") == expected
    assert expected or release(out) == "NAME=Linux\nID=linux\nPRETTY_NAME=\"Linux\"\n"


def test_os_release_of_the_root_and_by_option(tmp_path, root):
    volume, out = tmp_path / "volume", tmp_path / "out.efi"
    (volume / "etc").mkdir(parents=True)
    (volume / "vmlinuz").symlink_to(KERNEL)
    (volume / "etc/os-release").write_bytes(b"PRETTY_NAME=Volume\n")
    assert seal_entry(volume, out, b"linux /vmlinuz\n").returncode == 0
    assert release(out) == "PRETTY_NAME=Volume\n"
    assert run(f"--linux={KERNEL}", f"--root={volume}", out=out).returncode == 0
    assert release(out) == "PRETTY_NAME=Volume\n"
    assert seal_entry(volume, out, b"title x\nlinux /vmlinuz\n").returncode == 0
    assert 'PRETTY_NAME="x"' in release(out)
    (tmp_path / "own").write_bytes(b"ID=own\n")
    result = seal_entry(volume, out, b"title x\nlinux /vmlinuz\n", f"--osrel={tmp_path / 'own'}", "--uname=1")
    assert (result.returncode, result.stderr) == (0, b"")
    assert (release(out), section(out, ".uname")) == ("ID=own\n", b"1")
    (tmp_path / "own").write_bytes(b"VERSION=1\n")
    result = seal_entry(volume, out, b"linux /vmlinuz\n", f"--osrel={tmp_path / 'own'}")
    assert result.returncode == 0
    assert result.stderr == b"seal: osrel: expected a line PRETTY_NAME=, without which no menu lists the image, found none\n"


def test_entry_is_what_a_sealed_image_boots(tmp_path, root):
    """The image has a .linux only for bootctl: the loader neither boots it nor takes the image for a unified one."""
    out = tmp_path / "out.efi"
    assert seal_entry(root, out, b"linux /vmlinuz\n").returncode == 0
    assert section(out, ".linux") == b"kexec-efi: the kernel is the one that .entry names\n"
    plan = inspected(out)["plan"]
    assert (plan["kernel"]["name"], plan["kernel"]["source"]) == ("/vmlinuz", "volume")
    assert "linux .linux" not in plan["text"]
    shutil.copy(out, tmp_path / "x.efi")
    assert_refused(seal_entry(tmp_path, tmp_path / "again.efi", b"linux /x.efi\n"), tmp_path / "again.efi",
                   r"\S+/x.efi: expected a kernel \(bzImage\), found an EFI application: .*")


# --- .sbat ------------------------------------------------------------------------------------------------------------

ACME = "acme,3,Acme,acme-boot,1.0,https://acme.test"


@pytest.mark.parametrize("lines", [ACME, ACME + "\n", ACME + "\r\nacme.debian,1,Acme,acme-boot,1.0,mailto:x@acme.test\n"])
def test_component_of_the_owner(tmp_path, lines):
    out = tmp_path / "out.efi"
    result = run(f"--linux={KERNEL}", f"--sbat={lines}", out=out)
    assert (result.returncode, result.stderr) == (0, b"")
    expected = section(IMAGE, ".sbat") + lines.replace("\r", "").rstrip("\n").encode() + b"\n"
    assert section(out, ".sbat") == expected
    assert expected.startswith(b"sbat,1,SBAT Version,sbat,1,")
    assert all(line.count(b",") == 5 for line in expected.splitlines())
    assert inspected(out)["plan"]
    # Shim refuses a section that is discardable or writable. objdump reads the flags independently.
    listed = subprocess.run(["objdump", "-h", out], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert re.search(r"\.sbat +" + f"{len(expected):08x}" + r" .*\n +CONTENTS, ALLOC, LOAD, READONLY, DATA", listed)


@pytest.mark.parametrize("line, complaint", [
    ("", "expected at least one line, found none"),
    ("acme,3,Acme,acme-boot,1.0", r".*: expected 6 fields \(.*\), found 5"),
    (ACME + ",x", r".*: expected 6 fields \(.*\), found 7"),
    ("acme,3,\"Acme, Inc.\",acme-boot,1.0,x", r".*: expected 6 fields \(.*\), found 7"),
    ("acme,3,,acme-boot,1.0,x", r'.*: vendor: expected ASCII .*, found ""'),
    ("acme,3,Acme ,acme-boot,1.0,x", r'.*: vendor: expected ASCII .*, found "Acme "'),
    ("acme,3,Acm\u00e9,acme-boot,1.0,x", r'.*: vendor: expected ASCII .*, found "Acm\u00e9"'),
    ("acme,3,A\x1bcme,acme-boot,1.0,x", r'.*: vendor: expected ASCII .*, found "A\\x1bcme"'),
    *[(f"acme,{generation},Acme,acme-boot,1.0,x",
       rf'.*: generation: expected a number from 1 to 65535, found "{re.escape(generation)}"')
      for generation in ("0", "-1", "03", "1.0", "x", "65536", "4294967297")],
    ("kexec-efi,9,Acme,acme-boot,1.0,x",
     ".*: expected a component of your own, found kexec-efi, which is there already"),
    ("sbat,9,Acme,acme-boot,1.0,x", ".*: expected a component of your own, found sbat, which is there already"),
    (ACME + "\n" + ACME, ".*: expected a component of your own, found acme, which is there already"),
])
def test_component_that_shim_would_not_take(tmp_path, line, complaint):
    out = tmp_path / "out.efi"
    assert_refused(run(f"--linux={KERNEL}", f"--sbat={line}", out=out), out, "seal: sbat: " + complaint)


# --- all or nothing is written
# ------------------------------------------------------------------------------------------


def test_refusal_leaves_what_was_there(tmp_path, root):
    out = tmp_path / "out.efi"
    out.write_bytes(b"from an earlier run")
    assert seal_entry(root, out, b"linux /initrd\n").returncode == 1
    assert out.read_bytes() == b"from an earlier run"
    assert seal_entry(root, out, b"linux /vmlinuz\n").returncode == 0
    assert inspected(out)["plan"]


def test_full_disk(tmp_path):
    """A limit on the size of files simulates a full disk."""
    out = tmp_path / "out.efi"
    out.write_bytes(b"from an earlier run")
    code = "import resource, signal, os, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); " \
           "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2); os.execv(sys.argv[2], sys.argv[2:])"
    for limit in (0, 100000, 8_000_000):
        result = subprocess.run(["/usr/bin/python3", "-c", code, str(limit), SEAL, f"--image={IMAGE}", f"--out={out}",
                                 f"--linux={KERNEL}"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert result.returncode == 1 and "Traceback" not in result.stderr and result.stderr.startswith("seal: ")
        assert out.read_bytes() == b"from an earlier run"
        assert [path.name for path in tmp_path.iterdir()] == ["out.efi"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("what", ["raise OSError(errno.ENOSPC, 'full')", "os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)",
                                  "os.kill(os.getpid(), signal.SIGKILL)"])
def test_end_in_the_middle_of_writing(tmp_path, step, what):
    """The old file stays until the last step. Only a killed program leaves a temporary file beside it."""
    out = tmp_path / "out.efi"
    out.write_bytes(b"from an earlier run")
    code = (f"import errno, os, signal, sys, time\nsys.path.insert(0, {str(ROOT / 'tools')!r})\nimport loader\n"
            f"def step(*_):\n    {what}\nos.{step} = step\nloader.run(lambda: loader.write(sys.argv[1], b'new'))")
    result = subprocess.run(["/usr/bin/python3", "-B", "-c", code, out], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)
    assert result.returncode and "Traceback" not in result.stderr
    assert out.read_bytes() == b"from an earlier run"
    assert "KILL" in what or [path.name for path in tmp_path.iterdir()] == ["out.efi"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal(tmp_path, number):
    """At any moment OUT is either the old file or the complete new one, and no other file is left."""
    out, temporary = tmp_path / "out.efi", tmp_path / "tmp"
    temporary.mkdir()
    for delay in (0, 0.05, 0.1, 0.2, 0.3):
        out.write_bytes(b"from an earlier run")
        process = subprocess.Popen([SEAL, f"--image={IMAGE}", f"--out={out}", f"--linux={KERNEL}"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(temporary)})
        # From its first temporary file on.
        while not list(temporary.iterdir()) and process.poll() is None:
            time.sleep(0.01)
        time.sleep(delay)
        process.send_signal(number)
        _, error = process.communicate()
        assert process.returncode in (0, 128 + number) and "Traceback" not in error
        assert out.read_bytes() == b"from an earlier run" or inspected(out)["plan"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out.efi", "tmp"]
        assert not list(temporary.iterdir())


def test_output_that_cannot_be_written(tmp_path):
    (tmp_path / "fifo").unlink(missing_ok=True)
    os.mkfifo(tmp_path / "fifo")
    for out, why in ((tmp_path / "none/out.efi", "No such file or directory"), (tmp_path, "expected the name of a file, .*"),
                     ("/", "expected .*"), ("", "expected .*"), ("/dev/null", "expected .*"),
                     (tmp_path / "fifo", "expected .*"),
                     (tmp_path / (300 * "x"), "File name too long"), (tmp_path / ("\u20ac" * 85), None)):
        result = run(f"--linux={KERNEL}", f"--out={out}")
        if why:
            assert result.returncode == 1 and re.fullmatch(rf"seal: cannot write .*: {why}\n", result.stderr.decode()), result
        else:
            assert result.returncode == 0 and inspected(out)["plan"]
    with open("/dev/full", "w") as full:
        result = subprocess.run([SEAL, f"--image={IMAGE}", f"--out={tmp_path}/out.efi", f"--linux={KERNEL}"], stdout=full,
                                stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == (1, "seal: No space left on device\n")


@pytest.mark.parametrize("arguments", [[], ["--linux=x"], ["--out=x"], ["--out=x", "--linux=x", "--entry=y"],
                                       ["--out=x", "--entry=x", "--cmdline=y"], ["--out=x", "--li=x"],
                                       ["--out=x", "--linux=x", "--\x1b[31m"]])
def test_wrong_calls(arguments):
    result = run(*arguments)
    assert result.returncode == 2 and result.stderr.startswith(b"usage: ") and b"\x1b" not in result.stderr
