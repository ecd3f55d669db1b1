# SPDX-License-Identifier: BSD-2-Clause
"""The record that the command keeps between its runs, in /var/lib/kexec-efi. If the file exists, the machine has been
set up. No boot depends on the record: if it is lost, the sets in the boot order stay."""

import json

from . import operations
from .errors import NOT_INSTALLED, Refused

FILE = "/var/lib/kexec-efi/record.json"


_EMPTY = {"armed": "", "tries": 0, "blessed": False, "named": False, "files": {}, "outcome": "", "reason": "", "time": ""}


def _checked(known):
    """The record with invalid fields replaced by defaults."""
    return {key: known[key] if isinstance(known.get(key), type(value)) else type(value)() for key, value in _EMPTY.items()}


def _checked_copy(known):
    """The record of EFI/BOOT; empty if it is invalid."""
    if isinstance(known, dict) and isinstance(known.get("set"), str) and isinstance(known.get("files"), dict):
        return {"set": known["set"], "files": {str(name): str(digest) for name, digest in known["files"].items()}}
    return {}


class Record:
    """`menu` and `token` are those of `install`. `sets` is a dict from a set's name to its record: `armed`, the boot in
    which it was put on trial; `tries`, the number of trials; `blessed`, whether it came up; `named`, whether it has had
    a boot entry of the firmware; `files`, the SHA-256 of its image and its entry, by their names; `outcome`, `reason`
    and `time` of its last trial (outcomes.py). `removable` is the record of EFI/BOOT (removable.py), `shim` the path of
    the shim in front of the images."""

    def __init__(self, system):
        self.path = system.file(FILE)
        self.base = system.root
        self.is_installed = self.path.exists()
        self.menu, self.token, self.sets = None, None, {}
        self.removable, self.shim = {}, ""
        try:
            content = json.loads(self.path.read_bytes())
            self.menu, self.token = content.get("menu"), content.get("token")
            self.sets = {name: _checked(known) for name, known in content["sets"].items()}
            self.removable, self.shim = _checked_copy(content.get("removable")), str(content.get("shim") or "")
        except FileNotFoundError:
            pass
        except OSError as error:
            raise Refused(f"cannot read {self.path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            # The record is damaged: continue with the boot order only.
            self.sets = {}

    def expect_installed(self):
        if not self.is_installed:
            raise Refused("this machine does not boot by kexec-efi yet: run kexec-efi install", NOT_INSTALLED)

    def of(self, name):
        return self.sets.setdefault(name, _checked({}))

    def is_blessed(self, name):
        return bool(self.sets.get(name, {}).get("blessed"))

    def arm(self, name, boot_id):
        known = self.of(name)
        known["armed"], known["tries"] = boot_id, known["tries"] + 1
        known.update(outcome="", reason="", time="")

    def saved(self):
        """The operations that save the record."""
        content = json.dumps({"menu": self.menu, "token": self.token, "sets": self.sets, "removable": self.removable,
                              "shim": self.shim}, indent=1, sort_keys=True).encode() + b"\n"
        return [*operations.make_folders(self.path.parent, self.base),
                *operations.write_file(self.path, content, replaces=True), operations.Flush(self.path.parent)]
