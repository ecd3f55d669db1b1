# SPDX-License-Identifier: BSD-2-Clause
"""What a package is made of: the files of `make install`, and debian/. `make check-package` builds the packages."""

import os
import pathlib
import re
import subprocess

import pytest

import packaged
from packaged import ROOT

COMMAND = "usr/lib/kexec-efi/kexec-efi"


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def places(packaging, folders):
    """Where the files of packaging/ are expected, by the folder of each kind."""
    return {f"{folders[path.parts[0]]}/{pathlib.Path(*path.parts[1:])}"
            for path in (path.relative_to(packaging) for path in packaging.rglob("*") if path.is_file())
            if path.parts[0] in folders}


def test_files(tmp_path):
    """Each has its place below whatever folder, and what says where the command is says so."""
    folder = packaged.install(tmp_path / "a b$c", "PREFIX=/opt/x y")
    found = files(folder)
    pages = {f"opt/x y/share/man/man{path.stem[-1]}/{path.stem}" for path in (ROOT / "packaging/man").iterdir()}
    tools = {f"opt/x y/lib/kexec-efi/{path.relative_to(ROOT / 'tools')}" for path in (ROOT / "tools").rglob("*.py")}
    rest = places(ROOT / "packaging", {
        "kernel": "etc/kernel", "initramfs": "etc/initramfs", "kernel-install": "opt/x y/lib/kernel/install.d",
        "systemd": "opt/x y/lib/systemd/system", "bash-completion": "opt/x y/share/bash-completion/completions",
        "zsh": "opt/x y/share/zsh/site-functions"})
    programs = {f"opt/x y/lib/kexec-efi/{name}" for name in ("finish", "inspect", "kexec-efi", "pcrlock", "predict-pcrs", "seal", "sign")}
    assert found == pages | tools | rest | programs | {"opt/x y/bin/kexec-efi", "opt/x y/lib/kexec-efi/kexecx64.efi"}
    runnable = {name for name in found if os.access(folder / name, os.X_OK)}
    assert runnable == programs | {"opt/x y/bin/kexec-efi"} | {name for name in rest if "/systemd/" not in name and "/share/" not in name}
    unit = folder / "opt/x y/lib/systemd/system/kexec-efi-bless.service"
    assert "\nExecStart=/opt/x y/bin/kexec-efi bless\n" in unit.read_text()


def test_folders(tmp_path):
    """Each variable moves its files and no others; the command runs wherever its own are."""
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


@pytest.mark.parametrize("variable", ["ESP=/boot/efi", "NAME=debian"])
def test_install_is_not_of_an_esp(tmp_path, variable):
    result = packaged.make("install", f"DESTDIR={tmp_path}", variable)
    assert result.returncode and "make install-image" in result.stdout and "run kexec-efi install" in result.stdout
    assert not list(tmp_path.iterdir())


# --- .sbat -----------------------------------------------------------------------------------------------------------


def test_line_of_a_distribution(tmp_path):
    """It is compiled as it is, whatever language would make something of it, and is judged when the image is finished."""
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
    """In the place of the loader's own, filled up to its length."""
    image = tmp_path / "image.efi"
    content = (ROOT / "build/kexecx64.efi").read_bytes()
    own = re.search(rb"\nkexec-efi,1,[^\n]*\n", content)[0]
    line = b"\n" + line.replace(b"%s", (len(own) - len(line)) * b"x") + b"\n"
    assert len(line) == len(own) and content.count(own) == 1
    image.write_bytes(content.replace(own, line))
    result = subprocess.run([ROOT / "tools/finish", image], stderr=subprocess.PIPE, text=True)
    assert result.returncode == 1 and complaint in result.stderr and result.stderr.startswith("finish: sbat: ")
    assert image.read_bytes() == content.replace(own, line)
