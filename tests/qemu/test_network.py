# SPDX-License-Identifier: BSD-2-Clause
"""Boots over the network: PXE by QEMU's own TFTP server, and HTTP by the tests' own server (server.py)."""

import os
import re
import subprocess

import pytest

import lines
from conftest import DEFAULT_OPTIONS, IMAGE, INITRD, entry, fsverity, kernel, wait_for_report
from kexec_efi_test import machine, varstore
from kexec_efi_test.server import HALF, Fault, serving

MIB = 1 << 20


def digests(*paths):
    """Lines with digests, for pairs of (path in the entry, file)."""
    return [f"fsverity {fsverity(file)} {path}" for path, file in paths]


FIRST_SLOT = 0x10


def mac_address(number):
    return bytes([0x52, 0x54, 0, 0x12, 0x34, number])


def nic(number, folder=None):
    """A network device without iPXE's option ROM, so that the firmware's own PXE and HTTP drivers use it."""
    tftp = f",tftp={folder},bootfile=dir/kexecx64.efi" if folder else ""
    return ["-netdev", f"user,id=net{number}{tftp}", "-device",
            f"virtio-net-pci,netdev=net{number},romfile=,addr={FIRST_SLOT + number:x},mac={mac_address(number).hex(':')}"]


def tftp_folder(folder, files):
    """Writes the files that a TFTP server offers."""
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    return folder


def loader_lines(log):
    """(errors, warnings) of each start of the loader."""
    return [(lines.errors(part), lines.warnings(part)) for part in re.split(r"^kexec: kexec-efi \S+$", log, flags=re.M)[1:]]


def assert_refused(attempt, pattern):
    errors, warnings = attempt
    assert len(errors) == 1 and re.fullmatch(pattern, errors[0]), errors
    assert not warnings


@pytest.fixture
def empty_disk(tmp_path):
    disk = tmp_path / "empty.img"
    with open(disk, "wb") as file:
        file.truncate(MIB)
    return disk


# --- PXE ---

ALL_DIGESTS = digests(("/debian/vmlinuz", kernel()), ("initrd", INITRD)) if kernel().exists() and INITRD.exists() else []

# The files beside the image, and the line of the refusal. The last one boots.
PXE_FOLDERS = [
    ({}, r"kexecx64\.conf: cannot open: expected the size of dir/kexecx64\.conf by TFTP, found TFTP error \d: .*"),
    ({"dir/kexecx64.conf": entry("/debian/vmlinuz", ["initrd"])},
     r"/debian/vmlinuz: comes over the network: expected a digest \(fsverity or sha256\), Secure Boot on, or \"network trust\" "
     r"in kexecx64\.conf, found none"),
    ({"dir/kexecx64.conf": entry("/debian/vmlinuz", ["initrd"], extra=["verbose yes", *ALL_DIGESTS]),
      "debian/vmlinuz": kernel(), "dir/initrd": IMAGE},
     r"initrd: fsverity mismatch: expected \w{64}, found \w{64}"),
    ({"dir/kexecx64.conf": entry("/debian/vmlinuz", ["initrd"], extra=["verbose yes", *ALL_DIGESTS]),
      "debian/vmlinuz": kernel(), "dir/initrd": INITRD}, None),
]


def test_pxe(tmp_path, empty_disk):
    """Each network device has its own server. The loader refuses its files, and the firmware tries the next device."""
    devices, entries = [], []
    for number, (contents, _) in enumerate(PXE_FOLDERS):
        folder = tftp_folder(tmp_path / f"tftp{number}", {"dir/kexecx64.efi": IMAGE, **contents})
        devices += nic(number, folder)
        entries.append(varstore.pxe_option(f"pxe{number}", FIRST_SLOT + number, mac_address(number)))
    store = varstore.boot_options(machine.OVMF.variables, tmp_path / "vars.fd", entries)
    with machine.Machine(empty_disk, variables=store, boot_order=True, extra=devices) as guest:
        guest.expect("Linux version", timeout=4 * machine.TIMEOUT)  # after several boots
        report = wait_for_report(guest)
    attempts = loader_lines(guest.log.split("Linux version")[0])
    assert len(attempts) == len(PXE_FOLDERS)
    for attempt, (_, pattern) in zip(attempts[:-1], PXE_FOLDERS):
        assert_refused(attempt, pattern)
    assert attempts[-1] == ([], [])
    assert "kexec: network: files come from tftp://10.0.2.2/dir/" in guest.log
    assert report["cmdline"] == DEFAULT_OPTIONS
    assert len(guest.log.split("verified ")) == 2


# --- HTTP ---

# name: (how the server sends the initrd, the line of the refusal)
HTTP_FAULTS = {
    "missing": (Fault(status=404), r"initrd: expected HTTP status 200, found 404"),
    "redirect": (Fault(status=302), r"initrd: expected HTTP status 200, found 302: a redirect, .*"),
    "chunked": (Fault(chunked=True), r"initrd: expected a Content-Length, found a Transfer-Encoding: .*"),
    "short": (Fault(sends=HALF), r"initrd: ends early: expected 2000000 bytes, found 1875000"),
    "reset": (Fault(sends=HALF, ends="reset"), r"initrd: (ends early|cannot read): expected \d+ bytes, found .*"),
    "stall": (Fault(sends=HALF, ends="stall"), r"initrd: cannot read: expected \d+ bytes, found TIMEOUT"),
    "long": (Fault(extra=1000), r"initrd: changed while it was read: expected 2000000 bytes, found 2001000"),
    "changed": (Fault(tag=["one", "two"]), r"initrd: changed while it was read: expected the ETag of before, found another"),
    "changed between retries": (Fault(times=1, sends=HALF, tag=["one", "one", "two"]),
                                r"initrd: changed while it was read: expected the ETag of before, found another"),
    "no ranges": (Fault(times=1, sends=HALF, ranges=False), r"initrd: expected HTTP status 206, found 200.*"),
}


def http_files(name, fault, initrd=bytes(2000000)):
    """A server's files for the boot `name`: an image, its entry, and an initrd."""
    folder = "/" + name.replace(" ", "%20")
    return {f"{folder}/kexecx64.efi": (IMAGE, Fault(times=0)),
            f"{folder}/kexecx64.conf": (entry("/vmlinuz", ["initrd"], extra=["verbose yes", "network trust"]), Fault(times=0)),
            f"{folder}/initrd": (initrd, fault)}


def http_store(tmp_path, urls):
    entries = [(url.split("/")[3], url, b"") for url in urls]
    return varstore.boot_options(machine.OVMF.variables, tmp_path / "vars.fd", entries)


@pytest.mark.parametrize("names", [("missing", "reset", "changed between retries"),
                                   pytest.param([*HTTP_FAULTS], marks=pytest.mark.matrix)], ids=["three", "all"])
def test_http(tmp_path, empty_disk, names):
    """One boot entry for each fault: the loader prints one line, and the firmware tries the next entry. The last one
    boots, from a server that breaks the connection once, and does not support HEAD."""
    files = {"/vmlinuz": (kernel(), Fault(times=0))}
    for name in names:
        files |= http_files(name, HTTP_FAULTS[name][0])
    files |= http_files("good", Fault(times=2, sends=HALF, head=False), INITRD)
    with serving(files) as server:
        urls = [f"{server.url}/{name}/kexecx64.efi".replace(" ", "%20") for name in [*names, "good"]]
        with machine.Machine(empty_disk, variables=http_store(tmp_path, urls), boot_order=True, extra=nic(0)) as guest:
            guest.expect("Linux version", timeout=4 * machine.TIMEOUT)  # after several boots
            report = wait_for_report(guest)
    attempts = loader_lines(guest.log.split("Linux version")[0])
    assert len(attempts) == len(urls)
    for attempt, name in zip(attempts[:-1], names):
        assert_refused(attempt, HTTP_FAULTS[name][1])
    assert attempts[-1] == ([], [])
    assert report["cmdline"] == DEFAULT_OPTIONS
    ranges = [asked for method, path, asked in server.requests if path == "/good/initrd" and method == "GET"]
    assert ranges[-1].startswith("bytes=") and len(ranges) == 3


# --- wide ---

def small_entry(initrds, *extra):
    return entry("/vmlinuz", initrds, extra=["verbose yes", *extra])


def pxe_machine(tmp_path, disk, folder):
    store = varstore.boot_options(machine.OVMF.variables, tmp_path / "vars.fd",
                                  [varstore.pxe_option("pxe", FIRST_SLOT, mac_address(0))])
    return machine.Machine(disk, variables=store, boot_order=True, memory=1024, extra=nic(0, folder))


@pytest.fixture
def large_initrd(tmp_path):
    """INITRD, padded to 40 MB."""
    large = tmp_path / "large"
    large.write_bytes(INITRD.read_bytes().ljust(40 * MIB, b"\0"))
    return large


@pytest.mark.matrix
def test_forty_megabytes_by_tftp(tmp_path, empty_disk, large_initrd):
    conf = small_entry(["large"], *digests(("/vmlinuz", kernel()), ("large", large_initrd)))
    folder = tftp_folder(tmp_path / "tftp", {"dir/kexecx64.efi": IMAGE, "dir/kexecx64.conf": conf, "vmlinuz": kernel(),
                                             "dir/large": large_initrd})
    with pxe_machine(tmp_path, empty_disk, folder) as guest:
        # The firmware's callback reports the progress, although it reads the file in one call.
        guest.expect(r"large: +\d\d? %, \d+ MB/s")
        wait_for_report(guest)
    assert loader_lines(guest.log.split("Linux version")[0]) == [([], [])]


@pytest.mark.matrix
def test_forty_megabytes_by_http(tmp_path, empty_disk, large_initrd):
    conf = small_entry(["/large"], *digests(("/vmlinuz", kernel()), ("/large", large_initrd)))
    files = {"/a/kexecx64.efi": IMAGE, "/a/kexecx64.conf": conf, "/vmlinuz": kernel(), "/large": large_initrd}
    with serving({path: (content, Fault(times=0)) for path, content in files.items()}) as server:
        store = http_store(tmp_path, [f"{server.url}/a/kexecx64.efi"])
        with machine.Machine(empty_disk, variables=store, boot_order=True, memory=1024, extra=nic(0)) as guest:
            guest.expect(r"large: +\d\d? %, \d+ MB/s")
            wait_for_report(guest)
    assert loader_lines(guest.log.split("Linux version")[0]) == [([], [])]


@pytest.mark.matrix
@pytest.mark.parametrize("size, line", [(2000, r"cannot read: expected 1000 bytes, found more: it changed while it was read"),
                                        (500, r"ends early: expected 1000 bytes, found 500")])
def test_file_that_changes_on_a_tftp_server(tmp_path, empty_disk, large_initrd, size, line):
    """The loader asks for all sizes before it reads the first initrd. While it reads that, the second one changes."""
    folder = tftp_folder(tmp_path / "tftp", {"dir/kexecx64.efi": IMAGE, "vmlinuz": kernel(), "dir/large": large_initrd,
                                             "dir/small": bytes(1000),
                                             "dir/kexecx64.conf": small_entry(["large", "small"], "network trust")})
    with pxe_machine(tmp_path, empty_disk, folder) as guest:
        guest.expect(r"large: +\d\d? %, \d+ MB/s")
        (folder / "dir/small").write_bytes(bytes(size))
        guest.expect(r"BdsDxe: failed to start Boot00A0 ")
    attempt, = loader_lines(guest.log)
    assert_refused(attempt, "small: " + line)


@pytest.mark.matrix
def test_disk_that_http_boot_has_fetched(tmp_path, empty_disk):
    """The firmware makes a RAM disk of it, whose volume the loader reads like any other."""
    disk = tmp_path / "disk.img"
    with open(disk, "wb") as file:
        file.truncate(24 * MIB)
    (tmp_path / "conf").write_bytes(small_entry(["/initrd"]))
    for command in (["mformat", "-i", disk, "-T", str(24 * MIB // 512), "::"],
                    ["mmd", "-i", disk, "::EFI", "::EFI/BOOT"],
                    ["mcopy", "-i", disk, IMAGE, "::EFI/BOOT/BOOTX64.EFI"],
                    ["mcopy", "-i", disk, tmp_path / "conf", "::EFI/BOOT/BOOTX64.conf"],
                    ["mcopy", "-i", disk, kernel(), "::vmlinuz"], ["mcopy", "-i", disk, INITRD, "::initrd"]):
        subprocess.run(command, check=True, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})
    with serving({"/a/disk.img": (disk, Fault(times=0))}) as server:
        store = http_store(tmp_path, [f"{server.url}/a/disk.img"])
        with machine.Machine(empty_disk, variables=store, boot_order=True, memory=1024, extra=nic(0)) as guest:
            wait_for_report(guest)
    assert loader_lines(guest.log.split("Linux version")[0]) == [([], [])]
    assert "kexec: network:" not in guest.log
