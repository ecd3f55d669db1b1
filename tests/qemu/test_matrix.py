# SPDX-License-Identifier: BSD-2-Clause
"""Machines of many kinds: each pair of properties occurs in at least one machine. The table is printed at the end."""

import itertools
import re

import pytest

from conftest import DEFAULT_OPTIONS, entry, files, kernel, wait_for_report
from kexec_efi_test.machine import FIRMWARE, TIMEOUT, Timeout
from test_systemd_boot import SYSTEMD_BOOT

FACTORS = {
    "firmware": ["ovmf", "ovmf-2m", "secboot", "trixie", "trixie-secboot", "strictnx"],
    "kernel": ["amd64", "cloud-amd64", "rt-amd64", "trixie-amd64", "installer-amd64"],
    "memory": [512, 6144, 20480],
    "bus": ["virtio", "nvme", "ahci", "usb"],
    "display": ["none", "VGA", "virtio-gpu-pci"],
    "table": ["gpt", "mbr", "none"],
    "board": ["q35", "pc"],
    "cpus": [1, 4],
    "sector": [512, 4096],
    "com": [1, 2],
}

# Pairs that QEMU or the firmware does not support.
IMPOSSIBLE = [
    *(({"firmware": name, "board": "pc"}, "the firmware's System Management Mode needs q35")
      for name in FACTORS["firmware"] if FIRMWARE[name].smm),
    ({"bus": "ahci", "sector": 4096}, "QEMU's IDE disks have sectors of 512 bytes"),
    *([] if FIRMWARE["ovmf-2m"].present else [({"firmware": "ovmf-2m"}, "this package of OVMF has no builds of 2 MiB")]),
]


def possible(row):
    return not any(pair.items() <= row.items() for pair, _ in IMPOSSIBLE)


def pairs(row):
    return set(itertools.combinations(row.items(), 2))


def pairwise():
    """Rows that cover each possible pair of values. The usual greedy algorithm, which always gives the same rows."""
    missing = {pair for names in itertools.combinations(FACTORS, 2)
               for pair in itertools.product(*([(name, value) for value in FACTORS[name]] for name in names))
               if possible(dict(pair))}
    while missing:
        row = dict(min(missing, key=repr))
        for name in FACTORS:
            if name not in row:
                candidates = [{**row, name: value} for value in FACTORS[name] if possible({**row, name: value})]
                row = max(candidates, key=lambda new: len({tuple(sorted(pair)) for pair in pairs(new)} &
                                                          {tuple(sorted(pair)) for pair in missing}))
        row = {name: row[name] for name in FACTORS}
        missing -= pairs(row)
        yield row


def machine_of(row, tmp_path):
    sparse = tmp_path / "memory" if row["memory"] > 8192 else None
    return {"firmware": FIRMWARE[row["firmware"]], "memory": row["memory"], "sparse": sparse, "bus": row["bus"],
            "display": None if row["display"] == "none" else row["display"], "board": row["board"], "cpus": row["cpus"],
            "table": None if row["table"] == "none" else row["table"], "sector": row["sector"], "com": row["com"]}


@pytest.mark.matrix
@pytest.mark.parametrize("row", pairwise(), ids=lambda row: "-".join(map(str, row.values())))
def test_machine(boot, tmp_path, record_property, row):
    record_property("matrix", [row])
    options = DEFAULT_OPTIONS.replace("ttyS0", f"ttyS{row['com'] - 1}")
    guest = boot(files({"/vmlinuz": kernel(row["kernel"])}, entry(options=options)), **machine_of(row, tmp_path))
    report = wait_for_report(guest)
    assert report["payload"] == "payload: OK"
    assert report["cpus"] == str(row["cpus"])
    assert row["memory"] * 0.75 < int(report["memory-kib"]) / 1024 < row["memory"]


@pytest.mark.matrix
@pytest.mark.parametrize("pair, reason", IMPOSSIBLE, ids=lambda value: "-".join(map(str, value.values()))
                         if isinstance(value, dict) else "")
def test_machine_that_cannot_be(record_property, pair, reason):
    record_property("matrix", [pair])
    pytest.skip(reason)


def through_systemd_boot():
    """The peer: systemd-boot starts the same kernel through the kernel's EFI stub."""
    text = f"title peer\nlinux /vmlinuz\ninitrd /initrd\noptions {DEFAULT_OPTIONS}\n"
    return files({"/EFI/BOOT/BOOTX64.EFI": SYSTEMD_BOOT, "/EFI/BOOT/BOOTX64.conf": None,
                  "/loader/loader.conf": b"timeout 0\ndefault peer.conf\n", "/loader/entries/peer.conf": text.encode()})


def peer_boots(guest):
    """Whether Linux comes up. With too little memory the kernel may print an error, reset, or hang silently."""
    try:
        guest.expect(r"^report: done$|BdsDxe: failed to start|Kernel panic|Error preparing initrd|Failed to execute|"
                     r"UEFI Interactive Shell", timeout=TIMEOUT / 2)
    except Timeout:
        return False
    return bool(re.search(r"^report: done$", guest.log, re.MULTILINE))


def boots_or_says_why_not(guest):
    return guest.expect(r"^report: done$|^kexec: .*: not enough memory: expected .*$")[0] == "report: done"


@pytest.mark.matrix
@pytest.mark.parametrize("memory", [128, 160, 192])
@pytest.mark.parametrize("firmware", ["ovmf", "trixie"])
def test_what_systemd_boot_manages_in_little_memory(boot, record_property, firmware, memory):
    """If the peer boots, the loader boots as well. If the loader does not, it prints what is missing."""
    row = {"firmware": firmware, "memory": memory}
    record_property("matrix", [row])
    options = {"firmware": FIRMWARE[firmware], "memory": memory}
    peer = peer_boots(boot(through_systemd_boot(), **options))
    ours = boots_or_says_why_not(boot(**options))
    row.update({"systemd-boot": "boots" if peer else "does not boot", "kexec-efi": "boots" if ours else "refuses"})
    assert ours or not peer
