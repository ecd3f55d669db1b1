# SPDX-License-Identifier: BSD-2-Clause
"""Finds the EFI system partition where bootctl looks for it, and checks that it is one."""

import dataclasses
import os
import pathlib
import re

import loader

from .errors import Refused
from .load_option import Partition

# As in bootctl(1), --esp-path.
PLACES = ("/efi", "/boot", "/boot/efi")

# In a GPT, and in an MBR.
TYPES = ("c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "0xef")

SECTOR = 512


@dataclasses.dataclass(frozen=True)
class Esp:
    path: pathlib.Path      # where it is mounted
    partition: Partition


@dataclasses.dataclass(frozen=True)
class Mount:
    device: str             # major:minor
    path: str
    kind: str
    source: str


def _unescaped(text):
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def mounts(system):
    """From path to Mount (proc_pid_mountinfo(5)). Of several mounts at one path the last one is visible."""
    found = {}
    for line in system.kernel_text("/proc/self/mountinfo").splitlines():
        fields = line.split(" ")
        if "-" not in fields[6:] or len(fields) < 6:
            continue
        end = fields.index("-", 6)
        if len(fields) < end + 3:
            continue
        path = _unescaped(fields[4])
        found[path] = Mount(fields[2], path, fields[end + 1], _unescaped(fields[end + 2]))
    return found


def _properties(system, mount):
    """The properties ID_PART_ENTRY_... of a partition, by udev or else by blkid."""
    found = dict(line[2:].split("=", 1) for line in system.kernel_text(f"/run/udev/data/b{mount.device}").splitlines()
                 if line.startswith("E:") and "=" in line)
    if "ID_PART_ENTRY_TYPE" in found or not mount.source.startswith("/dev/"):
        return found
    _, output = loader.run_program(["blkid", "-p", "-o", "udev", mount.source], "util-linux")
    return dict(line.split("=", 1) for line in output.decode("utf-8", "replace").splitlines() if "=" in line)


def _block_size(system, device):
    """The block size of the disk that has a partition."""
    text = system.kernel_text(f"/sys/dev/block/{device}/../queue/logical_block_size").strip()
    return int(text) if text.isdecimal() and int(text) >= SECTOR else SECTOR


def _partition(system, mount, properties):
    """The Partition, or None if one of its numbers is missing or invalid."""
    numbers = [properties.get(f"ID_PART_ENTRY_{name}", "") for name in ("NUMBER", "OFFSET", "SIZE")]
    uuid = properties.get("ID_PART_ENTRY_UUID", "").lower()
    if not all(number.isdecimal() for number in numbers):
        return None
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8}-[0-9a-f]{2}", uuid):
        return None
    number, start, size = map(int, numbers)
    scale = _block_size(system, mount.device) // SECTOR
    return Partition(number, start // scale, size // scale, uuid)


def _look(system, place, found):
    """The Esp at a place, or a text that says why none is there."""
    path = pathlib.Path(os.path.realpath(system.file(place)))
    # This makes systemd mount an automount point.
    if path.is_dir():
        os.listdir(path)
    mount = found(system).get(str(path))
    if mount is None:
        return "nothing is mounted there"
    if mount.kind not in ("vfat", "msdos"):
        return f"expected a FAT volume, found {mount.kind}"
    properties = _properties(system, mount)
    kind = properties.get("ID_PART_ENTRY_TYPE", "none").lower()
    if kind not in TYPES:
        return f"expected a partition of type {TYPES[0]}, found {kind}"
    partition = _partition(system, mount, properties)
    if partition is None:
        return "expected a partition with number, offset, size and UUID, found none (udev, blkid)"
    return Esp(path, partition)


def find(system, configured=None, found=mounts):
    """The configured ESP, or the first that is found."""
    if not os.path.isdir(system.root):
        raise Refused(f"{system.root}: expected a folder (--root), found none")
    reasons = []
    for place in [configured] if configured else PLACES:
        try:
            esp = _look(system, place, found)
        except OSError as error:
            esp = error.strerror
        if isinstance(esp, Esp):
            return esp
        reasons.append(f"{system.file(place)}: {esp}")
    raise Refused(f"expected an EFI system partition (esp=), found none: {'; '.join(reasons)}; mount it, or name its "
                  "folder by esp= in /etc/kexec-efi.conf")
