# SPDX-License-Identifier: BSD-2-Clause
"""Power cuts while a kernel is added, on a FAT written by Linux. QEMU logs each write to the ESP, and each flush. Each
prefix of these writes is a disk that a power cut may leave. So is everything before a flush together with any of the
writes up to the next flush. fsck.vfat and the loader's own parser judge all these disks, and some are booted.

The variables are only modelled. kexec-efi writes them once the ESP is complete, each by one call of the firmware, which
keeps the old value or has the new one. That makes three states, which are booted with the complete ESP. Up to then the
firmware has only the boot entry of the former kernel, whatever the ESP holds.
"""

import concurrent.futures
import os
import pathlib
import random
import re
import shutil
import subprocess

import disk
import packages
import pytest
import write_log
from kexec_efi import load_option, store
from kexec_efi.partition import Esp
from kexec_efi_test import esp, machine, varstore
from stages import FIRMWARE

pytestmark = pytest.mark.guest

SUITE = "trixie"
BEFORE, ADDED = "9.9.8-before", "9.9.9-added"
BOOTS = 20
WORKERS = 4
# The number of disks with writes out of order, in addition to all prefixes.
OUT_OF_ORDER = 100

# An initrd that prints which version was booted.
INITRD = r"""
mkdir -p /tmp/tiny/usr/lib /tmp/tiny/proc && cd /tmp/tiny && ln -s usr/lib lib && cp /lib/klibc-*.so lib &&
cp /usr/lib/klibc/bin/* . &&
printf '#!/sh\n/mount -t proc proc /proc\necho "booted: $(/cat /proc/cmdline)"\n/poweroff\n' >init && chmod +x init &&
find . | cpio -o -H newc --quiet >/tmp/initrd
"""


def add(version):
    # The log's superblock counts entries only up to the last flush. sync flushes a FAT only when it is given a file.
    return (f"cp /boot/vmlinuz-$(uname -r) /boot/vmlinuz-{version} && cp /tmp/initrd /boot/initrd.img-{version} && "
            f"echo console=ttyS0 panic=5 no_timer_check this={version} >/etc/kernel/cmdline && sync && "
            f"kexec-efi add {version} && sync && sync /boot/efi/EFI")


def in_volume(groups):
    """The groups of writes to the ESP, with offsets within it."""
    found = []
    for group in groups:
        ours = [write_log.Write(write.offset - esp.PARTITION_OFFSET, write.data) for write in group
                if esp.PARTITION_OFFSET <= write.offset < esp.PARTITION_OFFSET + disk.ESP_ROOM]
        if ours:
            found.append(ours)
    return found


class Volume:
    """The ESP as a file, and the files of our folder in it."""

    def __init__(self, folder, content):
        self.path = folder / "esp.img"
        self.path.write_bytes(content)
        self._folder = folder / "files"
        self._content = bytearray(content)
        self._changed = []

    def _put(self, pieces):
        with open(self.path, "r+b") as file:
            for offset, data in pieces:
                file.seek(offset)
                file.write(data)

    def keep(self, writes):
        """Applies the writes for good: each `write` starts from here."""
        for one in writes:
            one.apply(self._content)
        self._put((one.offset, one.data) for one in writes)

    def write(self, writes):
        """Resets the volume to its kept state, and applies these writes."""
        self._put((offset, self._content[offset:offset + size]) for offset, size in self._changed)
        self._changed = [(one.offset, len(one.data)) for one in writes]
        self._put((one.offset, one.data) for one in writes)

    def check(self):
        """The output of fsck.vfat."""
        return subprocess.run(["fsck.vfat", "-n", self.path], stdout=subprocess.PIPE, text=True).stdout

    def repaired(self):
        """A copy of the volume, repaired as Debian does at the next start."""
        folder = self._folder.with_name("repaired")
        folder.mkdir(exist_ok=True)
        repaired = Volume(folder, self.path.read_bytes())
        # fsck(8): 0 is no error, 1 is errors corrected.
        assert subprocess.run(["fsck.vfat", "-a", repaired.path], stdout=subprocess.DEVNULL).returncode in (0, 1)
        return repaired

    def files(self):
        """A store.Store of the folder EFI/kexec, copied out of the volume."""
        shutil.rmtree(self._folder, ignore_errors=True)
        environment = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
        listed = subprocess.run(["mdir", "-/", "-b", "-i", self.path, "::/EFI/kexec"], check=True,
                                stdout=subprocess.PIPE, text=True, env=environment).stdout.split()
        # mcopy cannot copy a file with fewer clusters than its size says, as a file may have while it is written.
        whole = [name for name in listed if not name.endswith("/") and not PARTIAL.search(name)]
        place = self._folder / pathlib.PurePosixPath(whole[0].removeprefix("::/")).parent
        place.mkdir(parents=True)
        subprocess.run(["mcopy", "-n", "-i", self.path, *whole, place], check=True, stdout=subprocess.DEVNULL, env=environment)
        return store.Store(Esp(self._folder, None), place.name)

    def expect_bootable(self, *versions):
        """Asserts that the loader's parser accepts these versions. Returns all versions that it accepts."""
        files = self.files()
        complaints = {one.version: files.complaint(one) for one in files.sets()}
        for version in versions:
            assert complaints[version] is None
        return {version for version, complaint in complaints.items() if complaint is None}


# Harmless traces of a power cut on any FAT (fsck.vfat(8)): a volume marked as in use, clusters without a file, and a
# wrong count of free clusters.
HARMLESS = re.compile(r"fsck\.fat \d|.*: \d+ files, \d+/\d+ clusters$|Leaving filesystem unchanged|$|"
                      r"Dirty bit is set|Automatically removing dirty bit|There are differences between boot sector "
                      r"and its backup|"
                      r"This is mostly harmless|65:01/00|Not automatically fixing this|FATs differ but appear to be intact|"
                      r"Using first FAT|Reclaimed \d+ unused cluster|Free cluster summary wrong|Auto-correcting")


PARTIAL = re.compile(r"\.partial[0-9]*$")


def complaints_of_fsck(text):
    """Returns (complaints of fsck.vfat, without those about partial files; the names of the files that share clusters
    with a partial file). A complaint follows the names of its files."""
    found, names, shared, goes_on = [], [], set(), False
    for line in text.splitlines():
        if HARMLESS.match(line.strip()):
            names = []
        elif line.startswith("/"):
            names = (names if goes_on else []) + [line.removesuffix("and").strip()]
        else:
            is_partial = any(map(PARTIAL.search, names))
            if is_partial and line.strip() == "share clusters.":
                shared.update(names)
            if not is_partial and not shared.issuperset(names):
                found.append(f"{', '.join(names)}: {line.strip()}")
        goes_on = line.startswith("/") and line.endswith("and")
    return found, shared


def states(groups, seed):
    """Yields (description, the writes that have reached the disk) for each disk that a power cut may leave."""
    flat = [write for group in groups for write in group]
    for count in range(len(flat) + 1):
        yield f"{count} writes", flat[:count]
    chance = random.Random(seed)
    for _ in range(OUT_OF_ORDER):
        number = chance.randrange(len(groups))
        before = [write for group in groups[:number] for write in group]
        some = [write for write in groups[number] if chance.random() < 0.5]
        chance.shuffle(some)
        yield f"{len(before)} writes, and {len(some)} of the next {len(groups[number])}", before + some


def option(files, version):
    """The boot entry for a version, as `kexec-efi add` makes it."""
    one = next(one for one in files.sets() if one.version == version)
    return load_option.make(version, disk.ESP_PARTITION, f"{files.place}/{one.name}.efi")


def write_disk(image, whole, volume):
    """A disk with the partition tables of `whole`, which lie at its beginning and end, and with this ESP. Its root is
    empty."""
    with open(whole, "rb") as source, open(image, "wb") as target:
        size = os.path.getsize(whole)
        target.truncate(size)
        for offset in (0, size - esp.PARTITION_OFFSET):
            source.seek(offset)
            target.seek(offset)
            target.write(source.read(esp.PARTITION_OFFSET))
        target.seek(esp.PARTITION_OFFSET)
        target.write(volume.path.read_bytes())
    return image


def boot(image, variables):
    """The version that a machine boots from this disk; `variables` maps names to values."""
    store_of = varstore.VariableStore(FIRMWARE.variables)
    for name, value in variables.items():
        store_of.set(name, value)
    with machine.Machine(image, firmware=FIRMWARE, variables=store_of.save(image.with_suffix(".fd")), boot_order=True) as guest:
        found = guest.expect(r"^booted: .*\bthis=(\S+)", timeout=20 * machine.TIMEOUT)[1]
        assert "kexec: kexec-efi" in guest.log
    image.unlink()
    return found


def record(guest, log):
    """Adds two kernels. Returns the log of all writes, and the number of the first log entry of the second kernel."""
    guest.load_cargo()
    guest.run("dpkg -i /srv/cargo/*.deb && kexec-efi install")
    guest.run(INITRD)
    guest.run(add(BEFORE))
    first = write_log.count(log.read_bytes())
    log.with_suffix(".first").write_text(f"{first}\n")
    guest.run(add(ADDED))
    guest.power_off()
    return log.read_bytes(), first


def test_a_power_cut_leaves_what_boots(reach, tmp_path, boots):
    log = tmp_path / "writes"
    guest = reach("up", SUITE, write_log=log, cargo={path.name: path for path in packages.build()})
    content, first = record(guest, log)
    whole = tmp_path / "whole.img"
    subprocess.run(["qemu-img", "convert", "-O", "raw", disk.FOLDER / f"{SUITE}-up/disk.qcow2", whole], check=True)
    boots(SUITE, "power cuts", judge(tmp_path, whole, content, first))


def judge(tmp_path, whole, content, first):
    """Judges and boots the disks that power cuts leave. `whole` is the disk before all writes."""
    with open(whole, "rb") as file:
        file.seek(esp.PARTITION_OFFSET)
        volume = Volume(tmp_path, file.read(disk.ESP_ROOM))
    groups, before = in_volume(write_log.parse(content, first)), in_volume(write_log.parse(content))
    count = sum(map(len, groups))
    before = [write for group in before for write in group]
    volume.keep(before[:len(before) - count])
    assert volume.expect_bootable(BEFORE) and count > 20

    installed = next(one.version for one in volume.files().sets() if one.version not in (BEFORE, ADDED))
    every = list(states(groups, seed=1))
    chosen = {round(number * (len(every) - 1) / (BOOTS - 1)) for number in range(BOOTS)}
    in_order = {"Boot0001": option(volume.files(), BEFORE), "BootOrder": bytes((1, 0))}
    whole_at, sharing = None, []
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        started = []

        def start(name, variables, expected):
            image = write_disk(tmp_path / f"boot-{len(started)}.img", whole, volume)
            started.append((name, expected, pool.submit(boot, image, variables)))

        for number, (name, writes) in enumerate(every):
            volume.write(writes)
            bootable = volume.expect_bootable(BEFORE, installed)
            complaints, shared = complaints_of_fsck(volume.check())
            assert not complaints, name
            if shared:
                # kexec-efi changes neither file until fsck.vfat has separated the two (partial_files.py).
                assert len({PARTIAL.sub("", one.lower()) for one in shared}) == 1, name
                sharing.append(name)
            if shared or number in chosen:
                volume.repaired().expect_bootable(BEFORE, installed)
            if ADDED in bootable and whole_at is None:
                whole_at = name
            if number in chosen:
                start(name, in_order, BEFORE)

        volume.write(every[count][1])
        added = {"Boot0002": option(volume.files(), ADDED)}
        start("an entry", {**in_order, **added}, BEFORE)
        start("an entry and BootNext", {**in_order, **added, "BootNext": bytes((2, 0))}, ADDED)
        for name, expected, running in started:
            assert running.result() == expected, name
    return (f"{count} writes in {len(groups)} groups: {len(every)} disks judged, {len(started)} booted; the added kernel is "
            f"whole after {whole_at}; {len(sharing)} with a file that has two names")
