# SPDX-License-Identifier: BSD-2-Clause
"""The texts that break each property on purpose still fit the code, and each proof has at least one."""

import importlib.machinery
import importlib.util
import pathlib

import pytest

RUN = pathlib.Path(__file__).with_name("run")

loader = importlib.machinery.SourceFileLoader("prove", str(RUN))
prove = importlib.util.module_from_spec(importlib.util.spec_from_loader("prove", loader))
loader.exec_module(prove)


@pytest.mark.parametrize("proof", prove.PROOFS, ids=lambda proof: proof.function)
def test_broken_property_fits(proof):
    assert f"void {proof.function}(void)" in RUN.with_name(f"prove_{proof.file}.c").read_text()
    assert prove.BROKEN[proof.function]
    for file, text, replacement in prove.BROKEN[proof.function]:
        assert (prove.ROOT / file).read_text().count(text) == 1
        assert replacement != text
