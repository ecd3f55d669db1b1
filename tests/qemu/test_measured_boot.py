# SPDX-License-Identifier: BSD-2-Clause
"""Measured boot: in the end the TPM holds the values that predict-pcrs has computed from the files."""

import base64
import hashlib
import json
import re
import struct
import subprocess

import pytest

import lines
from conftest import DEFAULT_OPTIONS, HERE, IMAGE, INITRD, entry, files, kernel, utf16, wait_for_report
from difficult import DIFFICULT, assert_refused, attempts, difficult
from kexec_efi_test import event_log
from kexec_efi_test.machine import BUILD, FIRMWARE
from kexec_efi_test.signing import certificates, with_one_bit_flipped, without_signature
from pcrlock import Pcrlock
from test_refusals import expect_refusal
from test_sealed import seal
from test_secure_boot import OLD_SHIM, Platform, boot_entries

PREDICT = HERE.parents[1] / "tools/predict-pcrs"
MEASURED = ["4", "9", "11", "12", "13"]
APPLICATION = 0x80000003
SEPARATOR = 4


def predict(*arguments, bank="sha256"):
    """Register -> value, by predict-pcrs."""
    lines = subprocess.run([PREDICT, f"--bank={bank}", *arguments], check=True, stdout=subprocess.PIPE,
                           text=True).stdout.splitlines()
    return {register: value for _, register, _, value in map(str.split, lines)}


@pytest.fixture
def root(tmp_path):
    """A folder with the files of every test, for predict-pcrs."""
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "vmlinuz").symlink_to(kernel())
    (folder / "initrd").symlink_to(INITRD)
    (folder / "initrd2").write_bytes(b"\0" * 513)
    return folder


def registers(report, bank="sha256"):
    where = "pcr" if bank == "sha256" else f"pcr-{bank}"
    return {register: report[f"{where}-{register}"].lower() for register in MEASURED}


def replayed(report, bank="sha256"):
    """Register -> value, replayed from Linux's log: the firmware's, which the loader has passed on."""
    algorithm = next(number for number, name in event_log.BANKS.items() if name == bank)
    values = event_log.replay(event_log.parse(base64.b64decode(report["event-log"])), algorithm)
    return {register: values.get(int(register), bytes(hashlib.new(bank).digest_size)).hex() for register in MEASURED}


def lock(components, *which):
    """Adds the boot to the components of systemd-pcrlock."""
    subprocess.run([PREDICT.with_name("pcrlock"), f"--out={components}", *which], check=True, stdout=subprocess.DEVNULL)


def expect_predicted(report, *which):
    """Asserts that the registers have the values of the log and of predict-pcrs."""
    for bank in ("sha1", "sha256", "sha384"):
        assert registers(report, bank) == replayed(report, bank)
        assert registers(report, bank) == predict(*which, bank=bank)


def expect_recognised(report, components, locked=(4, 9, 11, 12)):
    """Asserts that systemd-pcrlock knows each event, and predicts the guest's registers."""
    pcrlock = Pcrlock(base64.b64decode(report["event-log"]), components)
    assert pcrlock.unrecognised(locked) == []
    predicted = pcrlock.predicted(locked)
    for bank in ("sha1", "sha256", "sha384"):
        for register in locked:
            assert registers(report, bank)[str(register)] in predicted[bank][register]


# A signature of register values, which systemd finds in the initrd.
SIGNED = {"/signature": b'{"sha256":[]}', "/key": b"-----BEGIN PUBLIC KEY-----\n"}
AS_IMAGE = ["verbose yes", "measure uki", "pcrsig /signature", "pcrpkey /key"]


@pytest.mark.parametrize("tpm, firmware, extra", [
    ("tpm-crb", "trixie", ["verbose yes"]), pytest.param("tpm-tis", "ovmf", AS_IMAGE, marks=pytest.mark.matrix)])
def test_registers_are_as_predicted(boot, root, tmp_path, tpm, firmware, extra):
    """Two initrds with a gap between them, and a command line that is not ASCII; as an entry, and as a unified image."""
    conf = tmp_path / "my.conf"
    conf.write_bytes(entry(initrds=["/initrd2", "/initrd"], options=f"{DEFAULT_OPTIONS} name=žluťoučký", extra=extra))
    for path, content in SIGNED.items():
        (root / path[1:]).write_bytes(content)
    guest = boot(files({"/initrd2": root / "initrd2", **SIGNED}, conf=conf.read_bytes()), firmware=FIRMWARE[firmware], tpm=tpm)
    report = wait_for_report(guest)
    expect_predicted(report, "--image", IMAGE, "--entry", conf, "--root", root)
    other = tmp_path / "other.conf"
    other.write_bytes(entry(initrds=["/initrd"]))
    components = tmp_path / "components"
    lock(components, "--image", IMAGE, "--entry", other, "--root", root)
    log = base64.b64decode(report["event-log"])
    unrecognised = [register for register, _ in Pcrlock(log, components).unrecognised([4, 9, 11, 12])]
    assert unrecognised == [4, 4, *([11] * 8 if extra is AS_IMAGE else []), 12, 9, 12, *([] if extra is AS_IMAGE else [11])]
    lock(components, "--image", IMAGE, "--entry", conf, "--root", root)
    expect_recognised(report, components)
    for what in ("kernel", "entry", "initrd", "command line"):
        guest.expect(rf"^kexec: measured the {what} into PCR \d+$")
    for name, content in (("signature.json", SIGNED["/signature"]), ("public-key.pem", SIGNED["/key"])):
        assert (f" .extra/tpm2-pcr-{name} {hashlib.sha256(content).hexdigest()};" in report["stub-files"]) == \
            (extra is AS_IMAGE)


def with_a_gap(image):
    """A kernel whose header ends .text 512 bytes early; only LoadImage would complain. Returns it, and the end of the
    gap."""
    headers = int.from_bytes(image[0x3c:0x40], "little")
    table = headers + 24 + int.from_bytes(image[headers + 20:headers + 22], "little")
    section = image.index(b".text\0\0\0", table)
    size, start = struct.unpack_from("<II", image, section + 16)
    gapped = bytearray(image)
    struct.pack_into("<I", gapped, section + 16, size - 512)
    return bytes(gapped), start + size


def authenticode(image):
    ranges = json.loads(subprocess.run([BUILD / "inspect", "image", "kernel"], input=image, check=True,
                                       stdout=subprocess.PIPE).stdout)["authenticode"]
    return hashlib.sha256(b"".join(image[start:end] for start, end in ranges)).hexdigest()


def test_gap_in_a_kernel_is_measured(boot, tmp_path):
    """Authenticode skips bytes that will run. So the loader measures the whole file, and each bit changes the register."""
    gapped, end = with_a_gap(kernel().read_bytes())
    changed = with_one_bit_flipped(gapped, end - 1)
    assert authenticode(gapped) == authenticode(changed)
    (tmp_path / "initrd").symlink_to(INITRD)
    (tmp_path / "entry").write_bytes(entry())
    found = []
    for image in gapped, changed:
        (tmp_path / "vmlinuz").write_bytes(image)
        report = wait_for_report(boot(files({"/vmlinuz": image}), tpm="tpm-crb"))
        assert registers(report) == predict("--image", IMAGE, "--entry", tmp_path / "entry", "--root", tmp_path)
        events = event_log.parse(base64.b64decode(report["event-log"]))
        assert [event.sha256 for event in events if event.pcr == 4][-1] == hashlib.sha256(image).digest()
        found.append(registers(report)["4"])
    assert found[0] != found[1]


@pytest.mark.parametrize("name", ["trixie-snakeoil", pytest.param("trixie-ms", marks=pytest.mark.matrix)])
def test_kernel_that_was_verified_is_measured_once(boot, tmp_path, name):
    """The platform (firmware or shim) measures the kernel into register 4 when the loader asks about it. The loader
    adds nothing."""
    platform = Platform(name, tmp_path)
    image = platform.key.sign(IMAGE)
    signed = platform.key.sign(kernel())
    guest = boot_entries(boot, platform, {"signed": (image, entry())}, {"/vmlinuz": signed, "/initrd": INITRD},
                         tpm="tpm-crb")
    report = wait_for_report(guest)
    (tmp_path / "vmlinuz").write_bytes(signed)
    (tmp_path / "initrd").symlink_to(INITRD)
    (tmp_path / "image").write_bytes(image)
    (tmp_path / "entry").write_bytes(entry())
    predicted = predict("--image", tmp_path / "image", "--entry", tmp_path / "entry", "--root", tmp_path)
    events = event_log.parse(base64.b64decode(report["event-log"]))
    assert [event.sha256.hex() for event in events if event.pcr == 4][-1] == authenticode_of(signed)
    assert [event.sha256.hex() for event in events].count(authenticode_of(signed)) == 1
    # Shim runs before the image. predict-pcrs does not know about it, so register 4 differs.
    compared = MEASURED[1:] if platform.has_shim else MEASURED
    assert {register: registers(report)[register] for register in compared} == \
        {register: predicted[register] for register in compared}
    assert "measured the kernel" not in guest.log


def test_kernel_that_an_old_shim_has_measured(boot, tmp_path):
    """Old shim measures the kernel, then the key that verified it, so the kernel is not the log's last event."""
    platform = Platform("trixie-snakeoil", tmp_path)
    signed = {f"/{name}.efi": platform.key.sign(image) for name, image in (("shim", OLD_SHIM), ("kexec", IMAGE))}
    known = without_signature(kernel().read_bytes()) + b"old shim knows this kernel"
    options = utf16(f"linux=/vmlinuz initrd=/initrd verbose -- {DEFAULT_OPTIONS}")
    guest = boot({**signed, "/vmlinuz": known, "/initrd": INITRD}, firmware=platform.firmware, tpm="tpm-crb",
                 variables=platform.variables([("known", "\\shim.efi", options)]), boot_order=True)
    report = wait_for_report(guest)
    events = event_log.parse(base64.b64decode(report["event-log"]))
    applications = [index for index, event in enumerate(events) if (event.pcr, event.kind) == (4, APPLICATION)]
    assert len(applications) == len(["shim", "kexec", "vmlinuz"])
    assert events[applications[-1] + 1].pcr == 7
    assert registers(report)["4"] == event_log.replay(events)[4].hex()
    guest.expect(r"^kexec: measured the entry into PCR 12$")
    assert "measured the kernel" not in guest.log


def test_log_that_tells_less(boot, tmp_path):
    """A log in the format of TPM 1.2 shows the kernel as well. The others do not: a full log, or one that cannot be
    read before the platform sees the kernel (the first look) or afterwards. Then the loader assumes that the kernel was
    measured, which is true here."""
    platform = Platform("trixie-snakeoil", tmp_path)
    signed = platform.key.sign(without_signature(kernel().read_bytes()))
    changes = {"/EFI/BOOT/BOOTX64.EFI": platform.key.sign(DIFFICULT), "/app.efi": platform.key.sign(IMAGE),
               "/vmlinuz": signed}
    faults = ["tpm-log-old", "tpm-log-stands", "tpm-log-torn 1", "tpm-log-torn 2", "tpm-log-error 2", "tpm-log-error 1"]
    guest = boot(difficult(*(f"{fault}\n{fault}" for fault in faults), changes=changes), firmware=platform.firmware,
                 tpm="tpm-crb")
    report = wait_for_report(guest)
    found = attempts(guest.log)
    assert [(attempt.name, attempt.fired, bool(attempt.exits)) for attempt in found] == \
        [(fault, True, True) for fault in faults]
    assert "the firmware had no room for all events" in found[1].text
    for attempt in found:
        for what in ("entry into PCR 12", "initrd into PCR 9", "command line into PCR 12"):
            assert f"measured the {what}" in attempt.text
        assert "measured the kernel" not in attempt.text
    # In each run the platform measured the kernel once.
    events = event_log.parse(base64.b64decode(report["event-log"]))
    assert [event.sha256.hex() for event in events].count(authenticode_of(signed)) == len(faults)
    assert registers(report)["4"] == event_log.replay(events)[4].hex()


def authenticode_of(image):
    """The Authenticode digest, computed by another program: sbsign stored it in the signature."""
    _, offset, _ = certificates(image)
    digest_info = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
    start = image.index(digest_info, offset) + len(digest_info)
    return image[start:start + 32].hex()


def confidential(boot, boot_options, load_options):
    conf = entry(extra=[])
    contents = {"/cc.efi": BUILD / "confidential.efi", "/cc.conf": conf, "/kexec.efi": IMAGE, "/vmlinuz": kernel(),
                "/initrd": INITRD}
    return conf, boot(contents, **boot_options(("guest", "\\cc.efi", load_options)))


def test_confidential_guest(boot, boot_options):
    """The machine has no TPM, but the registers of a confidential guest."""
    conf, guest = confidential(boot, boot_options, b"")
    assert wait_for_report(guest)["payload"] == "payload: OK"
    measured = [(2, 0x80000003, 0x10, 32, kernel().read_bytes()), (3, 6, 0, 24, conf + b"\n"),
                (3, 6, 0, 21, INITRD.read_bytes()), (3, 0xd, 0, len(utf16(DEFAULT_OPTIONS)), utf16(DEFAULT_OPTIONS)),
                (3, SEPARATOR, 0, 4, bytes(4))]
    start = 0
    for register, kind, flags, size, content in measured:
        digest = hashlib.sha256(content).hexdigest()
        start = guest.expect(rf"^kexec: cc: register {register} type {kind:#x} flags {flags:#x} event of {size} bytes: "
                             rf"sha256 {digest}$", start=start).end()


def test_measuring_that_fails_is_a_warning(boot, boot_options):
    """The boot does not require measurements."""
    _, guest = confidential(boot, boot_options, utf16("fail"))
    assert wait_for_report(guest)["payload"] == "payload: OK"
    failed = [("kernel", 4), ("entry", 12), ("initrd", 9), ("command line", 12), ("separator", 11)]
    warnings = [warning for warning in lines.warnings(guest.log) if not warning.startswith("load options ignored")]
    assert warnings == [
        *(f"CC: cannot measure the {what} into PCR {register}: DEVICE_ERROR; it cannot be capped either"
          for what, register in failed),
        *(f"PCR {register} is not measured and cannot be capped: this boot can give it the value of any other"
          for register in (4, 9, 11, 12))]


EXTENDED = "kernel", "entry", "initrd", "command line", "separator"


def extended(*contents):
    value = bytes(32)
    for content in contents:
        value = hashlib.sha256(value + hashlib.sha256(content).digest()).digest()
    return value.hex()


def test_register_of_what_was_not_measured_is_capped(boot):
    """The cap is in the register, so no initrd can extend it to a predicted value."""
    registers_in_order = [4, 12, 9, 12, 11]
    faults = [f"tpm-extend-error {number}" for number in range(1, 1 + len(registers_in_order))]
    guest = boot(difficult(*(f"{fault}\n{fault}" for fault in faults)), firmware=FIRMWARE["trixie"], tpm="tpm-crb")
    report = wait_for_report(guest)
    failing = attempts(guest.log)
    assert [(attempt.name, attempt.fired, bool(attempt.exits)) for attempt in failing] == \
        [(fault, True, True) for fault in faults]
    for attempt, register in zip(failing, registers_in_order):
        warning, = [line for line in attempt.warnings if line.startswith("TPM: ")]
        assert re.fullmatch(rf"TPM: cannot measure the .* into PCR {register}: DEVICE_ERROR; the register is capped",
                            warning)
    events = event_log.parse(base64.b64decode(report["event-log"]))
    assert [event.pcr for event in events if (event.kind, event.content) == (SEPARATOR, b"\1\0\0\0")] == \
        registers_in_order
    assert registers(report) == replayed(report)


@pytest.mark.parametrize("number", [2, pytest.param(3, marks=pytest.mark.matrix)])
def test_register_that_lacks_a_measurement(boot, root, tmp_path, number):
    """An error event is in the register, so no extension leads to a predicted value. Later measurements are made
    nevertheless."""
    conf = tmp_path / "my.conf"
    conf.write_bytes(entry())
    guest = boot(difficult(f"one\ntpm-extend-error {number}"), firmware=FIRMWARE["trixie"], tpm="tpm-crb")
    found = registers(wait_for_report(guest))
    assert attempts(guest.log)[0].fired
    predicted = predict("--image", IMAGE, "--entry", conf, "--root", root)
    error = b"\1\0\0\0"
    lacking = {"12": extended(error, utf16(DEFAULT_OPTIONS))} if number == 2 else {"9": extended(error)}
    # difficult.efi ran before the image.
    del found["4"], predicted["4"]
    assert found == {**predicted, **lacking} != predicted


def difficult_and_sealed(tmp_path, root, *runs):
    conf = tmp_path / "sealed.conf"
    conf.write_bytes(entry())
    image = seal(tmp_path, "--entry", conf, "--root", root)
    return difficult(*runs, changes={"/app.efi": image, "/app.conf": None})


def test_sealed_image_and_registers_that_stay_open(boot, root, tmp_path):
    """Refused if a register is neither measured nor capped. With one failure that a cap repairs, and without failures,
    it boots."""
    runs = ["breaks\nsweep tpm-extend-breaks", "error\nsweep tpm-extend-error", "everything\ntpm-error", "nothing"]
    guest = boot(difficult_and_sealed(tmp_path, root, *runs), firmware=FIRMWARE["trixie"], tpm="tpm-crb")
    report = wait_for_report(guest)
    found = attempts(guest.log)
    breaks, error, everything, nothing = ([attempt for attempt in found if attempt.name == name]
                                          for name in ("breaks", "error", "everything", "nothing"))
    for attempt in (*breaks[:-1], *everything):
        assert_refused(attempt)
        assert attempt.status == "ACCESS_DENIED"
    assert [attempt.errors[0] for attempt in breaks[:-1]] == [
        f"sealed entry: expected PCR {register} measured, or at least capped, found neither"
        for register in (4, 9, 9, 12, 11)]
    assert [bool(attempt.exits) for attempt in error] == [True] * (len(EXTENDED) + 1)
    for attempt, what in zip(error, EXTENDED):
        assert [warning for warning in attempt.warnings if f"cannot measure the {what} into PCR" in warning], attempt
    assert breaks[-1].exits and nothing[-1].exits
    assert not [warning for warning in nothing[-1].warnings if "PCR" in warning]
    # The log has the measurements of all runs.
    assert registers(report) == replayed(report)


def test_required_measurements(boot):
    """Each measurement is required; a cap does not suffice. The TPM need not report its capabilities. The twin has no
    fault."""
    runs = ["error\nsweep tpm-extend-error", "everything\ntpm-error", "capability\ntpm-error 1", "nothing"]
    conf = entry(extra=["verbose yes", "measure require"])
    guest = boot(difficult(*runs, conf=conf), firmware=FIRMWARE["trixie"], tpm="tpm-crb")
    wait_for_report(guest)
    found = attempts(guest.log)
    refused = [attempt for attempt in found if not attempt.exits]
    assert [(attempt.name, attempt.number) for attempt in refused] == \
        [*(("error", number) for number in range(1, len(EXTENDED) + 1)), ("everything", 0)]
    for attempt, register in zip(refused, (4, 12, 9, 12, 11, 4)):
        assert_refused(attempt)
        assert attempt.errors == [
            f"measure: required by \\app.conf: expected all measurements, found PCR {register} without one"]


def test_required_measurements_without_a_tpm(boot):
    """The twins: all other boots without a TPM, and the test above with one."""
    expect_refusal(boot(files(conf=entry(extra=["measure require"]))),
                   r"measure: required by \\EFI\\BOOT\\BOOTX64.conf: expected a TPM 2.0 or a confidential guest's "
                   r"registers, found neither")
