# SPDX-License-Identifier: BSD-2-Clause
"""The loader's lines by kind: errors, warnings, and the story of a good boot."""

import re

from kexec_efi_test import esp

WARNING = "warning: "

# The lines of a good boot: those of any boot, then those of `verbose yes`.
STORY = re.compile(r"kexec-efi \S+"
                   r"|.*: +\d+ %, \d+ MB/s *"
                   r"|back to the boot menu in \d+ seconds, or by a key"
                   r"|(segment|kernel (reserved|moves to)|purgatory (entry|digest|digested up to)"
                   r"|sha256 by|fsverity|forensics: \d+|time) .*"
                   r"|(measured the|memory will|random seed:|event log:|dma: off|console:|TPM: the log does not tell) .*"
                   r"|volume \S+: ([0-9a-f-]+|the first partition table cannot be used .*: reading the second)"
                   r"|network: files come from \S+"
                   r"|.*: retrying from byte \d+: found .*"
                   r"|.*: section \S+ is not used"
                   r"|addon \S.*"
                   r"|options of the machine's SMBIOS: .*"
                   r"|\S+: \d+ bytes for the initrd.*"
                   r"|.*: unknown key \S+ skipped"
                   r"|load options skipped: expected text, found .*"
                   r"|registered initrd: not loaded: its files are on this volume, where .* names initrds"
                   r"|.*: a read of \d+ bytes found [\w ]+: reading less at once")


def _all(log):
    return re.findall(r"^kexec: (.*)$", log, re.MULTILINE)


def warnings(log):
    return [line.removeprefix(WARNING) for line in _all(log) if line.startswith(WARNING)]


def errors(log):
    """The loader's lines that are neither warnings nor part of a good boot."""
    return [line for line in _all(log) if not line.startswith(WARNING) and not STORY.fullmatch(line)]


def on_volume(partuuid=None, label="ESP"):
    """The end of a line about a missing file, as a regular expression."""
    return rf" on the volume {partuuid or esp.PARTITION_UUID} \"{label}\""
