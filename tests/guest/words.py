# SPDX-License-Identifier: BSD-2-Clause
"""Questions that the tests ask a guest about its boots, and checks of the answers."""

import json

KEXEC = "5f0a6dd6-9a3e-4c1f-8d46-2c1a1d1b6a10"
INSTALL = "DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Use-Pty=0 -y install"
PURGE = "DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Use-Pty=0 -y purge"

# An initrd without a program: the kernel finds no root and panics.
EMPTY = "cd /tmp && mkdir -p empty && cd empty && find . | cpio -o -H newc --quiet >/boot/initrd.img-"


def status(guest, expected=0):
    return json.loads(guest.run("kexec-efi status --json", expected))


def states(guest):
    """"VERSION.NUMBER" of each set -> its state. This is fast, because it reads none of the set's files."""
    found = json.loads(guest.run("kexec-efi list --json"))["sets"]
    return {one["name"].rsplit("-", 1)[0]: one["state"] for one in found}


def current(guest):
    """(number of the boot entry that was started, its label)"""
    number = guest.variable("BootCurrent")[::-1].hex().upper()
    data = guest.variable(f"Boot{number}")
    return number, data[6:].decode("utf-16-le", "replace").split("\0")[0]


def log_of_loader(guest):
    return guest.run(f"cat /sys/firmware/efi/efivars/KexecLog-{KEXEC} | tail -c +5 | tr -d '\\0'")


def expect_ours(guest, version):
    """Asserts that our loader started the running system, with this kernel. Returns the number of its boot entry, and a
    line for the table."""
    assert guest.release == version
    info = guest.loader_variable("LoaderInfo")
    assert info.startswith("kexec-efi ")
    assert "kexec: kexec-efi " in log_of_loader(guest)
    assert "BOOT_IMAGE" not in guest.run("cat /proc/cmdline")
    number, label = current(guest)
    assert label.endswith(f"{version} (kexec-efi)")
    return number, f"Boot{number} {label}; LoaderInfo {info}; up {guest.uptime:.0f} s"


def expect_others(guest, version, after_refusal=False):
    """Asserts that GRUB started the running system. Returns a line for the table."""
    assert guest.release == version
    # LoaderInfo outlives the loader that set it. So it is ours if our loader refused its entry.
    assert guest.loader_variable("LoaderInfo") is None or after_refusal
    assert "BOOT_IMAGE" in guest.run("cat /proc/cmdline")
    assert current(guest)[1] == "debian"
    return f"{current(guest)[1]}; {guest.run('cat /proc/cmdline').split()[0]}; up {guest.uptime:.0f} s"
