# SPDX-License-Identifier: BSD-2-Clause
"""Unified images by Debian 13's ukify, with its stub and with ours: the TPM holds what systemd-measure computes.

The differences between the two stubs, by register:
 4  The image, because the stub differs. And the kernel inside: before version 258 systemd's stub passes it to
    LoadImage, which measures it; our stub never does.
 9  None: the command line and the initrd, as the kernel's own EFI stub measures them.
11  .sbat, because ukify merges the stub's with the given one.
12, 13  None.
"""

import base64
import hashlib

import pytest

from conftest import DEFAULT_OPTIONS, IMAGE, INITRD, entry, files, kernel, utf16, wait_for_report
from kexec_efi_test import event_log
from kexec_efi_test.machine import FIRMWARE
from systemd_tools import calculate, make_key, sections_of, ukify
from test_boot import packed
from test_measured_boot import authenticode

# A picture of one pixel: BITMAPFILEHEADER, BITMAPINFOHEADER, blue, green, red.
SPLASH = bytes.fromhex("424d3a000000000000003600000028000000010000000100000001001800000000000400000000000000000000000000"
                       "0000000000000102030000")

# The number of unknown sections. Debian 13's stub has no room for 20.
OTHERS = {"systemd": 8, "ours": 20}

MACHINES = {"crb": {"tpm": "tpm-crb", "firmware": FIRMWARE["trixie"]},
            "tis": {"tpm": "tpm-tis", "firmware": FIRMWARE["ovmf"]}}

COMMAND_LINE = f"{DEFAULT_OPTIONS} name=žluťoučký"
SECOND = f"{DEFAULT_OPTIONS} second"

# Event types: TCG PC Client Platform Firmware Profile Specification, 10.4.1
TAG, APPLICATION = 0x6, 0x80000003


@pytest.fixture
def make_image(tmp_path):
    """make_image(stub) -> a unified image with everything that ukify accepts, and two profiles; or without a command
    line and without profiles. The signature is a fake: a real one covers .sbat, and would differ with the stub. The
    initrd contains it nevertheless."""
    _, public = make_key(tmp_path)
    sections = {
        ".linux": kernel(), ".initrd": INITRD, ".uname": b"6.1.0-test",
        ".osrel": b'ID=debian\nVERSION_ID="13"\nPRETTY_NAME="Debian, made by ukify"\n',
        ".ucode": packed(tmp_path, "extra0", b"ucode"), ".splash": SPLASH, ".pcrpkey": public,
        ".sbat": b"sbat,1,SBAT Version,sbat,1,https://example.org\ntest,1,Test,test,1,https://example.org\n"}
    first = {".cmdline": COMMAND_LINE.encode(), ".profile": b"ID=first\nTITLE=First\n"}
    second = ukify(tmp_path, "addon", {".profile": b"ID=second\nTITLE=Second\n", ".cmdline": SECOND.encode()},
                   output="second.efi")

    def make(stub, has_command_line=True):
        others = ["--section=.pcrsig:{}", *[f"--section=.other{number}:{'x' * number}"
                                            for number in range(1, 1 + OTHERS[stub])]]
        if has_command_line:
            others.append(f"--join-profile={second}")
        return ukify(tmp_path, stub, {**sections, **(first if has_command_line else {})}, extra=others,
                     output=f"{stub}.efi")
    return make


def registers(report, *numbers):
    """Register -> bank -> value."""
    keys = {"sha1": "pcr-sha1", "sha256": "pcr", "sha384": "pcr-sha384"}
    return {number: {bank: report[f"{key}-{number}"].lower() for bank, key in keys.items()} for number in numbers}


def foretold(tmp_path, image, profile=0):
    """Register 11 by systemd-measure, in the form of `registers`."""
    return {11: calculate(tmp_path, {**sections_of(image.read_bytes(), profile), ".linux": kernel()})}


def events(report, *numbers):
    """The events of these registers: register, type, digest, description."""
    return [event for event in event_log.parse(base64.b64decode(report["event-log"])) if event.pcr in numbers]


def applications(report):
    """The digests of the started images, from register 4."""
    return [event.sha256.hex() for event in events(report, 4) if event.kind == APPLICATION]


def variables(report):
    """The variables that systemd reads: registers, and the profile."""
    return sorted(line for line in report.lines if line.startswith(("StubPcr", "StubProfile ")))


def without_sbat(logged):
    """The events, without .sbat, which must differ."""
    name = utf16(".sbat")
    return [event for event in logged if (event.pcr, event.content) != (11, name)]


class Case:
    """Load options, whether the image has its own command line, and the results: command line, number of the profile,
    and number of events in register 12."""

    def __init__(self, options, has_command_line, command_line, profile, added):
        self.options = utf16(options) if options else b""
        self.has_command_line = has_command_line
        self.command_line = command_line
        self.profile = profile
        self.added = added


CASES = {"plain": Case("", True, COMMAND_LINE, 0, 0),
         "profile": Case("@1", True, SECOND, 1, 1),
         "options": Case(COMMAND_LINE, False, COMMAND_LINE, 0, 1)}


@pytest.mark.parametrize("machine, name", [
    ("crb", "plain"), *[pytest.param(*place, marks=pytest.mark.matrix)
                        for place in (("tis", "plain"), ("crb", "profile"), ("crb", "options"))]])
def test_as_with_systemds_stub(boot, boot_options, make_image, tmp_path, machine, name):
    """Both stubs, on the same machine. Only the image on the disk differs."""
    case = CASES[name]
    reports, images = {}, {}
    for stub in ("systemd", "ours"):
        images[stub] = make_image(stub, case.has_command_line)
        guest = boot({"/x.efi": images[stub]}, **MACHINES[machine], **boot_options(("image", "\\x.efi", case.options)))
        report = reports[stub] = wait_for_report(guest)
        assert report["payload"] == "payload: OK"
        assert report["cmdline"] == case.command_line
        assert registers(report, 11) == foretold(tmp_path, images[stub], case.profile)
        assert len(events(report, 12)) == case.added
    ours, systemds = reports["ours"], reports["systemd"]
    assert registers(ours, 9, 12, 13) == registers(systemds, 9, 12, 13)
    assert without_sbat(events(ours, 9, 11, 12, 13)) == without_sbat(events(systemds, 9, 11, 12, 13))
    assert applications(ours) == [authenticode(images["ours"].read_bytes())]
    assert applications(systemds) == [authenticode(images["systemd"].read_bytes()), authenticode(kernel().read_bytes())]
    # systemd's stub 257 deletes the variable for register 12 if there are no credentials, even if it has extended 12.
    missing = {"StubPcrKernelParameters 12"} if case.added else set()
    assert set(variables(ours)) - set(variables(systemds)) == missing and set(variables(systemds)) <= set(variables(ours))


@pytest.mark.matrix
@pytest.mark.parametrize("machine", ["tis", "crb"])
def test_image_that_an_entry_names(boot, make_image, tmp_path, machine):
    """The same registers, except that our own image is in register 4 as well."""
    image = make_image("systemd")
    report = wait_for_report(boot(files({"/x.efi": image}, conf=entry("/x.efi", (), None)), **MACHINES[machine]))
    assert report["cmdline"] == COMMAND_LINE and report["payload"] == "payload: OK"
    assert registers(report, 11) == foretold(tmp_path, image)
    assert applications(report) == [authenticode(IMAGE.read_bytes()), authenticode(image.read_bytes())]
    command_line, initrd = events(report, 9)
    assert command_line.sha256 == hashlib.sha256(utf16(COMMAND_LINE)).digest()
    assert (command_line.kind, initrd.kind) == (TAG, TAG)
    assert events(report, 12, 13) == []
    assert report["StubPcrKernelImage"] == "11"
