# SPDX-License-Identifier: BSD-2-Clause
"""As test_life.py, but with Secure Boot on, with sealed and signed images and then a unified one; and behind
systemd-boot, which counts the tries itself."""

import guest as guests
import packages
import pytest
from kexec_efi_test import machine, varstore
from kexec_efi_test.signing import Key
from stages import newer_kernel
from words import EMPTY, INSTALL, expect_ours, log_of_loader, states, status

pytestmark = pytest.mark.guest

SUITE = "trixie"
CONFIGURATION = "mode={mode}\\nkey=/etc/kexec-efi/db.key\\ncertificate=/etc/kexec-efi/db.pem\\n"


def enrolled(variables, firmware, path):
    """The variables of a machine whose owner has enrolled the keys of `firmware`. The boot entries do not change."""
    before, after = varstore.VariableStore(variables), varstore.VariableStore(firmware.variables)
    for name in ["BootOrder", *(f"Boot{number:04X}" for number in range(64))]:
        if before.holds(name):
            after.set(name, before.get(name))
    return after.save(path)


def configure(guest, mode):
    guest.run(f"printf '{CONFIGURATION.format(mode=mode)}' >/etc/kexec-efi.conf")


def test_sealed_signed_and_unified(reach, tmp_path, boots):
    firmware = machine.FIRMWARE["trixie-snakeoil"]
    key = Key.of_firmware(firmware, tmp_path)
    first = reach("settled", SUITE, cargo={"db.key": key.key, "db.pem": key.certificate})
    old = first.release
    first.load_cargo()
    first.run("mkdir -m 700 /etc/kexec-efi && cp /srv/cargo/db.key /srv/cargo/db.pem /etc/kexec-efi")
    configure(first, "sealed")
    first.run(f"kexec-efi add {old}")
    assert first.reboot() == "running"
    expect_ours(first, old)
    assert states(first)[f"{old}.2"] == "good"
    first.power_off()

    variables = enrolled(tmp_path / "vars.fd", firmware, tmp_path / "enrolled.fd")
    with guests.Guest(tmp_path / "disk.qcow2", variables, firmware) as guest:
        guest.wait_until_up()
        _, line = expect_ours(guest, old)
        # The first set was made before there was a key: status names it, and complains about nothing else.
        found = status(guest, 3)
        assert found["secure_boot"]
        assert {one["number"]: one["damage"] for one in found["sets"]} == {
            2: None, 1: "expected the signature of /etc/kexec-efi/db.pem, found none: Secure Boot is on"}
        boots(SUITE, "sealed, signed, Secure Boot on", line)

        new = newer_kernel(guest)
        guest.run(f"{INSTALL} /srv/packages/linux-image-{new}_*.deb")
        guest.reboot()
        _, line = expect_ours(guest, new)
        assert states(guest)[f"{new}.1"] == "good" and status(guest, None)["secure_boot"]
        boots(SUITE, "a second kernel, sealed and signed", line)

        configure(guest, "uki")
        guest.run(f"update-initramfs -u -k {new}")
        assert states(guest)[f"{new}.2"] == "next"
        guest.reboot()
        _, line = expect_ours(guest, new)
        assert states(guest)[f"{new}.2"] == "good" and status(guest, None)["secure_boot"]
        assert guest.loader_variable("StubInfo").startswith("kexec-efi ")
        boots(SUITE, "update-initramfs -u, unified and signed", line)

        # With no key configured, kexec-efi refuses to put the unsigned image on trial.
        guest.run("rm /etc/kexec-efi.conf && kexec-efi uninstall --force")
        assert "Secure Boot is on" in guest.run("kexec-efi install", 1)


def test_behind_systemd_boot_which_counts(reach, boots):
    guest = reach("up", SUITE, cargo={path.name: path for path in packages.build()})
    guest.load_cargo()
    old = guest.release
    guest.run(f"{INSTALL} /srv/packages/systemd-boot*.deb /srv/cargo/kexec-efi*.deb")
    # The entry that an installer would have made.
    guest.run(f"kernel-install add {old} /boot/vmlinuz-{old} /boot/initrd.img-{old}")
    assert guest.reboot() == "running"
    assert guest.loader_variable("LoaderInfo").startswith("systemd-boot ") and guest.loader_variable("LoaderEntrySelected")
    order = guest.boot_order

    guest.run("kexec-efi install")
    assert guest.run("ls /boot/efi/loader/entries | grep -c -e '+3.conf$'").strip() == "1"
    guest.reboot()
    expect_counted(guest, old, order)
    boots(SUITE, "systemd-boot, kexec-efi install", line_of(guest))

    new = newer_kernel(guest)
    guest.run(f"{INSTALL} /srv/packages/linux-image-{new}_*.deb")
    assert states(guest)[f"{new}.1"] == "next"
    guest.reboot()
    expect_counted(guest, new, order)
    boots(SUITE, "systemd-boot, a second kernel", line_of(guest))

    # systemd-boot tries it three times, then gives up.
    guest.run(f"cp /boot/vmlinuz-{new} /boot/vmlinuz-9.9.9-bad && {EMPTY}9.9.9-bad && kexec-efi add 9.9.9-bad")
    guest.reboot()
    assert guest.log[guest.start:].count("Kernel panic") == 3
    expect_counted(guest, new, order)
    bad = next(one for one in status(guest, 3)["sets"] if one["version"] == "9.9.9-bad")
    assert bad["state"] == "failed"
    boots(SUITE, "systemd-boot, a kernel that panics", f"{line_of(guest)}; status: {bad['why']}")


def line_of(guest):
    return f"{guest.loader_variable('LoaderInfo')}; {guest.loader_variable('StubInfo')}; " \
           f"{guest.loader_variable('LoaderEntrySelected')}"


def expect_counted(guest, version, order):
    assert guest.release == version and guest.boot_order == order
    assert guest.loader_variable("LoaderInfo").startswith("systemd-boot ")
    assert guest.loader_variable("StubInfo").startswith("kexec-efi ")
    assert "kexec: kexec-efi " in log_of_loader(guest)
    assert states(guest)[f"{version}.1"] == "good"
    assert guest.run(f"ls /boot/efi/loader/entries | grep -e '{version}[.]1-[0-9a-f]*[.]conf$'")
