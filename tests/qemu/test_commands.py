# SPDX-License-Identifier: BSD-2-Clause
"""The README's commands for users: make run, tests/qemu/boot, make install-image."""

import os
import re
import subprocess

import pytest

from conftest import HERE, INITRD, kernel
from kexec_efi_test.machine import BUILD, TIMEOUT
from terminal import use_shell

ROOT = BUILD.parent


def test_make_run_gives_a_shell():
    """The README promises a shell; the test uses it on a pseudo-terminal."""
    use_shell(["make", "--no-print-directory", "run"], TIMEOUT, cwd=ROOT)


def boot_command(*arguments):
    return subprocess.run([HERE / "boot", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_expected_lines_come():
    result = boot_command("--initrd", INITRD, "--entry", "verbose yes", "--cmdline", "console=ttyS0 no_timer_check mine",
                          "--expect", "Kernel command line: .*mine", "--expect", "Run /init")
    assert result.returncode == 0 and result.stderr.startswith("kexec-efi-test: pass: --expect 'Run /init' came: "), result
    assert "segment initrd mem" in result.stdout


def test_expected_line_does_not_come_of_a_refusal(tmp_path):
    half = tmp_path / "half"
    half.write_bytes(kernel().read_bytes()[:1000000])
    result = boot_command("--kernel", half, "--expect", "Linux version")
    assert result.returncode == 1
    # QEMU 10 passes the kernel without a disk, under this name.
    reason = re.fullmatch(r"kexec-efi-test: fail: --expect 'Linux version' did not come: (?:.*: )?"
                          r"(kexec: (?:/vmlinuz|kernel): .*)\n", result.stderr)
    assert reason and reason[1] in result.stdout.splitlines()


def test_sealed_image_with_the_files_that_it_names(tmp_path):
    (tmp_path / "debian").symlink_to(kernel())
    (tmp_path / "my.conf").write_text("linux /debian\noptions console=ttyS0 sealed\n")
    image = tmp_path / "sealed.efi"
    seal = subprocess.run([ROOT / "tools/seal", "--image", BUILD / "kexecx64.efi", "--out", image, "--entry",
                           tmp_path / "my.conf", "--root", tmp_path], check=True, stdout=subprocess.PIPE, text=True)
    assert seal.stdout == f"{image}: {image.stat().st_size} bytes: {tmp_path}/my.conf, its files below {tmp_path}\n"
    result = boot_command("--image", image, "--file", f"/debian={kernel()}", "--expect", "Kernel command line: .*sealed")
    assert result.returncode == 0, result


def test_wrong_calls():
    for arguments in (["--file", "vmlinuz"], ["--kernel", "/none"], ["--expect", "("], ["--memory", "lots"], ["--cpus", "0"]):
        result = boot_command(*arguments)
        assert result.returncode == 2
        assert arguments[-1] in result.stderr.splitlines()[-1]


def install(*variables):
    return subprocess.run(["make", "--no-print-directory", "install-image", *variables], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)


def test_install_where_no_esp_is_mounted(tmp_path):
    result = install(f"ESP={tmp_path}")
    assert result.returncode
    assert f"expected an ESP mounted at {tmp_path}, found none" in result.stderr
    assert not list(tmp_path.iterdir())


def test_install_below_a_folder_for_a_package(tmp_path):
    assert not install(f"DESTDIR={tmp_path}").returncode
    installed = tmp_path / "boot/efi/EFI/kexec/kexecx64.efi"
    assert installed.read_bytes() == (BUILD / "kexecx64.efi").read_bytes()


@pytest.mark.parametrize("goals, argument", [("deps", ""), ("deps run", "run"), ("deps all sealed", "run"),
                                             ("deps check", ""), ("deps run check-unit", ""), ("deps-dev fuzz", "dev")])
def test_dependencies_of_goals(goals, argument):
    """With goals that run no tests, `make deps` installs only the packages that building and a boot need; without a
    goal, everything."""
    result = subprocess.run(["make", "--no-print-directory", "--dry-run", *goals.split()], cwd=ROOT, check=True,
                            stdout=subprocess.PIPE, text=True, env={**os.environ, "MAKEFLAGS": ""})
    assert result.stdout.splitlines()[0].split() == [".ci/deps", *argument.split()]


def test_dependencies_that_are_there(tmp_path):
    """If nothing is missing, `make deps` needs neither apt nor root: neither may be available."""
    for name in ("apt-get", "apt-cache", "sudo", "mmdebstrap"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {name} >>{tmp_path}/called\nexit 1\n")
        program.chmod(0o755)
    result = subprocess.run([ROOT / ".ci/deps"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert (result.returncode, result.stdout) == (0, "")
    assert not (tmp_path / "called").exists()
