# SPDX-License-Identifier: BSD-2-Clause
"""Lets pytest run all tests: each case of the C programs below tests/unit, and the boots below tests/qemu.

build/score.json gets their outcomes and the figures that they record. If a recorded property is a list of dicts, its
dicts become rows of a table with the property's name, printed at the end.
"""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

import scores  # noqa: E402

# The fixtures of the test tool.
pytest_plugins = ["kexec_efi_test.pytest_plugin"]

# Markers, with options of the same names: a test with a marker runs only if its option is given.
EXTRA = {"matrix": "the boots that take long", "soak": "many boots in a row", "guest": "the boots of whole Debians"}


def pytest_addoption(parser):
    for name, text in EXTRA.items():
        parser.addoption(f"--{name}", action="store_true", help=f"also run {text}")


def pytest_configure(config):
    for name, text in EXTRA.items():
        config.addinivalue_line("markers", f"{name}: {text}, with --{name} only")


def pytest_collection_modifyitems(config, items):
    unwanted = [item for item in items
                if any(item.get_closest_marker(name) and not config.getoption(name) for name in EXTRA)]
    config.hook.pytest_deselected(items=unwanted)
    items[:] = [item for item in items if item not in unwanted]


def pytest_collect_file(parent, file_path):
    if file_path.suffix == ".c" and file_path.name.startswith("test_"):
        return UnitFile.from_parent(parent, path=file_path)
    return None


# A figure that a C test reports for the score.
SCORE = re.compile(r"^score: (\w+) (\d+)$", re.MULTILINE)


class UnitFile(pytest.File):
    """A C file of unit tests. make has built its program, which has the same name."""

    def collect(self):
        for name in re.findall(r"cmocka_unit_test\((\w+)\)", self.path.read_text()):
            yield UnitCase.from_parent(self, name=name)


class UnitCase(pytest.Item):
    def runtest(self):
        program = ROOT / "build/host" / self.path.stem
        result = subprocess.run([program], cwd=ROOT, env={**os.environ, "KEXEC_TEST": self.name},
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        self.user_properties += [(name, int(count)) for name, count in SCORE.findall(result.stdout)]
        # If a name matches no test, cmocka runs none and reports success.
        if result.returncode or "[  PASSED  ] 1 test(s)." not in result.stdout:
            raise UnitFailure(result.stdout)

    def repr_failure(self, excinfo):
        if isinstance(excinfo.value, UnitFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, None, f"{self.path.stem}: {self.name}"


class UnitFailure(Exception):
    pass


class Summary:
    """At the end: the tables, build/score.json, and the plain last line for scripts.

    A run of all tests prints the scorecard as well, and a figure below its floor counts as a failure.
    """

    def __init__(self):
        self.line = None
        self.card = ""
        self.is_below = False
        self.results = {}
        self.stamp = scores.stamp()

    def pytest_runtest_logreport(self, report):
        """pytest calls this up to three times for each test, because its fixtures may fail as well. xdist's workers
        report here, too."""
        result = self.results.setdefault(report.nodeid, {"outcome": "passed", "seconds": 0})
        result["seconds"] = round(result["seconds"] + report.duration, 1)
        if report.outcome != "passed":
            result["outcome"] = report.outcome
        if report.skipped and isinstance(report.longrepr, (tuple, list)):
            result["reason"] = report.longrepr[2].removeprefix("Skipped: ")
        if report.user_properties:
            result["properties"] = dict(report.user_properties)

    def pytest_sessionfinish(self, session):
        with scores.part("tests") as tests:
            tests.update({name: {**result, **self.stamp} for name, result in self.results.items()})
        scores.save("versions", scores.versions())
        config = session.config
        if config.args == ["tests"] and not config.option.keyword and not config.option.collectonly:
            score = subprocess.run([ROOT / "tests/score"], stdout=subprocess.PIPE, text=True)
            self.card = score.stdout.split("\n\n")[0]
            self.is_below = score.returncode != 0
            if self.is_below and not session.exitstatus:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _tables(self):
        """Table -> rows, each with the result of its test."""
        tables = {}
        for result in self.results.values():
            for name, rows in result.get("properties", {}).items():
                if isinstance(rows, list):
                    outcome = ": ".join(filter(None, (result["outcome"], result.get("reason"))))
                    tables.setdefault(name, []).extend({**row, "result": outcome} for row in rows)
        return tables

    @staticmethod
    def _print_table(terminalreporter, name, rows):
        columns = [*dict.fromkeys(column for row in rows for column in row if column != "result"), "result"]
        table = [columns, *([str(row.get(column, "")) for column in columns] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*table)]
        terminalreporter.write_sep("=", name)
        for row in table:
            terminalreporter.write_line("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter):
        for name, rows in self._tables().items():
            self._print_table(terminalreporter, name, rows)
        if self.card:
            terminalreporter.write_sep("=", "score")
            terminalreporter.write_line(self.card)
        count = {kind: len(terminalreporter.stats.get(kind, [])) for kind in ("passed", "failed", "error", "skipped")}
        self.line = f"{count['passed']} passed, {count['failed'] + count['error'] + self.is_below} failed"
        if count["skipped"]:
            self.line += f", {count['skipped']} skipped"


def pytest_sessionstart(session):
    if not hasattr(session.config, "workerinput"):
        session.config.pluginmanager.register(Summary(), "kexec-summary")


def pytest_unconfigure(config):
    summary = config.pluginmanager.get_plugin("kexec-summary")
    if summary and summary.line:
        print(summary.line)
