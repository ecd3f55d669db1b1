# SPDX-License-Identifier: BSD-2-Clause
"""The parts of a package: the files of `make install`, and debian/. `make check-package` builds the packages."""

import ast
import json
import os
import pathlib
import re
import struct
import subprocess
import sys

import pytest

import packaged
from command_machine import FolderMachine
from packaged import ROOT

sys.path.insert(0, str(ROOT / "tests/qemu"))

from kexec_efi_test.signing import Key  # noqa: E402



def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def places(packaging, folders):
    """The expected places of the files in packaging/; `folders` maps each kind to its folder."""
    return {f"{folders[path.parts[0]]}/{pathlib.Path(*path.parts[1:])}"
            for path in (path.relative_to(packaging) for path in packaging.rglob("*") if path.is_file())
            if path.parts[0] in folders}


def test_files(tmp_path):
    """Each file is installed in its place below any folder. Files that name the command contain its path."""
    folder = packaged.install(tmp_path / "a b$c", "PREFIX=/opt/x y")
    found = files(folder)
    pages = {f"opt/x y/share/man/man{path.stem[-1]}/{path.stem}" for path in (ROOT / "packaging/man").iterdir()}
    tools = {f"opt/x y/lib/kexec-efi/{path.relative_to(ROOT / 'tools')}" for path in (ROOT / "tools").rglob("*.py")}
    rest = places(ROOT / "packaging", {
        "kernel": "etc/kernel", "initramfs": "etc/initramfs", "kernel-install": "opt/x y/lib/kernel/install.d",
        "systemd": "opt/x y/lib/systemd/system", "bash-completion": "opt/x y/share/bash-completion/completions",
        "zsh": "opt/x y/share/zsh/site-functions"})
    programs = {f"opt/x y/lib/kexec-efi/{name}"
                for name in ("finish", "inspect", "kexec-efi", "kexec-efi-test", "pcrlock", "predict-pcrs", "seal", "sign")}
    commands = {"opt/x y/bin/kexec-efi", "opt/x y/bin/kexec-efi-test"}
    assert found == pages | tools | rest | programs | commands | {"opt/x y/lib/kexec-efi/kexecx64.efi"}
    runnable = {name for name in found if os.access(folder / name, os.X_OK)}
    assert runnable == programs | commands | {name for name in rest if "/systemd/" not in name and "/share/" not in name}
    unit = folder / "opt/x y/lib/systemd/system/kexec-efi-bless.service"
    assert "\nExecStart=/opt/x y/bin/kexec-efi bless\n" in unit.read_text()


def test_folders(tmp_path):
    """Each variable moves its own files and no others. The command runs from any place."""
    variables = {"bindir": "/b", "libdir": "/l64", "mandir": "/m", "sysconfdir": "/s", "kernelhooksdir": "/hooks",
                 "initramfshooksdir": "/i", "kernelinstalldir": "/k", "systemdsystemunitdir": "/u",
                 "bashcompletiondir": "/bash", "zshcompletiondir": "/zsh"}
    plain = files(packaged.install(tmp_path / "plain"))
    assert {name.split("/")[0] for name in plain} == {"usr", "etc"}
    assert all(name.startswith(("usr/local/", "etc/kernel/", "etc/initramfs/")) for name in plain)
    folder = packaged.install(tmp_path / "all", *(f"{name}={place}" for name, place in variables.items()))
    assert {name.split("/")[0] for name in files(folder)} == {"b", "l64", "m", "hooks", "i", "k", "u", "bash", "zsh"}
    assert sorted(name.split("/")[-1] for name in files(folder)) == sorted(name.split("/")[-1] for name in plain)
    result = subprocess.run([folder / "b/kexec-efi", "--help"], stdout=subprocess.PIPE, text=True, check=True)
    assert "COMMAND" in result.stdout
    folder = packaged.install(tmp_path / "own", "pkglibdir=/o/x", "prefix=/p", "PYTHON=/usr/bin/env python3")
    assert (folder / "o/x/kexecx64.efi").exists() and (folder / "p/bin/kexec-efi").exists()
    for name in ("kexec-efi", "finish", "pcrlock", "predict-pcrs", "seal", "sign"):
        program = folder / "o/x" / name
        assert program.read_text().splitlines()[:2] == ["#!/usr/bin/env python3 -B", "# SPDX-License-Identifier: BSD-2-Clause"]
        assert os.access(program, os.X_OK)


def test_flags_and_programs():
    """The environment's flags affect only the program for the host; its programs build the image as well."""
    flags = {"CPPFLAGS": "-DCPP='a b'", "CFLAGS": "-O3 -DCF", "LDFLAGS": "-Wl,-LDF", "CC": "my-cc", "LD": "my-ld",
             "OBJCOPY": "my-objcopy", "NASM": "my-nasm"}
    result = subprocess.run(["make", "--no-print-directory", "-n", "-B", "build/inspect", "build/kexecx64.efi"],
                            cwd=ROOT, check=True,
                            stdout=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"], **flags})
    commands = result.stdout.splitlines()
    inspect, = [command for command in commands if "-o build/inspect" in command]
    assert inspect.startswith("my-cc ") and all(flags[name] in inspect for name in ("CPPFLAGS", "CFLAGS", "LDFLAGS"))
    for command in commands:
        if command != inspect and command.startswith("my-"):
            assert "CPP=" not in command and "-DCF" not in command and "-LDF" not in command, command
    used = {command.split()[0] for command in commands if command.startswith("my-")}
    assert used == {"my-cc", "my-ld", "my-nasm", "my-objcopy"}


@pytest.mark.parametrize("variable", ["ESP=/boot/efi", "NAME=debian"])
def test_install_is_not_of_an_esp(tmp_path, variable):
    result = packaged.make("install", f"DESTDIR={tmp_path}", variable)
    assert result.returncode and "make install-image" in result.stdout and "run kexec-efi install" in result.stdout
    assert not list(tmp_path.iterdir())


# --- .sbat -----------------------------------------------------------------------------------------------------------


def test_line_of_a_distribution(tmp_path):
    """The line is compiled literally, whatever shell or make would make of it. tools/finish checks it."""
    line = "kexec-efi.x,1,$(shell touch pwned) `touch pwned` 'a,x $PATH,1~2,https://x.test/?a=b&c#d"
    flags = packaged.make("-n", "-B", "build/efi/efi/sbat.o", f"SBAT_DISTRO={line}").stdout
    command = next(words for words in flags.splitlines() if "efi/sbat.c" in words)
    out = tmp_path / "sbat.o"
    assert command.count("-o build/efi/efi/sbat.o") == 1
    command = command.replace("-o build/efi/efi/sbat.o", f"-o {out}").replace("-MMD -MP", "")
    subprocess.run(command, shell=True, check=True, cwd=ROOT, env={**os.environ, "KEXEC_VALUE_SBAT_DISTRO": line})
    subprocess.run(["objcopy", "-O", "binary", "--only-section=.sbat", out, tmp_path / "sbat"], check=True)
    lines = (tmp_path / "sbat").read_bytes().decode().splitlines()
    assert [one.split(",")[0] for one in lines[:2]] == ["sbat", "kexec-efi"] and lines[2:] == [line]
    assert not (ROOT / "pwned").exists()


@pytest.mark.parametrize("line, complaint", [
    (b"a,1,b,c,%s", "expected 6 fields"), (b"a,0,b,c,d,%s", "generation: expected a number from 1"),
    (b"a,1,b,,d,%s", "package: expected ASCII"), (b"sbat,1,b,c,d,%s", "expected one line for the component sbat, found 2"),
    (b"\xe4,1,b,c,d,%s", "component: expected ASCII"), (b"a,1,b,c,d,\n%s", "url: expected ASCII"),
])
def test_line_that_shim_would_not_take(tmp_path, line, complaint):
    """Replaces the loader's own line by one of the same length."""
    image = tmp_path / "image.efi"
    content = (ROOT / "build/kexecx64.efi").read_bytes()
    own = re.search(rb"\nkexec-efi,1,[^\n]*\n", content)[0]
    line = b"\n" + line.replace(b"%s", (len(own) - len(line)) * b"x") + b"\n"
    assert len(line) == len(own) and content.count(own) == 1
    image.write_bytes(content.replace(own, line))
    result = subprocess.run([ROOT / "tools/finish", image], stderr=subprocess.PIPE, text=True)
    assert result.returncode == 1 and complaint in result.stderr and result.stderr.startswith("finish: sbat: ")
    assert image.read_bytes() == content.replace(own, line)


# --- debian/ ---------------------------------------------------------------------------------------------------------

DEBIAN = ROOT / "debian"


def lines_of(path):
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def test_each_file_has_its_package(tmp_path):
    """dh_missing checks this as well, but only while packages are built."""
    rules = (DEBIAN / "rules").read_text()
    variables = re.findall(r"^export (PREFIX|[a-z]+dir) := (\S+)$", rules, re.MULTILINE)
    folder = packaged.install(tmp_path, *(f"{name}={value}" for name, value in variables))
    places = [line for path in (*DEBIAN.glob("*.install"), DEBIAN / "not-installed") for line in lines_of(path)]
    matched = []
    for place in places:
        found = list(folder.glob(place))
        assert found, place
        matched += [path for one in found for path in ([one] if not one.is_dir() or one.is_symlink() else one.rglob("*"))
                    if path.is_symlink() or not path.is_dir()]
    assert sorted(str(path.relative_to(folder)) for path in matched) == sorted(files(folder))


def test_versions_agree():
    version = re.search(r"^VERSION := (\S+)$", (ROOT / "GNUmakefile").read_text(), re.MULTILINE)[1]
    assert re.match(rf"kexec-efi \({re.escape(version)}-\d+\) ", (DEBIAN / "changelog").read_text())


@pytest.mark.parametrize("script",
                         [path for path in sorted(DEBIAN.rglob("*")) if path.is_file()
                          and path.read_bytes().startswith(b"#!/bin/sh\n")],
                         ids=lambda path: path.name)
def test_scripts_can_be_parsed(script):
    subprocess.run(["sh", "-n", script], check=True)


def test_template_makes_the_signed_package(tmp_path):
    """Signs with a test key as the code signing service does: the signed image is the unsigned one plus that signature."""
    name, file = "kexec-efi-image-amd64-signed", "usr/lib/kexec-efi/kexecx64.efi"
    subprocess.run([DEBIAN / "signing-template/fill", DEBIAN / "signing-template/debian", tmp_path, name, file, "1.2-3",
                    "Fri, 27 Nov 2026 12:00:00 +0000"], check=True)
    source = tmp_path / "source-template"
    texts = {path.name: path.read_text() for path in source.rglob("*") if path.is_file()}
    assert set(texts) == {"README.source", "changelog", "control", "copyright", "format", "rules", "triggers"}
    assert not [text for text in texts.values() if re.search(r"@[A-Z]+@", text)]
    assert texts["changelog"].startswith(f"{name} (1.2+3) unstable; ") and texts["control"].count("= 1.2-3") == 4
    # A change of the signed image triggers kexec-efi.
    assert texts["triggers"].split()[1:] == (DEBIAN / "kexec-efi.triggers").read_text().split()[1:]
    told, = json.loads((tmp_path / "files.json").read_text())["packages"].items()
    assert told == ("kexec-efi-image", {"trusted_certs": [], "files": [{"sig_type": "efi", "file": file}]})
    key, image = Key.new(tmp_path, "distribution"), ROOT / "build/kexecx64.efi"
    signature = source / f"debian/signatures/kexec-efi-image/{file}.sig"
    signature.parent.mkdir(parents=True)
    subprocess.run(["sbsign", "--detached", "--key", key.key, "--cert", key.certificate, "--output", signature, image],
                   check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["make", "-s", "-f", "debian/rules", "override_dh_auto_install", f"IMAGE={image}"], cwd=source, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    signed, = source.rglob("*.signed")
    assert str(signed).endswith(f"debian/{name}/{file}.signed")
    subprocess.run(["sbverify", "--cert", key.certificate, signed], check=True, stdout=subprocess.DEVNULL)
    assert signed.stat().st_size > image.stat().st_size


# --- the scripts of the package, on a machine made of folders ---------------------------------------------------------

VERSION = "6.1.0-9-amd64"


class PackagedMachine:
    """A machine with the package. `step` is a call by dpkg."""

    def __init__(self, folder):
        self.machine = FolderMachine.new(folder / "machine")
        self.machine.kernel_package(VERSION)
        self.library = packaged.install(folder / "package", "PREFIX=/usr") / "usr/lib/kexec-efi"
        self.programs = folder / "bin"
        self.programs.mkdir()
        # Uses the variables of the test's machine, not those of this one.
        (self.programs / "kexec-efi").write_text('#!/bin/sh\ncommand=$1\nshift\n'
                                                 f'exec {self.library}/kexec-efi "$command" --variables=yes "$@"\n')
        (self.programs / "kexec-efi").chmod(0o755)

    def step(self, script, *words, expected=0):
        result = subprocess.run(["sh", ROOT / f"debian/kexec-efi.{script}", *words], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={"PATH": f"{self.programs}:{os.environ['PATH']}", "DPKG_ROOT": str(self.machine.root),
                                     "KEXEC_EFI_SYSTEM": str(self.machine.kernel)})
        assert "Traceback" not in result.stderr and result.returncode == expected, result
        # debconf reads standard output.
        assert result.stdout == ""
        return result.stderr

    def set_up(self):
        """Puts the machine into the usual state: installed, booted and blessed."""
        self.machine.run("install", VERSION)
        assert self.machine.reboot() == VERSION
        self.machine.run("bless")


@pytest.fixture
def package(tmp_path):
    return PackagedMachine(tmp_path)


CALLS = [("postinst", "configure", ""), ("postinst", "configure", "0.1-1"), ("postinst", "triggered", "kexec-efi-image-signed"),
         ("postinst", "abort-remove"), ("prerm", "remove"), ("prerm", "upgrade", "0.2-1"), ("postrm", "remove"),
         ("postrm", "upgrade", "0.2-1")]


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_scripts_before_install(package, call):
    before = package.machine.state()
    assert package.step(*call) == "" and package.machine.state() == before


@pytest.mark.parametrize("call", [call for call in CALLS if call != ("prerm", "remove")], ids=" ".join)
def test_scripts_leave_what_boots(package, call):
    """An upgrade with the same loader, and failed removals, change nothing."""
    package.set_up()
    before = package.machine.state()
    package.step(*call)
    assert package.machine.state() == before


def test_purge(package):
    """A purge restores the former boot order, and removes all our files."""
    machine = package.machine
    before, order = machine.state(), machine.numbers("BootOrder")
    package.set_up()
    assert machine.numbers("BootOrder") != order and machine.names()
    package.step("prerm", "remove")
    package.step("postrm", "remove")
    assert (machine.root / "etc/kexec-efi.conf").exists()
    package.step("postrm", "purge")
    assert not (machine.root / "etc/kexec-efi.conf").exists() and not (machine.root / "var/lib/kexec-efi").exists()
    assert machine.numbers("BootOrder") == order and machine.reboot() == "others"
    after = machine.state()
    current = next(name for name in before if "BootCurrent" in name)
    assert {**after, current: b""} == {**before, current: b""}


def test_removal_that_would_leave_nothing(package):
    """The package cannot be removed, and its boot entries stay, until something else can boot."""
    package.set_up()
    machine = package.machine
    machine.set("BootOrder", struct.pack("<H", machine.numbers("BootOrder")[0]))
    before = machine.state()
    said = package.step("prerm", "remove", expected=1)
    assert "this machine would not boot" in said
    assert "kexec-efi: not removed, because the former boot order cannot be restored" in said
    assert machine.state() == before
    package.step("postinst", "abort-remove")
    assert machine.state() == before and machine.reboot() == VERSION
    # Each remedy that the message names works.
    (machine.root / "var/lib/kexec-efi/record.json").unlink()
    package.step("prerm", "remove")
    assert machine.reboot() == VERSION


def test_removal_where_the_boot_order_cannot_be_reached(package):
    """As in a rescue system that UEFI did not start: the boot order would still name the removed files."""
    package.set_up()
    machine = package.machine
    before = {name: content for name, content in machine.state().items() if "efivars" not in name}
    for path in machine.efivars.iterdir():
        path.unlink()
    said = package.step("prerm", "remove", expected=1)
    assert "expected EFI variables in " in said and "kexec-efi: not removed" in said
    assert machine.state() == before


@pytest.mark.parametrize("call",
                         [("postinst", "configure", "0.1-1"), ("postinst", "triggered", "kexec-efi-image-signed")],
                         ids=" ".join)
def test_another_image(package, call):
    """A new image gets a trial beside the current sets, only for kernels that still exist."""
    package.set_up()
    machine = package.machine
    key = Key.new(package.programs, "distribution")
    image = package.library / "kexecx64.efi"
    subprocess.run([ROOT / "tools/sign", "--generic", "--", key.key, key.certificate, image,
                    image.with_name("kexecx64.efi.signed")], check=True, stdout=subprocess.DEVNULL)
    before, order = set(machine.names()), machine.numbers("BootOrder")
    assert "on trial at the next start" in package.step(*call)
    new = {name for name in machine.names() if name not in before}
    assert before < set(machine.names()) and {name.rsplit(".", 1)[1] for name in new} == {"efi", "conf"}
    assert machine.numbers("BootOrder") == order and machine.numbers("BootNext")
    assert machine.reboot() == VERSION and (machine.esp / machine.path_of(machine.numbers("BootOrder")[0])[1:]).name not in new
    # A kernel whose package is gone stays unchanged.
    (machine.root / f"boot/vmlinuz-{VERSION}").unlink()
    image.with_name("kexecx64.efi.signed").unlink()
    state = machine.state()
    package.step(*call)
    assert machine.state() == state


def test_image_that_cannot_be_put_there(package):
    """This does not make an update of the package fail."""
    package.set_up()
    machine = package.machine
    (machine.root / f"boot/initrd.img-{VERSION}").unlink()
    before = machine.state()
    assert f"kexec-efi: warning: {VERSION} still boots by the former loader" in package.step("postinst", "configure", "0.1-1")
    (machine.root / "etc/kexec-efi.conf").write_text("nonsense\n")
    said = package.step("postinst", "configure", "0.1-1")
    assert "kexec-efi: warning: the ESP still has the files of the former version" in said
    assert machine.state() == before


@pytest.mark.parametrize("path", sorted(DEBIAN.rglob("*lintian-overrides")), ids=lambda path: path.name)
def test_each_override_has_its_reason(path):
    before = ""
    for line in path.read_text().splitlines():
        assert line.startswith("# ") or before.startswith("# "), line
        before = line


# These functions take a count. Python 3.13 warns on standard error if it is a positional argument.
POSITIONAL_MAX = {"split": 2, "sub": 3, "subn": 3}


def programs():
    """All Python programs of the project."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE,
                            text=True).stdout.split("\0")
    for path in (ROOT / name for name in listed if name):
        if path.suffix == ".py" or (not path.suffix and path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/python3")):
            yield path


def test_no_python_that_newer_ones_complain_of():
    found = []
    for path in programs():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) \
                    and node.func.value.id == "re" and len(node.args) > POSITIONAL_MAX.get(node.func.attr, 9):
                found.append(f"{path}:{node.lineno}")
    assert found == []
