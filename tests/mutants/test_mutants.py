# SPDX-License-Identifier: BSD-2-Clause
"""That the mutants still fit the code: what each of them breaks is there, once."""

import importlib.machinery
import importlib.util
import pathlib

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
