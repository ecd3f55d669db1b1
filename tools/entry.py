# SPDX-License-Identifier: BSD-2-Clause
"""Entries, for the tools beside this."""

import pathlib
import subprocess
import sys

CHECK = pathlib.Path(__file__).resolve().parents[1] / "build/check-entry"


def check(name, text):
    """Ends the program if the loader would refuse the entry `text`, and says which keys it would skip."""
    if not CHECK.exists():
        sys.exit(f"{CHECK} is not there: run make build/check-entry")
    if subprocess.run([CHECK, name], input=text).returncode:
        sys.exit(1)
