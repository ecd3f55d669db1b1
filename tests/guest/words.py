# SPDX-License-Identifier: BSD-2-Clause
"""What the tests ask a guest of its boots, and what they expect of the answers."""

import json

KEXEC = "5f0a6dd6-9a3e-4c1f-8d46-2c1a1d1b6a10"
INSTALL = "DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Use-Pty=0 -y install"
PURGE = "DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Use-Pty=0 -y purge"

# An initrd with no program in it: the kernel finds no root and panics.
EMPTY = "cd /tmp && mkdir -p empty && cd empty && find . | cpio -o -H newc --quiet >/boot/initrd.img-"


def status(guest, expected=0):
    return json.loads(guest.run("kexec-efi status --json", expected))


def states(guest):
    """From version and number to what became of a set. This looks into no file: it is quick."""
    found = json.loads(guest.run("kexec-efi list --json"))["sets"]
    return {one["name"].rsplit("-", 1)[0]: one["state"] for one in found}


def current(guest):
    """(the number of the boot entry that was started, its label)."""
    number = guest.variable("BootCurrent")[::-1].hex().upper()
    data = guest.variable(f"Boot{number}")
    return number, data[6:].decode("utf-16-le", "replace").split("\0")[0]


def log_of_loader(guest):
    return guest.run(f"cat /sys/firmware/efi/efivars/KexecLog-{KEXEC} | tail -c +5 | tr -d '\\0'")


def expect_ours(guest, version):
    """The running system was started by our loader, with this kernel. Returns the number of its boot entry, and a line that
    says so."""
    assert guest.release == version
    info = guest.loader_variable("LoaderInfo")
    assert info.startswith("kexec-efi ")
    assert "kexec: kexec-efi " in log_of_loader(guest)
    assert "BOOT_IMAGE" not in guest.run("cat /proc/cmdline")
    number, label = current(guest)
    assert label.endswith(f"{version} (kexec-efi)")
    return number, f"Boot{number} {label}; LoaderInfo {info}; up {guest.uptime:.0f} s"


def expect_others(guest, version, after_refusal=False):
    """GRUB has started it. Returns a line that says so."""
    assert guest.release == version
    # LoaderInfo outlives the program that has set it, ours too if it refused its entry.
    assert guest.loader_variable("LoaderInfo") is None or after_refusal
    assert "BOOT_IMAGE" in guest.run("cat /proc/cmdline")
    assert current(guest)[1] == "debian"
    return f"{current(guest)[1]}; {guest.run('cat /proc/cmdline').split()[0]}; up {guest.uptime:.0f} s"
