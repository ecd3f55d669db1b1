# SPDX-License-Identifier: BSD-2-Clause
"""Keys that kexec-efi enrols: firmware in setup mode accepts the EFI variables that kexec-efi writes. From then on it
starts only images that kexec-efi has signed."""

import os
import struct
import subprocess
import uuid

from command_machine import FolderMachine
from conftest import DEFAULT_OPTIONS, INITRD, entry, files, kernel, wait_for_report
from kexec_efi import enrolment
from kexec_efi_test import esp, varstore
from kexec_efi_test.machine import FIRMWARE, Machine
from kexec_efi_test.signing import Key
from test_command_firmware import signature_list
from test_secure_boot import expect_locked_down


def signed(name, vendor, lists, key, folder):
    """A signed variable as sign-efi-sig-list writes it: PKCS #7 over name, vendor, attributes, time and content (UEFI
    specification 8.2.2)."""
    time = struct.pack("<HBBBBBBIhBB", 2026, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0)
    content = folder / "content"
    content.write_bytes(name.encode("utf-16-le") + vendor.bytes_le + struct.pack("<I", enrolment.ATTRIBUTES) + time + lists)
    signature = subprocess.run(["openssl", "smime", "-sign", "-binary", "-noattr", "-md", "sha256", "-outform", "DER",
                                "-in", content, "-signer", key.certificate, "-inkey", key.key], check=True,
                               stdout=subprocess.PIPE).stdout
    # edk2 expects only SignedData, without ContentInfo around it. SignedData follows the object identifier; both have
    # two-byte lengths (X.690).
    assert signature[:2] == signature[15:17].replace(b"\xa0", b"\x30") == b"\x30\x82"
    signature = signature[19:]
    guid = uuid.UUID("4aafd29d-68df-49ee-8aa9-347d375665a7").bytes_le
    return time + struct.pack("<IHH", 24 + len(signature), 0x0200, 0x0ef1) + guid + signature + lists


def initrd_with(folder, contents, script):
    """An initrd that is unpacked over the tests' own: `contents`, and a script that replaces the report."""
    for path, content in {**contents, "report": script.encode()}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / "report").chmod(0o755)
    return subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=folder, input="\n".join(["keys", *os.listdir(folder), *(
        f"keys/{name}" for name in os.listdir(folder / "keys"))]).encode(), check=True, stdout=subprocess.PIPE).stdout


WRITE = """#!/bin/busybox sh
for file in /keys/db-* /keys/KEK-* /keys/PK-*; do
	cat "$file" >"/sys/firmware/efi/efivars/${file##*/}" && echo "report: enrolled ${file##*/}"
done
echo "report: done"
"""


def test_firmware_takes_the_keys_and_starts_what_is_signed(tmp_path):

    key = Key.new(tmp_path, "owner")
    der = subprocess.run(["openssl", "x509", "-in", key.certificate, "-outform", "DER"], check=True,
                         stdout=subprocess.PIPE).stdout
    keys = tmp_path / "auto"
    keys.mkdir()
    for name, vendor in (("db", enrolment.DATABASE), ("KEK", enrolment.GLOBAL), ("PK", enrolment.GLOBAL)):
        (keys / f"{name}.auth").write_bytes(signed(name, uuid.UUID(vendor), signature_list([der]), key, tmp_path))
    made = FolderMachine.new(tmp_path / "made", f"mode=sealed\nkey={key.key}\ncertificate={key.certificate}\n")
    (made.root / "etc/kernel/cmdline").write_text(DEFAULT_OPTIONS)
    (made.root / "boot/vmlinuz-6.1").write_bytes(kernel().read_bytes())
    (made.root / "boot/initrd.img-6.1").write_bytes(INITRD.read_bytes())
    made.set("SetupMode", b"\1")
    made.run("install", f"--enroll-keys={keys}", "6.1")

    # Linux writes the same bytes to the variables as the command did.
    written = {f"keys/{path.name}": path.read_bytes() for path in made.efivars.iterdir()
               if path.name.split("-")[0] in ("db", "KEK", "PK")}
    assert len(written) == 3
    more = initrd_with(tmp_path / "more", written, WRITE)
    contents = {f"/{path.relative_to(made.esp)}": path.read_bytes() for path in made.esp.rglob("*") if path.is_file()}
    disk = esp.make(tmp_path / "esp.img", files({**contents, "/more": more}, conf=entry(initrds=("/initrd", "/more"))))
    firmware = FIRMWARE["secboot"]
    variables = varstore.VariableStore(firmware.variables).save(tmp_path / "vars.fd")
    with Machine(disk, firmware=firmware, variables=variables) as guest:
        wait_for_report(guest)
        assert guest.log.count("report: enrolled ") == 3, guest.log

    # First the unsigned image of the removable path, then the image that install made.
    image = made.path_of(*made.numbers("BootNext")).replace("/", "\\")
    options = varstore.boot_options(variables, tmp_path / "more.fd",
                                    [("unsigned", "\\EFI\\BOOT\\BOOTX64.EFI", b""), ("ours", image, b"")])
    with Machine(disk, firmware=firmware, variables=options, boot_order=True) as guest:
        report = wait_for_report(guest)
        assert "BdsDxe: failed to load Boot00A0 \"unsigned\"" in guest.log and "Access Denied" in guest.log
        expect_locked_down(report)
