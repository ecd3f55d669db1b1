# SPDX-License-Identifier: BSD-2-Clause
"""Machines that tests go on from. Each stage is made once, of the one before, switched off and kept below build/guest. What
has to hold on the way there is asserted on the way."""

import contextlib
import hashlib
import shutil
import tempfile

import disk
import guest
import packages
from kexec_efi_test import machine
from words import INSTALL, expect_others, expect_ours, states

# Debian 12's OVMF may hang at a reset for good: if the emulator was held up, the ticks of the timer that it makes up for come
# faster than the firmware can end its handler (tianocore/edk2 issues 8527 and 9256, mended in 2023).
FIRMWARE = machine.FIRMWARE["trixie"]


def _packages():
    return {path.name: path for path in packages.build()}


def _up(made):
    """A Debian that GRUB has booted."""
    expect_others(made, made.release)


def _settled(made):
    """It has booted by kexec-efi."""
    version, former_order = made.release, made.boot_order
    made.load_cargo()
    made.run(f"{INSTALL} /srv/cargo/kexec-efi*.deb")
    # Hooks of a machine that is not set up do nothing.
    made.run(f"for hook in initramfs/post-update.d/kexec-efi kernel/postinst.d/zz-kexec-efi kernel/postrm.d/zz-kexec-efi; do "
             f"/etc/$hook {version} || exit 1; done; ! test -e /boot/efi/EFI/kexec")
    made.run("kexec-efi install")
    assert made.boot_order == former_order
    assert states(made) == {f"{version}.1": "next"}
    assert made.reboot() == "running"
    number, _ = expect_ours(made, version)
    assert made.boot_order == [number, *former_order]
    assert states(made) == {f"{version}.1": "good"}


def _newer(made):
    """It has got a second kernel, which has come up."""
    old, (first, *former_order) = made.release, made.boot_order
    new = newer_kernel(made)
    made.run(f"{INSTALL} /srv/packages/linux-image-{new}_*.deb")
    assert made.boot_order == [first, *former_order]
    assert states(made) == {f"{new}.1": "next", f"{old}.1": "good"}
    assert made.reboot() == "running"
    number, _ = expect_ours(made, new)
    assert made.boot_order == [number, first, *former_order]
    assert states(made) == {f"{new}.1": "good", f"{old}.1": "good"}


def newer_kernel(made):
    """The version of the kernel that lies in the guest as a package."""
    return made.run("basename /srv/packages/linux-image-*.deb").split("_")[0].removeprefix("linux-image-")


# What each stage is made of, and how.
STAGES = {"up": (None, _up), "settled": ("up", _settled), "newer": ("settled", _newer)}


def _mark(name, suite):
    """What a stage depends on."""
    parts = [str(disk.base(suite).stat().st_mtime_ns), str(FIRMWARE.code)]
    if name != "up":
        parts += [hashlib.sha256(path.read_bytes()).hexdigest() for path in _packages().values()]
    return "\n".join(parts) + "\n"


def _begin(suite, folder):
    overlay, variables = (folder / name for name in guest.NAMES)
    made = guest.Guest(disk.overlay(disk.base(suite), overlay), disk.variables(FIRMWARE, variables), FIRMWARE)
    made.wait_until_up()
    return made


def _make(name, suite, kept, mark):
    parent, make = STAGES[name]
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory(prefix=f"{suite}-{name}-", dir=disk.FOLDER) as folder:
        folder = disk.FOLDER / folder
        made = stack.enter_context(reach(parent, suite, folder, cargo=_packages()) if parent else _begin(suite, folder))
        make(made)
        partial = kept.with_suffix(".partial")
        for old in (kept, partial):
            shutil.rmtree(old, ignore_errors=True)
        partial.mkdir()
        made.save(partial)
        (partial / "mark").write_text(mark)
        partial.rename(kept)


def reach(name, suite, folder, **options):
    """A Guest at the stage, with its disk and variables in `folder`."""
    kept, mark = disk.FOLDER / f"{suite}-{name}", _mark(name, suite)
    with disk.lock(kept.name):
        if not kept.is_dir() or (kept / "mark").read_text() != mark:
            _make(name, suite, kept, mark)
        return guest.Guest.started(kept, folder, FIRMWARE, **options)
