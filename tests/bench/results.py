# SPDX-License-Identifier: BSD-2-Clause
"""Shared by the benchmarks: the file of results, and printed tables."""

import json
import pathlib
import statistics

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
PATH = BUILD / "bench.json"


def save(name, result):
    """Writes `result` under `name` to build/bench.json, and keeps the results of other benchmarks."""
    results = json.loads(PATH.read_text()) if PATH.exists() else {}
    results[name] = result
    PATH.write_text(json.dumps(results, indent=1) + "\n")


def summary(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "n": len(values)}


def text(found, digits):
    """A summary as text: the median, and the range."""
    return f"{found['median']:.{digits}f} ({found['min']:.{digits}f}-{found['max']:.{digits}f})"


def print_table(rows):
    """Prints a table. The first row is the head. The first column is text, the others are numbers as text."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join(cells).rstrip())
