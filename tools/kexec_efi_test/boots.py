# SPDX-License-Identifier: BSD-2-Clause
"""Describes a boot and its machine, and makes the disk and QEMU's command line for it."""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
from typing import Dict, List, Optional, Sequence, Union

from . import esp, guest, kernel_file, machine, signing, uki, varstore
from .errors import WrongCall

Path = machine.Path

# Ways to the kernel; any other is the path of an EFI application.
VIAS = ("kexec-efi", "stub", "systemd-boot", "grub", "uki")
DEFAULT_CMDLINE = "console=tty0 console=ttyS0"

BOOT_IMAGE = "/EFI/BOOT/BOOTX64.EFI"

_SYSTEMD = pathlib.Path("/usr/lib/systemd/boot/efi")

# The keys of Debian's OVMF builds with Secure Boot on, and the prefix of these builds' names in machine.FIRMWARE.
_KEYS = ("snakeoil", "ms")
_WITH_KEYS = {"ovmf": "", "secboot": "", "trixie": "trixie-", "trixie-secboot": "trixie-", "strictnx": "strictnx-"}

# EFI_IMAGE_SECURITY_DATABASE_GUID (UEFI specification 32.6.1), and the attributes of its variables.
_SECURITY_DATABASE = varstore.uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
_AUTHENTICATED = varstore.DEFAULT_ATTRIBUTES | 0x20


def loader_image() -> pathlib.Path:
    """The loader: the checkout's, or the installed one beside this package."""
    return machine.BUILD / "kexecx64.efi" if machine.IN_CHECKOUT else machine.HERE.parent / "kexecx64.efi"


def default_kernel() -> pathlib.Path:
    """The kernel that `make deps` has fetched, or else the running one."""
    fetched = machine.BUILD / "deps/kernels/amd64/vmlinuz"
    return fetched if machine.IN_CHECKOUT and fetched.exists() else pathlib.Path(f"/boot/vmlinuz-{os.uname().release}")


@dataclasses.dataclass
class Boot:
    """One boot. All fields except `kernel` have useful defaults.

    cmdline: the kernel's, or the load options of an EFI application; without it, consoles on screen and serial line.
    via: "kexec-efi", the loader `image` with the further lines `entry`; "stub", the kernel's own EFI stub;
        "systemd-boot", "grub", "uki" (systemd's stub); or the path of an EFI application that is booted instead, with
        the kernel as /vmlinuz and the initrds as /initrd0 and so on.
    files: further files of the ESP, a dict from path to bytes or to a file's path; `esp` is a folder full of them.
    firmware: a name of machine.FIRMWARE, or the path of a firmware's code; its variables are looked for beside it.
    secure_boot: None, "snakeoil" or "ms" (whose keys Debian's OVMF has), or the path of a certificate in PEM that is
        made platform key, key exchange key and db.
    sign: the files to sign before the boot, "loader", "kernel" or "all", with `key`, or with the key of "snakeoil".
    tpm: None, "crb" or "tis". disks: images of further disks, to which nothing is written.
    share: a folder that the guest sees by 9p under the tag "share". forward: "HOST:GUEST", TCP ports.
    qemu_args: further words for QEMU. run: a command for the guest, in a shell, by a process before the initrd's own.
    """

    kernel: Optional[Path] = None
    initrds: List[Path] = dataclasses.field(default_factory=list)
    cmdline: Optional[str] = None
    via: Path = "kexec-efi"
    image: Optional[Path] = None
    entry: List[str] = dataclasses.field(default_factory=list)
    files: Dict[str, Union[bytes, Path]] = dataclasses.field(default_factory=dict)
    esp: Optional[Path] = None
    firmware: Path = "ovmf"
    secure_boot: Optional[Path] = None
    sign: Optional[str] = None
    key: Optional[Path] = None
    tpm: Optional[str] = None
    memory: int = 1024
    cpus: int = 1
    cpu: Optional[str] = None
    numa: int = 0
    bus: str = "virtio"
    display: Union[bool, str] = False
    disks: List[Path] = dataclasses.field(default_factory=list)
    share: Optional[Path] = None
    net: bool = False
    forward: List[str] = dataclasses.field(default_factory=list)
    qemu_args: List[str] = dataclasses.field(default_factory=list)
    modules: Optional[Path] = None
    run: Optional[str] = None

    def start(self, folder: Path, gdb: bool = False, extra: Sequence[str] = ()) -> machine.Machine:
        """The running machine, to be used as a context manager. `folder` is where its files are made."""
        disk, options = self.prepare(folder)
        options["extra"] = [*options["extra"], *extra]
        return machine.Machine(disk, gdb=gdb, **options)

    def prepare(self, folder: Path) -> tuple:
        """(disk image or None, options of machine.Machine) of this boot. Raises WrongCall."""
        return self.prepared(folder)[:2]

    def prepared(self, folder: Path) -> tuple:
        """Like `prepare`, with the guest.Command of `run`, or None, as a third value."""
        preparation = _Preparation(self, pathlib.Path(folder))
        disk, options = preparation.result()
        return disk, options, preparation.command


def _program(name: str, why: str, package: str = "") -> str:
    found = shutil.which(name)
    if not found:
        raise WrongCall(f"{why}: expected the program {name}, found none" + (f": install {package}" if package else ""))
    return found


def _existing(path: Path, what: str) -> pathlib.Path:
    path = pathlib.Path(path)
    if not path.exists():
        raise WrongCall(f"{what}: cannot read {path}: No such file or directory")
    return path


def firmware_of(name: Path) -> machine.Firmware:
    """The firmware of a name, or of the path of its code."""
    found = machine.FIRMWARE.get(str(name))
    if not found:
        code = pathlib.Path(name)
        if not code.is_file():
            raise WrongCall(f"--firmware {name}: expected one of {', '.join(machine.FIRMWARE)}, or a file, found neither")
        variables = re.sub("_CODE(.*)", lambda match: "_VARS" + re.sub(r"\.(ms|secboot|strictnx|snakeoil)", "", match[1]),
                           code.name)
        has_store = variables != code.name and code.with_name(variables).exists()
        found = machine.Firmware(code.parent, code.name, variables if has_store else None, smm="secboot" in code.name)
    if not found.present:
        raise WrongCall(f"--firmware {name}: cannot read {found.code if not found.code.exists() else found.variables}: "
                        "No such file or directory")
    return found


def _without_unused_kernel(boot: Boot) -> Boot:
    """A sealed loader boots only its own kernel. Unless the caller names another kernel, it is started by itself."""
    has_kernel = boot.kernel is not None or boot.initrds or boot.cmdline is not None or boot.run is not None
    if not boot.image or boot.via != "kexec-efi" or has_kernel or boot.entry:
        return boot
    if not kernel_file.sealed_sections(_existing(boot.image, "--image")):
        return boot
    return dataclasses.replace(boot, via=boot.image, image=None)


class _Preparation:
    """The work of Boot.prepare: `files` of the ESP, `options` of the machine, `boot_entry` of the firmware."""

    def __init__(self, boot: Boot, folder: pathlib.Path):
        self.boot, self.folder = _without_unused_kernel(boot), folder
        self.firmware = self._firmware()
        self.files: dict = {}
        self.boot_entry: Optional[tuple] = None
        self.command: Optional[guest.Command] = None
        self.extra: List[str] = []
        self.options: dict = {"memory": boot.memory, "cpus": boot.cpus, "bus": boot.bus, "display": boot.display,
                              "cpu": boot.cpu, "firmware": self.firmware, "tpm": boot.tpm and f"tpm-{boot.tpm}"}

    def result(self) -> tuple:
        boot = self.boot
        kernel = boot.kernel
        if kernel is None and not (boot.esp or boot.disks or str(boot.via) not in VIAS):
            kernel = default_kernel()
        if kernel is not None:
            kernel = _existing(kernel, "--kernel")
        self._refuse_unused(kernel is not None)
        if kernel is not None and str(boot.via) in VIAS:
            kernel_file.expect_kernel(kernel, str(boot.via))
        if boot.image and boot.run is not None:
            kernel_file.expect_nothing_sealed(_existing(boot.image, "--image"))
        initrds = [_existing(path, "--initrd") for path in boot.initrds]
        cmdline = DEFAULT_CMDLINE if boot.cmdline is None else boot.cmdline
        # Emulated on a busy machine, Linux may take its timer for broken (check_timer), and panics.
        is_ours = boot.cmdline is None or boot.run is not None
        if is_ours and machine.accelerator() == "tcg" and "no_timer_check" not in cmdline.split():
            cmdline = _with_word(cmdline, "no_timer_check")
        # _refuse_unused has checked that a command has a kernel.
        if boot.run is not None and kernel is not None:
            initrds.append(self._command_initrd(boot.run, kernel))
            cmdline = _with_word(cmdline, f"rdinit={guest.INIT}")
        if boot.esp:
            self.files.update(_folder_files(pathlib.Path(boot.esp)))
        self._place(kernel, initrds, cmdline)
        self.files.update({path.replace("\\", "/"): content for path, content in boot.files.items()})
        self._hardware()
        self.options["extra"] = [*self.extra, *boot.qemu_args]
        return self._disk(), self.options

    def _refuse_unused(self, has_kernel: bool) -> None:
        """Raises WrongCall for an option that this boot would not use."""
        boot, is_application = self.boot, str(self.boot.via) not in VIAS
        if boot.run is not None and (is_application or not has_kernel):
            raise WrongCall(f"--run: expected --kernel, by one of {', '.join(VIAS)}, whose initrd and command line it can add "
                            "to, found " + ("another way" if has_kernel else "none"))
        is_ours = boot.via == "kexec-efi" and has_kernel
        for option, is_given, is_used, where in (
                ("--entry", boot.entry, is_ours, "--via kexec-efi and a kernel"),
                ("--image", boot.image, is_ours, "--via kexec-efi and a kernel"),
                ("--initrd", boot.initrds, has_kernel, "--kernel"),
                ("--cmdline", boot.cmdline is not None, has_kernel or is_application, "--kernel"),
                ("--key", boot.key, boot.sign, "--sign"), ("--modules", boot.modules, boot.run is not None, "--run"),
                ("--sign", boot.sign, has_kernel or is_application, "--kernel"),
                ("--sign kernel", boot.sign == "kernel", boot.via != "uki", "another --via than uki, which is one file,")):
            if is_given and not is_used:
                raise WrongCall(f"{option}: expected {where} beside it, found none")

    # --- the boot ---

    def _command_initrd(self, command: str, kernel: pathlib.Path) -> pathlib.Path:
        boot = self.boot
        modules = pathlib.Path(boot.modules) if boot.modules else guest.find_modules(kernel)
        if boot.modules and not (pathlib.Path(boot.modules) / "modules.dep").exists():
            raise WrongCall(f"--modules {boot.modules}: expected a folder with modules.dep, found none")
        self.command = guest.Command(command, modules, share=boot.share is not None,
                                     net=boot.net or bool(boot.forward), disks=bool(boot.disks))
        path = self.folder / "command.cpio"
        path.write_bytes(self.command.initrd)
        return path

    def _place(self, kernel: Optional[pathlib.Path], initrds: List[pathlib.Path], cmdline: str) -> None:
        via = str(self.boot.via)
        if via not in VIAS:
            self.files[BOOT_IMAGE] = self._signed(_existing(via, "--via"), "loader")
            if kernel is not None:
                self.files["/vmlinuz"] = self._signed(kernel, "kernel")
                self.files.update(self._numbered(initrds))
            if self.boot.cmdline is not None:
                self._start_with_options(BOOT_IMAGE, cmdline)
            return
        if kernel is None:
            return
        {"kexec-efi": self._by_kexec_efi, "stub": self._by_stub, "systemd-boot": self._by_systemd_boot,
         "grub": self._by_grub, "uki": self._by_uki}[via](kernel, initrds, cmdline)

    @staticmethod
    def _numbered(initrds: List[pathlib.Path]) -> dict:
        return {f"/initrd{number}": path for number, path in enumerate(initrds)}

    def _by_kexec_efi(self, kernel: pathlib.Path, initrds: List[pathlib.Path], cmdline: str) -> None:
        image = _existing(self.boot.image or loader_image(), "--image")
        if self._needs_no_disk() and not self.boot.entry and self.firmware.knows_shim and machine.knows_shim():
            self.extra += ["-shim", str(image), "-kernel", str(kernel), "-append", cmdline]
            if initrds:
                self.extra += ["-initrd", str(self._joined(initrds))]
            return
        names = self._numbered(initrds)
        lines = ["linux /vmlinuz", *(f"initrd {name}" for name in names), f"options {cmdline}", *self.boot.entry]
        self.files.update({BOOT_IMAGE: self._signed(image, "loader"), "/vmlinuz": self._signed(kernel, "kernel"), **names,
                           "/EFI/BOOT/BOOTX64.conf": os.fsencode("\n".join([*lines, ""]))})

    def _by_stub(self, kernel: pathlib.Path, initrds: List[pathlib.Path], cmdline: str) -> None:
        """Starts the kernel's stub by a boot entry of the firmware, or by QEMU's -kernel, which needs no disk. With
        -kernel, old OVMF boots a kernel that Secure Boot has refused, by another way."""
        if self._needs_no_disk():
            self.extra += ["-kernel", str(kernel), "-append", cmdline]
            if initrds:
                self.extra += ["-initrd", str(self._joined(initrds))]
            return
        names = self._numbered(initrds)
        self.files.update({"/vmlinuz.efi": self._signed(kernel, "kernel"), **names})
        words = " ".join([*(f"initrd={name}".replace("/", "\\") for name in names), cmdline])
        self._start_with_options("/vmlinuz.efi", words)

    def _start_with_options(self, path: str, words: str) -> None:
        """Starts the file by a boot entry of the firmware, with `words` as its load options."""
        if not self.firmware.variables:
            raise WrongCall(f"--via {self.boot.via}: expected a firmware with a variable store for its boot entry, found "
                            f"{self.firmware.code}")
        self.boot_entry = ("test", path.replace("/", "\\"), words.encode("utf-16-le", "replace") + b"\0\0")

    def _by_systemd_boot(self, kernel: pathlib.Path, initrds: List[pathlib.Path], cmdline: str) -> None:
        names = self._numbered(initrds)
        entry = ["title kexec-efi-test", "linux /vmlinuz", *(f"initrd {name}" for name in names), f"options {cmdline}", ""]
        image = _existing(_SYSTEMD / "systemd-bootx64.efi", "--via systemd-boot (package systemd-boot-efi)")
        self.files.update({BOOT_IMAGE: self._signed(image, "loader"), "/vmlinuz": self._signed(kernel, "kernel"), **names,
                           "/loader/loader.conf": b"timeout 0\n",
                           "/loader/entries/test.conf": os.fsencode("\n".join(entry))})

    def _by_grub(self, kernel: pathlib.Path, initrds: List[pathlib.Path], cmdline: str) -> None:
        program = _program("grub-mkstandalone", "--via grub", "grub-efi-amd64-bin and grub-common")
        names = self._numbered(initrds)
        if re.search(r"[{};|&<>$'\"\\]", cmdline):
            cmdline = " ".join("'" + word.replace("'", "'\\''") + "'" for word in cmdline.split())
        text = ["search --no-floppy --set=root --file /vmlinuz", f"linux /vmlinuz {cmdline}",
                *(["initrd " + " ".join(names)] if names else []), "boot", ""]
        config, image = self.folder / "grub.cfg", self.folder / "grub.efi"
        config.write_text("\n".join(text), errors="surrogateescape")
        modules = "part_gpt fat linux search search_fs_file normal serial terminal"
        _call([program, "-O", "x86_64-efi", "-o", image, f"--modules={modules}", f"--install-modules={modules}",
               "--locales=", "--fonts=", "--themes=", "--disable-shim-lock", f"boot/grub/grub.cfg={config}"], "--via grub")
        self.files.update({BOOT_IMAGE: self._signed(image, "loader"), "/vmlinuz": self._signed(kernel, "kernel"), **names})

    def _by_uki(self, kernel: pathlib.Path, initrds: List[pathlib.Path], cmdline: str) -> None:
        stub = _existing(_SYSTEMD / "linuxx64.efi.stub", "--via uki (package systemd-boot-efi)")
        sections = [(".osrel", b"ID=test\nPRETTY_NAME=kexec-efi-test\n"), (".cmdline", os.fsencode(cmdline))]
        if initrds:
            sections.append((".initrd", self._joined(initrds).read_bytes()))
        image = self.folder / "uki.efi"
        image.write_bytes(uki.make([*sections, (".linux", pathlib.Path(kernel).read_bytes())], stub))
        if self._needs_no_disk():
            self.extra += ["-kernel", str(image)]
        else:
            self.files[BOOT_IMAGE] = self._signed(image, "loader")

    def _joined(self, initrds: List[pathlib.Path]) -> pathlib.Path:
        """One file with all initrds, each at a multiple of 4 bytes."""
        if len(initrds) == 1:
            return initrds[0]
        out = self.folder / "initrd"
        with open(out, "wb") as file:
            for path in initrds:
                file.write(bytes(-file.tell() % 4))
                with open(path, "rb") as source:
                    shutil.copyfileobj(source, file)
        return out

    def _needs_no_disk(self) -> bool:
        """Whether QEMU's -kernel suffices. Its volume has no room for other files, and its kernel is never verified."""
        boot = self.boot
        return not (boot.esp or boot.files or boot.secure_boot or boot.sign or self.firmware.key)

    # --- Secure Boot ---

    @property
    def _certificate(self) -> Optional[pathlib.Path]:
        """The certificate that --secure-boot names, if it names one."""
        named = self.boot.secure_boot
        return None if named is None or named in _KEYS else pathlib.Path(named)

    def _firmware(self) -> machine.Firmware:
        boot, name = self.boot, str(self.boot.firmware)
        if boot.secure_boot in _KEYS:
            if name not in _WITH_KEYS:
                raise WrongCall(f"--secure-boot {boot.secure_boot}: expected --firmware {', '.join(_WITH_KEYS)}, "
                                f"found {name}")
            name = _WITH_KEYS[name] + str(boot.secure_boot)
        elif self._certificate is not None:
            if not self._certificate.is_file():
                raise WrongCall(f"--secure-boot {boot.secure_boot}: expected snakeoil, ms or a certificate in PEM, found "
                                "no such file")
            name = {"ovmf": "secboot", "trixie": "trixie-secboot"}.get(name, name)
        return firmware_of(name)

    def _signing_key(self) -> signing.Key:
        boot = self.boot
        _program("sbsign", "--sign", "sbsigntool")
        _program("openssl", "--sign")
        if boot.key:
            certificate = self._certificate or pathlib.Path(boot.key).with_suffix(".pem")
            return signing.Key(self._copied(_existing(boot.key, "--key"), "own.key"),
                               _existing(certificate, "--key: its certificate"))
        if not self.firmware.key:
            raise WrongCall("--sign: expected --key, or --secure-boot snakeoil, whose key is public, found neither")
        return signing.Key.of_firmware(self.firmware, self.folder)

    def _copied(self, path: pathlib.Path, name: str) -> pathlib.Path:
        """A copy of a key or certificate in the boot's folder, because signing writes files beside it."""
        return pathlib.Path(shutil.copyfile(path, self.folder / name))

    def _signed(self, path: Path, what: str) -> Path:
        """The file to boot, signed if the user asked for it."""
        if self.boot.sign not in (what, "all"):
            return path
        try:
            return self._signing_key().sign(path)
        except subprocess.CalledProcessError as error:
            raise WrongCall(f"--sign: {error.cmd[0]} failed with {path}: is it a PE image, and do key and certificate "
                            "belong together?") from error

    def _enrol(self, store: varstore.VariableStore) -> None:
        """Makes the owner's certificate the only one, which turns Secure Boot on."""
        _program("openssl", "--secure-boot")
        owner = varstore.uuid.UUID(int=0)
        try:
            signatures = signing.Key("", self._certificate).signature_list(owner)
        except subprocess.CalledProcessError as error:
            raise WrongCall(f"--secure-boot {self.boot.secure_boot}: expected snakeoil, ms or a certificate in PEM, "
                            "found none") from error
        for name, vendor in (("PK", varstore.GLOBAL_VARIABLE), ("KEK", varstore.GLOBAL_VARIABLE),
                             ("db", _SECURITY_DATABASE)):
            store.set(name, signatures, vendor, _AUTHENTICATED)

    # --- the machine ---

    def _hardware(self) -> None:
        boot = self.boot
        if self.firmware is machine.FIRMWARE["u-boot"]:
            self.options["board"] = "pc"
        if boot.numa:
            self._numa()
        for number, disk in enumerate(boot.disks):
            self._add_disk(number, _existing(disk, "--disk"))
        if boot.share is not None:
            if not os.path.isdir(boot.share):
                raise WrongCall(f"--share {boot.share}: expected a folder, found none")
            folder = str(boot.share).replace(",", ",,")
            self.extra += ["-virtfs", f"local,path={folder},mount_tag=share,security_model=none,multidevs=remap"]
        if boot.net or boot.forward:
            forwards = "".join(",hostfwd=tcp:127.0.0.1:{}-:{}".format(*ports.split(":")) for ports in boot.forward)
            self.extra += ["-netdev", f"user,id=net0{forwards}", "-device", "virtio-net-pci,netdev=net0,romfile="]

    def _numa(self) -> None:
        boot = self.boot
        if boot.memory % boot.numa or boot.cpus % boot.numa:
            raise WrongCall(f"--numa {boot.numa}: expected --memory and --cpus that can be divided by it, found "
                            f"{boot.memory} and {boot.cpus}")
        for node in range(boot.numa):
            each = boot.cpus // boot.numa
            self.extra += ["-object", f"memory-backend-ram,id=node{node},size={boot.memory // boot.numa}M",
                           "-numa", f"node,nodeid={node},memdev=node{node},cpus={node * each}-{node * each + each - 1}"]

    def _add_disk(self, number: int, path: pathlib.Path) -> None:
        with open(path, "rb") as file:
            kind = {b"QFI\xfb": "qcow2", b"KDMV": "vmdk", b"vhdx": "vhdx"}.get(file.read(4), "raw")
        name = str(path).replace(",", ",,")
        index = "" if self.files or self.extra_kernel else f",bootindex={number + 1}"
        device = {"virtio": "virtio-blk-pci", "nvme": f"nvme,serial=disk{number}", "ahci": "ide-hd"}[self.boot.bus]
        self.extra += ["-drive", f"if=none,id=disk{number},format={kind},snapshot=on,file={name}",
                       "-device", f"{device},drive=disk{number}{index}"]

    @property
    def extra_kernel(self) -> bool:
        return "-kernel" in self.extra

    def _variables(self) -> Optional[pathlib.Path]:
        """A variable store for this boot, if it needs other variables than the firmware's, else None."""
        if not self._certificate and not self.boot_entry:
            return None
        if not self.firmware.variables:
            raise WrongCall(f"--secure-boot: expected a firmware with a variable store, found {self.firmware.code}")
        out = self.folder / "vars.fd"
        store = varstore.VariableStore(self.firmware.variables)
        if self._certificate:
            self._enrol(store)
        store.save(out)
        if self.boot_entry:
            varstore.boot_options(out, out, [self.boot_entry])
        return out

    def _disk(self) -> Optional[pathlib.Path]:
        self.options["variables"] = self._variables()
        self.options["boot_order"] = self.boot_entry is not None
        if not self.files:
            return None
        if not self.boot_entry and BOOT_IMAGE.lower() not in map(str.lower, self.files):
            raise WrongCall(f"expected {BOOT_IMAGE} on the ESP, which firmware looks for, found "
                            f"{', '.join(sorted(self.files)[:5])}")
        _program("mformat", "the ESP", "mtools")
        try:
            return esp.make(self.folder / "esp.img", self.files)
        except subprocess.CalledProcessError as error:
            said = (error.stderr or "").strip().splitlines()
            how = said[-1] if said else "failed"
            raise WrongCall(f"cannot make the ESP: {' '.join(map(str, error.cmd))}: {how}") from error


def _with_word(cmdline: str, word: str) -> str:
    """Adds `word` to the kernel's words, in front of those for the first process."""
    before, separator, after = f" {cmdline} ".partition(" -- ")
    return f"{before.strip()} {word}{separator}{after}".strip()


def _folder_files(folder: pathlib.Path) -> dict:
    if not folder.is_dir():
        raise WrongCall(f"--esp {folder}: expected a folder, found none")
    files = {"/" + str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    if not files:
        raise WrongCall(f"--esp {folder}: expected files in it, found none")
    return files


def _call(command: Sequence[Path], why: str) -> None:
    result = subprocess.run([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                            errors="replace")
    if result.returncode:
        last = (result.stderr.strip().splitlines() or [f"status {result.returncode}"])[-1]
        raise WrongCall(f"{why}: {pathlib.Path(command[0]).name} failed: {last}")
