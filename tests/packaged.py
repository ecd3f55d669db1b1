# SPDX-License-Identifier: BSD-2-Clause
"""Runs `make install` for tests."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]

# make has built these before the tests.
BUILT = ["-o", "build/kexecx64.efi", "-o", "build/inspect"]


def make(*words):
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    return subprocess.run(["make", "--no-print-directory", "-s", *BUILT, *words], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env=inherited)


def install(folder, *variables):
    """Runs `make install` below a folder, and returns the folder."""
    result = make("install", f"DESTDIR={folder}", *variables)
    assert (result.returncode, result.stdout) == (0, ""), result.stdout
    return folder
