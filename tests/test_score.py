# SPDX-License-Identifier: BSD-2-Clause
"""The scorecard's verdicts: skipped and failed tests must not count as measured."""

import importlib.machinery
import importlib.util
import pathlib

import pytest

loader = importlib.machinery.SourceFileLoader("score", str(pathlib.Path(__file__).with_name("score")))
score = importlib.util.module_from_spec(importlib.util.spec_from_loader("score", loader))
loader.exec_module(score)

STAMP = {"date": "2026-01-01 00:00", "commit": "0000000"}


@pytest.mark.parametrize("outcomes, found, verdict", [
    ([], 0, "not measured"),
    (["passed", "passed", "passed"], 3, "reached"),
    (["passed", "passed", "passed", "skipped", None], 3, "reached; 2 not run"),
    (["passed", "passed", "failed"], 2, "MISSED: 1 failed"),
    (["passed", "passed", "passed", "failed"], 3, "MISSED: 1 failed"),
    (["passed", "skipped", "skipped"], 1, "in part: 2 to go"),
    (["passed", "passed", None], 2, "in part: 1 to go"),
    (["passed", "passed"], 2, "MISSED"),
    (["skipped", "skipped", "skipped"], 0, "not measured"),
])
def test_verdict(outcomes, found, verdict):
    """The verdict for a floor of 3 tests. None is a test that has not run. One more test has passed, but no longer
    exists."""
    card = score.Card.__new__(score.Card)
    card.names = [f"test_it[{number}]" for number in range(len(outcomes))]
    card.scores = {"tests": {name: {"outcome": outcome, **STAMP} for name, outcome in zip(card.names, outcomes) if outcome}}
    card.scores["tests"]["test_it[gone]"] = {"outcome": "passed", **STAMP}
    measurement = card.tests("test_it")
    assert (measurement.found, measurement.verdict(3)) == (found, verdict)
