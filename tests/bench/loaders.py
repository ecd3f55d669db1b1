# SPDX-License-Identifier: BSD-2-Clause
"""The loaders that the benchmarks boot from firmware.

Each function gets a working folder and the initrd. It returns the files of the ESP, and the options with which
tests/bench/mark.c starts peer.efi.
"""

import pathlib
import subprocess

from measure import KERNEL, OPTIONS, machine

SYSTEMD = pathlib.Path("/usr/lib/systemd/boot/efi")


def read_floor(_folder, initrd):
    return {"/peer.efi": machine.BUILD / "bench/floor.efi", "/vmlinuz": KERNEL, "/initrd": initrd}, ""


def kexec_efi(_folder, initrd):
    return ({"/peer.efi": machine.BUILD / "kexecx64.efi", "/vmlinuz": KERNEL, "/initrd": initrd},
            f"linux=/vmlinuz initrd=/initrd -- {OPTIONS}")


def stub(_folder, initrd):
    """The kernel's own EFI stub, started directly."""
    return {"/peer.efi": KERNEL, "/initrd": initrd}, rf"initrd=\initrd {OPTIONS}"


def systemd_boot(_folder, initrd):
    entry = f"title bench\nlinux /vmlinuz\ninitrd /initrd\noptions {OPTIONS}\n"
    return {"/peer.efi": SYSTEMD / "systemd-bootx64.efi", "/loader/loader.conf": b"timeout 0\n",
            "/loader/entries/bench.conf": entry.encode(), "/vmlinuz": KERNEL, "/initrd": initrd}, ""


def unified_image(folder, initrd):
    """systemd's stub with kernel and initrd inside."""
    (folder / "cmdline").write_text(OPTIONS)
    sections = {".osrel": ("/etc/os-release", 0x20000), ".cmdline": (folder / "cmdline", 0x30000),
                ".linux": (KERNEL, 0x2000000), ".initrd": (initrd, 0x3000000)}
    command = ["objcopy"]
    for name, (path, address) in sections.items():
        command += ["--add-section", f"{name}={path}", "--change-section-vma", f"{name}={address:#x}"]
    subprocess.run([*command, SYSTEMD / "linuxx64.efi.stub", folder / "uki.efi"], check=True)
    return {"/peer.efi": folder / "uki.efi"}, ""


def grub(folder, initrd):
    config = folder / "grub.cfg"
    config.write_text("search --no-floppy --set=root --file /vmlinuz\n"
                      f"linux /vmlinuz {OPTIONS}\ninitrd /initrd\nboot\n")
    modules = "part_gpt fat linux search search_fs_file normal"
    subprocess.run(["grub-mkstandalone", "-O", "x86_64-efi", "-o", folder / "grub.efi", f"--modules={modules}",
                    f"--install-modules={modules}", "--locales=", "--fonts=", "--themes=",
                    f"boot/grub/grub.cfg={config}"], check=True, stderr=subprocess.DEVNULL)
    return {"/peer.efi": folder / "grub.efi", "/vmlinuz": KERNEL, "/initrd": initrd}, ""
