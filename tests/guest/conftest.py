# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures of the tests in whole Debians: `reach` starts from a stage, `boots` records boots for the table."""

import contextlib
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
pytest.register_assert_rewrite("words", "stages")

import stages  # noqa: E402


@pytest.fixture
def boots(record_property):
    """boots(suite, what, line) adds a row to the table at the end of the run."""
    rows = []
    record_property("boots of whole Debians", rows)
    return lambda suite, what, line: rows.append({"suite": suite, "after": what, "boot": line})


@pytest.fixture
def reach(tmp_path):
    """reach(stage, suite, **options of guest.Guest) -> a Guest, which is stopped at the end of the test."""
    with contextlib.ExitStack() as stack:
        yield lambda stage, suite, **options: stack.enter_context(stages.reach(stage, suite, tmp_path, **options))
