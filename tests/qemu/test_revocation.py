# SPDX-License-Identifier: BSD-2-Clause
"""The procedure in SECURITY.md: a revoked sealed image no longer starts, and its successor does. The commands are those
of that page."""

import copy
import re
import struct
import subprocess
import sys
import uuid

import pytest

from conftest import DEFAULT_OPTIONS, HERE, INITRD, kernel, wait_for_report
from kexec_efi_test import varstore
from kexec_efi_test.signing import SHA256, SHIM
from test_sealed import seal
from test_secure_boot import SHIM_IMAGE, Platform, boot_entries, expect_locked_down

sys.path.insert(0, str(HERE.parents[1] / "tools"))

import loader  # noqa: E402

IMAGE_SECURITY_DATABASE = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
TIME_BASED_AUTHENTICATED_WRITE_ACCESS = 0x20


def sealed_image(folder, platform, generation):
    """A unified image whose owner uses generations."""
    folder = folder / f"generation{generation}"
    folder.mkdir()
    return platform.key.sign(seal(folder, f"--linux={kernel()}", f"--initrd={INITRD}",
                                  f"--cmdline={DEFAULT_OPTIONS} generation={generation}",
                                  f"--sbat=acme,{generation},Acme,acme-boot,{generation},https://acme.test"))


def revocations(folder, level):
    """An image without code: it only has a revocation level for shim."""
    (folder / "level").write_text(level)
    (folder / "sbat").write_text("sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
                                 "acme-revocations,1,Acme,acme-boot,1,https://acme.test\n")
    (folder / "revocations.s").write_text('.section .sbata,"a"\n.incbin "level"\n.byte 0\n'
                                          '.section .sbatl,"a"\n.incbin "level"\n.byte 0\n'
                                          '.section .sbat,"a"\n.incbin "sbat"\n')
    for command in (["as", "-o", "revocations.o", "revocations.s"],
                    ["ld", "-m", "i386pep", "--subsystem", "10", "--image-base", "0", "-e", "0", "-s", "-o",
                     "revocations_sbat.efi", "revocations.o"]):
        subprocess.run(command, cwd=folder, check=True)
    return folder / "revocations_sbat.efi"


def expect_only_new(guest):
    report = wait_for_report(guest)
    expect_locked_down(report)
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} generation=2"
    assert len(re.findall(r"^kexec: kexec-efi ", guest.log, re.MULTILINE)) == 1


def expect_refusal_by_shim(guest, label, start):
    """Shim prints a message, and waits for a key."""
    start = guest.expect(r"Verification failed: \(0x1A\) Security Violation", start=start).end()
    guest.type("\r")
    return guest.expect(rf"BdsDxe: failed to start Boot\w+ \"{label}\" ", start=start).end()


def test_generation_revoked_behind_shim(boot, tmp_path):
    """A file beside shim revokes the generation. Shim remembers that: the second entry does not have the file. Shim
    reads the file before it knows the machine owner's keys, so the file's key must be in the firmware's db."""
    platform = Platform("trixie-snakeoil", tmp_path)
    old, new = (sealed_image(tmp_path, platform, generation) for generation in (1, 2))
    level = revocations(tmp_path, "sbat,1,2030010100\nshim,4\ngrub,5\ngrub.proxmox,2\nacme,2\n")
    shim = platform.key.sign(SHIM_IMAGE)
    files = {"/EFI/old/revocations_sbat.efi": platform.key.sign(level)}
    for label, image in (("old", old), ("again", old), ("new", new)):
        files |= {f"/EFI/{label}/shimx64.efi": shim, f"/EFI/{label}/grubx64.efi": image}
    entries = [(label, f"\\EFI\\{label}\\shimx64.efi", b"") for label in ("old", "again", "new")]
    guest = boot(files, firmware=platform.firmware, variables=platform.variables(entries), boot_order=True)
    start = expect_refusal_by_shim(guest, "old", 0)
    expect_refusal_by_shim(guest, "again", start)
    expect_only_new(guest)


def signature_list_of_digest(image):
    """A signature list as hash-to-efi-sig-list makes it (UEFI specification 32.4.1, EFI_CERT_SHA256_GUID)."""
    digest = loader.File("image", image).authenticode()
    return SHA256.bytes_le + struct.pack("<III", 28 + 48, 0, 48) + SHIM.bytes_le + digest


@pytest.mark.matrix
def test_digest_revoked_behind_shim(boot, tmp_path):
    """MokListX has the digest, as MokManager writes it."""
    platform = Platform("trixie-ms", tmp_path)
    old, new = (sealed_image(tmp_path, platform, generation) for generation in (1, 2))
    store = varstore.VariableStore(platform.firmware.variables)
    store.set("MokListX", signature_list_of_digest(old), SHIM, varstore.NON_VOLATILE | varstore.BOOT_SERVICE_ACCESS)
    platform.firmware = copy.copy(platform.firmware)
    platform.firmware.variables = store.save(tmp_path / "with-mokx.fd")
    guest = boot_entries(boot, platform, {"old": (old, b""), "new": (new, b"")}, {})
    expect_refusal_by_shim(guest, "old", 0)
    expect_only_new(guest)


def test_digest_revoked_without_shim(boot, tmp_path):
    """dbx has the digest, as the firmware stores it when the owner of its KEK has appended it."""
    platform = Platform("trixie-snakeoil", tmp_path)
    old, new = (sealed_image(tmp_path, platform, generation) for generation in (1, 2))
    store = varstore.VariableStore(platform.firmware.variables)
    store.set("dbx", signature_list_of_digest(old), IMAGE_SECURITY_DATABASE,
              varstore.DEFAULT_ATTRIBUTES | TIME_BASED_AUTHENTICATED_WRITE_ACCESS)
    platform.firmware = copy.copy(platform.firmware)
    platform.firmware.variables = store.save(tmp_path / "with-dbx.fd")
    guest = boot_entries(boot, platform, {"old": (old, b""), "new": (new, b"")}, {})
    guest.expect(r"BdsDxe: failed to load Boot\w+ \"old\" from .*: Access Denied")
    expect_only_new(guest)
