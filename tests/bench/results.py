# SPDX-License-Identifier: BSD-2-Clause
"""What the benchmarks share: the file of results, and tables for people."""

import json
import pathlib
import statistics

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
PATH = BUILD / "bench.json"


def save(name, result):
    """Puts `result` under `name` into build/bench.json; what other benchmarks left there stays."""
    results = json.loads(PATH.read_text()) if PATH.exists() else {}
    results[name] = result
    PATH.write_text(json.dumps(results, indent=1) + "\n")


def summary(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "n": len(values)}


def text(found, digits):
    """Of a summary."""
    return f"{found['median']:.{digits}f} ({found['min']:.{digits}f}-{found['max']:.{digits}f})"


def print_table(rows):
    """The first row is the head. The first column is text, the others are numbers already made text."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join(cells).rstrip())
