# SPDX-License-Identifier: BSD-2-Clause
"""Firmware that fails, lies and is short of memory (tests/firmware): the loader boots nevertheless, or refuses and
frees everything."""

import hashlib
import re
import shutil
import struct

import pytest

from conftest import DEFAULT_OPTIONS, IMAGE, INITRD, entry, kernel, wait_for_report
from difficult import DIFFICULT, assert_refused, assert_survived_or_refused, attempts, count_faults, difficult
from kexec_efi_test import esp
from kexec_efi_test.machine import FIRMWARE, TIMEOUT
from kexec_efi_test.signing import without_signature
from lines import on_volume
from test_secure_boot import Platform, expect_locked_down

TRIXIE = FIRMWARE["trixie"]
STRICTNX = FIRMWARE["strictnx"]
PAGE_SIZE = 4096
MIB = 1024 * 1024
GIB = 1024 * MIB


def digests():
    return entry(extra=[f"sha256 {hashlib.sha256(path.read_bytes()).hexdigest()} {name}"
                        for path, name in ((kernel(), "/vmlinuz"), (INITRD, "/initrd"))])


@pytest.fixture
def boot(boot, record_property):
    """Boots, and counts the outcomes of the faults for the score."""
    machines = []

    def start(*arguments, **options):
        machines.append(boot(*arguments, **options))
        return machines[-1]

    yield start
    faults = count_faults("".join(guest.log for guest in machines))
    record_property("faults", {fault: dict(counts) for fault, counts in faults.items()})


NO_ROOM = r"kernel: not enough memory: expected 0x\w+ bytes in one piece from 0x1000000 to 0x\w+, found at most 0x\w+"

# name: (fault, expected line, status)
REFUSALS = {
    "memory in pieces": ("fragment 3000", NO_ROOM, "OUT_OF_RESOURCES"),
    "first read fails": ("read-error 1", r"\\app\.conf: cannot read: expected \d+ bytes, found DEVICE_ERROR",
                         "DEVICE_ERROR"),
    "read of the kernel fails": ("read-error 3", "/vmlinuz: cannot read: expected 8192 bytes, found DEVICE_ERROR",
                                 "DEVICE_ERROR"),
    "each read fails": ("read-error", r"\\app\.conf: cannot read: expected \d+ bytes, found DEVICE_ERROR",
                        "DEVICE_ERROR"),
    "reads of 1 MiB fail": ("large-read-fails 0xfffff",
                            "/vmlinuz: cannot read: expected 1048576 bytes, found BAD_BUFFER_SIZE", "BAD_BUFFER_SIZE"),
    "large reads break the disk": ("large-read-breaks 0x100000",
                                   "/vmlinuz: cannot read: expected 1048576 bytes, found BAD_BUFFER_SIZE",
                                   "BAD_BUFFER_SIZE"),
    "read of more than was asked for": ("size-lies 4",
                                        r"/vmlinuz: cannot read: expected at most \d+ bytes, found \d+",
                                        "DEVICE_ERROR"),
    "volume cannot be opened": ("open-error 1",
                                rf"cannot open the volume {esp.PARTITION_UUID}: expected a file system that this firmware "
                                r"reads \(GRUB reads more\), found NO_MEDIA; volume= in the load options names another",
                                "DEVICE_ERROR"),
    "kernel cannot be opened": ("open-error 3",
                                "/vmlinuz: cannot open: expected a file, found DEVICE_ERROR" + on_volume(),
                                "DEVICE_ERROR"),
    "kernel cannot be opened again": ("large-read-fails 0x100000\nopen-error 4",
                                      "/vmlinuz: cannot open: expected a file, found DEVICE_ERROR" + on_volume(),
                                      "DEVICE_ERROR"),
    "size is not told": ("info-error 2", "/vmlinuz: cannot tell its size: DEVICE_ERROR", "DEVICE_ERROR"),
    "kernel shorter than its size": ("size-changes 2 1", r"/vmlinuz: ends early: expected (\d+) bytes, found \d+",
                                     "END_OF_FILE"),
    "initrd of 1 TiB": ("size-changes 3 0x10000000000",
                        r"initrd: not enough memory: expected 0x100\w+ bytes in one piece from 0x100000 to 0x\w+, "
                        r"found at most 0x\w+", "OUT_OF_RESOURCES"),
    "initrd of 8 EiB": ("size-changes 3 0x7fffffffffc00000",
                        r"/initrd: expected at most 0x4000000000000000 bytes, found 0x7f\w+", "BAD_BUFFER_SIZE"),
    "initrd shorter than its size": ("size-changes 3 1", r"/initrd: ends early: expected (\d+) bytes, found \d+",
                                     "END_OF_FILE"),
    "initrd longer than its size": ("size-changes 3 0xfffffffffffffff0",
                                    r"/initrd: changed while it was read: expected \d+ bytes, found more",
                                    "SECURITY_VIOLATION"),
    "bit of the kernel wrong": ("toctou 3", "/vmlinuz: sha256 mismatch: expected .{64}, found .{64}",
                                "SECURITY_VIOLATION"),
    "no memory at all": ("out-of-memory", r"\\app\.conf: expected memory for \d+ bytes, found OUT_OF_RESOURCES",
                         "OUT_OF_RESOURCES"),
    "memory for no kernel": ("memory 40", NO_ROOM, "OUT_OF_RESOURCES"),
    "map that lies": ("place-refused 1000", r"kernel: expected 0x\w+ bytes at 0x[1-9a-f]\w+, which the map calls free: "
                                            r"NOT_FOUND", "OUT_OF_RESOURCES"),
    "map that cannot be read": ("map-error", "memory map: cannot read it: INVALID_PARAMETER", "DEVICE_ERROR"),
    "no protocols": ("protocol-error", "cannot tell where this program came from: UNSUPPORTED", "UNSUPPORTED"),
}


def test_refusals_leave_nothing_behind(boot, record_property):
    """All refusals in one machine, in a row, then a good boot."""
    runs = [f"{name}\n{fault}" for name, (fault, _, _) in REFUSALS.items()]
    guest = boot(difficult(*runs, "twin", conf=digests()), firmware=TRIXIE)
    wait_for_report(guest)
    *refused, twin = attempts(guest.log)
    assert [attempt.name for attempt in refused] == list(REFUSALS)
    for attempt in refused:
        _, line, status = REFUSALS[attempt.name]
        assert_refused(attempt)
        assert re.fullmatch(line, attempt.errors[0]), attempt
        assert attempt.status == status, attempt
    record_property("refusals", len(refused))
    # The first fragmentation costs the firmware pages for its memory map, which it keeps. From then on no page may be
    # lost.
    assert len({attempt.free for attempt in refused}) == 1
    # Each byte of the files was read once.
    sizes = len(digests()) + kernel().stat().st_size + INITRD.stat().st_size
    assert twin.exits and int(twin.exits[2]) == sizes
    # The loader fed the watchdog at least once for each read.
    assert int(twin.exits[3]) >= int(twin.exits[1])


def assert_memory_taken_once(guest, image, copy_size):
    """The files are in memory once, plus less than 1 MiB. The kernel's place has init_size bytes, in which it unpacks
    itself. The firmware temporarily takes `copy_size` bytes to verify the kernel."""
    most, loaded = map(int, re.search(r"^difficult: held at most (\d+) bytes, and (\d+) in images$", guest.log,
                                      re.MULTILINE).groups())
    setup_size = (image[0x1f1] + 1) * 512
    init_size, = struct.unpack_from("<I", image, 0x260)
    files_size = setup_size + max(init_size, len(image) - setup_size) + INITRD.stat().st_size
    assert files_size <= most < files_size + MIB
    assert loaded == copy_size


def test_memory_is_taken_for_the_files_once(boot):
    guest = boot(difficult("most"), firmware=TRIXIE)
    wait_for_report(guest)
    assert_memory_taken_once(guest, kernel().read_bytes(), 0)


def test_each_allocation_and_service_fails_once(boot):
    sweeps = ["out-of-memory", "map-error", "map-size-lies", "open-error", "info-error", "protocol-error"]
    guest = boot(difficult(*(f"{fault}\nsweep {fault}" for fault in sweeps)), firmware=TRIXIE)
    wait_for_report(guest)
    found = assert_survived_or_refused(guest.log)
    for fault in sweeps:
        mine = [attempt for attempt in found if attempt.name == fault]
        assert sum(attempt.fired for attempt in mine) == len(mine) - 1 >= 3
        assert any(attempt.status for attempt in mine)


def test_each_read_fails_or_lies_once(boot):
    faults = ["read-error", "size-lies", "toctou"]
    guest = boot(difficult(*(f"{fault}\nsweep {fault}" for fault in faults), conf=digests() + b"verbose yes\n"),
                 firmware=TRIXIE)
    wait_for_report(guest)
    found = assert_survived_or_refused(guest.log)
    errors, sizes, lies = ([attempt for attempt in found if attempt.name == fault] for fault in faults)
    # Reads of the entry, of the kernel's first page and its rest, and of the initrd; errors also hit the reads that
    # check the end of each file. The size of a read depends on the speed of earlier reads, so there may be more.
    assert len(errors) >= 7 and len(sizes) >= 5 and len(lies) >= 5
    # The loader survives only an error of a large read: it retries with smaller reads.
    assert all(bool(attempt.exits) == ("reading less at once" in attempt.text) for attempt in errors[:-1])
    assert {bool(attempt.exits) for attempt in errors[:-1]} == {True, False}
    # Wrong bytes never boot: all runs except the last are refused.
    assert all(attempt.status for attempt in sizes[:-1] + lies[:-1])
    mismatches = [attempt.errors[0] for attempt in lies[:-1]]
    for path in ("/vmlinuz", "/initrd"):
        assert any(re.fullmatch(f"{path}: sha256 mismatch: expected .{{64}}, found .{{64}}", line) for line in mismatches)


SURVIVALS = {
    "short reads": "short",
    "no read above 1 MiB": "large-read-fails 0x100000",
    "fragments": "fragment 400",
    "preferred address taken": "occupy 0x1000000 0xe00000",
    "exit refused 20 times": "exit-refused 20",
    "map grows": "map-grows 40",
    "variables cannot be set": "set-variable-fails",
    "no console": "no-console",
}
MORE_SURVIVALS = {
    "one short read": "short 4",
    "old firmware that large reads break": "old-revision\nlarge-read-breaks 0x100000",
    "places refused": "place-refused 5",
    "exit refused twice": "exit-refused 2",
    "map grows a lot": "map-grows 400",
    "time cannot be taken": "stall-fails",
    "watchdog cannot be set": "watchdog-fails",
    "load options of odd size": "load-options-junk 1",
    "load options without pointer": "load-options-junk 2",
    "load options without end": "load-options-junk 3",
    "load options of the boot manager": "load-options-junk 4",
    **{f"exit refused {count} times": f"exit-refused {count}" for count in (1, 3, 4, 5, 63)},
    "fragments, short reads, exit refused, map grows": "fragment 400\nshort\nexit-refused 3\nmap-grows 100",
    "little memory": "memory 90",
}


def survive(boot, fault, **options):
    guest = boot(difficult(f"survive\n{fault}"), firmware=TRIXIE, **options)
    report = wait_for_report(guest)
    assert report["payload"] == "payload: OK"
    assert attempts(guest.log)[0].exits
    assert not attempts(guest.log)[0].errors
    return guest, report


@pytest.mark.parametrize("name", SURVIVALS)
def test_survived(boot, name):
    guest, report = survive(boot, SURVIVALS[name])
    if name == "no read above 1 MiB":
        assert re.search(r"^kexec: /vmlinuz: a read of \d+ bytes found BAD_BUFFER_SIZE: reading less at once$",
                         guest.log, re.MULTILINE)
    if name == "fragments":
        assert int(report["firmware-memmap"]) > 300
    if name == "preferred address taken":
        assert int(re.search(r"^kexec: kernel reserved (0x\w+)", guest.log, re.MULTILINE)[1], 16) >= 0x1e00000


@pytest.mark.matrix
@pytest.mark.parametrize("name", MORE_SURVIVALS)
def test_survived_too(boot, name):
    survive(boot, MORE_SURVIVALS[name])


def test_what_no_boot_depends_on_fails_once(boot):
    """TPM registers then lack a value; verifiers will notice that."""
    guest = boot(difficult("set-variable-fails\nsweep set-variable-fails", "tpm-error\nsweep tpm-error",
                           "tpm-log-full\nsweep tpm-log-full"), firmware=TRIXIE, tpm="tpm-crb")
    wait_for_report(guest)
    found = attempts(guest.log)
    assert all(attempt.exits for attempt in found)
    # Calls to the TPM: one for the end of its log, five measurements, one for Linux's log; and before each of these one
    # for its capabilities.
    for fault, least in ("set-variable-fails", 5), ("tpm-error", 14), ("tpm-log-full", 5):
        mine = [attempt for attempt in found if attempt.name == fault]
        assert sum(attempt.fired for attempt in mine) == len(mine) - 1 >= least
    assert not any(attempt.errors for attempt in found)
    assert all(attempt.warnings for attempt in found if attempt.name == "set-variable-fails" and attempt.fired)
    assert len([attempt for attempt in found if any("TPM: cannot measure" in line for line in attempt.warnings)]) == 5
    # If the log has no room, a measurement still counts, and later ones are made. (So many starts can really fill the
    # log.)
    full = [attempt for attempt in found if attempt.name == "tpm-log-full" and attempt.fired]
    assert len(full) == 5
    assert all(any("TPM: the log is full" in line for line in attempt.warnings) for attempt in full)
    assert all("measured the command line into PCR 12" in attempt.text for attempt in full)
    assert "measured the command line into PCR 12" in found[-1].text


def test_kernel_that_the_platform_does_not_load(boot, tmp_path):
    """LoadImage returns SECURITY_VIOLATION with a handle, as for an image whose start the policy defers: the loader
    refuses, and unloads the handle. Other errors are not reported as signature errors. The last run has no fault."""
    platform = Platform("trixie-snakeoil", tmp_path)
    sign = platform.key.sign
    changes = {"/EFI/BOOT/BOOTX64.EFI": sign(DIFFICULT), "/app.efi": sign(IMAGE),
               "/vmlinuz": sign(without_signature(kernel().read_bytes()))}
    refusals = {
        "load-image-violation": ("one that the platform trusts, found SECURITY_VIOLATION", "ACCESS_DENIED"),
        "load-image-error 1 15": ("one that the platform trusts, found ACCESS_DENIED", "ACCESS_DENIED"),
        "load-image-error 1 9": (r"memory for the platform to load \d+ bytes, found OUT_OF_RESOURCES", "OUT_OF_RESOURCES"),
        "load-image-error 1 7": ("one that the platform can check, found DEVICE_ERROR", "DEVICE_ERROR"),
        "load-image-error 1 3": ("one that the platform can check, found UNSUPPORTED", "ACCESS_DENIED"),
    }
    guest = boot(difficult(*(f"not loaded\n{fault}" for fault in refusals), "twin", changes=changes),
                 firmware=platform.firmware)
    expect_locked_down(wait_for_report(guest))
    *refused, twin = attempts(guest.log)
    assert twin.exits and len(refused) == len(refusals)
    for attempt, (reason, status) in zip(refused, refusals.values()):
        assert attempt.fired
        assert_refused(attempt)
        assert re.fullmatch(f"/vmlinuz: signature: expected {reason}", attempt.errors[0])
        assert attempt.status == status
    image = changes["/vmlinuz"]
    header, = struct.unpack_from("<I", image, 0x3c)
    size_of_image, = struct.unpack_from("<I", image, header + 24 + 56)
    assert_memory_taken_once(guest, image, size_of_image + -size_of_image % PAGE_SIZE)


@pytest.mark.parametrize("fault, reason", [
    ("exit-refused 100", "ExitBootServices: refused 64 times: INVALID_PARAMETER"),
    ("map-grows 3000", r"memory map: expected at most 0x\w+ bytes, found 0x\w+"),
])
def test_no_way_out(boot, tmp_path, fault, reason):
    """After ExitBootServices was called, the loader cannot return to the firmware: it resets the machine, with a
    message on the serial port. The second time it halts, because another reset would not help."""
    variables = shutil.copyfile(TRIXIE.variables, tmp_path / "vars.fd")
    guest = boot(difficult(f"no way out\n{fault}"), firmware=TRIXIE, variables=variables, reboot=True)
    guest.expect(rf"^kexec: {reason}; resetting$")
    guest.expect(r"^kexec: warning: the firmware stopped the last start: ExitBootServices: refused \d+ times: \w+, "
                 r"memory map of 0x\w+ bytes, room for 0x\w+$")
    guest.expect(rf"^kexec: {reason}; halted$")
    guest.wait_until_halted()
    assert "Linux version" not in guest.log


def place(guest, segment):
    return int(re.search(rf"^kexec: segment {segment} mem (0x\w+)", guest.log, re.MULTILINE)[1], 16)


def test_initrd_above_4_gib(boot):
    """The loader reads through a buffer below 4 GiB, because this firmware reads garbage into memory above 4 GiB."""
    initrd = INITRD.read_bytes()
    initrd += bytes(-len(initrd) % 4 + 64 * MIB)
    guest = boot(difficult("high\nlow-memory 100\nhigh-read-lies\nshort", changes={"/initrd": initrd}), firmware=TRIXIE,
                 memory=6144)
    report = wait_for_report(guest)
    assert report["payload"] == "payload: OK"
    assert place(guest, "kernel") < 4 * GIB <= place(guest, "initrd")


def write_archive(path, name, *sizes):
    """Writes a cpio archive with files `name`0, `name`1, ..., in which all blocks differ. Returns the digest of their
    content."""
    digest = hashlib.sha256()
    number = 0
    with open(path, "wb") as archive:
        block = bytearray(INITRD.read_bytes()[:MIB])
        for index, size in enumerate(sizes):
            archive.write(cpio_header(f"{name}{index}", size))
            for _ in range(size // MIB):
                block[:8] = number.to_bytes(8, "little")
                number += 1
                archive.write(block)
                digest.update(block)
        archive.write(cpio_header("TRAILER!!!", 0))
    return digest.hexdigest()


def cpio_header(name, size):
    fields = [0, 0o100644, 0, 0, 1, 0, size, 0, 0, 0, 0, len(name) + 1, 0]
    header = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    return header + bytes(-len(header) % 4)


@pytest.mark.matrix
@pytest.mark.parametrize("sizes, fault", [([1536], "short 0"), ([1536], "low-memory 200\nhigh-read-lies"),
                                          ([1152, 1152], "high-read-lies")],
                         ids=["below 4 GiB", "above 4 GiB", "of more than 2 GiB"])
def test_initrd_of_more_than_a_gigabyte(boot, tmp_path, sizes, fault):
    """For its files Linux takes at most half of the memory that is free at that time, when the initrd is still in
    memory. Each file may have at most 2 GiB."""
    digest = write_archive(tmp_path / "large", "extra", *(size * MIB for size in sizes))
    guest = boot(difficult(f"large\n{fault}", changes={"/large": tmp_path / "large"},
                           conf=entry(initrds=["/initrd", "/large"])), firmware=TRIXIE, memory=8192)
    guest.expect(r"^report: done$", timeout=20 * TIMEOUT)
    assert wait_for_report(guest)["extra"].split()[0] == digest
    assert (place(guest, "initrd") >= 4 * GIB) == (fault != "short 0")


def test_kernel_above_4_gib(boot):
    """With no memory below 4 GiB there is no buffer to read through."""
    guest = boot(difficult("nothing\nlow-memory 0", "high\nlow-memory 8\nhigh-read-lies"), firmware=TRIXIE, memory=6144)
    report = wait_for_report(guest)
    assert report["payload"] == "payload: OK"
    assert place(guest, "kernel") >= 4 * GIB
    refused, _ = attempts(guest.log)
    assert_refused(refused)
    assert re.fullmatch(r"\\app\.conf: expected 0x100000 bytes below 4 GiB to read through, found \w+",
                        refused.errors[0])


@pytest.mark.parametrize("option, cpus_with", [
    pytest.param("", "1", id="kept"), pytest.param("no5lvl", "0", id="left by the kernel", marks=pytest.mark.matrix)])
def test_five_levels(boot, option, cpus_with):
    """The firmware uses 5-level page tables; purgatory and kernel must as well."""
    guest = boot(difficult("five levels\nfive-levels", conf=entry(options=f"{DEFAULT_OPTIONS} {option}")),
                 firmware=TRIXIE)
    report = wait_for_report(guest)
    assert report["payload"] == "payload: OK"
    assert int(re.search(r"^difficult: CR4 is (0x\w+)$", guest.log, re.MULTILINE)[1], 16) & 1 << 12
    assert report["five-levels"] == cpus_with


def test_no_execute_off(boot):
    """The firmware has left EFER.NXE clear, so a no-execute bit in the hand-over's page tables would be a page fault."""
    guest = boot(difficult("executable data\nno-execute-off"), firmware=TRIXIE)
    assert wait_for_report(guest)["payload"] == "payload: OK"
    assert not int(re.search(r"^difficult: EFER is (0x\w+)$", guest.log, re.MULTILINE)[1], 16) & 1 << 11


@pytest.mark.parametrize("option, kind", [
    pytest.param("", "soft reserved", id="kept"),
    pytest.param("efi=nosoftreserve", "usable", id="given", marks=pytest.mark.matrix)])
def test_memory_for_a_specific_purpose(boot, option, kind):
    """Linux reserves such memory for its purpose, unless the command line says otherwise."""
    place = 5 * GIB
    guest = boot(difficult(f"set aside\nspecial-memory {place:#x}", conf=entry(options=f"{DEFAULT_OPTIONS} {option}")),
                 firmware=TRIXIE, memory=6144)
    report = wait_for_report(guest)
    assert report["payload"] == "payload: OK"
    assert attempts(guest.log)[0].fired
    pieces = re.findall(r"BIOS-e820: \[mem 0x(\w+)-0x(\w+)\] (.*)$", report.dmesg, re.MULTILINE)
    assert [what for first, last, what in pieces if int(first, 16) <= place <= int(last, 16)] == [kind]
    # Linux does not use reserved memory.
    assert (int(report["memory-kib"]) * 1024 > 4 * GIB) == (kind == "usable")


@pytest.mark.parametrize("kind", [1, pytest.param(2, marks=pytest.mark.matrix)], ids=["active", "discovered"])
def test_edid(boot, kind):
    """boot_params.edid_info has the monitor's EDID. Without one it is zero, which test_parity.py checks."""
    report = wait_for_report(boot(difficult(f"monitor\nedid {kind}"), display=True))
    edid = bytes((3 * i + kind) % 256 for i in range(128))
    assert bytes.fromhex(report["boot-params"])[0x140:0x1c0] == edid


def not_executable(boot, name):
    """Pages become non-executable only if the firmware has the protocol, as this build does."""
    guest = boot(difficult("xp\nnot-executable", changes={"/vmlinuz": kernel(name)}), firmware=STRICTNX)
    report = wait_for_report(guest)
    assert report["payload"] == "payload: OK"
    assert attempts(guest.log)[0].fired


def test_pages_that_are_not_executable(boot):
    not_executable(boot, "amd64")


@pytest.mark.matrix
@pytest.mark.parametrize("name", ["cloud-amd64", "rt-amd64", "trixie-amd64", "installer-amd64"])
def test_pages_that_are_not_executable_and_kernels(boot, name):
    not_executable(boot, name)
