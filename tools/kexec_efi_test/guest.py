# SPDX-License-Identifier: BSD-2-Clause
"""The command that runs in the guest for `--run`: a small archive behind the other initrds, with a first process of its
own.

It needs nothing from the other initrds. The kernel must support a serial line (8250), devtmpfs and initrds. The archive
also has the kernel's modules that the machine's devices need, if they are found.
"""

import hashlib
import lzma
import pathlib
import re
import shutil
import stat
import struct
import subprocess
from typing import Iterable, Optional

from .errors import WrongCall

FOLDER = ".kexec-efi-test"
INIT = f"/{FOLDER}/init"

# A token follows the mark, so that no guest writes both by chance. The line is repeated, because the kernel may write
# into it.
MARK = "kexec-efi-test"
REPEATED = 3
MARKED = re.compile(rf"^\n?{MARK}-[0-9a-f]{{16}} (up|exit|cannot|pcr|log)\b.*\n", re.MULTILINE)

# QEMU's user network (docs/system/devices/net.rst).
ADDRESS, GATEWAY, NAME_SERVER = "10.0.2.15/24", "10.0.2.2", "10.0.2.3"

_INIT = r"""#!/@FOLDER@/busybox sh
here=/@FOLDER@
$here/busybox mkdir -p $here/bin /proc /sys /dev /tmp
$here/busybox --install -s $here/bin
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$here/bin HOME=/root TERM=linux
mount -t proc proc /proc 2>/dev/null
mount -t sysfs sysfs /sys 2>/dev/null
mount -t devtmpfs dev /dev 2>/dev/null
exec </dev/null >/dev/@SERIAL@ 2>&1
mark() {
	for _ in @TURNS@; do echo; echo "@MARK@ $*"; done
}
finish() {
	mark "$@"
	sleep 60
	poweroff -f
}
for module in @MODULES@; do
	insmod "$here/modules/$module" 2>/dev/null
done
for system in efivarfs:/sys/firmware/efi/efivars securityfs:/sys/kernel/security; do
	[ -d "${system#*:}" ] && mount -t "${system%%:*}" none "${system#*:}" 2>/dev/null
done
@SETUP@
mark up
sh $here/command
status=$?
sync
@FACTS@
finish exit $status
"""

_SHARE = """mkdir -p /share
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 share /share || finish cannot share
"""

_NET = f"""for link in /sys/class/net/e*; do
	[ -e "$link" ] || finish cannot net
	ip link set "${{link##*/}}" up
	ip address add {ADDRESS} dev "${{link##*/}}"
	ip route add default via {GATEWAY}
done
ip link set lo up
mkdir -p /etc
[ -e /etc/resolv.conf ] || echo "nameserver {NAME_SERVER}" >/etc/resolv.conf
"""

# Adds facts about the boot to its log, for the results.
_FACTS = """for pcr in /sys/class/tpm/tpm0/pcr-sha256/*; do
	[ -e "$pcr" ] && echo "@MARK@ pcr ${pcr##*/} $(cat "$pcr")"
done
cat /sys/firmware/efi/efivars/KexecLog-* 2>/dev/null | tail -c +5 | tr -d '\\0' | sed 's/^/@MARK@ log /'
echo
"""

# Drivers that the machine's devices may need, in this order. modules.dep says which others these need.
_ALWAYS = ["virtio_pci", "efivarfs"]
_FOR_SHARE = ["9pnet_virtio", "9p"]
_FOR_NET = ["virtio_net"]
_FOR_DISK = ["virtio_blk", "nvme", "ahci", "sd_mod"]

# Devices that the guest may report as missing: the message, and the drivers for the device.
_MISSING = {"share": ("--share: the guest cannot mount the folder", _FOR_SHARE),
            "net": ("--net: the guest has no network link", _FOR_NET)}


def release_of(kernel: pathlib.Path) -> Optional[str]:
    """The release of a bzImage (Documentation/arch/x86/boot.rst, kernel_version), None if it has none."""
    with open(kernel, "rb") as file:
        head = file.read(0x10000).ljust(0x210, b"\0")
    place, = struct.unpack_from("<H", head, 0x20e)
    if head[0x202:0x206] != b"HdrS" or not place:
        return None
    start = place + 0x200
    return head[start:head.find(b"\0", start)].split(b" ")[0].decode("ascii", "replace") or None


def find_modules(kernel: pathlib.Path) -> Optional[pathlib.Path]:
    """The folder with the modules of a kernel: beside it as a package or `make modules_install` puts them, or this
    machine's. If the kernel is a symlink, they may lie beside the link or beside its target."""
    release = release_of(kernel)
    files = (kernel.absolute(), kernel.resolve())
    places = [file.parent / "modules" for file in files]
    if release:
        roots = [root for file in files for root in file.parents[:3]]
        places += [root / "lib/modules" / release for root in (*roots, pathlib.Path("/"))]
    for place in places:
        if (place / "modules.dep").exists():
            return place
    return next((file.parent for file in files if any(file.parent.glob("*.ko*"))), None)


def _name_of(path: str) -> str:
    return re.sub(r"\.ko(\.\w+)?$", "", pathlib.PurePath(path).name).replace("-", "_")


def modules_needed(folder: pathlib.Path, wanted: Iterable[str]) -> list:
    """Files of modules, each behind those that it needs. A missing one counts as built into the kernel.

    A folder without modules.dep may have modules too, as `make deps` puts them: single files, or folders with a file
    `order`, which gives the order of all modules in the folder.
    """
    if not (folder / "modules.dep").exists():
        return _modules_without_list(folder, set(wanted))
    needs = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        needs[_name_of(path)] = (path, others.split())
    order: list = []

    def add(name: str) -> None:
        if name in needs:
            path, others = needs[name]
            for other in reversed(others):
                if other not in order:
                    order.append(other)
            if path not in order:
                order.append(path)
    for name in wanted:
        add(_name_of(name))
    return order


def _modules_without_list(folder: pathlib.Path, wanted: set) -> list:
    found = {str(path.relative_to(folder)): _name_of(path.name) for path in sorted(folder.glob("*.ko*"))}
    order = [path for path, name in found.items() if name in wanted]
    for listing in sorted(folder.glob("*/order")):
        names = [name.replace("-", "_") for name in listing.read_text().split()]
        if wanted & set(names):
            paths = {_name_of(path.name): path for path in listing.parent.glob("*.ko*")}
            order += [str(paths[name].relative_to(folder)) for name in names if name in paths]
    return order


def _module(path: pathlib.Path) -> bytes:
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    if path.suffix in (".zst", ".gz"):
        program = {".zst": "zstd", ".gz": "gzip"}[path.suffix]
        if not shutil.which(program):
            raise WrongCall(f"{path}: expected {program} to unpack it, found none")
        return subprocess.run([program, "-dc", path], check=True, stdout=subprocess.PIPE).stdout
    return path.read_bytes()


def archive(files: Iterable) -> bytes:
    """A cpio archive (Documentation/driver-api/early-userspace/buffer-format.rst) of (path, mode, content)."""
    out = bytearray()
    for number, (path, mode, content) in enumerate([*files, ("TRAILER!!!", 0, b"")]):
        name = path.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + name
        out += bytes(-len(out) % 4) + content
        out += bytes(-len(out) % 4)
    # Pads the archive, so that a following one begins where the kernel expects it.
    return bytes(out + bytes(-len(out) % 512))


def busybox() -> pathlib.Path:
    """This machine's static busybox."""
    found = shutil.which("busybox")
    if not found:
        raise WrongCall("--run: expected a static busybox, found none: install busybox-static")
    # A program that names an interpreter (PT_INTERP) would need its libraries in the guest.
    head = pathlib.Path(found).read_bytes()
    table, = struct.unpack_from("<Q", head, 32)
    size, count = struct.unpack_from("<HH", head, 54)
    if any(struct.unpack_from("<I", head, table + size * number)[0] == 3 for number in range(count)):
        raise WrongCall(f"--run: expected a static busybox, found {found}: install busybox-static")
    return pathlib.Path(found)


class Command:
    """A command for the guest. `initrd` is the archive; the lines that report on the command begin with `mark`."""

    def __init__(self, command: str, modules: Optional[pathlib.Path] = None, share: bool = False, net: bool = False,
                 disks: bool = False, serial: str = "ttyS0"):
        wanted = [*_ALWAYS, *(_FOR_SHARE if share else []), *(_FOR_NET if net else []), *(_FOR_DISK if disks else [])]
        paths = modules_needed(modules, wanted) if modules else []
        names = [pathlib.PurePath(re.sub(r"\.(xz|zst|gz)$", "", path)).name for path in paths]
        self._folder, self._packed = modules, {_name_of(name) for name in names}
        # The archive is measured, so the same command must give the same archive.
        token = hashlib.sha256(repr((command, names, share, net, serial)).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self.mark = f"{MARK}-{token}"
        values = {"SETUP": (_SHARE if share else "") + (_NET if net else ""), "FACTS": _FACTS, "FOLDER": FOLDER,
                  "TURNS": " ".join(map(str, range(REPEATED))), "MODULES": " ".join(names), "SERIAL": serial,
                  "MARK": self.mark}
        init = _INIT
        for name, value in values.items():
            init = init.replace(f"@{name}@", value)
        program, folder = stat.S_IFREG | 0o755, stat.S_IFDIR | 0o755
        files = [*((name, folder, b"") for name in (FOLDER, f"{FOLDER}/modules", "dev", "proc", "sys", "tmp", "root")),
                 (f"{FOLDER}/busybox", program, busybox().read_bytes()), (f"{FOLDER}/init", program, init.encode()),
                 (f"{FOLDER}/command", program, command.encode("utf-8", "surrogateescape") + b"\n")]
        files += [(f"{FOLDER}/modules/{name}", program, _module(modules / path))
                  for name, path in zip(names, paths)]
        self.initrd = archive(files)

    def status(self, log: str) -> Optional[int]:
        """The command's exit status, None if it has not ended."""
        found = re.search(rf"^{self.mark} exit (\d+)$", log, re.MULTILINE)
        return int(found[1]) if found else None

    def missing(self, line: str) -> Optional[str]:
        """The reason to fail if the line reports that the guest lacks a device, else None."""
        found = re.fullmatch(rf"{self.mark} cannot (share|net)", line)
        if not found:
            return None
        what, drivers = _MISSING[found[1]]
        if self._folder is None:
            modules = "found no folder of modules: give one by --modules"
        elif self._packed.isdisjoint(drivers):
            modules = f"found no such module in {self._folder}: give another folder by --modules"
        else:
            modules = f"found modules in {self._folder} that do not work: give another folder by --modules"
        return f"{what}: expected {' and '.join(drivers)} in the kernel or as modules, {modules}"

    def output(self, log: str) -> str:
        """The output of the command, and that of the kernel while it ran."""
        start = [match.end() + 1 for match in re.finditer(rf"^{self.mark} up$", log, re.MULTILINE)]
        end = re.search(rf"^{self.mark} (pcr|log|exit) ", log, re.MULTILINE)
        return log[start[-1]:end.start() if end else None].strip("\n") if start else ""

    def facts(self, log: str) -> dict:
        """The registers of a TPM, and the loader's log."""
        registers = re.findall(rf"^{self.mark} pcr (\d+) (\w+)$", log, re.MULTILINE)
        return {"pcrs": {int(number): value.lower() for number, value in registers},
                "loader_log": re.findall(rf"^{self.mark} log (.*)$", log, re.MULTILINE)}
