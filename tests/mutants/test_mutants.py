# SPDX-License-Identifier: BSD-2-Clause
"""The mutants still fit the code: the text that each replaces occurs once, and the tests that it names exist."""

import importlib.machinery
import importlib.util
import pathlib
import re
import subprocess
import sys

import pytest

RUN = pathlib.Path(__file__).with_name("run")

loader = importlib.machinery.SourceFileLoader("mutants", str(RUN))
mutants = importlib.util.module_from_spec(importlib.util.spec_from_loader("mutants", loader))
loader.exec_module(mutants)


@pytest.mark.parametrize("name", mutants.MUTANTS)
def test_mutant_fits(name):
    file, text, replacement, *_ = mutants.MUTANTS[name]
    assert (mutants.ROOT / file).read_text().count(text) == 1
    assert replacement != text


@pytest.fixture(scope="module")
def collected():
    """The names of all tests that run without options, in lower case, as `pytest -k` compares them."""
    folders = sorted({folder for *_, folder, _ in mutants.MUTANTS.values()})
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider", "-c", "tests/pytest.ini"]
    result = subprocess.run(command + folders, cwd=mutants.ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return [line.lower() for line in result.stdout.splitlines() if "::" in line]


def selects(words, name):
    """Whether `pytest -k WORDS` selects the test."""
    def in_name(match):
        word = match[0]
        return word if word in ("and", "or", "not") else str(word.lower() in name)
    return eval(re.sub(r"[^\s()]+", in_name, words))


def test_words_select_tests(collected):
    """Words that select no test would end a run of all mutants."""
    for name, (*_, folder, words) in mutants.MUTANTS.items():
        of_folder = [test for test in collected if test.startswith(folder.removeprefix("tests/"))]
        assert any(selects(words, test) for test in of_folder), f"{name}: no test of {folder} is selected by {words!r}"
