# SPDX-License-Identifier: BSD-2-Clause
"""Planted variables: each variable that the loader reads, or that tells Linux about this boot, with each form of
attributes. None reaches Linux as if a loader had set it, and none changes which kernel boots.

An image that ran earlier in the same boot plants the variables that it can (plant.c); the variable store has the others
beforehand. A volatile variable that boot services and Linux see does not count as planted: loaders leave such
variables.
"""

import re
import uuid

import pytest

from conftest import DEFAULT_OPTIONS, IMAGE, entry, files, utf16, wait_for_report
from kexec_efi_test import varstore
from kexec_efi_test.machine import BUILD, FIRMWARE
from lines import on_volume
from test_sealed import seal

LOADER = uuid.UUID("4a67b082-0a4c-41cf-b6c7-440b29bb8c4f")
KEXEC = uuid.UUID("5f0a6dd6-9a3e-4c1f-8d46-2c1a1d1b6a10")
SHIM = uuid.UUID("605dab50-e046-4300-abb6-3dd810dd8b23")
SEED = uuid.UUID("1ce1e5bc-7ceb-42f2-81e5-8aadf180f57b")
OVERWRITE = uuid.UUID("e20939be-32d4-41be-a150-897f85d49829")
VENDORS = {"loader": LOADER, "kexec": KEXEC, "shim": SHIM, "seed": SEED, "overwrite": OVERWRITE,
           "global": varstore.GLOBAL_VARIABLE}

# Variables that loaders and stubs set at each start by the specification (systemd 261), and two names that it does not
# define.
REPORTS = ["LoaderBootCountPath", "LoaderDeviceIdentifier", "LoaderDevicePartUUID", "LoaderDeviceURL", "LoaderEntries",
           "LoaderEntrySelected", "LoaderFeatures", "LoaderFirmwareInfo", "LoaderFirmwareType", "LoaderImageIdentifier",
           "LoaderInfo", "LoaderKeyboardLayout", "LoaderRandomSeed", "LoaderSysFailReason", "LoaderTimeExecUSec",
           "LoaderTimeInitUSec", "LoaderTimeMenuUSec", "LoaderTpm2ActivePcrBanks", "StubDevicePartUUID", "StubDeviceURL",
           "StubFeatures", "StubImageIdentifier", "StubInfo", "StubPcrInitRDConfExts", "StubPcrInitRDSysExts",
           "StubPcrKernelImage", "StubPcrKernelParameters", "StubProfile", "LoaderOfTomorrow", "StubOfTomorrow"]
# Variables that belong to the operating system by the specification.
SETTINGS = ["LoaderConfigConsoleMode", "LoaderConfigTimeout", "LoaderConfigTimeoutOneShot", "LoaderEntryDefault",
            "LoaderEntryLastBooted", "LoaderEntryOneShot", "LoaderEntryPreferred", "LoaderEntrySysFail",
            "LoaderSystemToken"]
OURS = {"LoaderInfo", "LoaderFeatures", "LoaderImageIdentifier", "LoaderFirmwareInfo", "LoaderFirmwareType",
        "LoaderDevicePartUUID", "LoaderTimeInitUSec", "LoaderTimeExecUSec"}

# Variables that each stub replaces, and those that it deletes unless it boots a unified image.
STUBS = {"StubInfo", "StubFeatures", "StubImageIdentifier", "StubDevicePartUUID"}
UNIFIED = {"StubProfile", "StubPcrKernelImage", "StubPcrKernelParameters", "StubPcrInitRDSysExts", "StubPcrInitRDConfExts"}

NV, BS, RT, AT = 1, 2, 4, 0x20
# Debian 13's build for machines without SMM. Debian 12's has the code for Secure Boot, and recreates its variables at
# each start.
WITHOUT_SECURE_BOOT = "trixie"
MENU = "systemd-boot 257"
GOOD = f"linux=/vmlinuz initrd=/initrd -- {DEFAULT_OPTIONS}"
REQUIRING = "linux=/vmlinuz initrd=/initrd"


def variables(attributes):
    """Yields (attributes, vendor, name, value). Values are bytes, or text that becomes UTF-16."""
    yield from ((attributes, "loader", name, MENU if name == "LoaderInfo" else f"planted-{name}") for name in REPORTS)
    # Settings always have their own attributes, because others have no effect.
    yield from ((NV | BS | RT, "loader", name, f"planted-{name}") for name in SETTINGS)
    yield attributes, "kexec", "KexecLog", "planted-KexecLog"
    yield attributes, "shim", "MokSBState", b"\1"
    yield attributes, "shim", "MokSBStateRT", b"\1"
    yield attributes, "seed", "RandomSeed", bytes(range(48))
    yield attributes, "overwrite", "MemoryOverwriteRequestControl", b"\0"


def plant_list(attributes):
    """The list of variables for plant.c."""
    return "".join(f"{form:x} {vendor} {name} {'#' + value.hex() if isinstance(value, bytes) else value}\n"
                   for form, vendor, name, value in variables(attributes)).encode()


def set_beforehand(store, attributes):
    for form, vendor, name, value in variables(attributes):
        store.set(name, value if isinstance(value, bytes) else utf16(value), VENDORS[vendor], form)


def planted_names(report):
    """The names of the variables that have a planted value in the booted system."""
    return {line.split()[0] for line in report.lines if re.search(r" (planted-\w+|systemd-boot 257)$", line)} - set(SETTINGS)


def attributes_of(report):
    return dict(word.split("=") for word in report["loader-attributes"].split())


def expect_nothing_planted(report):
    assert planted_names(report) == set()
    found = attributes_of(report)
    assert {name: found[name] for name in OURS} == dict.fromkeys(OURS, "06")
    assert set(found) - set(SETTINGS) == OURS
    assert report["LoaderInfo"].startswith("kexec-efi ")
    assert "planted" not in "\n".join(line for line in report.lines if line.startswith("log ") and "plant:" not in line
                                      and "found " not in line)


def expect_what_boots(report):
    """Asserts that the planted variables changed neither the booted kernel nor the settings."""
    assert report["cmdline"] == DEFAULT_OPTIONS
    assert report["payload"] == "payload: OK"
    found = attributes_of(report)
    assert {name: (found[name], report[name]) for name in SETTINGS} == {name: ("07", f"planted-{name}")
                                                                        for name in SETTINGS}


def expect_refusal(guest, line, start=0):
    """Expects the error, and the firmware's next step: the loader returns an error to the firmware, whatever LoaderInfo
    says."""
    start = guest.expect(rf"^kexec: {line}$", start=start).end()
    return guest.expect(r"BdsDxe: failed to start Boot\w+ .*", start=start).end()


MISSING = r"/missing: cannot open: expected a file, found NOT_FOUND" + on_volume()
UNKNOWN = (r"/vmlinuz: signature: required by .*: expected Secure Boot on, found it unknown: SecureBoot: "
           r"expected attributes 0x6 and none of 0x1, found 0x{:x}")


def contents(attributes, planting):
    """The files of an ESP; either the planting image or the firmware starts the loader."""
    changes = {"/EFI/BOOT/BOOTX64.EFI": None, "/EFI/BOOT/BOOTX64.conf": None, "/kexec.efi": IMAGE,
               "/require.conf": entry(extra=["signature require"])}
    if planting:
        changes.update({"/plant.efi": BUILD / "plant.efi", "/plant": plant_list(attributes)})
    return files(changes)


def start(boot, tmp_path, attributes, store, entries, firmware="ovmf", planting=True, more=None):
    template = store.save(tmp_path / "planted.fd")
    image = "\\plant.efi" if planting else "\\kexec.efi"
    options = [(label, path or image, utf16(text) if text else b"") for label, path, text in entries]
    made = varstore.boot_options(template, tmp_path / "vars.fd", options)
    return boot({**contents(attributes, planting), **(more or {})}, firmware=FIRMWARE[firmware], variables=made,
                boot_order=True)


def expect_planted(guest, attributes):
    """Asserts that the variables were planted, except those whose names the firmware protects."""
    for form, _, name, _ in variables(attributes):
        if name != "MemoryOverwriteRequestControl":
            assert f"kexec: plant: {name} 0x{form:x}: SUCCESS\n" in guest.log, name


REFUSED = [("missing", None, "linux=/missing"), ("required", None, "entry=/require.conf")]


def seed_taken(attributes):
    return attributes & NV and attributes & BS and not attributes & AT


# An earlier image plants them; an operating system could plant only the second form.
@pytest.mark.parametrize("attributes", [NV | BS, NV | BS | RT, BS], ids=["NV BS", "NV BS RT", "BS"])
def test_planted_by_an_earlier_image(boot, tmp_path, attributes):
    """The firmware does not know Secure Boot; its variable was written offline."""
    store = varstore.VariableStore(FIRMWARE[WITHOUT_SECURE_BOOT].variables)
    offline = attributes | NV
    store.set("SecureBoot", b"\1", attributes=offline)
    store.set("SetupMode", b"\0", attributes=offline)
    guest = start(boot, tmp_path, attributes, store, [*REFUSED, ("good", None, GOOD)], WITHOUT_SECURE_BOOT)
    position = expect_refusal(guest, MISSING)
    first = guest.log
    expect_refusal(guest, "(?:" + UNKNOWN.format(offline) + ")", position)
    report = wait_for_report(guest)
    expect_planted(guest, attributes)
    assert "back to the boot menu" not in guest.log
    assert re.search(rf"^kexec: warning: boot loader interface: expected attributes 0x6, found .*LoaderInfo "
                     rf"0x{attributes:x}.*: deleted$", first, re.MULTILINE)
    expect_nothing_planted(report)
    expect_what_boots(report)
    # The state of Secure Boot is unknown, and Linux learns that. The kernel is verified nevertheless, and this firmware
    # accepts any.
    assert "Secure boot could not be determined" in report.dmesg
    assert "kexec: warning: Secure Boot: expected it on or off, found it unknown" in guest.log
    assert ("random seed: cannot use the variable RandomSeed" in guest.log) == (not seed_taken(attributes))


def test_left_by_an_earlier_loader(boot, tmp_path):
    """The variables are volatile, for boot services and Linux: a loader that starts ours describes itself by them, and
    ours believes it. The exceptions are our own log, and the variables of the last stub."""
    store = varstore.VariableStore(FIRMWARE["ovmf"].variables)
    guest = start(boot, tmp_path, BS | RT, store, [("good", None, GOOD)])
    report = wait_for_report(guest)
    expect_planted(guest, BS | RT)
    assert "boot loader interface" not in guest.log
    assert planted_names(report) == set(REPORTS) - STUBS - UNIFIED - {"LoaderFeatures"}
    assert bytes.fromhex(report["LoaderFeatures"]) == utf16("planted-LoaderFeatures")
    assert report["StubInfo"].startswith("kexec-efi ")
    assert set(attributes_of(report)) == {*REPORTS, *SETTINGS} - UNIFIED
    assert "log planted-KexecLog" not in report.lines
    expect_what_boots(report)


def test_what_only_offline_can_be_written(boot, tmp_path):
    """Variables that boot services do not see; and SecureBoot with two bytes instead of one 0."""
    attributes = NV | RT
    store = varstore.VariableStore(FIRMWARE[WITHOUT_SECURE_BOOT].variables)
    set_beforehand(store, attributes)
    store.set("SecureBoot", b"\0\0")
    guest = start(boot, tmp_path, attributes, store, [*REFUSED, ("good", None, GOOD)], WITHOUT_SECURE_BOOT,
                  planting=False)
    position = expect_refusal(guest, MISSING)
    expect_refusal(guest, "(?:" + UNKNOWN.format(NV | BS | RT) + ")", position)
    report = wait_for_report(guest)
    expect_nothing_planted(report)
    expect_what_boots(report)
    assert "Secure boot could not be determined" in report.dmesg


def test_authenticated_ones_stay_and_a_sealed_image_is_refused(boot, tmp_path):
    """Firmware with code for Secure Boot does not delete authenticated variables, so the sealed image is refused. The
    last entry, which is not sealed, boots."""
    attributes = NV | BS | RT | AT
    store = varstore.VariableStore(FIRMWARE["secboot"].variables)
    set_beforehand(store, attributes)
    root = tmp_path / "root"
    root.mkdir()
    for path, content in files().items():
        if path in ("/vmlinuz", "/initrd"):
            (root / path[1:]).symlink_to(content)
    (root / "entry").write_bytes(entry())
    sealed = seal(tmp_path, "--entry", root / "entry", "--root", root)
    kept = r"LoaderBootCountPath 0x27, .*"
    refusal = rf".*: expected no variable that Linux takes for a loader's, found {kept} with other attributes than 0x6"
    guest = start(boot, tmp_path, attributes, store,
                  [("sealed", "\\sealed.efi", ""), *REFUSED, ("good", None, GOOD)], "secboot", planting=False,
                  more={"/sealed.efi": sealed})
    position = expect_refusal(guest, refusal)
    position = expect_refusal(guest, MISSING, position)
    expect_refusal(guest, refusal, position)
    report = wait_for_report(guest)
    assert re.search(rf"^kexec: warning: boot loader interface: expected attributes 0x6, found {kept}: the firmware "
                     r"keeps them: (SECURITY_VIOLATION|WRITE_PROTECTED)$", guest.log, re.MULTILINE)
    assert "back to the boot menu" not in guest.log
    expect_what_boots(report)
