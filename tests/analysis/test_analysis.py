# SPDX-License-Identifier: BSD-2-Clause
"""Each tool of `make analyze` is a test: it must find nothing, and its findings are the failure's text."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _make(goal):
    # An outer make passes its job server and its variables in the environment. This make cannot use them.
    outer = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    result = subprocess.run(["make", "--keep-going", "-j", str(os.cpu_count()), goal], cwd=ROOT,
                            env={name: value for name, value in os.environ.items() if name not in outer},
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if result.returncode:
        pytest.fail(result.stdout, pytrace=False)


@pytest.mark.parametrize("tool", ["gcc", "clang", "clang-tidy", "cppcheck"])
def test_finds_nothing(tool):
    _make(f"analyze-{tool}")


def test_layout():
    version = subprocess.run(["clang-format", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    if not re.search(r"version 14\.", version):
        pytest.skip(f"expected clang-format 14, found {version.strip()}: other versions lay out macros differently")
    _make("analyze-format")


def test_types():
    """Checks the types of the test tool's API."""
    python = os.environ.get("PYTHON") or "/usr/bin/python3"
    if subprocess.run([python, "-c", "import mypy"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("expected mypy, found none: make deps-dev installs it")
    _make("analyze-types")
