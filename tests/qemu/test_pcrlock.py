# SPDX-License-Identifier: BSD-2-Clause
"""Unified images: the guest's registers have the values that predict-pcrs computes, and the values that systemd-pcrlock
predicts from its own components or from ours."""

import base64

import pytest

from conftest import DEFAULT_OPTIONS, IMAGE, INITRD, kernel, utf16, wait_for_report
from kexec_efi_test import uki
from kexec_efi_test.machine import FIRMWARE
from pcrlock import Pcrlock, lock_uki
from test_boot import packed
from test_measured_boot import expect_predicted, expect_recognised, lock

# More profiles than systemd-stub has names for.
FURTHER = [(f".more{number}", bytes([number])) for number in range(20)]


def unified(*more, command_line=DEFAULT_OPTIONS):
    lines = [(".cmdline", f"{command_line}\n".encode())] if command_line else []
    return uki.make([(".osrel", b"ID=debian\n"), *lines, (".uname", b"6.1"), (".splash", b"BM" + bytes(100)),
                     (".pcrpkey", b"a key"), (".pcrsig", b"{}"), (".linux", kernel().read_bytes()),
                     (".initrd", INITRD.read_bytes()), *more, *FURTHER], IMAGE)


def boot_image(boot, boot_options, tmp_path, image, options=None, **machine):
    (tmp_path / "image.efi").write_bytes(image)
    entry = ("image", "\\image.efi", *([utf16(options)] if options else []))
    report = wait_for_report(boot({"/image.efi": image}, **boot_options(entry), **machine))
    assert report["payload"] == "payload: OK"
    which = ["--image", tmp_path / "image.efi", *(["--load-options", options] if options else [])]
    expect_predicted(report, *which)
    return report, which


def test_unified_image(boot, boot_options, tmp_path):
    """systemd-pcrlock's own component predicts registers 4 and 11; ours predicts all."""
    report, which = boot_image(boot, boot_options, tmp_path, unified(), firmware=FIRMWARE["trixie"], tpm="tpm-crb")
    lock_uki(tmp_path / "theirs", tmp_path / "image.efi")
    expect_recognised(report, tmp_path / "theirs", (4, 11, 12))
    log = base64.b64decode(report["event-log"])
    assert [register for register, _ in Pcrlock(log, tmp_path / "theirs").unrecognised([9])] == [9, 9]
    lock(tmp_path / "ours", *which)
    expect_recognised(report, tmp_path / "ours")


@pytest.mark.matrix
@pytest.mark.parametrize("options, has_line", [("@1 kexec.test=profile", True), (f"@1 {DEFAULT_OPTIONS} added", False),
                                               (f"{DEFAULT_OPTIONS} added", False), ("@0", True)])
def test_what_load_options_choose(boot, boot_options, tmp_path, options, has_line):
    profiles = [(".profile", b"ID=0"), (".profile", b"ID=1"), (".ucode", packed(tmp_path, "extra0", b"ucode"))]
    image = unified(*profiles, command_line=DEFAULT_OPTIONS if has_line else None)
    report, which = boot_image(boot, boot_options, tmp_path, image, options, tpm="tpm-tis")
    lock(tmp_path / "ours", *which)
    expect_recognised(report, tmp_path / "ours")


def test_sidecars_are_predicted(boot, tmp_path):
    """One sidecar of each kind for this image and for all images, and addons that add everything possible. The test
    also boots the image by an entry."""
    root = tmp_path / "root"
    image = uki.make([(".osrel", b"ID=debian\n"), (".cmdline", DEFAULT_OPTIONS.encode()), (".uname", b"6.1"),
                      (".linux", kernel().read_bytes()), (".initrd", INITRD.read_bytes()),
                      (".ucode", packed(tmp_path, "extra0", b"ucode"))])
    contents = {
        "/x.efi": image, "/more": packed(tmp_path, "extra1", b"more"),
        "/x.efi.extra.d/b.cred": b"b", "/x.efi.extra.d/A.CRED": b"a" * 5, "/loader/credentials/g.cred": b"",
        "/x.efi.extra.d/a.raw": b"R" * 1003, "/loader/extensions/g.raw": b"G" * 4096,
        "/x.efi.extra.d/c.confext.raw": b"C", "/loader/extensions/g.confext.raw": b"C" * 17,
        "/x.efi.extra.d/1.addon.efi": uki.make([(".cmdline", b" own=1 \n\0"), (".initrd", packed(tmp_path, "extra2", b"own"))]),
        "/x.efi.extra.d/2.addon.efi": uki.make([(".uname", b"6.1\0"), (".ucode", packed(tmp_path, "extra3", b"two"))]),
        "/x.efi.extra.d/3.addon.efi": uki.make([(".uname", b"5.0"), (".cmdline", b"other=1")]),
        "/loader/addons/g.addon.efi": uki.make([(".cmdline", b"all=1"), (".ucode", packed(tmp_path, "extra4", b"one"))]),
    }
    for path, content in contents.items():
        (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (root / path[1:]).write_bytes(content)
    conf = b"linux /x.efi\ninitrd /more\nverbose yes\n"
    (tmp_path / "conf").write_bytes(conf)
    report = wait_for_report(boot({"/EFI/BOOT/BOOTX64.EFI": IMAGE, "/EFI/BOOT/BOOTX64.conf": conf, **contents}, tpm="tpm-crb"))
    assert report["cmdline"].startswith(f"{DEFAULT_OPTIONS} all=1 own=1")
    which = ["--image", IMAGE, "--entry", tmp_path / "conf", "--root", root]
    expect_predicted(report, *which)
    lock(tmp_path / "ours", *which)
    expect_recognised(report, tmp_path / "ours", (4, 9, 11, 12, 13))
