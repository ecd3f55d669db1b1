# SPDX-License-Identifier: BSD-2-Clause
"""Boots to userspace: checks the report of the booted system."""

import gzip
import hashlib
import pathlib
import re
import struct
import subprocess
import sys

import pytest

from conftest import DEFAULT_OPTIONS, HERE, INITRD, KERNELS, entry, files, kernel, wait_for_report
from kexec_efi_test.machine import BUILD
from kexec_efi_test.signing import cut_down

sys.path.insert(0, str(HERE.parents[1] / "tools"))

import loader  # noqa: E402

SEGMENTS = {"kernel", "initrd", "cmdline", "boot_params", "memory_map", "e820_ext", "page_tables", "purgatory"}

KASLR_OFF_TEXT = 0xffffffff81000000


def segments(log):
    """The segment table of a verbose boot: name -> (mem, bufsz, memsz)."""
    pattern = r"^kexec: segment (\S+) mem (0x\w{16}) bufsz (0x\w{16}) memsz (0x\w{16})$"
    return {name: tuple(int(number, 16) for number in numbers)
            for name, *numbers in re.findall(pattern, log, re.MULTILINE)}


def regions(log):
    """(name, start, size, digest) of each region that was hashed before ExitBootServices."""
    return [(name, int(start, 16), int(size), bytes.fromhex(digest)) for name, digest, size, start in re.findall(
        r"^kexec: fsverity (\w+) ([0-9a-f]{64}) \((\d+) bytes at (0x\w{16})\)$", log, re.MULTILINE)]


def test_system_is_complete(boot):
    guest = boot(memory=1024, cpus=2, display=True)
    report = wait_for_report(guest)
    assert report["fw-platform-size"] == "64"
    assert int(report["efivars"]) > 5
    assert int(report["efi-runtime-map"]) > 0
    assert report["payload"] == "payload: OK"
    assert report["cmdline"] == DEFAULT_OPTIONS
    assert report["cpus"] == "2"
    assert 900 * 1024 < int(report["memory-kib"]) < 1024 * 1024
    assert int(report["text-address"], 16) != KASLR_OFF_TEXT
    assert report["fb"] == "0 EFI VGA"
    assert {"APIC", "DSDT", "FACP"} <= set(report["acpi-tables"].split())
    assert "efi: EFI v2" in report.dmesg
    assert "ACPI: RSDP 0x" in report.dmesg
    assert "secureboot: Secure boot disabled" in report.dmesg
    assert "Console: switching to colour frame buffer device" in report.dmesg
    guest.wait()


def test_boot_params_as_linux_received_them(boot):
    guest = boot(display=True)
    report = wait_for_report(guest)
    params = bytes.fromhex(report["boot-params"])
    table = segments(guest.log)

    def field(offset, layout):
        return struct.unpack_from("<" + layout, params, offset)[0]

    assert len(params) == 4096
    assert params[0x0f] == 0x70
    assert field(0x12, "H") * 4 == field(0x24, "H")
    assert field(0x070, "Q") > 0
    assert params[0x1c0:0x1c4] == b"EL64"
    assert field(0x1c8, "I") == 48
    assert field(0x1cc, "I") == 1
    assert field(0x1d0, "I") == table["memory_map"][0]
    assert field(0x1d4, "I") <= table["memory_map"][1]
    assert 5 < params[0x1e8] <= 128
    assert params[0x1ec] == 2
    assert params[0x1ef] == 0
    assert params[0x210] == 0xff
    assert field(0x218, "I") == table["initrd"][0]
    assert field(0x21c, "I") == table["initrd"][1] == INITRD.stat().st_size
    assert field(0x228, "I") == table["cmdline"][0]


def test_nokaslr_is_obeyed_and_little_said(boot):
    guest = boot(files(conf=entry(options=DEFAULT_OPTIONS + " nokaslr", extra=())))
    report = wait_for_report(guest)
    assert int(report["text-address"], 16) == KASLR_OFF_TEXT
    said = re.findall(r"^(?:kexec|purgatory): (.*?) *$", guest.log, re.MULTILINE)
    # Everything except the progress of a file that takes longer than a second.
    assert [line for line in said if not re.search(r": +\d+ %, \d+ MB/s$", line)] == ["kexec-efi 0.1"]


def test_nothing_lies_where_the_kernel_unpacks_itself(boot):
    """The kernel may overwrite [load, load + init_size) before it knows of anything there."""
    guest = boot()
    guest.expect(r"^kexec: purgatory entry 0x\w{16}$")
    header = kernel().read_bytes()[:4096]
    init_size, pref_address = struct.unpack_from("<I", header, 0x260)[0], struct.unpack_from("<Q", header, 0x258)[0]
    table = segments(guest.log)
    load = table.pop("kernel")[0]
    assert load >= pref_address
    # The purgatory's GDT and stack are part of its segment.
    assert set(table) == SEGMENTS - {"kernel"}
    for name, (mem, bufsz, memsz) in table.items():
        assert 0 < bufsz <= memsz
        assert mem + memsz <= load or mem >= load + init_size, name
    wait_for_report(guest)


def test_segments_keep_clear_of_each_other_in_little_memory(boot):
    guest = boot(memory=256)
    wait_for_report(guest)
    assert SEGMENTS == set(segments(guest.log))
    ranges = sorted((mem, mem + memsz) for mem, _, memsz in segments(guest.log).values())
    assert all(end <= start for (_, end), (start, _) in zip(ranges, ranges[1:]))
    # The purgatory has verified everything, including the part of itself in front of the digests. A file ends within
    # its segment, at most three zeros before the next region.
    early = regions(guest.log)
    for name in ("kernel", "initrd"):
        (start, size), *rest = [(start, size) for region, start, size, _ in early if region == name]
        mem, _, memsz = segments(guest.log)[name]
        end = start + size
        # A file may end where its segment ends, or be followed by a region of zeros.
        for place, zeros in rest:
            assert 0 <= place - end < 4
            end = place + zeros
        assert start <= mem and len(rest) <= 1 and 0 <= mem + memsz - end < 4
    verified = int(re.search(r"^purgatory: verified (\d+) bytes$", guest.log, re.MULTILINE)[1])
    own_end = int(re.search(r"^kexec: purgatory digested up to (0x\w+)$", guest.log, re.MULTILINE)[1], 16)
    assert early[-1][0] == "purgatory" and early[-1][1] + early[-1][2] == own_end
    late = {name: memsz for name, (_, _, memsz) in segments(guest.log).items()
            if name not in {region for region, *_ in early}}
    assert set(late) == {"boot_params", "memory_map", "e820_ext"}
    assert verified == sum(size for *_, size, _ in early) + sum(late.values())
    for phase in ("exit", "verify"):
        assert re.search(rf"^purgatory: time {phase} \d+\.\d{{3}} ms$", guest.log, re.MULTILINE)


def packed(folder, name, content):
    """A compressed archive with one file. Its size is not padded."""
    (folder / name).write_bytes(content)
    archive = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=folder, input=name.encode(),
                             stdout=subprocess.PIPE, check=True).stdout
    return gzip.compress(archive, mtime=0)


def test_several_initrds_of_odd_length(boot, tmp_path):
    parts = [packed(tmp_path, f"extra{number}", bytes([65 + number]) * (1000 + number)) for number in range(3)]
    # Adds a file name to the gzip header wherever the size would be a multiple of 4.
    parts = [part if len(part) % 4 else part[:3] + b"\x08" + part[4:10] + b"x\0" + part[10:] for part in parts]
    assert all(len(part) % 4 for part in parts)
    paths = [f"/part{number}" for number in range(3)]
    conf = entry(initrds=[*paths[:2], "/initrd", paths[2]])
    report = wait_for_report(boot(files(dict(zip(paths, parts)), conf)))
    expected = b"".join(bytes([65 + number]) * (1000 + number) for number in range(3))
    assert report["extra"].split()[0] == hashlib.sha256(expected).hexdigest()
    assert report["payload"] == "payload: OK"


# Three more than can have a region of their own (boot/digest.h).
MANY_INITRDS = 18


def many_initrds(tmp_path):
    """(path -> content, the digest that the booted system must report). The tests' own initrd is not included."""
    names = [f"extra{number:02}" for number in range(MANY_INITRDS - 1)]
    contents = {name: bytes([65 + number]) * (1000 + number) for number, name in enumerate(names)}
    parts = {f"/{name}": packed(tmp_path, name, content) for name, content in contents.items()}
    return parts, hashlib.sha256(b"".join(contents.values())).hexdigest()


def entry_of_many(parts):
    digests = [f"{key} {digest(content)} {path}" for path, content in [*parts.items(), ("/initrd", INITRD.read_bytes())]
               for key, digest in (("fsverity", loader.fsverity_digest), ("sha256", loader.sha256_digest))]
    return entry(initrds=[*parts, "/initrd"], extra=["verbose yes", *digests])


def test_more_initrds_than_regions(boot, tmp_path):
    parts, expected = many_initrds(tmp_path)
    guest = boot(files(parts, entry_of_many(parts)))
    report = wait_for_report(guest)
    assert report["extra"].split()[0] == expected
    assert report["payload"] == "payload: OK"
    guest.expect(r"^kexec: initrds 15 to 18 share one region of the digest: expected at most 15 initrds for one each$")
    names = [name for name, *_ in regions(guest.log) if name.startswith("initrd")]
    assert names == ["initrd", *(f"initrd{number}" for number in range(2, 16)), "initrd"]


def test_more_initrds_than_regions_and_one_that_is_wrong(boot, tmp_path):
    parts, _ = many_initrds(tmp_path)
    conf = entry_of_many(parts)
    parts["/extra15"] += b"\0"
    guest = boot(files(parts, conf))
    guest.expect(r"^kexec: /extra15: fsverity mismatch: expected [0-9a-f]{64}, found [0-9a-f]{64}$")
    assert "Linux version" not in guest.log


def test_no_initrd_is_a_boot_as_well(boot):
    guest = boot(files(conf=entry(initrds=[], options="console=ttyS0 panic=-1")))
    guest.expect(r"Kernel panic - not syncing: VFS: Unable to mount root fs")
    assert set(segments(guest.log)) == SEGMENTS - {"initrd"}


def test_command_line_of_the_greatest_length(boot):
    padding = "x" * (2047 - len(DEFAULT_OPTIONS) - 1)
    report = wait_for_report(boot(files(conf=entry(options=f"{DEFAULT_OPTIONS} {padding}"))))
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} {padding}"


@pytest.mark.matrix
def test_options_joined_and_slashes_of_both_kinds(boot):
    conf = entry(linux="\\vmlinuz", initrds=["initrd"], options="console=ttyS0",
                 extra=["# a comment", "options kexec.test  a=\"b c\"", "title \tSome title"])
    assert wait_for_report(boot(files(conf=conf)))["cmdline"] == 'console=ttyS0 kexec.test  a="b c"'


def test_digests_that_are_right(boot):
    conf = entry(extra=["verbose yes", f"sha256 {hashlib.sha256(kernel().read_bytes()).hexdigest()} /vmlinuz",
                        f"sha256 {hashlib.sha256(INITRD.read_bytes()).hexdigest()} *\\initrd"])
    wait_for_report(boot(files(conf=conf)))


@pytest.mark.parametrize("name, memory, bus", [
    ("amd64", 256, "ahci"),
    ("cloud-amd64", 6144, "nvme"),
    pytest.param("amd64", 6144, "virtio", marks=pytest.mark.matrix),
    pytest.param("cloud-amd64", 512, "virtio", marks=pytest.mark.matrix),
    ("rt-amd64", 1024, "virtio"),
])
def test_kernel_and_memory(boot, name, memory, bus):
    report = wait_for_report(boot(files({"/vmlinuz": kernel(name)}), memory=memory, bus=bus))
    package = (KERNELS / name / "package").read_text().strip()
    assert package.startswith(f"linux-image-{report['release']}")
    assert report["payload"] == "payload: OK"
    assert report["fw-platform-size"] == "64"
    # The kernel takes some 60 MiB, and a little for each page.
    assert memory * 0.95 - 80 < int(report["memory-kib"]) / 1024 < memory


# Begins like startup_64 of Linux 3.8 (arch/x86/boot/compressed/head_64.S), which loads no GDT of its own; then it
# prints.
ENTRY_OF_LINUX_3_8 = bytes.fromhex(
    "31c0 8ed8 8ec0 8ed0 8ee0 8ee8"     # xor eax, eax; mov ds, es, ss, fs and gs, eax
    "0f00d0 b820000000 0f00d8"          # lldt ax; mov eax, 0x20; ltr ax
    "488d350e000000 baf8030000"         # lea rsi, [text]; mov edx, 0x3f8
    "ac ee 84c0 75fa f4 ebfd"           # lodsb; out dx, al; up to a NUL; then hlt
) + b"oldest kernel: entered\n\0"


def test_oldest_kernel(boot):
    """This kernel takes the task register from the loader's GDT."""
    image = bytearray(cut_down(kernel().read_bytes(), 0x1000))
    struct.pack_into("<H", image, 0x206, 0x20c)
    struct.pack_into("<H", image, 0x236, 1)
    start = (image[0x1f1] + 1) * 512 + 0x200
    image[start:start + len(ENTRY_OF_LINUX_3_8)] = ENTRY_OF_LINUX_3_8
    guest = boot(files({"/vmlinuz": bytes(image)}), memory=2560)
    guest.expect(r"^oldest kernel: entered$")
    # The loader respects its initrd_addr_max, although there is memory above.
    mem, bufsz, _ = segments(guest.log)["initrd"]
    assert mem + bufsz - 1 <= 0x7fffffff


def test_cpu_without_1_gib_pages(boot):
    guest = boot(files({"/vmlinuz": kernel("cloud-amd64")}), memory=5120, cpu="qemu64,pdpe1gb=off")
    wait_for_report(guest)
    # The root, and one directory for each GiB: 4 below 4 GiB, and 3 of memory above the hole.
    assert segments(guest.log)["page_tables"][1] >= (2 + 4 + 3) * 4096


def test_cpu_without_5_levels(boot):
    report = wait_for_report(boot(files({"/vmlinuz": kernel("cloud-amd64")}), cpu="max,la57=off"))
    assert report["five-levels"] == "0"


@pytest.mark.matrix
@pytest.mark.parametrize("name", ["amd64", "cloud-amd64", "rt-amd64"])
@pytest.mark.parametrize("memory, bus", [(192, "virtio"), (256, "nvme"), (3072, "ahci"), (5120, "virtio")])
def test_more_kernels_and_memories(boot, name, memory, bus):
    """Sizes of memory around the hole below 4 GiB. test_matrix.py tests other machines."""
    test_kernel_and_memory(boot, name, memory, bus)


def test_image_is_small():
    assert (BUILD / "kexecx64.efi").stat().st_size < 240 * 1024
    assert pathlib.Path(BUILD / "kexecx64.efi").read_bytes()[:2] == b"MZ"
