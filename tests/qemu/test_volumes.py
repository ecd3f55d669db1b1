# SPDX-License-Identifier: BSD-2-Clause
"""Kernel and initrd on another volume than the image."""

import pathlib
import shutil
import subprocess

import pytest

from conftest import DEFAULT_OPTIONS, IMAGE, INITRD, entry, files, kernel, utf16, wait_for_report
from kexec_efi_test import esp
from kexec_efi_test.machine import BUILD
from lines import errors, on_volume, warnings
from test_sealed import seal
from test_systemd_boot import SYSTEMD_BOOT

OTHER_UUID = "c0ffee03-1234-5678-9abc-def012345678"
NOBODYS_UUID = "c0ffee99-1234-5678-9abc-def012345678"
LINUX_TYPE = "0fc63daf-8483-4772-8e79-3d69d8477de4"
EXT4_DRIVER = BUILD / "deps/refind/ext4_x64.efi"
IMAGE_PATH = "\\kexec.efi"
BOOTED = {"/vmlinuz": kernel(), "/initrd": INITRD}
PATHS = "linux=/vmlinuz initrd=/initrd"


def esp_alone(conf, changes=None):
    """The files of an ESP without kernel and initrd."""
    return files({"/vmlinuz": None, "/initrd": None, **(changes or {})}, conf)


def with_volume(volume, **options):
    return entry(extra=["verbose yes", f"volume {volume}"], **options)


def ext4(tmp_path, contents, size=64):
    """A volume of ext4 with files; `size` is in MiB. Blocks of zeros become holes, which rEFInd's driver cannot read."""
    root = tmp_path / "ext4"
    for path, content in contents.items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else pathlib.Path(content).read_bytes())
    image = tmp_path / "ext4.img"
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-d", root, image, f"{size}M"], check=True)
    return image.read_bytes()


def second_disk(tmp_path, partitions, name):
    """QEMU's options for another disk, from which the firmware does not boot."""
    disk = esp.make_disk(tmp_path / f"{name}.img", partitions)
    return ["-drive", f"if=none,id={name},format=raw,snapshot=on,file={disk}",
            "-device", f"virtio-blk-pci,drive={name}"]


def test_volumes_that_cannot_be_used_then_one_that_can(boot, boot_options):
    """The entry file, the kernel and the initrd are on XBOOTLDR: FAT16 on a disk with sectors of 4096 bytes."""
    bad = {"none": (f"{PATHS} volume={NOBODYS_UUID}",
                    rf"volume {NOBODYS_UUID}: expected a partition that the firmware knows, found none of that name, "
                    rf"({esp.PARTITION_UUID}|{esp.XBOOTLDR_UUID}|{OTHER_UUID}|, ){{5}}"),
           "misspelled": (f"{PATHS} volume=/boot",
                          r'load options: volume: expected esp, xbootldr or a PARTUUID, found "/boot"'),
           "two": (f"{PATHS} volume=esp volume=xbootldr",
                   r'load options: volume: expected one volume for all paths, found "xbootldr"'),
           "own": (PATHS, r"/vmlinuz: cannot open: expected a file, found NOT_FOUND" + on_volume()),
           "other": ("linux=/missing volume=xbootldr",
                     r"/missing: cannot open: expected a file, found NOT_FOUND" +
                     on_volume(esp.XBOOTLDR_UUID, "XBOOT")),
           "unreadable": (f"{PATHS} volume=PARTUUID={OTHER_UUID.upper()}",
                          rf"volume {OTHER_UUID}: {OTHER_UUID}: expected a file system that this firmware reads \(FAT, or "
                          r"what a loaded driver reads\), found UNSUPPORTED")}
    good = f"volume={esp.XBOOTLDR_UUID.upper()} entry=/loader/debian.conf -- more"
    options = boot_options(*((name, IMAGE_PATH, utf16(text)) for name, (text, _) in bad.items()),
                           ("good", IMAGE_PATH, utf16(good)))
    more = [esp.xbootldr({**BOOTED, "/loader/debian.conf": entry()}, fat=16),
            esp.Partition({}, LINUX_TYPE, OTHER_UUID, "root", 16, b"\x53\xef" * 4096)]
    guest = boot(esp_alone(None, {"/kexec.efi": IMAGE, "/EFI/BOOT/BOOTX64.EFI": None, "/EFI/BOOT/BOOTX64.conf": None}),
                 more=more, sector=4096, bus="nvme", **options)
    report = wait_for_report(guest)
    assert report["payload"] == "payload: OK"
    assert report["cmdline"] == f"{DEFAULT_OPTIONS} more"
    # systemd must learn the image's volume, not that of the files.
    assert report["LoaderDevicePartUUID"].lower() == esp.PARTITION_UUID
    for name, (_, line) in bad.items():
        guest.expect(rf"^kexec: {line}$\n(?s:.*)failed to start Boot\w+ \"{name}\"")
    assert len(errors(guest.log)) == len(bad) and not warnings(guest.log)
    guest.expect(rf"^kexec: volume {esp.XBOOTLDR_UUID}: {esp.XBOOTLDR_UUID}$")


@pytest.mark.matrix
@pytest.mark.parametrize("sector, bus", [(512, "virtio"), (512, "ahci"), (4096, "virtio"), (4096, "nvme"),
                                         (512, "usb")])
@pytest.mark.parametrize("fats", [(32, 32), (32, 16), (16, 32), (16, 16)], ids=lambda fats: f"{fats[0]}-{fats[1]}")
def test_esp_and_xbootldr(boot, sector, bus, fats):
    guest = boot(esp_alone(with_volume("xbootldr")), fat=fats[0], more=[esp.xbootldr(BOOTED, fat=fats[1])], sector=sector,
                 bus=bus)
    assert wait_for_report(guest)["payload"] == "payload: OK"
    guest.expect(rf"^kexec: volume xbootldr: {esp.XBOOTLDR_UUID}$")


def menu_on_xbootldr(lines, more=None):
    """An ESP with systemd-boot, which finds an entry on XBOOTLDR that starts our image there."""
    text = "\n".join(["title kexec", "efi /kexecx64.efi", *lines, ""]).encode()
    on_esp = {"/EFI/BOOT/BOOTX64.EFI": SYSTEMD_BOOT, "/loader/loader.conf": b"timeout 0\n"}
    return on_esp, [esp.xbootldr({"/kexecx64.efi": IMAGE, "/loader/entries/kexec.conf": text, **(more or {})}, fat=16)]


@pytest.mark.matrix
def test_image_on_xbootldr_with_its_files(boot):
    on_esp, more = menu_on_xbootldr([], {**BOOTED, "/kexecx64.conf": entry()})
    report = wait_for_report(boot(on_esp, more=more))
    assert report["payload"] == "payload: OK"


@pytest.mark.matrix
def test_image_on_xbootldr_and_files_on_the_esp(boot):
    on_esp, more = menu_on_xbootldr([f"options {PATHS} volume=esp verbose -- {DEFAULT_OPTIONS}"])
    guest = boot({**on_esp, **BOOTED}, more=more)
    assert wait_for_report(guest)["payload"] == "payload: OK"
    guest.expect(rf"^kexec: volume esp: {esp.PARTITION_UUID}$")


@pytest.mark.matrix
def test_partition_of_another_disk(boot, tmp_path):
    """The firmware has not connected the other disk."""
    disk = second_disk(tmp_path, [esp.Partition({}, uuid=NOBODYS_UUID, fat=16), esp.xbootldr(BOOTED, uuid=OTHER_UUID)],
                       "second")
    guest = boot(esp_alone(with_volume(OTHER_UUID)), extra=disk)
    assert wait_for_report(guest)["payload"] == "payload: OK"


@pytest.mark.matrix
def test_xbootldr_of_another_disk_is_none(boot, tmp_path):
    disk = second_disk(tmp_path, [esp.xbootldr(BOOTED)], "second")
    guest = boot(esp_alone(with_volume("xbootldr")), extra=disk)
    guest.expect(r"^kexec: volume xbootldr: expected one partition of that type on the disk of this program, found 0 in its "
                 r"table and 0 in the firmware$")


@pytest.mark.matrix
def test_cloned_disk(boot, boot_options, tmp_path):
    """If our own disk has a partition of the name, the loader takes it. If only other disks have one, and two of them,
    it refuses."""
    clone = [esp.xbootldr({"/vmlinuz": b"not this one"}), esp.Partition({}, uuid=OTHER_UUID, fat=16)]
    disks = second_disk(tmp_path, clone, "second") + second_disk(tmp_path, clone, "third")
    options = boot_options(("bad", IMAGE_PATH, utf16(f"{PATHS} volume={OTHER_UUID}")),
                           ("good", IMAGE_PATH, utf16(f"{PATHS} volume={esp.XBOOTLDR_UUID} -- {DEFAULT_OPTIONS}")))
    guest = boot(esp_alone(entry(), {"/kexec.efi": IMAGE}), more=[esp.xbootldr(BOOTED)], extra=disks, **options)
    assert wait_for_report(guest)["payload"] == "payload: OK"
    guest.expect(rf"^kexec: volume {OTHER_UUID}: expected one partition of that name, found 2, and 0 on our own disk$")


@pytest.mark.matrix
@pytest.mark.parametrize("changed", [False, True], ids=["as sealed", "changed"])
def test_sealed_entry(boot, tmp_path, changed):
    """The digests vouch for the files, whichever volume they are on."""
    (tmp_path / "vmlinuz").symlink_to(kernel())
    (tmp_path / "initrd").symlink_to(INITRD)
    conf = tmp_path / "my.conf"
    conf.write_bytes(with_volume("xbootldr"))
    sealed = seal(tmp_path, "--entry", conf, "--root", tmp_path)
    initrd = INITRD.read_bytes() + (b"\0" if changed else b"")
    guest = boot({"/EFI/BOOT/BOOTX64.EFI": sealed, **BOOTED}, more=[esp.xbootldr({**BOOTED, "/initrd": initrd})])
    if changed:
        guest.expect(r"^kexec: /initrd: fsverity mismatch: ")
    else:
        assert wait_for_report(guest)["payload"] == "payload: OK"


@pytest.mark.matrix
@pytest.mark.parametrize("load", ["load", "load -nc"], ids=["connected", "loaded only"])
def test_file_system_that_a_driver_reads(boot, tmp_path, load):
    """Either the shell connects the driver to the partition, or the loader does."""
    script = f"{load} fs0:\\ext4_x64.efi\r\nfs0:\\kexec.efi {PATHS} volume={OTHER_UUID} verbose -- {DEFAULT_OPTIONS}\r\n"
    without_holes = {**BOOTED, "/initrd": INITRD.read_bytes().rstrip(b"\0") + bytes(16)}
    more = [esp.Partition({}, LINUX_TYPE, OTHER_UUID, "root", 16, ext4(tmp_path, without_holes))]
    guest = boot({"/startup.nsh": script.encode(), "/ext4_x64.efi": EXT4_DRIVER, "/kexec.efi": IMAGE}, more=more)
    assert wait_for_report(guest)["payload"] == "payload: OK"
    guest.expect(rf"^kexec: volume {OTHER_UUID}: {OTHER_UUID}$")


@pytest.mark.matrix
def test_volume_without_a_partition(boot):
    """There is no partition table, so the message names the volume by the firmware's text for the device."""
    guest = boot(files({"/vmlinuz": None}), table=None)
    guest.expect(r"^kexec: /vmlinuz: cannot open: expected a file, found NOT_FOUND on the volume PciRoot\S+ \"ESP\"$")


@pytest.mark.matrix
def test_partition_of_an_mbr(boot, boot_options):
    name = "c0ffee00-01"
    options = boot_options(("type", IMAGE_PATH, utf16(f"{PATHS} volume=esp")),
                           ("missing", IMAGE_PATH, utf16(f"linux=/missing volume={name}")),
                           ("good", IMAGE_PATH, utf16(f"{PATHS} volume={name} -- {DEFAULT_OPTIONS}")))
    guest = boot(files({"/kexec.efi": IMAGE}), table="mbr", **options)
    assert wait_for_report(guest)["payload"] == "payload: OK"
    guest.expect(r"^kexec: volume esp: expected a GUID partition table on the disk of this program, found no signature$")
    guest.expect(r"^kexec: /missing: cannot open: expected a file, found NOT_FOUND" + on_volume(name) + "$")


def grub(tmp_path, config):
    """A GRUB image that runs `config`."""
    script = tmp_path / "grub.cfg"
    script.write_text(config)
    modules = "part_gpt fat ext2 chain serial terminal search"
    subprocess.run(["grub-mkstandalone", "-O", "x86_64-efi", "-o", tmp_path / "grub.efi", f"--modules={modules}",
                    "--locales=", "--fonts=", "--themes=", f"boot/grub/grub.cfg={script}"], check=True,
                   stderr=subprocess.DEVNULL)
    return tmp_path / "grub.efi"


needs_grub = pytest.mark.skipif(not shutil.which("grub-mkstandalone"), reason="GRUB comes with make deps-dev")


@pytest.mark.matrix
@needs_grub
def test_grub_whose_root_is_another_volume(boot, tmp_path):
    """GRUB reads the image from one volume, but passes it another as its device."""
    image = grub(tmp_path, "set root=(hd0,gpt1)\nchainloader (hd0,gpt2)/boot/kexecx64.efi\nboot\n")
    more = [esp.xbootldr({**BOOTED, "/boot/kexecx64.efi": IMAGE, "/boot/kexecx64.conf": entry()})]
    guest = boot({"/EFI/BOOT/BOOTX64.EFI": image}, more=more)
    guest.expect(r"^kexec: .*kexecx64\.conf: cannot open: expected a file, found NOT_FOUND" + on_volume() +
                 r", where this program is not either: GRUB passes its \$root as the volume, so set root to the program's$")


@pytest.mark.matrix
@needs_grub
@pytest.mark.parametrize("arguments", ["", f" {PATHS} volume=esp -- {DEFAULT_OPTIONS}"], ids=["beside", "on the ESP"])
def test_grub_that_reads_more_than_the_firmware(boot, tmp_path, arguments):
    image = grub(tmp_path, f"set root=(hd0,gpt2)\nchainloader (hd0,gpt2)/boot/kexecx64.efi{arguments}\nboot\n")
    content = ext4(tmp_path, {"/boot/kexecx64.efi": IMAGE, "/boot/kexecx64.conf": entry()})
    more = [esp.Partition({}, LINUX_TYPE, OTHER_UUID, "root", 16, content)]
    guest = boot({"/EFI/BOOT/BOOTX64.EFI": image, **BOOTED}, more=more)
    if arguments:
        assert wait_for_report(guest)["payload"] == "payload: OK"
    else:
        guest.expect(rf"^kexec: cannot open the volume {OTHER_UUID}: expected a file system that this firmware reads "
                     r"\(GRUB reads more\), found UNSUPPORTED; volume= in the load options names another$")
