# SPDX-License-Identifier: BSD-2-Clause
"""The life of a machine with kexec-efi: installation, a second kernel, a new initrd, removal. In the end the machine
boots as it did before. After each boot the test asks the running system what booted it. stages.py tests the first
steps."""

import pytest
from words import PURGE, expect_others, expect_ours, states

pytestmark = [pytest.mark.guest, pytest.mark.parametrize("suite", ["trixie", "bookworm"])]


def test_install(reach, suite, boots):
    guest = reach("settled", suite)
    _, line = expect_ours(guest, guest.release)
    boots(suite, "apt install, kexec-efi install", line)


def test_a_second_kernel(reach, suite, boots):
    guest = reach("newer", suite)
    _, line = expect_ours(guest, guest.release)
    boots(suite, "apt install of a second kernel", line)
    guest.run("kexec-efi status")


def test_update_initramfs(reach, suite, boots):
    guest = reach("newer", suite)
    new = guest.release
    # The new initrd identifies itself in the kernel log.
    guest.run("mkdir -p /etc/initramfs-tools/scripts/init-top && printf '#!/bin/sh\\necho initrd made anew >/dev/kmsg\\n' "
              ">/etc/initramfs-tools/scripts/init-top/anew && chmod +x /etc/initramfs-tools/scripts/init-top/anew")
    guest.run("update-initramfs -u")
    assert states(guest)[f"{new}.2"] == "next"
    assert guest.reboot() == "running"
    _, line = expect_ours(guest, new)
    assert "initrd made anew" in guest.run("dmesg")
    # The former set of this version is removed once the new one has come up: the other version is the fallback.
    (old, state), = {name: state for name, state in states(guest).items() if name != f"{new}.2"}.items()
    assert state == "good" and not old.startswith(new) and states(guest)[f"{new}.2"] == "good"
    boots(suite, "update-initramfs -u", line)


def test_the_second_kernel_is_purged(reach, suite, boots):
    guest = reach("newer", suite)
    new, (_, *order) = guest.release, guest.boot_order
    old = next(name for name in states(guest) if not name.startswith(new))
    guest.run(f"{PURGE} linux-image-{new}")
    assert states(guest) == {old: "good"} and guest.boot_order == order
    assert guest.reboot() == "running"
    _, line = expect_ours(guest, old.removesuffix(".1"))
    boots(suite, "apt purge of the second kernel", line)


def test_kexec_efi_is_purged(reach, suite, boots):
    guest = reach("settled", suite)
    version, (_, *former_order) = guest.release, guest.boot_order
    guest.run(f"{PURGE} kexec-efi kexec-efi-image")
    assert guest.boot_order == former_order
    guest.run("! test -e /boot/efi/EFI/kexec && ! test -e /var/lib/kexec-efi && ! test -e /usr/lib/kexec-efi")
    assert guest.reboot() == "running"
    line = expect_others(guest, version)
    assert guest.boot_order == former_order
    assert "kexec" not in (guest.run("efibootmgr") + guest.run("ls /sys/firmware/efi/efivars")).lower()
    boots(suite, "apt purge kexec-efi", line)
