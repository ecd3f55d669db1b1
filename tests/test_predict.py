# SPDX-License-Identifier: BSD-2-Clause
"""tools/predict-pcrs and tools/pcrlock refuse what the loader would refuse. Boots check the predictions
(tests/qemu/test_measured_boot.py)."""

import hashlib
import json
import os
import pathlib
import re
import struct
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/qemu"))

from kexec_efi_test import uki  # noqa: E402

PREDICT, PCRLOCK, SEAL = (ROOT / "tools" / name for name in ("predict-pcrs", "pcrlock", "seal"))
IMAGE = ROOT / "build/kexecx64.efi"
KERNEL = ROOT / "build/deps/kernels/amd64/vmlinuz"
DIGEST = b"0123456789abcdef" * 4
BANKS = {"sha1": 40, "sha256": 64, "sha384": 96}
# Printed by `fsverity digest --compact` for a file with this letter.
FSVERITY_OF_I = "72219819b52dc37c7eb36cae3ffd384effd6694d68428a6526f961054f1f15d3"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("volume") / "volume"
    folder.mkdir()
    (folder / "vmlinuz").symlink_to(KERNEL)
    (folder.parent / "outside").symlink_to(KERNEL)
    (folder / "initrd").write_bytes(b"I")
    (folder / "empty").touch()
    os.symlink(KERNEL, os.fsencode(folder) + b"/vm\xfflinuz")
    return folder


def predict(*arguments, image=IMAGE):
    return subprocess.run([PREDICT, f"--image={image}", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def predict_entry(tmp_path, root, text):
    conf = tmp_path / "my.conf"
    conf.write_bytes(text)
    return predict(f"--entry={conf}", f"--root={root}")


def assert_refused(result, complaint):
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(complaint + "\n", result.stderr), result.stderr


def assert_predicted(result):
    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch("".join(rf"PCR {register:<2} {bank:<6} \w{{{size}}}\n" for bank, size in BANKS.items()
                                for register in (4, 9, 11, 12, 13)), result.stdout)


def test_entry_that_boots(tmp_path, root):
    assert_predicted(predict_entry(tmp_path, root, b"linux /vmlinuz\ninitrd /initrd\ninitrd /initrd\nmisspelled x\n"))
    digests = f"fsverity {FSVERITY_OF_I} /initrd\nsha256 {hashlib.sha256(b'I').hexdigest()} /initrd\n"
    assert_predicted(predict_entry(tmp_path, root, b"linux /vmlinuz\ninitrd /initrd\n" + digests.encode()))
    assert_predicted(predict_entry(tmp_path, root, b"linux /vmlinuz\ninitrd /initrd\nvolume xbootldr\n"))


def test_entry_in_utf_16_is_measured_as_in_utf_8(tmp_path, root):
    entry = "linux /vmlinuz\r\ninitrd /initrd\r\noptions quiet\r\n"
    found = predict_entry(tmp_path, root, entry.encode("utf-16"))
    assert_predicted(found)
    assert found.stdout == predict_entry(tmp_path, root, entry.encode()).stdout


@pytest.mark.parametrize("entry, complaint", [
    (b"linux /initrd\n", r"/initrd: expected a kernel \(bzImage\), found a text \(\"I\"\): is the path right\?"),
    (b"linux /vmlinuz\ninitrd /empty\n", "/empty: empty: expected an initrd of at least 1 byte, found 0"),
    (b"linux /vmlinuz\ninitrd /missing\n", r"predict-pcrs: cannot read \S+/missing: No such file or directory"),
    (b"linux /vmlinuz\nsha256 " + DIGEST + b" /vmlinuz\n",
     rf"predict-pcrs: /vmlinuz: sha256 mismatch: expected {DIGEST.decode()}, found \w{{64}}"),
    (b"linux /vmlinuz\ninitrd /initrd\nsha256 " + DIGEST + b" \\initrd\n",
     r"predict-pcrs: /initrd: sha256 mismatch: expected .*"),
    (b"linux /vmlinuz\ninitrd /initrd\nfsverity " + DIGEST + b" \\initrd\n",
     rf"predict-pcrs: /initrd: fsverity mismatch: expected {DIGEST.decode()}, found {FSVERITY_OF_I}"),
    (b"linux /vmlinuz\ninitrd /initrd\nsha256 " + DIGEST + f" /initrd\nfsverity {FSVERITY_OF_I} /initrd\n".encode(),
     r"predict-pcrs: /initrd: sha256 mismatch: expected .*"),
    (b"linux /vmlinuz\noptions " + b"x" * 2048 + b"\n",
     r"options: expected at most 2047 bytes \(the kernel's cmdline_size\), found 2048"),
    (b"linux /vm\xfflinuz\n", r"/vm\?linuz: expected a path in UTF-8, found other bytes"),
    (b"linux /../outside\n", r"/../outside: expected a path below the volume's root, found .. above it"),
    (b"linux /a/../../outside\n", r"/a/../../outside: expected a path below the volume's root, found .. above it"),
    (b"linux /vmlinuz\nmeasure uki\npcrsig /empty\n", r"predict-pcrs: /empty: expected 1 to 1048576 bytes, found 0"),
    (b"linux /vmlinuz\nmeasure uki\npcrpkey /missing\n", r"predict-pcrs: cannot read \S+/missing: No such file or directory"),
    (b"linux /vmlinuz\nmeasure uki\npcrpkey /initrd\nsha256 " + DIGEST + b" /initrd\n",
     r"predict-pcrs: /initrd: sha256 mismatch: expected .*"),
    (b"linux /vmlinuz\ndma maybe\n", r'\S+conf: line 2: dma: expected on or off, found "maybe"'),
    (b"linux /vmlinuz\n" + b"#" * 65536, r"\S+conf: expected at most 65535 bytes, found 65551"),
    (b"linux /x\x1b[31m\xe2\x80\xaey\n",
     r"predict-pcrs: cannot read \S+/x\\x1b\[31m\\u202ey: No such file or directory"),
    (b"", r'\S+conf: expected a line "linux PATH", found none'),
])
def test_entry_that_would_not_boot(tmp_path, root, entry, complaint):
    assert_refused(predict_entry(tmp_path, root, entry), complaint)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory, root):
    folder = tmp_path_factory.mktemp("sealed")
    (folder / "conf").write_text("linux /vmlinuz\ninitrd /initrd\n")
    for out, what in (("entry.efi", [f"--entry={folder}/conf", f"--root={root}"]),
                      ("unified.efi", [f"--linux={KERNEL}", f"--initrd={root}/initrd"])):
        subprocess.run([SEAL, f"--image={IMAGE}", f"--out={folder / out}", *what], check=True, stdout=subprocess.DEVNULL)
    return folder


def test_sealed_images_that_boot(sealed, root):
    assert_predicted(predict(f"--root={root}", image=sealed / "entry.efi"))
    assert_predicted(predict(image=sealed / "unified.efi"))


@pytest.fixture(scope="module")
def several(tmp_path_factory, root):
    """An image with two sealed entries that differ in their options."""
    folder = tmp_path_factory.mktemp("several")
    for name in ("one", "two"):
        (folder / name).write_text(f"linux /vmlinuz\noptions {name}\n")
    subprocess.run([SEAL, f"--image={IMAGE}", f"--out={folder}/image.efi", f"--entry={folder}/one", f"--entry={folder}/two",
                    f"--root={root}"], check=True, stdout=subprocess.DEVNULL)
    return folder / "image.efi"


def test_which_of_several_sealed_entries(several, root):
    """The two entries have different values, and a line names the entry."""
    silent = predict(f"--root={root}", image=several)
    assert silent.returncode == 0
    assert silent.stderr == f"predict-pcrs: {several}: values of the first of 2 sealed entries; --sealed-entry=2 for the next\n"
    one, two = (predict(f"--root={root}", f"--sealed-entry={number}", image=several) for number in (1, 2))
    assert_predicted(one)
    assert_predicted(two)
    assert one.stdout == silent.stdout
    assert {register for (register, bank), value in values(one).items() if values(two)[register, bank] != value} == {12}


def test_sealed_entry_that_is_not_there(sealed, several, root):
    assert_refused(predict(f"--root={root}", "--sealed-entry=3", image=several),
                   "this image: expected a section .entry number 3, found 2")
    assert_refused(predict(f"--entry={sealed}/conf", f"--root={root}", "--sealed-entry=1"),
                   r"predict-pcrs: \S+: expected entries that are sealed in it, for --sealed-entry, found none")
    for wrong in ("0", "-1", "x"):
        assert predict(f"--root={root}", f"--sealed-entry={wrong}", image=several).returncode == 2


def test_fallback_is_named(tmp_path, root):
    result = predict_entry(tmp_path, root, b"linux /vmlinuz\nfallback /old.conf\n")
    assert result.returncode == 0
    assert result.stderr == ("predict-pcrs: note: if this entry is refused, /old.conf boots; "
                             "predict its registers with --entry\n")


def test_sealed_image_whose_files_have_changed(tmp_path, sealed):
    assert_refused(predict(f"--root={tmp_path}", image=sealed / "entry.efi"),
                   r"predict-pcrs: cannot read \S+vmlinuz: No such file or directory")
    (tmp_path / "vmlinuz").symlink_to(KERNEL)
    (tmp_path / "initrd").write_bytes(b"J")
    assert_refused(predict(f"--root={tmp_path}", image=sealed / "entry.efi"),
                   r"predict-pcrs: /initrd: fsverity mismatch: expected \w+, found \w+")


def with_field(path, section, offset, value, tmp_path):
    """A copy of an image, with one field of a section's header changed."""
    content = bytearray(path.read_bytes())
    pe, = struct.unpack_from("<I", content, 0x3c)
    table = pe + 24 + struct.unpack_from("<H", content, pe + 20)[0]
    header = content.index(section.encode().ljust(8, b"\0"), table)
    struct.pack_into("<I", content, header + offset, value)
    copy = tmp_path / "changed.efi"
    copy.write_bytes(content)
    return copy


@pytest.mark.parametrize("section, offset, value, complaint", [
    (".linux", 0, 0x6d6d6d6d, "this image: is marked as sealed: expected a section .entry or .linux, found neither"),
    (".linux", 12, 0x100, r"\S+: section .linux: expected it between \w+ and \w+, found \w+ bytes at 0x100"),
    (".initrd", 12, 0x100, r"\S+: section .initrd: expected it between \w+ and \w+, found 0x1 bytes at 0x100"),
    (".initrd", 8, 0, ".initrd: empty: expected an initrd of at least 1 byte, found 0"),
    (".linux", 8, 1, r".linux: expected a kernel \(bzImage\), found a text \(\"M\"\): is the path right\?"),
    (".linux", 20, 0x7fffffff, r"\S+: section .linux: expected it between .*"),
])
def test_image_that_would_not_boot(tmp_path, sealed, section, offset, value, complaint):
    """Whatever the headers contain, the tool refuses in one line."""
    image = with_field(sealed / "unified.efi", section, offset, value, tmp_path)
    assert_refused(predict(image=image), complaint)


def test_signature_beside_a_unified_image(tmp_path, sealed):
    """The loader refuses the entry. Without these lines it boots."""
    (tmp_path / "uki.efi").symlink_to(sealed / "unified.efi")
    (tmp_path / "sig").write_bytes(b"{}")
    assert_predicted(predict_entry(tmp_path, tmp_path, b"uki /uki.efi\nmeasure uki\n"))
    assert_refused(predict_entry(tmp_path, tmp_path, b"uki /uki.efi\nmeasure uki\npcrsig /sig\n"),
                   "predict-pcrs: /uki.efi: expected a kernel beside pcrsig or pcrpkey, found a unified image, which "
                   "has its own")


def test_whose_image_and_whose_entry(tmp_path, sealed, root):
    assert_refused(predict(image=KERNEL.parent), r"predict-pcrs: cannot read \S+: Is a directory")
    assert_refused(predict(image=root / "initrd"),
                   r"\S+initrd: expected the headers of a PE image in its 0x1 bytes, found none")
    assert_refused(predict(),
                   "predict-pcrs: expected --entry, an entry in load options, or something sealed in the image, found "
                   "none of them")
    assert_refused(predict(f"--entry={sealed}/conf", image=sealed / "unified.efi"),
                   r"predict-pcrs: \S+ boots what is sealed in it: leave the entry out")


def test_prediction_that_cannot_be_written(sealed):
    with open("/dev/full", "w") as full:
        result = subprocess.run([PREDICT, f"--image={sealed}/unified.efi"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == (1, "predict-pcrs: No space left on device\n")


def values(result):
    """(register, bank) -> value."""
    assert (result.returncode, result.stderr) == (0, "")
    return {(int(register), bank): value for _, register, bank, value in map(str.split, result.stdout.splitlines())}


def test_banks(tmp_path, root):
    """Only the requested banks, each extended with the event's digest by its own algorithm."""
    conf = tmp_path / "my.conf"
    conf.write_bytes(b"linux /vmlinuz\noptions quiet\n")
    for banks in (["sha512"], ["sha1", "sha256"]):
        found = values(predict(f"--entry={conf}", f"--root={root}", *(f"--bank={bank}" for bank in banks)))
        assert sorted(found) == sorted((register, bank) for register in (4, 9, 11, 12, 13) for bank in banks)
        for bank in banks:
            value = bytes(hashlib.new(bank).digest_size)
            assert found[13, bank] == value.hex()
            for content in (b"linux /vmlinuz\noptions quiet\n\n", "quiet\0".encode("utf-16-le")):
                value = hashlib.new(bank, value + hashlib.new(bank, content).digest()).digest()
            assert found[12, bank] == value.hex()
    assert predict(f"--entry={conf}", f"--root={root}", "--bank=md5").returncode == 2


def test_load_options(tmp_path, root):
    """Load options add to an entry, name another one, or replace it."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root/vmlinuz").symlink_to(KERNEL)
    conf = tmp_path / "root/my.conf"
    conf.write_bytes(b"linux /vmlinuz\n")
    where = f"--root={tmp_path}/root"
    plain = values(predict(f"--entry={conf}", where))
    assert values(predict("--load-options=entry=/my.conf", where)) == plain
    assert values(predict(f"--entry={conf}", "--load-options=RC", where)) == plain
    added = values(predict(f"--entry={conf}", "--load-options=-- quiet", where))
    conf.write_bytes(b"linux /vmlinuz\n\noptions quiet")
    assert {key for key in plain if plain[key] != added[key]} == {(12, bank) for bank in BANKS}
    assert added == values(predict(f"--entry={conf}", where))
    assert values(predict("--load-options=linux=/vmlinuz -- quiet", where)) == values(
        predict("--load-options=loader.efi linux=/vmlinuz -- quiet", where))
    assert_refused(predict(f"--entry={conf}", "--load-options=linux=/vmlinuz", where),
                   r'predict-pcrs: load options: "linux=/vmlinuz" name what is booted: leave the entry out')
    assert_refused(predict("--load-options=entry=/none", where),
                   r"predict-pcrs: cannot read \S+/none: No such file or directory")
    assert_refused(predict("--load-options=linux=/none", where),
                   r"predict-pcrs: cannot read \S+/none: No such file or directory")



def test_load_options_of_a_sealed_image_are_ignored(sealed, root):
    """As the loader does, with its warning."""
    for image in (sealed / "entry.efi", sealed / "unified.efi"):
        plain = predict(f"--root={root}", image=image)
        given = predict(f"--root={root}", "--load-options=linux=/vmlinuz -- quiet", image=image)
        assert_predicted(plain)
        assert (given.returncode, given.stdout) == (0, plain.stdout)
        assert given.stderr == "warning: load options ignored: this image boots only what is sealed in it\n"


def addon(*sections):
    """An addon that uses our own loader as its stub: only the sections count."""
    return uki.make(sections, IMAGE)


SIDECARS = {
    "image.efi.extra.d/a.cred": (b"secret", {12, 9}),
    "loader/credentials/B.Cred": (b"", {12, 9}),
    "image.efi.extra.d/a.raw": (b"R" * 5000, {13, 9}),
    "loader/extensions/a.raw": (b"R", {13, 9}),
    "loader/extensions/a.confext.raw": (b"C", {12, 9}),
    "image.efi.extra.d/a.addon.efi": ([(".cmdline", b"added\n\0")], {4, 12, 9}),
    "loader/addons/a.addon.efi": ([(".initrd", b"I" * 5)], {4, 12, 9}),
    "loader/addons/b.addon.efi": ([(".ucode", b"U"), (".uname", b"6.1\0")], {4, 12, 9}),
    # The platform measures any addon that the loader asks it about, even one that is not used.
    "loader/addons/c.addon.efi": ([(".ucode", b"U"), (".uname", b"5.0")], {4}),
    "loader/addons/d.addon.efi": ([(".splash", b"S")], {4}),
    "loader/addons/e.addon.efi": ([(".linux", b"L"), (".cmdline", b"c")], {4}),
    # Other files have no effect.
    "image.efi.extra.d/.a.cred": (b"secret", set()),
    "image.efi.extra.d/a.creds": (b"secret", set()),
    "image.efi.extra.d/\u00e4.cred": (b"secret", set()),
    "image.efi.extra.d/folder.cred/a.cred": (b"secret", set()),
    "loader/credentials/a.raw": (b"R", set()),
    "loader/extensions/a.addon.efi": (b"A", set()),
    "other.efi.extra.d/a.cred": (b"secret", set()),
}


SECTIONS_OF_SIDECARS = [(".linux", KERNEL), (".initrd", b"I"), (".uname", b"6.1")]


def values_of(root, image, *more):
    """The predicted values. The tool may warn about sidecars that are not used."""
    result = predict(f"--root={root}", "--bank=sha256", *more, image=image)
    assert result.returncode == 0
    return {int(register): value for _, register, _, value in map(str.split, result.stdout.splitlines())}


@pytest.fixture(scope="module")
def plain_image(tmp_path_factory):
    """A unified image without sidecars, and its values."""
    image = tmp_path_factory.mktemp("plain") / "image.efi"
    image.write_bytes(uki.make([(name, content if isinstance(content, bytes) else content.read_bytes())
                                for name, content in SECTIONS_OF_SIDECARS], IMAGE))
    return image, values_of(image.parent, image)


def put_sidecar(folder, path):
    content, changed = SIDECARS[path]
    (folder / path).parent.mkdir(parents=True)
    (folder / path).write_bytes(addon(*content) if isinstance(content, list) else content)
    return changed


@pytest.mark.parametrize("path", SIDECARS)
def test_sidecars(tmp_path, plain_image, path):
    """Each sidecar changes only its own registers."""
    image, before = plain_image
    (tmp_path / "image.efi").symlink_to(image)
    changed = put_sidecar(tmp_path, path)
    found = values_of(tmp_path, tmp_path / "image.efi")
    assert {register for register in before if before[register] != found[register]} == changed


def test_where_sidecars_lie(tmp_path, plain_image):
    """Sidecars lie beside an image that an entry names, or beside our own image. The image's name counts without the
    counter of boot counting."""
    image, before = plain_image
    (tmp_path / "image+3-0.efi").symlink_to(image)
    put_sidecar(tmp_path, "image.efi.extra.d/a.cred")
    found = values_of(tmp_path, tmp_path / "image+3-0.efi")
    assert {register for register in before if before[register] != found[register]} == {9, 12}
    (tmp_path / "x").mkdir()
    (tmp_path / "x/image.efi").write_bytes(uki.make([(".linux", KERNEL.read_bytes())]))
    (tmp_path / "conf").write_text("linux /x/image.efi\n")
    entry = f"--entry={tmp_path}/conf"
    before = values_of(tmp_path, IMAGE, entry)
    put_sidecar(tmp_path / "x", "image.efi.extra.d/a.cred")
    found = values_of(tmp_path, IMAGE, entry)
    assert {register for register in before if before[register] != found[register]} == {9, 12}


def test_addons_of_an_image_that_is_sealed_by_its_digest(tmp_path):
    """The loader takes them only with Secure Boot on, which the files do not tell: a line says that they are left
    out."""
    (tmp_path / "x.efi").write_bytes(uki.make([(".linux", KERNEL.read_bytes())]))
    (tmp_path / "conf").write_text("linux /x.efi\n")
    sealed = tmp_path / "sealed.efi"
    subprocess.run([SEAL, f"--image={IMAGE}", f"--out={sealed}", f"--entry={tmp_path}/conf", f"--root={tmp_path}"], check=True,
                   stdout=subprocess.DEVNULL)
    before = predict(f"--root={tmp_path}", image=sealed)
    assert_predicted(before)
    put_sidecar(tmp_path, next(path for path, (content, _) in SIDECARS.items() if path.startswith("loader/addons/")))
    after = predict(f"--root={tmp_path}", image=sealed)
    assert (after.returncode, after.stdout) == (0, before.stdout)
    assert after.stderr == (f"predict-pcrs: note: with Secure Boot on, verified addons add to {tmp_path}/x.efi; these "
                            "values are without them\n")


def test_files_in_an_archive(tmp_path):
    """Debian's cpio unpacks the archive."""
    pieces = json.loads(subprocess.run([ROOT / "build/host/inspect", "archive", ".extra/credentials", str(0o500), str(0o400)],
                                       input=b"a.cred\0" + b"5\0" + b"b.cred\0" + b"0\0", check=True,
                                       stdout=subprocess.PIPE).stdout)
    first, second, third = (piece.encode("latin-1") for piece in pieces)
    subprocess.run(["cpio", "--quiet", "-i"], input=first + b"hello" + second + third, check=True, cwd=tmp_path)
    found = {str(path.relative_to(tmp_path)): oct(path.stat().st_mode & 0o777) for path in tmp_path.rglob("*")}
    assert found == {".extra": "0o555", ".extra/credentials": "0o500", ".extra/credentials/a.cred": "0o400",
                     ".extra/credentials/b.cred": "0o400"}
    assert (tmp_path / ".extra/credentials/a.cred").read_bytes() == b"hello"


def pcrlock(*arguments):
    return subprocess.run([PCRLOCK, f"--image={IMAGE}", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_component_has_what_is_predicted(tmp_path, root):
    """The component has the predicted values, without the firmware's measurements before the image."""
    conf = tmp_path / "my.conf"
    conf.write_bytes(b"linux /vmlinuz\ninitrd /initrd\n")
    result = pcrlock(f"--entry={conf}", f"--root={root}", f"--out={tmp_path}/components", "--name=6.13~rc7-amd64")
    path = tmp_path / "components/650-kernel.pcrlock.d/6.13~rc7-amd64.pcrlock"
    assert (result.returncode, result.stderr, result.stdout) == (0, "", f"{path}: 6 events\n")
    predicted = values(predict(f"--entry={conf}", f"--root={root}", *(f"--bank={bank}" for bank in (*BANKS, "sha512"))))
    for (register, bank), value in predicted.items():
        events = [hashlib.new(bank, event).hexdigest() for event in (b"Calling EFI Application from Boot Option", bytes(4))
                  if register == 4]
        events += [digest["digest"] for record in json.loads(path.read_bytes())["records"] if record["pcr"] == register
                   for digest in record["digests"] if digest["hashAlg"] == bank]
        register_value = bytes(hashlib.new(bank).digest_size)
        for event in events:
            register_value = hashlib.new(bank, register_value + bytes.fromhex(event)).digest()
        assert register_value.hex() == value


def test_variant_of_each_sealed_entry(tmp_path, several, root):
    for number in (1, 2):
        result = subprocess.run([PCRLOCK, f"--image={several}", f"--root={root}", f"--out={tmp_path}",
                                 f"--sealed-entry={number}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert (result.returncode, result.stderr) == (0, "")
    variants = {path.name: path.read_bytes() for path in (tmp_path / "650-kernel.pcrlock.d").iterdir()}
    assert set(variants) == {"image.pcrlock", "image-2.pcrlock"} and len(set(variants.values())) == 2


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "a b", "a\n", "-/../x"])
def test_names_that_no_variant_has(tmp_path, root, name):
    (tmp_path / "my.conf").write_bytes(b"linux /vmlinuz\n")
    assert_refused(pcrlock(f"--entry={tmp_path}/my.conf", f"--root={root}", f"--out={tmp_path}/components", f"--name={name}"),
                   r"pcrlock: .*: expected a name of letters, digits and -_\.\+@:=~, found another: give one by --name")
    assert not (tmp_path / "components").exists()


def test_boot_that_is_refused_has_no_component(tmp_path, root):
    (tmp_path / "my.conf").write_bytes(b"linux /initrd\n")
    assert_refused(pcrlock(f"--entry={tmp_path}/my.conf", f"--root={root}", f"--out={tmp_path}/components"),
                   r"/initrd: expected a kernel \(bzImage\), found a text .*")
    assert not (tmp_path / "components").exists()
