# SPDX-License-Identifier: BSD-2-Clause
"""build/score.json, in which each source of figures stores its part for tests/score.

As a program:  scores.py fuzz TARGET RUNS|crashed
               scores.py coverage FILE    with gcovr's summary
"""

import contextlib
import datetime
import fcntl
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PATH = ROOT / "build/score.json"


def load():
    return json.loads(PATH.read_text()) if PATH.exists() else {}


@contextlib.contextmanager
def part(name):
    """The dict of this name in the file; the caller may change it. A lock keeps other writers out, and readers never
    see half a file."""
    PATH.parent.mkdir(exist_ok=True)
    with open(PATH.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        scores = load()
        yield scores.setdefault(name, {})
        partial = PATH.with_suffix(".partial")
        partial.write_text(json.dumps(scores, indent=1) + "\n")
        partial.replace(PATH)


def stamp():
    """The date and the commit."""
    git = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True)
    return {"date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"), "commit": git.stdout.strip() or "unknown"}


def versions():
    """The versions of other projects' programs and files on which the figures depend."""
    def output(*command):
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.splitlines()

    qemu = shlex.split(os.environ.get("KEXEC_QEMU", "qemu-system-x86_64"))
    found = {"QEMU": output(*qemu, "--version")[0]}
    found.update(line.split() for line in output("dpkg-query", "-W", "ovmf", "u-boot-qemu", "systemd-boot-efi", "swtpm",
                                                 "gcc", "clang"))
    for path in sorted((ROOT / "build/deps/kernels").glob("*/package")):
        found[f"kernel {path.parent.name}"] = path.read_text().strip()
    for path in sorted((ROOT / "build/deps/ovmf").glob("*CODE_4M*.fd")):
        found[f"newer {path.name}"] = "sha256 " + hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return found


def save(name, result):
    """Replaces this part."""
    with part(name) as old:
        old.clear()
        old.update({**result, **stamp()})


def add_fuzzing(target, runs):
    """Adds `runs` without a crash; None means a crash, and resets the count."""
    with part("fuzz") as targets:
        before = targets.get(target, {"runs": 0})
        counts = {"runs": 0, "crashes": 1} if runs is None else {"runs": before["runs"] + runs, "crashes": 0}
        targets[target] = {**counts, **stamp()}


def main(what, name, runs=None):
    if what == "coverage":
        summary = json.loads(pathlib.Path(name).read_text())
        save(what, {"percent": summary["line_percent"], "covered": summary["line_covered"], "lines": summary["line_total"]})
    else:
        add_fuzzing(name, None if runs == "crashed" else int(runs))


if __name__ == "__main__":
    main(*sys.argv[1:])
