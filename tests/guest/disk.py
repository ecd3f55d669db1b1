# SPDX-License-Identifier: BSD-2-Clause
"""Makes the disk of a guest: a Debian by mmdebstrap, behind an ESP with GRUB. Each suite's disk is made once, below
build/guest; each boot writes to its own overlay."""

import contextlib
import fcntl
import pathlib
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from kexec_efi import load_option                      # noqa: E402
from kexec_efi_test import esp, machine, varstore      # noqa: E402

DEPS = machine.BUILD / "deps/guests"
FOLDER = machine.BUILD / "guest"

ROOT_TYPE = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
ROOT_UUID = "c0ffee03-1234-5678-9abc-def012345678"
_ROOT_PARTITION_UUID = "c0ffee04-1234-5678-9abc-def012345678"
ESP_ROOM, ROOT_ROOM = 320 * esp.MIB, 3072 * esp.MIB

# panic=5 resets the machine after a panic, because nobody is there to do it. mitigations=off: they slow an emulated CPU
# down much. no_timer_check: an emulated timer may be late.
COMMAND_LINE = ("console=ttyS0 panic=5 loglevel=4 systemd.show_status=0 mitigations=off apparmor=0 no5lvl no_timer_check "
                "8250.nr_uarts=2")

GRUB_PATH = "/EFI/debian/grubx64.efi"
ESP_PARTITION = load_option.Partition(1, esp.PARTITION_OFFSET // 512, ESP_ROOM // 512, esp.PARTITION_UUID)

_CONFIGURATION = {
    "etc/hostname": "guest\n",
    "etc/machine-id": "c0ffee05123456789abcdef012345678\n",
    "etc/fstab": f"UUID={ROOT_UUID} / ext4 errors=remount-ro 0 1\n"
                 f"PARTUUID={esp.PARTITION_UUID} /boot/efi vfat umask=0077 0 1\n",
    "etc/default/grub": "GRUB_DEFAULT=0\nGRUB_TIMEOUT=0\nGRUB_DISTRIBUTOR=Debian\nGRUB_TERMINAL=console\n"
                        f"GRUB_CMDLINE_LINUX_DEFAULT=\nGRUB_CMDLINE_LINUX=\"{COMMAND_LINE}\"\n",
    # For the first boot; the packages' hooks write the next one.
    "boot/grub/grub.cfg": f"set root=(hd0,gpt2)\nlinux /vmlinuz root=UUID={ROOT_UUID} ro {COMMAND_LINE}\ninitrd /initrd.img\n"
                          "boot\n",
    "etc/systemd/system/guest-agent.service":
        "[Unit]\nDescription=Runs what a test says\n"
        "[Service]\nExecStart=/usr/local/lib/guest-agent\n[Install]\nWantedBy=multi-user.target\n",
    # An emulated machine is slow, not broken.
    "etc/systemd/system.conf.d/guest.conf": "[Manager]\nDefaultTimeoutStartSec=1h\nDefaultDeviceTimeoutSec=1h\n",
}

# No test needs these services, and they take long on an emulated machine.
_MASKED = ("serial-getty@ttyS0.service", "getty@tty1.service", "apt-daily.timer", "apt-daily-upgrade.timer",
           "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer", "systemd-networkd.service",
           "systemd-binfmt.service", "ldconfig.service", "sys-fs-fuse-connections.mount", "sys-kernel-config.mount",
           "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "dev-hugepages.mount", "dev-mqueue.mount",
           "systemd-udev-load-credentials.service", "modprobe@drm.service", "modprobe@fuse.service",
           "modprobe@configfs.service", "modprobe@efi_pstore.service", "systemd-modules-load.service",
           "systemd-logind.service", "dbus.socket", "dbus.service", "grub-common.service", "systemd-journal-flush.service",
           "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service", "systemd-tmpfiles-clean.timer",
           "systemd-user-sessions.service", "systemd-pcrphase.service", "systemd-pcrphase-sysinit.service",
           "systemd-pcrmachine.service", "systemd-tpm2-setup.service", "systemd-tpm2-setup-early.service")


def _tar_of(suite):
    path = DEPS / f"{suite}.tar"
    assert path.exists(), f"{path} is not there: run make deps-guests"
    return path


def _configure(root):
    for path, text in _CONFIGURATION.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    agent = root / "usr/local/lib/guest-agent"
    agent.write_bytes((HERE / "agent").read_bytes())
    agent.chmod(0o755)
    (root / "boot/efi").mkdir()
    units = root / "etc/systemd/system"
    (units / "multi-user.target.wants").mkdir(parents=True, exist_ok=True)
    (units / "multi-user.target.wants/guest-agent.service").symlink_to("/etc/systemd/system/guest-agent.service")
    for name in _MASKED:
        (units / name).unlink(missing_ok=True)
        (units / name).symlink_to("/dev/null")


def _fill(suite, image):
    """Makes the root's file system in its partition. Runs under fakeroot, so that files have the right owners."""
    with tempfile.TemporaryDirectory(prefix="guest-", dir=FOLDER) as folder:
        root = pathlib.Path(folder)
        subprocess.run(["tar", "-C", root, "--exclude=./dev/*", "-xf", _tar_of(suite)], check=True)
        _configure(root)
        offset = esp.PARTITION_OFFSET + ESP_ROOM
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-U", ROOT_UUID, "-E", f"offset={offset},root_owner=0:0",
                        "-d", root, image, f"{ROOT_ROOM // 1024}k"], check=True)


@contextlib.contextmanager
def lock(name):
    """Locks a disk against other workers."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / f"{name}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def base(suite):
    """The raw disk of a suite. Makes it if it does not exist or is older than its sources."""
    image = FOLDER / f"{suite}.img"
    sources = [_tar_of(suite), HERE / "agent", HERE / "disk.py"]
    with lock(suite):
        if not image.exists() or any(image.stat().st_mtime < source.stat().st_mtime for source in sources):
            _make(suite, image)
    return image


def _make(suite, image):
    partial = image.with_suffix(".partial")
    with tarfile.open(_tar_of(suite)) as tar:
        grub = tar.extractfile("./srv/grubx64.efi").read()
    esp.make_disk(partial, [esp.Partition({GRUB_PATH: grub}, room=ESP_ROOM),
                            esp.Partition({}, kind=ROOT_TYPE, uuid=_ROOT_PARTITION_UUID, label="root", content=b"",
                                          room=ROOT_ROOM)])
    subprocess.run(["fakeroot", sys.executable, "-B", __file__, suite, partial], check=True)
    partial.replace(image)


def overlay(image, path):
    """A new disk with the content of `image`. Writes to it leave `image` unchanged."""
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw" if image.suffix == ".img" else "qcow2", "-b",
                    image, path], check=True)
    return path


def variables(firmware, path, loader=GRUB_PATH):
    """The firmware's variables as an installer leaves them: one boot entry."""
    store = varstore.VariableStore(firmware.variables)
    store.set("Boot0000", load_option.make("debian", ESP_PARTITION, loader))
    store.set("BootOrder", bytes(2))
    store.save(path)
    return path


if __name__ == "__main__":
    _fill(sys.argv[1], pathlib.Path(sys.argv[2]))
