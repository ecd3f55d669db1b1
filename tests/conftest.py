# SPDX-License-Identifier: BSD-2-Clause
"""Lets pytest run all tests: the C programs below tests/unit case by case, and the boots below tests/qemu."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]


def pytest_addoption(parser):
    parser.addoption("--matrix", action="store_true", help="also run the boots that take long")


def pytest_configure(config):
    config.addinivalue_line("markers", "matrix: takes long, runs with --matrix only")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--matrix"):
        unwanted = [item for item in items if item.get_closest_marker("matrix")]
        config.hook.pytest_deselected(items=unwanted)
        items[:] = [item for item in items if item not in unwanted]


def pytest_collect_file(parent, file_path):
    if file_path.suffix == ".c" and file_path.name.startswith("test_"):
        return UnitFile.from_parent(parent, path=file_path)
    return None


class UnitFile(pytest.File):
    """A C file of unit tests; the program of the same name has been built by make."""

    def collect(self):
        for name in re.findall(r"cmocka_unit_test\((\w+)\)", self.path.read_text()):
            yield UnitCase.from_parent(self, name=name)


class UnitCase(pytest.Item):
    def runtest(self):
        program = ROOT / "build/host" / self.path.stem
        result = subprocess.run([program], cwd=ROOT, env={**os.environ, "KEXEC_TEST": self.name},
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        # A name that matches no test makes cmocka pass with none run.
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
    """The plain last line that scripts can read."""

    def __init__(self):
        self.line = None

    @staticmethod
    def _print_matrix(terminalreporter):
        """The table of the machines that tests/qemu/test_matrix.py has booted, or why it has not."""
        rows = []
        for kind in ("passed", "failed", "skipped"):
            for report in terminalreporter.stats.get(kind, []):
                if report.user_properties:
                    reason = f": {report.longrepr[2].removeprefix('Skipped: ')}" if kind == "skipped" else ""
                    rows.append({**dict(report.user_properties), "result": kind + reason})
        if not rows:
            return
        columns = [*dict.fromkeys(name for row in rows for name in row if name != "result"), "result"]
        table = [columns, *([str(row.get(name, "")) for name in columns] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*table)]
        terminalreporter.write_sep("=", "matrix")
        for row in table:
            terminalreporter.write_line("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter):
        self._print_matrix(terminalreporter)
        count = {kind: len(terminalreporter.stats.get(kind, [])) for kind in ("passed", "failed", "error", "skipped")}
        self.line = f"{count['passed']} passed, {count['failed'] + count['error']} failed"
        if count["skipped"]:
            self.line += f", {count['skipped']} skipped"


def pytest_sessionstart(session):
    if not hasattr(session.config, "workerinput"):
        session.config.pluginmanager.register(Summary(), "kexec-summary")


def pytest_unconfigure(config):
    summary = config.pluginmanager.get_plugin("kexec-summary")
    if summary and summary.line:
        print(summary.line)
