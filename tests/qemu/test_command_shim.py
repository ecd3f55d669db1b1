# SPDX-License-Identifier: BSD-2-Clause
"""kexec-efi's boot entries with shim in front: Debian's shim finds the image by its load options; there is no image
beside it."""

import struct

from command_machine import FolderMachine
from conftest import DEFAULT_OPTIONS, INITRD, kernel, wait_for_report
from kexec_efi import load_option, shim
from kexec_efi_test.varstore import load_option as short_form
from test_secure_boot import SHIM_IMAGE, Platform, expect_locked_down


def test_what_install_makes_boots(boot, tmp_path):
    """Secure Boot is on, with keys that Microsoft's shim trusts. The ESP has only the files that `install --shim`
    wrote. The boot entry has the load options that it wrote, but a short device path, because its full one names
    another disk."""
    platform = Platform("ms", tmp_path)
    made = FolderMachine.new(tmp_path / "made",
                             f"mode=sealed\nkey={platform.key.key}\ncertificate={platform.key.certificate}\n")
    (made.root / "etc/kernel/cmdline").write_text(DEFAULT_OPTIONS)
    (made.root / "boot/vmlinuz-6.1").write_bytes(kernel().read_bytes())
    (made.root / "boot/initrd.img-6.1").write_bytes(INITRD.read_bytes())
    (made.root / "shim.efi").write_bytes(SHIM_IMAGE.read_bytes())
    made.run("install", f"--shim={made.root}/shim.efi", "6.1")
    number, = struct.unpack("<H", made.get("BootNext"))
    option = load_option.parse(made.get(f"Boot{number:04X}"))
    assert shim.image_in(option.optional).startswith("/EFI/kexec/")
    files = {f"/{path.relative_to(made.esp)}": path.read_bytes() for path in made.esp.rglob("*") if path.is_file()}
    entry = short_form("shim", option.path.replace("/", "\\"), option.optional)
    guest = boot(files, firmware=platform.firmware, variables=platform.variables([entry]), boot_order=True, memory=1024)
    report = wait_for_report(guest)
    expect_locked_down(report)
    assert report["cmdline"] == DEFAULT_OPTIONS
