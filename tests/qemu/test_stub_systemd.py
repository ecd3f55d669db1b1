# SPDX-License-Identifier: BSD-2-Clause
"""systemd in the initrd of a unified image: its conditions, units and tools recognise the measurements, and the TPM
opens a disk only then."""

import re

import pytest

import systemd_tools
from conftest import IMAGE, SYSTEMD_KERNEL, Report, entry, kernel
from kexec_efi_test import esp, uki
from kexec_efi_test.machine import BUILD, FIRMWARE
from systemd_tools import BANKS, SECRET, calculate, extended, sections_of, sign, signed_value, ukify
from test_boot import packed

OPTIONS = "console=ttyS0 rd.systemd.unit=initrd-report.target test.word=one"

# What bootctl 252 and 257 print about the booted stub, or about a loader that has booted an entry.
BOOTED_BY = {"systemd": r"(?:Stub: |Current Stub:\nProduct: )systemd-stub 257\S+",
             "ours": r"(?:Stub: |Current Stub:\nProduct: )kexec-efi [0-9.]+",
             "entry": r"Current Boot Loader:\nProduct: kexec-efi [0-9.]+"}

# The partition of the encrypted disk, behind the ESP.
VOLUME_UUID = "c0ffee03-1234-5678-9abc-def012345678"
LINUX_TYPE = "0fc63daf-8483-4772-8e79-3d69d8477de4"

matrix = pytest.mark.matrix


class Setup:
    """A TPM whose state survives from boot to boot, a disk that it opens, and the key whose signatures it accepts."""

    def __init__(self, boot, folder):
        self._boot = boot
        self.folder = folder
        self.key = systemd_tools.make_key(folder)
        self.volume, self.state = systemd_tools.make_volume(folder, self.key[1])

    def report(self, contents):
        """The report of a system that has booted from these files."""
        disk = esp.Partition({}, LINUX_TYPE, VOLUME_UUID, "volume", content=self.volume)
        guest = self._boot(contents, more=[disk], firmware=FIRMWARE["trixie"], tpm="tpm-crb", tpm_state=self.state,
                           memory=1024)
        guest.expect(r"^report: done$")
        # The next machine can use the TPM only after this one has released it.
        guest.wait()
        return Report(guest.log)

    def report_of_image(self, image):
        return self.report({"/EFI/BOOT/BOOTX64.EFI": image})


@pytest.fixture
def setup(boot, tmp_path):
    return Setup(boot, tmp_path)


def initrd_of(system, *more):
    # Linux does not look for an uncompressed archive behind a compressed one.
    return b"".join(more) + (BUILD / f"systemd-{system}.cpio.zst").read_bytes()


def sections(system="newer", more=(), options=OPTIONS):
    return {".linux": kernel(SYSTEMD_KERNEL), ".initrd": initrd_of(system, *more), ".cmdline": options.encode(),
            ".osrel": b"ID=test\nVERSION_ID=1\n", ".uname": b"6.1.0-test"}


def check_measured(report, folder, measured, booted_by):
    """Asserts everything that systemd does only for a measured image."""
    assert {bank: report[f"pcr-{bank}-11"].lower() for bank in BANKS} == calculate(folder, measured, "enter-initrd")
    # Version 252 has neither this condition nor this line: its units check the variable themselves.
    knows_measured = int(report["systemd"].split()[1]) >= 255
    assert report["measured-uki"] == ("0" if knows_measured else "1")
    assert dict(pair.split("=") for pair in report["pcrphase"].split()) == \
        {"ActiveState": "active", "Result": "success", "ConditionResult": "yes"}
    status = "\n".join(line[len("bootctl "):] for line in report.lines if line.startswith("bootctl "))
    assert bool(re.search("^Measured UKI: yes$", status, re.MULTILINE)) == knows_measured
    assert re.search(f"^{BOOTED_BY[booted_by]}$", status, re.MULTILINE), status


@pytest.mark.parametrize("stub, system", [pytest.param("systemd", "newer", marks=matrix),
                                          pytest.param("systemd", "own", marks=matrix),
                                          pytest.param("ours", "own", marks=matrix)])
def test_system_knows_that_it_was_measured(setup, tmp_path, stub, system):
    """This machine's Debian, and Debian 13 with its own stub. The tests below cover Debian 13 with our stub."""
    image = ukify(tmp_path, stub, sections(system))
    report = setup.report_of_image(image)
    check_measured(report, tmp_path, sections_of(image.read_bytes()), stub)


def opens(report):
    """Whether the system has read the disk. If not, the reason must be that no signature matches the registers."""
    if report["volume"] == SECRET:
        return True
    assert report["volume"] == ""
    assert any("find signature for this PCR bank, PCR index and public key" in line for line in report.lines
               if line.startswith("attach ")), report.lines
    return False


@pytest.mark.matrix
def test_disk(setup, tmp_path):
    """A unified image, and the same kernel beside our image with another initrd, both signed by the same key. With
    another command line the disk stays closed."""
    image = ukify(tmp_path, "ours", sections(), setup.key)
    report = setup.report_of_image(image)
    check_measured(report, tmp_path, sections_of(image.read_bytes()), "ours")
    assert opens(report)

    measured = {".linux": kernel(SYSTEMD_KERNEL), ".cmdline": OPTIONS.encode(),
                ".initrd": initrd_of("newer", packed(tmp_path, "generation", b"second")), ".pcrpkey": setup.key[1]}
    contents = {"/EFI/BOOT/BOOTX64.EFI": IMAGE, "/vmlinuz": kernel(SYSTEMD_KERNEL), "/initrd": measured[".initrd"],
                "/pcrsig": sign(tmp_path, measured, setup.key), "/pcrpkey": setup.key[1]}
    keys = ("measure uki", "pcrsig /pcrsig", "pcrpkey /pcrpkey", "verbose yes")
    report = setup.report({**contents, "/EFI/BOOT/BOOTX64.conf": entry(options=OPTIONS, extra=keys)})
    check_measured(report, tmp_path, measured, "entry")
    assert report["generation"] == "second"
    assert opens(report)

    report = setup.report({**contents, "/EFI/BOOT/BOOTX64.conf": entry(options=OPTIONS.replace("one", "two"), extra=keys)})
    assert report["generation"] == "second"
    assert not opens(report)


def second_initrd(folder, stub, key):
    return ukify(folder, stub, sections(more=[packed(folder, "generation", b"second")]), key)


def other_command_line(folder, stub, key):
    """The same signature, but one word of the command line changed."""
    image = ukify(folder, stub, sections(), key)
    content = bytearray(image.read_bytes())
    offset, size = uki.section(content, ".cmdline")
    content[offset:offset + size] = OPTIONS.replace("one", "two").encode()
    image.write_bytes(content)
    return image


def other_order(folder, stub, key):
    """The signature covers a value of the register with the sections in the order of the file."""
    parts = {**sections(), ".pcrpkey": key[1]}
    unsigned = ukify(folder, stub, parts, output="unsigned.efi").read_bytes()
    found = sections_of(unsigned)
    in_file = sorted(found.items(), key=lambda item: uki.section(unsigned, item[0])[0])
    right, wrong = (signed_value(key, extended(items, "enter-initrd")) for items in (found.items(), in_file))
    # In the right order, the value is the one that systemd-measure signs.
    assert wrong != right == sign(folder, found, key)
    (folder / "pcrsig").write_bytes(wrong)
    return ukify(folder, stub, parts, extra=[f"--section=.pcrsig:@{folder / 'pcrsig'}"])


def other_key(folder, stub, _):
    return ukify(folder, stub, sections(), systemd_tools.make_key(folder, "other"))


@matrix
@pytest.mark.parametrize("stub", ["systemd", "ours"])
@pytest.mark.parametrize("make, expected", [(second_initrd, True), (other_command_line, False), (other_order, False),
                                            (other_key, False)])
def test_disk_and_images(setup, tmp_path, stub, make, expected):
    """Images that open the disk, and images that must not, with systemd's stub and with ours."""
    assert opens(setup.report_of_image(make(tmp_path, stub, setup.key))) is expected
