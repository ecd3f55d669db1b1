# SPDX-License-Identifier: BSD-2-Clause
"""kexec-efi and the firmware: the removable path, shim, the keys of Secure Boot, and signed values of a TPM register.
kexec-efi never replaces other owners' files and keys."""

import base64
import errno
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import uuid

import pytest

from command_machine import ESP_UUID, FOLDER, OTHERS, ROOT, SHIM, FolderMachine, cpio
from kexec_efi import changes, enrolment, load_option, operations, pcr_signature, variables
from kexec_efi.errors import Refused
from test_command_changes import A, B, C, add, blessed

sys.path.insert(0, str(ROOT / "tests/qemu"))

import loader   # noqa: E402
import pcrlock  # noqa: E402
from kexec_efi_test.signing import Key  # noqa: E402


def fill_the_boot_folder(monkeypatch):
    """From now on EFI/BOOT has no room."""
    run = operations.Write.run

    def full(write):
        if "EFI/BOOT" in str(write.path):
            raise OSError(errno.ENOSPC, "No space left on device")
        run(write)

    monkeypatch.setattr(operations.Write, "run", full)


def boot_folder(machine):
    folder = machine.esp / "EFI/BOOT"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def start_by(machine, path):
    """Makes the machine look as if the firmware had started this path without a boot entry of ours."""
    machine.set("BootCurrent", struct.pack("<H", 0x77))
    for name, text in (("LoaderImageIdentifier", path.replace("/", "\\")), ("LoaderDevicePartUUID", ESP_UUID)):
        (machine.efivars / f"{name}-{variables.LOADER}").write_bytes(struct.pack("<I", 6) + text.encode("utf-16-le") + b"\0\0")


# --- the removable path ----------------------------------------------------------------------------------------------


def test_copy_is_wanted_even_while_nothing_is_left_to_copy(tmp_path):
    machine = FolderMachine.new(tmp_path / "machine")
    machine.kernel_package(A)
    machine.kernel_package(B)
    machine.run("install", "--removable", A)
    machine.run("remove", A, "--force")
    assert not boot_folder(machine) and "EFI/BOOT" not in machine.run("status", expected=0)
    assert f"EFI/BOOT boots {B}.1" in machine.run("add", B)
    assert boot_folder(machine)
    machine.run("uninstall", "--force")
    assert not boot_folder(machine)


@pytest.mark.parametrize("mode", ["split", "sealed", "uki"])
def test_image_of_a_disk(tmp_path, mode):
    """The machine that makes the disk image has no firmware variables. The machine that gets the disk starts EFI/BOOT,
    and then makes its own boot entry."""
    machine = FolderMachine.new(tmp_path / "machine", f"mode={mode}\n")
    machine.kernel_package(A)
    before = {name: content for name, content in machine.state().items() if "efivars" in name}
    words = machine.run("install", "--no-variables", "--removable")
    assert "EFI/BOOT boots it; once it has come up, kexec-efi bless makes its boot entry" in words
    assert {name: content for name, content in machine.state().items() if "efivars" in name} == before
    assert set(boot_folder(machine)) == {"BOOTX64.EFI", *(["BOOTX64.conf"] if mode == "split" else [])}
    machine.judge("/EFI/BOOT/BOOTX64.EFI")

    start_by(machine, "/EFI/BOOT/BOOTX64.EFI")
    machine._begin(A)
    assert json.loads(machine.run("status", "--json"))["sets"][0]["running"]
    machine.run("bless")
    assert machine.path_of(machine.numbers("BootOrder")[0]).startswith(f"/{FOLDER}/{A}")
    assert machine.reboot() == A
    # EFI/BOOT keeps the former set until the next one has come up, then boots that one.
    first = boot_folder(machine)
    add(B)(machine)[0].carry_out()
    assert boot_folder(machine) == first
    assert machine.reboot() == B
    machine.run("bless")
    machine.judge("/EFI/BOOT/BOOTX64.EFI")
    assert boot_folder(machine) != first
    machine.run("remove", B)
    machine.judge("/EFI/BOOT/BOOTX64.EFI")
    machine.run("uninstall")
    assert not (machine.esp / "EFI/BOOT").exists() and machine.names() == []


@pytest.mark.parametrize("name", ["BOOTX64.EFI", "bootx64.efi", "BOOTX64.conf"])
def test_removable_path_of_somebody_else(tmp_path, name):
    machine = FolderMachine.new(tmp_path / "machine")
    machine.kernel_package(A)
    (machine.esp / "EFI/BOOT").mkdir()
    (machine.esp / "EFI/BOOT" / name).write_bytes(b"of Windows")
    before = machine.state()
    assert f"{name}: expected no such file or one of ours, found another" in machine.run("install", "--removable", expected=1)
    assert machine.state() == before
    machine.run("install")
    machine.run("uninstall")
    assert boot_folder(machine) == {name: b"of Windows"}


def test_removable_path_that_somebody_has_taken(tmp_path):
    """Another owner's file stays after an update of the kernel, and after uninstall."""
    machine = FolderMachine.new(tmp_path / "machine")
    machine.kernel_package(A)
    machine.run("install", "--removable")
    assert machine.reboot() == A
    machine.run("bless")
    (machine.esp / "EFI/BOOT/BOOTX64.EFI").write_bytes(b"of Windows")
    said = machine.run("verify", expected=3)
    assert "expected the file that kexec-efi has written, found another, which is not replaced" in said
    machine.kernel_package(B)
    assert "found another, which is not replaced" in machine.run("add", B)
    assert machine.reboot() == B
    assert "found another, which is not replaced" in machine.run("bless")
    assert boot_folder(machine)["BOOTX64.EFI"] == b"of Windows"
    machine.run("uninstall")
    assert boot_folder(machine) == {"BOOTX64.EFI": b"of Windows"}


def test_removable_path_by_the_configuration(tmp_path):
    machine = FolderMachine.new(tmp_path / "machine", "removable=yes\n")
    machine.kernel_package(A)
    machine.run("install")
    assert "BOOTX64.EFI" in boot_folder(machine)


@pytest.mark.parametrize("name", ["BOOTX64.EFI", "BOOTX64.conf"])
@pytest.mark.parametrize("added", [A, B])
def test_removable_path_that_somebody_has_removed(tmp_path, name, added):
    """status and verify report it, and the next run of a hook restores the former copy, because the added kernel has
    not come up."""
    machine = blessed(FolderMachine.new(tmp_path / "machine", "removable=yes\n"), A)
    before = boot_folder(machine)
    (machine.esp / "EFI/BOOT" / name).unlink()
    complaint = f"expected {machine.esp}/EFI/BOOT/{name}, found none: the next kexec-efi add restores it"
    for command, line in (("status", f"EFI/BOOT: damaged: {complaint}"), ("verify", f"EFI/BOOT: {complaint}")):
        assert line in machine.run(command, expected=3)
    value = json.loads(machine.run("status", "--json", expected=3))
    assert value["removable"].startswith(A) and value["removable_damage"] == complaint
    assert not json.loads(machine.run("verify", "--json", expected=3))["good"]
    machine.kernel_package(added)
    assert f"; EFI/BOOT boots {value['removable']}" in machine.run("add", added)
    assert boot_folder(machine) == before
    assert "EFI/BOOT: good" in machine.run("verify")


@pytest.mark.parametrize("mode", ["split", "sealed"])
@pytest.mark.parametrize("kind", ["initrd", "vmlinuz"])
def test_removable_path_whose_kernel_is_damaged(tmp_path, mode, kind):
    """EFI/BOOT itself is unchanged, but boots damaged files: verify and status report it. The next run of a hook copies
    an undamaged set."""
    machine = blessed(FolderMachine.new(tmp_path / "machine", f"removable=yes\nmode={mode}\n"), A)
    copied = json.loads(machine.run("status", "--json"))["removable"]
    machine.kernel_package(B)
    machine.run("add", B)
    damaged = next(machine.esp.rglob(f"{kind}-{A}-*"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    line = f"EFI/BOOT: it is a copy of {copied}: /{FOLDER}/{damaged.name}: fsverity mismatch: "
    assert line in machine.run("verify", expected=3)
    assert f"EFI/BOOT: damaged: it is a copy of {copied}: " in machine.run("status", expected=3)
    assert "EFI/BOOT boots " + B in machine.run("add", B)
    machine.judge("/EFI/BOOT/BOOTX64.EFI")
    assert "EFI/BOOT: good" in machine.run("verify", expected=3)


def test_removable_path_of_a_disk_that_is_being_made(tmp_path):
    """Nothing has come up yet, so EFI/BOOT follows the newest kernel. After a kernel has come up it waits for the next
    one to come up."""
    machine = FolderMachine.new(tmp_path / "machine")
    machine.kernel_package(A)
    machine.run("install", "--no-variables", "--removable")
    first = boot_folder(machine)
    machine.kernel_package(A, "another initrd")
    assert f"; EFI/BOOT boots {A}.2-" in machine.run("add", A, "--no-variables")
    second = boot_folder(machine)
    assert second != first
    machine.judge("/EFI/BOOT/BOOTX64.EFI")
    machine.kernel_package("5.9")
    machine.run("add", "5.9", "--no-variables")
    assert boot_folder(machine) == second
    start_by(machine, "/EFI/BOOT/BOOTX64.EFI")
    machine._begin(A)
    machine.run("bless")
    machine.kernel_package(B)
    machine.run("add", B, "--no-variables")
    assert boot_folder(machine) == second


def test_removable_path_after_the_last_kernel(tmp_path):
    """`remove --force` has removed the copy; the configuration still asks for one."""
    machine = blessed(FolderMachine.new(tmp_path / "machine", "removable=yes\n"), A)
    machine.run("remove", "--force", A)
    assert boot_folder(machine) == {}
    machine.kernel_package(B)
    machine.run("add", B)
    machine.judge("/EFI/BOOT/BOOTX64.EFI")
    assert json.loads(machine.run("status", "--json"))["removable"].startswith(B)


def test_no_room_to_restore_the_copy(tmp_path, monkeypatch):
    """The kernel is added nevertheless."""
    machine = blessed(FolderMachine.new(tmp_path / "machine", "removable=yes\n"), A)
    (machine.esp / "EFI/BOOT/BOOTX64.EFI").unlink()
    fill_the_boot_folder(monkeypatch)
    with pytest.raises(Refused, match="No space left on device"):
        add(B)(machine)[0].carry_out()
    assert machine.reboot() == B


def test_files_of_the_removable_path_stay(tmp_path):
    """`keep` counts the files that EFI/BOOT needs like those of the set that boots first."""
    machine = FolderMachine.new(tmp_path / "machine", "keep=1\n")
    machine.kernel_package(A)
    machine.run("install", "--removable")
    assert machine.reboot() == A
    machine.run("bless")
    add(B)(machine)[0].carry_out()
    machine.judge("/EFI/BOOT/BOOTX64.EFI")
    assert machine.reboot(failing=[B]) == A
    machine.run("bless")
    machine.judge("/EFI/BOOT/BOOTX64.EFI")


def test_files_of_the_removable_path_stay_where_no_boot_entry_names_them(tmp_path):
    """In a disk image only EFI/BOOT shows that these files are needed."""
    machine = FolderMachine.new(tmp_path / "machine", "keep=1\n")
    machine.kernel_package(A)
    machine.run("install", "--no-variables", "--removable")
    machine.kernel_package(B)
    machine.run("add", "--no-variables", B)
    machine.judge("/EFI/BOOT/BOOTX64.EFI")
    machine.run("remove", "--no-variables", A)
    machine.judge("/EFI/BOOT/BOOTX64.EFI")
    assert {one.version for one in machine.machine().store.sets()} == {B}


@pytest.mark.parametrize("words", [["remove", A], ["uninstall"]], ids=lambda words: words[0])
def test_removable_path_of_the_last_kernel(tmp_path, words):
    """Without boot entries and firmware, only EFI/BOOT shows that the disk image needs this kernel."""
    machine = FolderMachine.new(tmp_path / "machine")
    machine.kernel_package(A)
    machine.run("install", "--no-variables", "--removable")
    before = machine.state()
    refusal = machine.run(words[0], "--no-variables", *words[1:], expected=1)
    assert "expected another kernel for EFI/BOOT, found none: this disk would not boot (--force)" in refusal
    assert machine.state() == before
    machine.run(words[0], "--no-variables", "--force", *words[1:])
    assert boot_folder(machine) == {}


def test_removable_path_started_on_another_disk(tmp_path):
    """The ESP is recognised by its partition's UUID, and the set by its folder."""
    machine = FolderMachine.new(tmp_path / "machine")
    machine.kernel_package(A)
    machine.run("install", "--no-variables", "--removable")
    start_by(machine, "/EFI/BOOT/BOOTX64.EFI")
    path = machine.efivars / f"LoaderDevicePartUUID-{variables.LOADER}"
    good = path.read_bytes()
    path.write_bytes(good.replace("c0ff".encode("utf-16-le"), "c0fe".encode("utf-16-le")))
    assert machine.machine().menu.running() is None
    path.write_bytes(good)
    start_by(machine, "/EFI/debian/BOOTX64.EFI")
    assert machine.machine().menu.running() is None
    start_by(machine, "/EFI/Boot/bootx64.efi")
    assert machine.machine().menu.running() is not None


def test_removable_path_behind_systemd_boot(tmp_path):
    machine = FolderMachine.new(tmp_path / "machine", "menu=systemd-boot\n")
    machine.kernel_package(A)
    before = machine.state()
    assert "found systemd-boot, which puts itself into EFI/BOOT" in machine.run("install", "--removable", expected=1)
    assert machine.state() == before


def test_power_that_went_before_the_copy_was_remembered(tmp_path):
    """The record does not know the copy in EFI/BOOT. kexec-efi recognises it as a copy of a set nevertheless, and
    replaces it for the next set."""
    machine = blessed(FolderMachine.new(tmp_path / "machine", "removable=yes\n"), A)
    remembered = (machine.root / "var/lib/kexec-efi/record.json").read_bytes()
    add(B)(machine)[0].carry_out()
    assert machine.reboot() == B
    machine.run("bless")
    record = json.loads((machine.root / "var/lib/kexec-efi/record.json").read_text())
    record["removable"] = json.loads(remembered)["removable"]
    (machine.root / "var/lib/kexec-efi/record.json").write_text(json.dumps(record))
    add(C)(machine)[0].carry_out()
    assert machine.reboot() == C
    assert "not replaced" not in machine.run("bless")
    conf = (machine.esp / "EFI/BOOT/BOOTX64.conf").read_text()
    assert f"vmlinuz-{C}" in conf


def test_no_room_for_the_copy(tmp_path, monkeypatch):
    """The set that has come up boots first nevertheless, and the next run makes the copy."""
    machine = blessed(FolderMachine.new(tmp_path / "machine", "removable=yes\n"), A)
    add(B)(machine)[0].carry_out()
    assert machine.reboot() == B
    before = boot_folder(machine)
    fill_the_boot_folder(monkeypatch)
    with pytest.raises(Refused, match="No space left on device"):
        changes.bless(machine.machine())[0].carry_out()
    assert boot_folder(machine) == before and machine.reboot() == B
    assert json.loads((machine.root / "var/lib/kexec-efi/record.json").read_text())["removable"]["set"].startswith(A)
    machine.expect_bootable()


# --- shim ------------------------------------------------------------------------------------------------------------


def with_shim(tmp_path, *words, conf="", manager=True):
    machine = FolderMachine.new(tmp_path / "machine", conf)
    machine.kernel_package(A)
    folder = machine.root / "usr/lib/shim"
    folder.mkdir(parents=True)
    (folder / "shimx64.efi.signed").write_bytes(SHIM.read_bytes())
    if manager:
        (folder / "mmx64.efi.signed").write_bytes(b"MZ manager")
    machine.run("install", f"--shim={folder}/shimx64.efi.signed", *words)
    return machine


def entry_of(machine, number):
    return load_option.parse(machine.get(f"Boot{number:04X}"))


def test_shim_in_front(tmp_path):
    """Shim finds the image by its load options, and MokManager in its own folder."""
    machine = with_shim(tmp_path)
    number, = machine.numbers("BootNext")
    option = entry_of(machine, number)
    folder, _, name = option.path.rpartition("/")
    assert folder == f"/{FOLDER}" and (machine.esp / FOLDER / name).read_bytes() == SHIM.read_bytes()
    assert (machine.esp / FOLDER / "mmx64.efi").read_bytes() == b"MZ manager"
    # One word with the whole path, and a NUL: then shim looks nowhere else (load-options.c).
    image = option.optional.decode("utf-16-le")
    assert image.startswith("\\EFI\\kexec\\") and image.endswith(".efi\0") and " " not in image
    machine.judge(image.rstrip("\0").replace("\\", "/"))
    found = machine.machine()
    assert [one.version for one in found.menu.named()] == [A] and found.menu.armed().version == A

    machine.set("BootCurrent", struct.pack("<H", number))
    machine._begin(A)
    machine.run("bless")
    assert machine.numbers("BootOrder") == [number, OTHERS]
    add(B)(machine)[0].carry_out()
    assert entry_of(machine, *machine.numbers("BootNext")).path == option.path
    assert "behind shim" in machine.run("status")
    machine.run("remove", A)
    assert name in machine.names()
    machine.run("uninstall")
    assert machine.names() == [] and machine.numbers("BootOrder") == [OTHERS]


def test_shim_that_is_updated(tmp_path):
    """Existing sets keep their shim; new sets get the new one."""
    machine = with_shim(tmp_path)
    shim = machine.root / "usr/lib/shim/shimx64.efi.signed"
    shim.write_bytes(SHIM.read_bytes() + b"newer")
    add(B)(machine)[0].carry_out()
    assert len([name for name in machine.names() if name.startswith("shim-")]) == 2
    old, new = (entry_of(machine, int(path.name[4:8], 16)) for path in sorted(machine.efivars.glob("Boot000[02]-*")))
    assert old.path != new.path
    # The same kernel behind shim is another set, and gets a trial.
    other = FolderMachine.new(tmp_path / "other")
    blessed(other, A)
    (other.root / "shim.efi").write_bytes(SHIM.read_bytes())
    assert "on trial at the next start" in other.run("install", f"--shim={other.root}/shim.efi", A)
    assert len(other.machine().store.sets()) == 2
    # While shim's package is removed or half unpacked, existing sets boot, and can be removed.
    shim.unlink()
    assert "expected shim, found none: No such file or directory" in machine.run("add", A, expected=1)
    shim.write_bytes(b"half a shim")
    assert "expected shim, found no PE32+ image" in machine.run("add", A, expected=1)
    machine.run("status")
    # From now on without shim.
    machine.run("install", A)
    assert "behind shim" not in machine.run("status")
    machine.run("uninstall", "--force")


def test_shim_and_the_removable_path(tmp_path):
    machine = with_shim(tmp_path, "--removable")
    files = boot_folder(machine)
    assert set(files) == {"BOOTX64.EFI", "grubx64.efi", "grubx64.conf", "mmx64.efi"}
    assert files["BOOTX64.EFI"] == SHIM.read_bytes()
    machine.judge("/EFI/BOOT/grubx64.efi")
    machine.run("uninstall", "--force")
    assert boot_folder(machine) == {}


@pytest.mark.parametrize("content, conf, complaint", [
    (None, "", "expected shim, found none: No such file"), (b"no image", "", "expected shim, found no PE32"),
    (b"", "menu=systemd-boot\n", "found systemd-boot, which has shim in front of itself")])
def test_shim_that_is_none(tmp_path, content, conf, complaint):
    machine = FolderMachine.new(tmp_path / "machine", conf)
    machine.kernel_package(A)
    if content is not None:
        (machine.root / "shim.efi").write_bytes(content)
    before = machine.state()
    assert complaint in machine.run("install", f"--shim={machine.root}/shim.efi", expected=1)
    assert machine.state() == before


def test_shim_outside_of_the_root(tmp_path):
    machine = FolderMachine.new(tmp_path / "machine")
    machine.kernel_package(A)
    assert "expected shim below" in machine.run("install", f"--shim={SHIM}", expected=1)


# --- the keys of Secure Boot -----------------------------------------------------------------------------------------


def signature_list(certificates, owner=uuid.UUID(int=1)):
    """EFI_SIGNATURE_LISTs, made without the code under test (UEFI specification 32.4.1)."""
    lists = b""
    for der in certificates:
        size = 28 + 16 + len(der)
        lists += uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072").bytes_le + struct.pack("<III", size, 0, 16 + len(der))
        lists += owner.bytes_le + der
    return lists


def authenticated(lists, signature=b"signature"):
    """EFI_VARIABLE_AUTHENTICATION_2, as sign-efi-sig-list writes it."""
    head = struct.pack("<IHH", 24 + len(signature), 0x0200, 0x0ef1) + uuid.UUID("4aafd29d-68df-49ee-8aa9-347d375665a7").bytes_le
    return bytes(16) + head + signature + lists


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    found = Key.new(tmp_path_factory.mktemp("keys"), "ours")
    found.der = subprocess.run(["openssl", "x509", "-in", found.certificate, "-outform", "DER"], check=True,
                               stdout=subprocess.PIPE).stdout
    return found


def enrolling(tmp_path, key, setup_mode=b"\1", conf=None):
    if conf is None:
        conf = f"mode=sealed\nkey={key.key}\ncertificate={key.certificate}\n"
    machine = FolderMachine.new(tmp_path / "machine", conf)
    machine.kernel_package(A)
    if setup_mode is not None:
        machine.set("SetupMode", setup_mode)
    folder = tmp_path / "auto"
    folder.mkdir()
    for name in ("PK", "KEK", "db"):
        (folder / f"{name}.auth").write_bytes(authenticated(signature_list([b"other certificate", key.der])))
    return machine, folder


def test_keys_are_enrolled(tmp_path, key):
    """PK ends setup mode, so it is written last of all."""
    machine, folder = enrolling(tmp_path, key)
    plan = json.loads(machine.run("install", "--dry-run", "--json", f"--enroll-keys={folder}"))["operations"]
    assert [line.split(":")[0] for line in plan[-3:]] == [f"set EFI variable {name}" for name in ("db", "KEK", "PK")]
    machine.run("install", f"--enroll-keys={folder}")
    for name, vendor in (("db", enrolment.DATABASE), ("KEK", variables.GLOBAL), ("PK", variables.GLOBAL)):
        content = (machine.efivars / f"{name}-{vendor}").read_bytes()
        # NON_VOLATILE, BOOTSERVICE_ACCESS, RUNTIME_ACCESS, TIME_BASED_AUTHENTICATED_WRITE_ACCESS.
        assert content == struct.pack("<I", 0x27) + (folder / f"{name}.auth").read_bytes()


@pytest.mark.parametrize("mode, found",
                         [(b"\0", "found SetupMode 0"), (None, "found no SetupMode"), (b"\2", "found SetupMode 2")])
def test_keys_that_are_there_stay(tmp_path, key, mode, found):
    machine, folder = enrolling(tmp_path, key, mode)
    before = machine.state()
    words = machine.run("install", "--force", f"--enroll-keys={folder}", expected=1)
    assert f"expected the firmware in its setup mode, {found}" in words and machine.state() == before


def test_keys_without_variables(tmp_path, key):
    machine, folder = enrolling(tmp_path, key)
    said = machine.run("install", "--no-variables", f"--enroll-keys={folder}", expected=1)
    assert "none that can be reached: no keys are enrolled" in said


GOOD = authenticated(signature_list([b"x"]))


@pytest.mark.parametrize("name, content, complaint", [
    ("PK", None, "cannot read .*PK.auth"), ("db", b"", "expected 40 to 1048576 bytes of a signed variable .*, found 0"),
    ("KEK", bytes(100), "expected a signed variable .*, found something else"),
    ("db", signature_list([b"x" * 100]), "expected a signed variable"),
    ("db", GOOD[:16] + b"\xff" * 4 + GOOD[20:], "expected at most"),
    ("db", GOOD[:16] + bytes(4) + GOOD[20:], "expected at most"),
    ("db", GOOD[:-1], "expected a signature list of whole signatures"),
    ("db", GOOD + b"z", "expected 28 bytes of a signature list, found 1"),
    ("PK", authenticated(b""), "expected a certificate, found none"),
    ("db", GOOD, "expected a certificate= that it trusts, found .*pem, which is not in it"),
    ("dbx", b"rubbish", "expected 40 to"),
], ids=lambda value: str(value)[:40])
def test_keys_that_are_none(tmp_path, key, name, content, complaint):
    """kexec-efi checks each file before it writes any key."""
    machine, folder = enrolling(tmp_path, key)
    path = folder / f"{name}.auth"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    before = machine.state()
    words = machine.run("install", f"--enroll-keys={folder}", expected=1)
    assert re.search(complaint, words), words
    assert machine.state() == before


def test_keys_that_trust_nothing_of_ours(tmp_path, key):
    machine, folder = enrolling(tmp_path, key, conf="")
    assert "expected a certificate= that it trusts, found none" in machine.run("install", f"--enroll-keys={folder}", expected=1)
    assert "with keys that are enrolled" in machine.run("install", "--force", f"--enroll-keys={folder}")


# --- signed values of register 11 ------------------------------------------------------------------------------------

MEASURE = r'''#!/usr/bin/python3
import base64, hashlib, json, pathlib, sys
words = dict(word[2:].split("=", 1) for word in sys.argv[2:] if not word.startswith("--phase"))
phases = [word[8:] for word in sys.argv[2:] if word.startswith("--phase=")]
contents = {name: pathlib.Path(words[name]).read_bytes() for name in ("linux", "initrd", "cmdline", "pcrpkey") if name in words}
pathlib.Path(CALLS).write_text(json.dumps([sys.argv[1], words["bank"], phases, {name: hashlib.sha256(content).hexdigest()
                                                                                for name, content in contents.items()}]))
for name, content in contents.items():
    pathlib.Path(CALLS + "-" + name).write_bytes(content)
signature = hashlib.sha256(b"".join(contents.values())).hexdigest()
print(json.dumps({"sha256": [{"pcrs": [11], "pkfp": "aa", "pol": signature, "sig": base64.b64encode(b"s").decode()}]}))
'''


@pytest.fixture
def signing(tmp_path):
    """A configuration, an environment with a fake systemd-measure, and the file with the arguments of its calls."""
    programs = tmp_path / "bin"
    programs.mkdir()
    calls = tmp_path / "calls"
    (programs / "systemd-measure").write_text(MEASURE.replace("CALLS", repr(str(calls))))
    (programs / "systemd-measure").chmod(0o755)
    (tmp_path / "private").write_bytes(b"private")
    (tmp_path / "public").write_bytes(b"-----BEGIN PUBLIC KEY-----\n")
    conf = f"pcr_private_key={tmp_path}/private\npcr_public_key={tmp_path}/public\n"
    return conf, {"PATH": f"{programs}:{os.environ['PATH']}"}, calls


def sha256(content):
    return loader.sha256_digest(content)


@pytest.mark.parametrize("mode", ["split", "sealed"])
def test_signature_of_a_register(tmp_path, signing, mode):
    conf, environment, calls = signing
    machine = FolderMachine.new(tmp_path / "machine",
                                f"mode={mode}\npcr_phases=enter-initrd\npcr_phases=enter-initrd:leave-initrd\n{conf}")
    machine.kernel_package(A)
    machine.run("install", environment=environment)
    verb, bank, phases, contents = json.loads(calls.read_text())
    assert (verb, bank, phases) == ("sign", "sha256", ["enter-initrd", "enter-initrd:leave-initrd"])
    kernel = (machine.root / f"boot/vmlinuz-{A}").read_bytes()
    assert contents == {"linux": sha256(kernel), "initrd": sha256(cpio(A)), "cmdline": sha256(b"root=/dev/vda2 ro quiet"),
                        "pcrpkey": sha256(b"-----BEGIN PUBLIC KEY-----\n")}
    machine.expect_bootable()
    image = machine.esp / machine.path_of(*machine.numbers("BootNext"))[1:]
    plan = loader.Image("x", image.read_bytes()).plan or loader.entry("x", image.with_suffix(".conf").read_bytes())
    assert plan["measured_as_image"] and all(part["fsverity"] for part in loader.pcr_files(plan))
    found = [loader.file_below(machine.esp, part).read_bytes() for part in loader.pcr_files(plan)]
    assert json.loads(found[0])["sha256"][0]["pcrs"] == [11] and found[1] == b"-----BEGIN PUBLIC KEY-----\n"
    # A new initrd has its own signature, and the former signature is removed.
    (machine.root / f"boot/initrd.img-{A}").write_bytes(cpio("updated"))
    machine.run("add", A, environment=environment)
    assert json.loads(calls.read_text())[3]["initrd"] == sha256(cpio("updated"))
    assert len([name for name in machine.names() if name.startswith("pcrsig-")]) == 1
    machine.run("verify")
    next(machine.esp.rglob("pcrsig-*")).write_bytes(b"{}")
    assert "pcrsig" in machine.run("verify", expected=3)
    machine.run("uninstall", "--force")
    assert machine.names() == []


@pytest.mark.parametrize("mode", ["split", "sealed"])
def test_what_is_signed_is_what_the_loader_measures(tmp_path, signing, mode):
    """systemd-measure itself calculates the value from the files that it was given to sign. `entry=` adds to the
    command line, and the second initrd to the first."""
    conf, environment, calls = signing
    machine = FolderMachine.new(tmp_path / "machine", f"mode={mode}\nentry=options more\ninitrd=/boot/ucode\n{conf}")
    machine.kernel_package(A)
    (machine.root / "boot/ucode").write_bytes(cpio("microcode of 3 bytes more")[:-1])
    machine.run("install", environment=environment)
    files = [f"--{name}={calls}-{name}" for name in ("linux", "initrd", "cmdline", "pcrpkey")]
    expected = pcrlock.run("systemd-measure", "calculate", "--phase=:", "--bank=sha256", *files).stdout.strip().split("=")[-1]
    assert f"PCR 11 sha256 {expected}" in " ".join(machine.run("predict", A, "--bank=sha256").split())


def test_signature_by_systemd(tmp_path):
    """Debian 13's systemd-measure signs a policy for each phase. The public key verifies each signature, and one
    signature covers the register value that `predict` prints (TPM 2.0 Library specification, part 3: TPM2_PolicyPCR)."""
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["openssl", "rsa", "-in", private, "-pubout", "-out", public], check=True, stderr=subprocess.DEVNULL)
    machine = FolderMachine.new(tmp_path / "machine", f"pcr_private_key={private}\npcr_public_key={public}\n"
                                "pcr_phases=:\npcr_phases=enter-initrd\n")
    machine.kernel_package(A)
    machine.run("install", environment={"PATH": f"{ROOT}/build/deps/boot-tools:{os.environ['PATH']}"})
    found = json.loads(next(machine.esp.rglob("pcrsig-*")).read_bytes())["sha256"]
    assert len(found) == 2
    register = bytes.fromhex(machine.run("predict", A, "--bank=sha256").split("PCR 11 sha256")[1].split()[0])
    # CommandCode, then the selection of register 11 in the SHA-256 bank, then the digest of its value.
    selection = struct.pack(">IHB", 1, 0x000b, 3) + (1 << 11).to_bytes(3, "little")
    policy = hashlib.sha256(bytes(32) + struct.pack(">I", 0x17f) + selection + hashlib.sha256(register).digest()).hexdigest()
    assert policy in {one["pol"] for one in found}
    for one in found:
        (tmp_path / "policy").write_bytes(bytes.fromhex(one["pol"]))
        (tmp_path / "signature").write_bytes(base64.b64decode(one["sig"]))
        subprocess.run(["openssl", "dgst", "-sha256", "-verify", public, "-signature", tmp_path / "signature",
                        tmp_path / "policy"], check=True, stdout=subprocess.DEVNULL)


def test_nobody_who_signs(tmp_path, signing, monkeypatch):

    monkeypatch.setattr(pcr_signature, "PLACES", ("/nowhere",))
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(pcr_signature.Refused, match="expected systemd-measure .*, found none in /nowhere"):
        pcr_signature.sign("a", "b", [], {}, tmp_path)


@pytest.mark.parametrize("script, complaint", [
    ("echo no TPM >&2; exit 1", "systemd-measure failed: no TPM"), ("exit 1", "it says nothing; systemd 252 needs a TPM"),
    ("echo '{}'", "expected signed values of register 11 as JSON, found others"),
    ("echo '{\"sha256\": [{\"pcrs\": [12], \"pol\": \"a\", \"sig\": \"b\"}]}'", "found others"), ("echo x", "found others")])
def test_signer_that_fails(tmp_path, signing, script, complaint):
    conf, environment, _ = signing
    (tmp_path / "bin/systemd-measure").write_text(f"#!/bin/sh\n{script}\n")
    machine = FolderMachine.new(tmp_path / "machine", conf)
    machine.kernel_package(A)
    before = machine.state()
    assert complaint in machine.run("install", environment=environment, expected=1)
    assert machine.state() == before
