# SPDX-License-Identifier: BSD-2-Clause
"""build/score.json, where each source of figures leaves its part for tests/score.

For shell scripts: scores.py fuzz TARGET RUNS|crashed
"""

import contextlib
import datetime
import fcntl
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PATH = ROOT / "build/score.json"


def load():
    return json.loads(PATH.read_text()) if PATH.exists() else {}


@contextlib.contextmanager
def part(name):
    """The dict of that name in the file, to be changed. Nobody else writes meanwhile, and nobody sees half of it."""
    PATH.parent.mkdir(exist_ok=True)
    with open(PATH.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        scores = load()
        yield scores.setdefault(name, {})
        partial = PATH.with_suffix(".partial")
        partial.write_text(json.dumps(scores, indent=1) + "\n")
        partial.replace(PATH)


def stamp():
    """Of what, and when."""
    git = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True)
    return {"date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"), "commit": git.stdout.strip() or "unknown"}


def save(name, result):
    """All there is of this part."""
    with part(name) as old:
        old.clear()
        old.update({**result, **stamp()})


def add_fuzzing(target, runs):
    """`runs` more without a crash; None after one."""
    with part("fuzz") as targets:
        before = targets.get(target, {"runs": 0})
        counts = {"runs": 0, "crashes": 1} if runs is None else {"runs": before["runs"] + runs, "crashes": 0}
        targets[target] = {**counts, **stamp()}


if __name__ == "__main__":
    _, _, target, runs = sys.argv
    add_fuzzing(target, None if runs == "crashed" else int(runs))
