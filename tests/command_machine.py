# SPDX-License-Identifier: BSD-2-Clause
"""A machine made of folders, for the tests of the command kexec-efi: its files, its ESP, its EFI variables, and a
simulated firmware that reads them."""

import contextlib
import io
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import loader  # noqa: E402
from kexec_efi import boot_files, changes, configuration, load_option, machine, system, variables  # noqa: E402

COMMAND = ROOT / "tools/kexec-efi"
# A small payload that the loader accepts as a kernel.
SHIM = ROOT / "build/deps/shim/shimx64.efi.signed"
KERNEL = ROOT / "build/deps/memtest86+/memtest86+x64.bin"
ESP_UUID = "c0ffee00-1234-5678-9abc-def012345678"
TOKEN = "testing"
FOLDER = f"EFI/kexec/{TOKEN}"
GLOBAL = variables.GLOBAL
OTHERS, OTHERS_PATH = 1, "/EFI/debian/shimx64.efi"


def cpio(text):
    """An initrd with one file (Documentation/driver-api/early-userspace/buffer-format.rst)."""
    archive = b""
    for name, content in ((b"text", text.encode()), (b"TRAILER!!!", b"")):
        fields = [0, 0o100644, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name + b"\0"
        archive += head.ljust(-(-len(head) // 4) * 4, b"\0") + content.ljust(-(-len(content) // 4) * 4, b"\0")
    return archive


class FolderMachine:
    def __init__(self, folder):
        self.folder = folder
        self.root, self.kernel = folder / "root", folder / "kernel"
        self.esp = self.root / "boot/efi"
        self.efivars = self.kernel / "sys/firmware/efi/efivars"
        self.boots = 0

    @classmethod
    def new(cls, folder, conf=""):
        made = cls(folder)
        for path in (made.esp / "EFI/debian", made.root / "etc/kernel", made.efivars, made.kernel / "run/udev/data",
                     made.kernel / "proc/self", made.kernel / "proc/sys/kernel/random"):
            path.mkdir(parents=True)
        (made.esp / OTHERS_PATH[1:]).write_bytes(b"MZ")
        (made.root / "etc/os-release").write_text('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n')
        (made.root / "etc/kernel/entry-token").write_text(TOKEN + "\n")
        (made.root / "etc/kernel/cmdline").write_text("root=/dev/vda2 ro\n quiet\n")
        (made.root / "etc/kexec-efi.conf").write_text(conf)
        (made.kernel / "proc/self/mountinfo").write_text(
            "22 1 254:2 / / rw,relatime shared:1 - ext4 /dev/vda2 rw\n"
            f"30 22 254:1 / {os.path.realpath(made.esp)} rw,relatime shared:2 - vfat /dev/vda1 rw,fmask=0022\n")
        (made.kernel / "run/udev/data/b254:1").write_text(
            "S:disk/by-partuuid/x\nE:ID_PART_ENTRY_SCHEME=gpt\nE:ID_PART_ENTRY_TYPE=c12a7328-f81f-11d2-ba4b-00a0c93ec93b\n"
            f"E:ID_PART_ENTRY_UUID={ESP_UUID}\nE:ID_PART_ENTRY_NUMBER=1\nE:ID_PART_ENTRY_OFFSET=2048\n"
            "E:ID_PART_ENTRY_SIZE=614400\n")
        made.set("BootOrder", struct.pack("<H", OTHERS))
        partition = load_option.Partition(1, 2048, 614400, ESP_UUID)
        made.set("Boot0001", load_option.make("debian", partition, OTHERS_PATH))
        made.set("BootCurrent", struct.pack("<H", OTHERS))
        made._begin("5.10.0-1-amd64")
        return made

    def copy(self, folder):
        """Copies the machine to another folder, with its ESP mounted there."""
        shutil.copytree(self.folder, folder, symlinks=True)
        made = FolderMachine(folder)
        mountinfo = made.kernel / "proc/self/mountinfo"
        mountinfo.write_text(mountinfo.read_text().replace(str(self.folder), str(folder)))
        return made

    # --- the machine's files ---

    def kernel_package(self, version, initrd=None):
        """Writes the files that a kernel's package and update-initramfs would have written."""
        (self.root / f"boot/vmlinuz-{version}").write_bytes(KERNEL.read_bytes())
        (self.root / f"boot/initrd.img-{version}").write_bytes(cpio(initrd or version))

    def configure(self, text):
        (self.root / "etc/kexec-efi.conf").write_text(text)

    def names(self):
        """The files in our folder of the ESP."""
        folder = self.esp / FOLDER
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def state(self):
        """Everything on the ESP, among the variables and in /var, from path to content."""
        return {str(path.relative_to(self.folder)): path.read_bytes()
                for top in (self.esp, self.efivars, self.root / "var") for path in top.rglob("*") if path.is_file()}

    # --- its variables ---

    def set(self, name, data, vendor=GLOBAL):
        (self.efivars / f"{name}-{vendor}").write_bytes(struct.pack("<I", 7) + data)

    def get(self, name, vendor=GLOBAL):
        path = self.efivars / f"{name}-{vendor}"
        return path.read_bytes()[4:] if path.exists() else None

    def numbers(self, name):
        return [number for number, in struct.iter_unpack("<H", self.get(name) or b"")]

    # --- its firmware ---

    def path_of(self, number):
        """The path on the ESP that a boot entry names, parsed without the code under test."""
        data = self.get(f"Boot{number:04X}")
        assert data is not None, f"Boot{number:04X} is named and not there"
        description = next(i for i in range(6, len(data), 2) if data[i:i + 2] == b"\0\0") + 2
        nodes = data[description:description + int.from_bytes(data[4:6], "little")]
        path = None
        while nodes[:2] != b"\x7f\xff":
            size = int.from_bytes(nodes[2:4], "little")
            if nodes[:2] == b"\4\1":
                assert nodes[24:40] == uuid.UUID(ESP_UUID).bytes_le
            if nodes[:2] == b"\4\4":
                path = nodes[4:size].decode("utf-16-le").rstrip("\0").replace("\\", "/")
            nodes = nodes[size:]
        if path and re.search(r"/shim-[0-9a-f]{16}\.efi$", path):
            # As shim does: its load options name the image to start.
            assert (self.esp / path[1:]).read_bytes() == SHIM.read_bytes()
            options = data[description + int.from_bytes(data[4:6], "little"):].decode("utf-16-le")
            path = options.split("\0")[0].replace("\\", "/")
        return path

    def judge(self, path):
        """Asserts that the loader would boot the image at this path of the ESP."""
        if path == OTHERS_PATH:
            return
        file = self.esp / path[1:]
        image = loader.Image(path, file.read_bytes())
        plan = image.plan or loader.entry(path, file.with_suffix(".conf").read_bytes())
        parts = [plan["kernel"], *plan["initrds"]]
        assert all(part["fsverity"] or part["source"] == "image" for part in parts)
        loader.expect_plan(plan, lambda part: loader.part_content(part, self.esp, image))

    def named(self):
        """The paths that firmware or systemd-boot may start, in order."""
        paths = [self.path_of(number) for number in [*self.numbers("BootNext"), *self.numbers("BootOrder")]]
        for entry in sorted((self.esp / "loader/entries").glob("*.conf")):
            paths += [line.split(None, 1)[1] for line in entry.read_text().splitlines() if line.startswith("efi ")]
        return paths + ["/EFI/BOOT/BOOTX64.EFI"] * (self.esp / "EFI/BOOT/BOOTX64.EFI").exists()

    def expect_bootable(self):
        """Asserts that firmware has an image to start next, and that each image it may start boots."""
        paths = self.named()
        assert paths
        for path in dict.fromkeys(paths):
            self.judge(path)

    def _begin(self, release):
        self.boots += 1
        (self.kernel / "proc/sys/kernel/random/boot_id").write_text(f"boot {self.boots}\n")
        (self.kernel / "proc/sys/kernel/osrelease").write_text(release + "\n")

    def leave_start(self, what, path, line="", time="2026-01-02 03:04"):
        """Writes the loader's note of a start (efi/notes/start_note.h)."""
        wide = path.replace("/", "\\")
        before = self.get("KexecStarts", variables.KEXEC) or b""
        self.set("KexecStarts", before + f"{what}\t{wide}\t{line}\t{time}\n".encode(), variables.KEXEC)

    def reboot(self, failing=(), refused=None):
        """Boots as the variables say. A version in `failing` never comes up; the loader refuses a version in `refused`,
        with that message. Returns the running version, or "others"."""
        order = [*self.numbers("BootNext"), *self.numbers("BootOrder")]
        with contextlib.suppress(FileNotFoundError):
            (self.efivars / f"BootNext-{GLOBAL}").unlink()
        for number in order:
            path = self.path_of(number)
            self.judge(path)
            version = "others" if path == OTHERS_PATH else path.rpartition("/")[2].rsplit(".", 2)[0]
            is_refused = version in failing and refused
            if is_refused:
                self.leave_start("refused", path, refused)
            elif number not in self.numbers("BootOrder") and path != OTHERS_PATH:
                self.leave_start("started", path)
            if version not in failing:
                self.set("BootCurrent", struct.pack("<H", number))
                self._begin(version)
                return version
            # The kernel hung, and somebody reset the machine: firmware starts with the boot order again.
            order = self.numbers("BootOrder")
        raise AssertionError("nothing boots")

    # --- the command ---

    def machine(self, use_variables="yes"):
        found = system.System(self.root, self.kernel)
        return machine.Machine(found, configuration.read(found), use_variables)

    def plan_add(self, version, **options):
        found = self.machine()
        return changes.add(found, boot_files.find(found.system, version), **options)

    def run(self, *words, expected=0, environment=None):
        """Runs the command. Returns its output and its messages."""
        result = subprocess.run([COMMAND, *words[:1], f"--root={self.root}", "--variables=yes", *words[1:]],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, "KEXEC_EFI_SYSTEM": str(self.kernel), **(environment or {})})
        assert "Traceback" not in result.stderr, result.stderr
        assert result.returncode == expected, (result.stdout, result.stderr)
        return result.stdout + result.stderr


@contextlib.contextmanager
def silent():
    with contextlib.redirect_stdout(io.StringIO()):
        yield
