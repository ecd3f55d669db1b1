# SPDX-License-Identifier: BSD-2-Clause
"""Machines from which tests continue. Each stage is made once from the stage before it, then switched off and kept
below build/guest. Making a stage asserts what must hold at each step."""

import contextlib
import hashlib
import shutil
import tempfile

import disk
import guest
import packages
from kexec_efi_test import machine
from words import INSTALL, expect_others, expect_ours, states

# Debian 12's OVMF may hang at a reset. After a delay the emulator delivers the missed timer ticks faster than the
# firmware's handler returns (tianocore/edk2 issues 8527 and 9256, fixed in 2023).
FIRMWARE = machine.FIRMWARE["trixie"]


def _packages():
    return {path.name: path for path in packages.build()}


def _up(made):
    """Stage up: GRUB has booted Debian."""
    expect_others(made, made.release)


def _settled(made):
    """Stage settled: kexec-efi has booted Debian."""
    version, former_order = made.release, made.boot_order
    made.load_cargo()
    made.run(f"{INSTALL} /srv/cargo/kexec-efi*.deb")
    # On a machine that is not set up the hooks are no-ops.
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
    """Stage newer: a second kernel was installed, and has come up."""
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
    """The version of the kernel whose package lies in the guest."""
    return made.run("basename /srv/packages/linux-image-*.deb").split("_")[0].removeprefix("linux-image-")


# Stage -> (the stage before it, the function that makes it).
STAGES = {"up": (None, _up), "settled": ("up", _settled), "newer": ("settled", _newer)}


def _mark(name, suite):
    """A text that changes whenever the stage must be made again."""
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
    """A Guest at the stage, with its disk and variables in `folder`. Makes the stage first if it is missing or out of
    date."""
    kept, mark = disk.FOLDER / f"{suite}-{name}", _mark(name, suite)
    with disk.lock(kept.name):
        if not kept.is_dir() or (kept / "mark").read_text() != mark:
            _make(name, suite, kept, mark)
        return guest.Guest.started(kept, folder, FIRMWARE, **options)
