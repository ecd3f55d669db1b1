# SPDX-License-Identifier: BSD-2-Clause
"""Kernels that do not come up, damaged files and file systems, no room, a wrong clock. Each time a good system comes
up, and `kexec-efi status` names the problem."""

import re

import pytest
from words import EMPTY, expect_others, expect_ours, states, status

pytestmark = pytest.mark.guest

SUITE = "trixie"
BAD = "9.9.9-bad"

# Adds a kernel that would boot like the running one, until the test damages it. Its initrd is padded, so it is a
# different file.
ADD = (f"cp /boot/vmlinuz-$(uname -r) /boot/vmlinuz-{BAD} && cp /boot/initrd.img-$(uname -r) /boot/initrd.img-{BAD} && "
       f"head -c 512 /dev/zero >>/boot/initrd.img-{BAD} && kexec-efi add {BAD}")

PLACE = f"cd /boot/efi/EFI/kexec/* && set -e; kernel=$(echo vmlinuz-{BAD}-*); initrd=$(echo initrd-{BAD}-*);"

FLIP = """python3 - "$initrd" <<'PYTHON'
import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(1000000)
    byte = file.read(1)[0]
    file.seek(1000000)
    file.write(bytes([byte ^ 4]))
PYTHON
"""

# Frees 100 clusters in the middle of the initrd in both FATs. The directory entry still names the file.
CUT_CHAIN = """
at=$(python3 - "$initrd" <<'PYTHON'
import fcntl, struct, sys
FIBMAP, FIGETBSZ = 1, 2
with open(sys.argv[1], "rb") as file:
    block, size = (struct.unpack("i", fcntl.ioctl(file, request, bytes(4)))[0] for request in (FIBMAP, FIGETBSZ))
print(block * size)
PYTHON
)
cd / && umount /boot/efi && python3 - "$at" <<'PYTHON'
import struct, sys
with open("/dev/vda1", "r+b") as disk:
    boot = disk.read(512)
    sector, per_cluster, reserved, copies = struct.unpack_from("<HBHB", boot, 11)
    size, = struct.unpack_from("<I", boot, 36)
    data = reserved + copies * size
    cluster = (int(sys.argv[1]) // sector - data) // per_cluster + 2
    for copy in range(copies):
        disk.seek((reserved + copy * size) * sector + 4 * (cluster + 100))
        assert struct.unpack("<I", disk.read(4))[0] == cluster + 101, "expected a file in one piece"
        disk.seek(-4, 1)
        disk.write(bytes(4 * 100))
PYTHON
mount /boot/efi
"""

DAMAGE = {
    "truncated kernel": 'truncate -s 4000000 "$kernel"',
    "one bit flipped in the initrd": FLIP,
    "initrd deleted": 'rm "$initrd"',
    "FAT damaged": CUT_CHAIN,
}


def settled(reach):
    guest = reach("settled", SUITE)
    return guest, guest.release, guest.boot_order


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_kernel_leaves_the_old_one(reach, boots, request, damage):
    guest, old, order = settled(reach)
    guest.run(ADD)
    assert states(guest)[f"{BAD}.1"] == "next"
    guest.run(f"{PLACE} {damage}\nsync")
    guest.reboot()
    _, line = expect_ours(guest, old)
    assert guest.boot_order == order
    bad = next(one for one in status(guest, 3)["sets"] if one["version"] == BAD)
    assert bad["state"] == "failed" and bad["damage"]
    # The reason is the loader's message of the refusal.
    assert bad["outcome"]["kind"] == "refused" and BAD in bad["outcome"]["reason"]
    good = next(one for one in status(guest, 3)["sets"] if one["version"] == old)
    assert good["state"] == "good" and good["damage"] is None
    boots(SUITE, request.node.callspec.id, f"{line}; {bad['outcome']['reason']}; {bad['damage']}")


def test_the_one_that_boots_first_is_damaged(reach, boots):
    guest, old, _ = settled(reach)
    guest.run(f"cd /boot/efi/EFI/kexec/* && truncate -s 4000000 vmlinuz-{old}-* && sync")
    guest.reboot()
    line = expect_others(guest, old, after_refusal=True)
    one, = status(guest, 3)["sets"]
    assert one["version"] == old and "vmlinuz" in one["damage"]
    boots(SUITE, "first kernel truncated", f"{line}; status: {one['damage']}")
    # `add --again` repairs it in place.
    guest.run(f"kexec-efi add --again {old} && kexec-efi verify")


def test_a_kernel_that_panics_twice(reach, boots):
    guest, old, order = settled(reach)
    guest.run(f"{ADD.split(' && ')[0]} && {EMPTY}{BAD} && kexec-efi add {BAD}")
    for tries in (1, 2):
        guest.reboot()
        assert "Kernel panic" in guest.log[guest.start:]
        _, line = expect_ours(guest, old)
        assert guest.boot_order == order
        bad = next(one for one in status(guest, 3)["sets"] if one["version"] == BAD)
        assert (bad["state"], bad["tries"], bad["damage"]) == ("failed", tries, None)
        assert bad["outcome"]["kind"] == "lost"
        boots(SUITE, f"panic {tries}", f"{line}; status: {bad['why']}")
        # It is tried again only on request.
        assert "did not come up at its last trial" in guest.run(f"kexec-efi add {BAD}")
        guest.run(f"kexec-efi add --again {BAD}")
    guest.run(f"kexec-efi remove {BAD}")
    assert states(guest) == {f"{old}.1": "good"}


def state_of_esp(guest):
    return guest.run("cd /boot/efi && find . -type f -exec sha256sum {} + | sort -k 2")


# A failed write leaves a variable with a name, which efivarfs makes immutable: it cannot be opened again.
FILL_VARIABLES = """python3 - <<'PYTHON'
size, number = 8192, 0
while size:
    number += 1
    try:
        name = f"Filler{number:04}-c0ffee06-1234-5678-9abc-def012345678"
        with open(f"/sys/firmware/efi/efivars/{name}", "wb", buffering=0) as file:
            file.write((7).to_bytes(4, "little") + bytes(size))
    except OSError:
        size //= 2
PYTHON
"""


def test_what_has_no_room_changes_nothing(reach, boots):
    """On one machine: a full ESP, a read-only ESP, and full NVRAM."""
    guest, old, order = settled(reach)
    before = state_of_esp(guest)
    add = ADD.replace("kexec-efi add", "sync; kexec-efi add")

    guest.run("dd if=/dev/zero of=/boot/efi/filler bs=1M 2>/dev/null; truncate -s -1M /boot/efi/filler; sync", None)
    said = guest.run(add, 4)
    assert re.search(r"expected [0-9.]+ MB of room for 9.9.9-bad, found [0-9.]+ MB", said)
    guest.run("rm /boot/efi/filler")
    assert state_of_esp(guest) == before and guest.boot_order == order

    guest.run("mount -o remount,ro /boot/efi")
    read_only = guest.run(add, 1)
    assert "expected a volume that can be written, found one that cannot" in read_only
    assert state_of_esp(guest) == before and guest.boot_order == order
    guest.run("mount -o remount,rw /boot/efi")

    guest.run(FILL_VARIABLES)
    full = guest.run(add, 4)
    assert "EFI variable" in full
    assert state_of_esp(guest) == before and guest.boot_order == order
    assert states(guest) == {f"{old}.1": "good"}

    guest.reboot()
    _, line = expect_ours(guest, old)
    assert guest.boot_order == order and states(guest) == {f"{old}.1": "good"}
    boots(SUITE, "no room", f"{line}; {said.strip()}; {read_only.strip()}; {full.strip()}")


SET_CLOCK = """python3 - <<'PYTHON'
import fcntl, os, struct
RTC_SET_TIME = 0x4024700a
fcntl.ioctl(os.open("/dev/rtc0", os.O_RDONLY), RTC_SET_TIME, struct.pack("9i", 0, 0, 12, 1, 0, 80, 0, 0, 0))
PYTHON
date -s 1980-01-01
"""


def test_a_wrong_clock_does_no_harm(reach, boots):
    guest, old, _ = settled(reach)
    guest.run(SET_CLOCK)
    guest.run(f"echo $(sed 's/BOOT_IMAGE=[^ ]*//' /proc/cmdline) clock=wrong >/etc/kernel/cmdline && kexec-efi add {old}")
    assert states(guest)[f"{old}.2"] == "next"
    guest.reboot()
    _, line = expect_ours(guest, old)
    assert "clock=wrong" in guest.run("cat /proc/cmdline")
    # The clock stores two digits of the year.
    assert guest.run("cat /sys/class/rtc/rtc0/date")[2:5] == "80-"
    assert states(guest)[f"{old}.2"] == "good"
    boots(SUITE, "clock of 1980", line)
