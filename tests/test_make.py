# SPDX-License-Identifier: BSD-2-Clause
"""make passes its users' values to the tools literally: neither make, nor the shell, nor the tools interpret them."""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/qemu"))

from kexec_efi_test.signing import Key  # noqa: E402

KERNEL = ROOT / "build/deps/kernels/amd64/vmlinuz"

# A value that is executed leaves a file of this name.
PWNED = "pwned"
NASTY = {
    "make": f"a$b $(shell touch {PWNED}) ${{shell touch {PWNED}}} $$ $(error no) $x",
    "shell": f"`touch {PWNED}` $(touch {PWNED}) ; touch {PWNED} & | >{PWNED} * ? ~ ! {{a,b}}",
    "quotes": f"' touch {PWNED} ' \" ; touch {PWNED} \" '\\'' \\",
    "single quote": f"'; touch {PWNED}; '",
    "line ends": f"a\ntouch {PWNED}\n\ttouch {PWNED}\n",
    "comment": f"# a #b = c := d ?= %e :: ; touch {PWNED}",
    "blanks": "  a  \t b  ",
    "option": "-x",
    "long option": "--help",
    "bytes": b"a\xff\xfe\xc3\x28 \xe2\x80\xae\x1b[31m",
}
FILE_NAMES = {name: text for name, text in NASTY.items() if name != "shell"} | {"shell": NASTY["shell"].replace("~", "")}


@pytest.fixture
def checkout(tmp_path):
    """A checkout with the files that these targets need, and its own build folder. No other test uses it."""
    folder = tmp_path / "checkout"
    (folder / "build").mkdir(parents=True)
    for path in ROOT.iterdir():
        if path.name not in ("build", "tests", ".git"):
            (folder / path.name).symlink_to(path)
    (folder / "tests/qemu").mkdir(parents=True)
    for name in ("fuzz", "bench", "analysis", "prove"):
        (folder / "tests" / name).symlink_to(ROOT / "tests" / name)
    for name in ("kexecx64.efi", "inspect", "deps", "initrd.cpio"):
        (folder / "build" / name).symlink_to((ROOT / "build" / name).resolve())
    return folder


def make(checkout, target, values, environment=None):
    built = ["-o", "build/kexecx64.efi", "-o", "build/inspect", "-o", "build/initrd.cpio"]
    words = [os.fsencode(name) + b"=" + os.fsencode(value) for name, value in values.items()]
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    result = subprocess.run(["make", "--no-print-directory", *built, target, *words], cwd=checkout,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**inherited, **(environment or {})})
    assert not list(checkout.rglob(PWNED)), result
    assert b"\x1b" not in result.stdout + result.stderr
    return result


def given(text):
    """The value that make gets from its command line: make strips blanks at its beginning."""
    return text.lstrip()


def section(image, name, folder):
    out = folder / "section"
    subprocess.run(["objcopy", "-O", "binary", "--only-section", name, image, out], check=True)
    return out.read_bytes()


@pytest.mark.parametrize("origin", ["command line", "environment"])
@pytest.mark.parametrize("name", NASTY)
def test_command_line_of_a_unified_image(checkout, tmp_path, name, origin):
    values = {"CMDLINE": NASTY[name], "INITRD": "", "OSREL": ""}
    result = make(checkout, "uki", values if origin == "command line" else {}, {} if origin == "command line" else values)
    warned = [line for line in result.stderr.splitlines()
              if not line.startswith(b"warning: unified image: options: expected words")]
    assert (result.returncode, warned) == (0, [])
    text = os.fsencode(NASTY[name])
    assert section(checkout / "build/uki.efi", ".cmdline", tmp_path) == (text if origin == "environment" else given(text))


@pytest.mark.parametrize("name", FILE_NAMES)
def test_names_of_files(checkout, tmp_path, name):
    """Each target finds files and folders with such names."""
    key = Key.new(tmp_path, "ours")
    folder = checkout / os.fsdecode(given(os.fsencode(FILE_NAMES[name])))
    folder.mkdir()
    # A relative path, so that it may begin with -.
    short = folder.relative_to(checkout)
    for file, source in (("vmlinuz", KERNEL), ("key", key.key), ("cert", key.certificate)):
        (folder / file).symlink_to(source)
    (folder / "initrd").write_bytes(b"I")
    (folder / "osrel").write_bytes(b"ID=x\n")
    (folder / "conf").write_text("linux /vmlinuz\ninitrd /initrd\n")

    signing = {"KEY": short / "key", "CERT": short / "cert"}
    initrds = f"{shlex.quote(str(short / 'initrd'))} {shlex.quote(str(short / 'initrd'))}"
    result = make(checkout, "uki",
                  {"KERNEL": short / "vmlinuz", "INITRD": initrds, "CMDLINE": "", "OSREL": short / "osrel", **signing})
    assert (result.returncode, result.stderr) == (0, b"")
    assert section(checkout / "build/uki.efi", ".initrd", tmp_path) == b"I\0\0\0I"

    sealing = {"ENTRY": short / "conf", "ROOT": short}
    result = make(checkout, "sealed", {**sealing, **signing, "OSREL": short / "osrel"})
    assert (result.returncode, result.stderr) == (0, b"")
    for image in ("uki.efi", "sealed.efi"):
        subprocess.run(["sbverify", "--cert", key.certificate, checkout / "build" / image], check=True,
                       stdout=subprocess.DEVNULL)
        assert section(checkout / "build" / image, ".osrel", tmp_path) == b"ID=x\n"
    result = make(checkout, "predict-pcrs", sealing)
    assert (result.returncode, result.stderr, result.stdout.count(b"PCR ")) == (0, b"", 15), result
    (folder / "image").symlink_to(checkout / "build/uki.efi")
    result = make(checkout, "predict-pcrs", {"IMAGE": short / "image", "ROOT": short, "BANK": "sha384"})
    assert (result.returncode, result.stderr, result.stdout.count(b" sha384 ")) == (0, b"", 5), result
    result = make(checkout, "pcrlock", {**sealing, "PCRLOCK": short / "components", "VARIANT": "one"})
    assert (result.returncode, result.stderr) == (0, b"")
    assert [path.name for path in (folder / "components/650-kernel.pcrlock.d").iterdir()] == ["one.pcrlock"]
    result = make(checkout, "sign", {**signing, "GENERIC": "yes"})
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.parametrize("name", FILE_NAMES)
def test_where_the_image_is_installed(checkout, tmp_path, name):
    """A package's DESTDIR, the ESP below it, and the image's name, which cannot be a path."""
    text = os.fsdecode(given(os.fsencode(FILE_NAMES[name])))
    result = make(checkout, "install-image", {"DESTDIR": text, "ESP": "/" + text, "NAME": text})
    assert (result.returncode, result.stderr) == (0, b"")
    installed = [path for path in checkout.rglob("*.efi") if "build" not in path.parts]
    assert installed == [checkout / text / text / "EFI/kexec" / f"{text}.efi"]
    assert installed[0].read_bytes() == (ROOT / "build/kexecx64.efi").read_bytes()
    result = make(checkout, "install-image", {"ESP": tmp_path, "NAME": text})
    assert result.returncode and b"expected an ESP mounted at " in result.stderr
    assert not (tmp_path / "EFI").exists()


@pytest.mark.parametrize("name", ["../x", "a/b", "/x", ""])
def test_name_that_leads_elsewhere(checkout, tmp_path, name):
    result = make(checkout, "install-image", {"DESTDIR": tmp_path, "NAME": name})
    assert result.returncode and b"without a slash" in result.stderr
    assert not list(tmp_path.rglob("EFI"))


@pytest.mark.parametrize("name, installed", [("debian.efi", "debian.efi"), ("BOOTX64.EFI", "BOOTX64.efi"), ("a.b", "a.b.efi")])
def test_name_with_a_suffix(checkout, tmp_path, name, installed):
    assert make(checkout, "install-image", {"DESTDIR": tmp_path, "NAME": name}).returncode == 0
    assert [path.name for path in (tmp_path / "boot/efi/EFI/kexec").iterdir()] == [installed]


def test_image_that_was_signed_is_installed(checkout, tmp_path):
    """The signed image is installed unchanged, but only if it is from this build."""
    key, out = Key.new(tmp_path, "ours"), tmp_path / "boot/efi/EFI/kexec/kexecx64.efi"
    signed = checkout / "build/kexecx64.signed.efi"
    assert make(checkout, "sign", {"KEY": key.key, "CERT": key.certificate, "GENERIC": "yes"}).returncode == 0
    assert make(checkout, "install-image", {"DESTDIR": tmp_path}).returncode == 0
    assert out.read_bytes() == signed.read_bytes()
    subprocess.run(["sbverify", "--cert", key.certificate, out], check=True, stdout=subprocess.DEVNULL)
    content = bytearray(signed.read_bytes())
    content[0x5000] ^= 1
    signed.write_bytes(content)
    result = make(checkout, "install-image", {"DESTDIR": tmp_path})
    assert result.returncode
    assert b"expected build/kexecx64.efi with a signature, found that of another build" in result.stderr
    assert out.read_bytes() != bytes(content)
    signed.unlink()
    assert make(checkout, "install-image", {"DESTDIR": tmp_path}).returncode == 0
    assert out.read_bytes() == (ROOT / "build/kexecx64.efi").read_bytes()


@pytest.mark.parametrize("name", NASTY)
def test_run(checkout, name):
    """The arguments of tests/qemu/boot. Other tests cover the program itself."""
    boot = checkout / "tests/qemu/boot"
    boot.write_text("#!/usr/bin/python3\nimport json, os, sys\n"
                    "print(json.dumps([list(os.fsencode(word)) for word in sys.argv[1:]]))\n")
    boot.chmod(0o755)
    words = ("KERNEL", "INITRD", "CMDLINE", "MEMORY", "CPUS")
    result = make(checkout, "run", dict.fromkeys(words, NASTY[name]))
    assert (result.returncode, result.stderr) == (0, b"")
    text = given(os.fsencode(NASTY[name]))
    assert [bytes(word) for word in json.loads(result.stdout)] == [
        f"--{option}=".encode() + text for option in ("kernel", "initrds", "cmdline", "memory", "cpus")]


OF_SEALING = ["ENTRY", "FALLBACKS", "ROOT", "KEY", "CERT", "KERNEL", "INITRD", "OSREL", "SBAT", "IMAGE", "GENERIC"]
OF_MEASURING = ["ENTRY", "SEALED_ENTRY", "ROOT", "IMAGE", "LOAD_OPTIONS", "BANK", "PCRLOCK", "VARIANT"]


@pytest.mark.parametrize("target, variable", [
    *((target, variable) for target in ("uki", "sealed", "sign") for variable in OF_SEALING),
    *((target, variable) for target in ("predict-pcrs", "pcrlock") for variable in OF_MEASURING)])
def test_values_that_name_nothing(checkout, tmp_path, target, variable):
    """No target executes a value, even if the value is useless for it."""
    text = NASTY["make"].replace(" $(error no)", "") + NASTY["quotes"] + NASTY["line ends"]
    result = make(checkout, target, {"CMDLINE": "", "INITRD": "", "OSREL": "", variable: text})
    if target in ("uki", "sealed") and result.returncode:
        assert not (checkout / f"build/{target}.efi").exists()


@pytest.mark.parametrize("generic", [None, "no", "", "1", "yes no", "yes"])
def test_generic_image_is_signed_on_request_only(checkout, tmp_path, generic):
    key = Key.new(tmp_path, "ours")
    values = {"KEY": key.key, "CERT": key.certificate, **({} if generic is None else {"GENERIC": generic})}
    signed = checkout / "build/kexecx64.signed.efi"
    signed.write_bytes(b"from an earlier run")
    result = make(checkout, "sign", values)
    if generic in ("yes", "yes no"):
        assert (result.returncode, result.stderr) == (0, b"")
        subprocess.run(["sbverify", "--cert", key.certificate, signed], check=True, stdout=subprocess.DEVNULL)
    else:
        assert result.returncode and not signed.exists()
        assert re.search(rb"kexec-efi sign: build/kexecx64.efi: expected an image with something sealed in it, found "
                         rb"none: it boots any files beside it, .* --generic \(GENERIC=yes\)\n", result.stderr)


@pytest.mark.parametrize("values", [{"KEY": "/none"}, {"CERT": "/none"}, {"KEY": "/none", "CERT": "/none"}, {"SBAT": "acme,1"}])
def test_image_that_cannot_be_signed_is_not_made(checkout, values):
    """Nobody must mistake an unsigned or older image for the signed one."""
    uki = checkout / "build/uki.efi"
    assert make(checkout, "uki", {"INITRD": "", "OSREL": ""}).returncode == 0 and uki.exists()
    assert make(checkout, "uki", {"INITRD": "", "OSREL": "", **values}).returncode
    assert not uki.exists()


def test_values_that_are_not_given(checkout, tmp_path):
    assert make(checkout, "uki", {"INITRD": ""}).returncode == 0
    assert section(checkout / "build/uki.efi", ".cmdline", tmp_path) == b"console=tty0 console=ttyS0"
    assert section(checkout / "build/uki.efi", ".osrel", tmp_path) == pathlib.Path("/etc/os-release").read_bytes()
    assert make(checkout, "install-image", {"DESTDIR": tmp_path / "package"}).returncode == 0
    assert (tmp_path / "package/boot/efi/EFI/kexec/kexecx64.efi").exists()
    result = make(checkout, "sealed", {})
    assert result.returncode and result.stderr.startswith(b"sealed: expected ENTRY=, found none\n")
    result = make(checkout, "predict-pcrs", {})
    assert result.returncode
    assert result.stderr.startswith(b"kexec-efi predict: expected --entry, an entry in load options, or something "
                                    b"sealed in the image, ")


@pytest.mark.parametrize("values, missing", [
    ({}, "INITRD= CMDLINE="), ({"INITRD": ""}, "CMDLINE="), ({"CMDLINE": ""}, "INITRD="),
    ({"INITRD": "", "CMDLINE": ""}, None)])
def test_kernel_without_what_belongs_to_it(checkout, values, missing):
    """Otherwise the kernel would get the tests' initrd, or their command line."""
    result = make(checkout, "uki", {"KERNEL": KERNEL, "OSREL": "", **values})
    assert (checkout / "build/uki.efi").exists() == (missing is None) == (result.returncode == 0)
    if missing:
        assert result.stderr.startswith(f"uki: expected {missing} beside KERNEL= (it may be empty), found none".encode())


def test_component_of_the_owner(checkout, tmp_path):
    lines = "acme,3,Acme,acme-boot,1.0,https://acme.test\nacme.x,1,$(Acme),acme's,1.0,x"
    assert make(checkout, "uki", {"INITRD": "", "OSREL": "", "SBAT": lines}).returncode == 0
    assert section(checkout / "build/uki.efi", ".sbat", tmp_path).endswith(b"\n" + lines.encode() + b"\n")
