# SPDX-License-Identifier: BSD-2-Clause
"""Signs values of register 11 by systemd-measure. With the signed values a disk opens that systemd-cryptenroll has
bound to the public key. The loader passes them to Linux, and with `measure uki` makes the measurements that lead to
these values (SECURITY.md)."""

import json
import os
import pathlib
import shutil
import subprocess

import loader

from .errors import Refused

PROGRAM = "systemd-measure"
# The folders of Debian's package systemd, which are not in PATH.
PLACES = ("/usr/lib/systemd", "/lib/systemd")


def program():
    path = shutil.which(PROGRAM, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *PLACES]))
    if path is None:
        raise Refused(f"pcr_private_key=: expected {PROGRAM} (systemd 252 or later), found none in {' or '.join(PLACES)}")
    return path


def _check(output):
    """Refuses an output of systemd-measure without the fields that systemd reads."""
    try:
        found = json.loads(output)["sha256"]
        good = bool(found) and all(one["pcrs"] == [11] and one["pol"] and one["sig"] for one in found)
    except (ValueError, KeyError, TypeError):
        good = False
    if not good:
        raise Refused(f"{PROGRAM}: expected signed values of register 11 as JSON, found others")


def sign(private_key, public_key, phases, parts, folder):
    """The signatures as JSON. `parts` has linux, initrd and cmdline as bytes; empty ones are left out."""
    command = [program(), "sign", f"--private-key={private_key}", f"--public-key={public_key}", f"--pcrpkey={public_key}",
               "--bank=sha256", *(f"--phase={phase}" for phase in phases)]
    for name, content in parts.items():
        if content:
            file = pathlib.Path(folder) / f"measured-{name}"
            file.write_bytes(content)
            command.append(f"--{name}={file}")
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    if result.returncode:
        said = loader.printable(result.stderr.decode("utf-8", "replace").strip().replace("\n", "; "))
        raise Refused(f"{PROGRAM} failed: {said or 'it says nothing; systemd 252 needs a TPM and libtss2 for it'}")
    _check(result.stdout)
    return result.stdout
