# SPDX-License-Identifier: BSD-2-Clause
"""Measures one boot with tests/bench/plugin.c, from mark to mark, by the guest's instructions, CPU time and time."""

import collections
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tools"))

import patterns  # noqa: E402
from kexec_efi_test import esp, machine, varstore  # noqa: E402

KERNEL = machine.BUILD / "deps/kernels/amd64/vmlinuz"
OPTIONS = "console=ttyS0 nokaslr"
MIB = 1024 * 1024


def plugin():
    """The plugin for the installed QEMU's version of the API, and the name of that QEMU."""
    version = subprocess.run([*machine.QEMU, "--version"], capture_output=True, text=True, check=True).stdout
    major = int(re.search(r"version (\d+)", version)[1])
    return machine.BUILD / f"bench/plugin-{1 if major < 9 else 4}.so", version.splitlines()[0]


class Spent(collections.namedtuple("Spent", "cpu wall instructions")):
    """Seconds of QEMU's CPU time, seconds, and instructions of the guest."""

    def __add__(self, other):
        return Spent(*(mine + its for mine, its in zip(self, other)))

    def __sub__(self, other):
        return Spent(*(mine - its for mine, its in zip(self, other)))


NOTHING = Spent(0, 0, 0)


class Trace:
    """The plugin's output from the last `load` on: the time and instructions spent up to each event, and on hashing."""

    def __init__(self, text):
        self._events = {}
        self._hashes = {}
        hashes = {}
        for line in text.splitlines():
            name, *fields = line.split()
            if name == "hash":
                hashes[fields[0]] = (int(fields[1]), Spent(float(fields[2]), float(fields[3]), int(fields[4])))
                continue
            if name == "load":
                self._events = {}
            if name in self._events:
                raise ValueError(f"{name} was reached more than once")
            self._events[name] = Spent(float(fields[0]), float(fields[1]), int(fields[2]))
            self._hashes[name] = dict(hashes)

    def between(self, first, last):
        return self._events[last] - self._events[first]

    def hashing_between(self, first, last):
        """The cost of hashing, and the bytes hashed at each place, in the order in which the places first ran."""
        spent, sizes = NOTHING, []
        for address, (size, total) in self._hashes[last].items():
            earlier_size, earlier = self._hashes[first].get(address, (0, NOTHING))
            spent += total - earlier
            sizes.append(size - earlier_size)
        return spent, sizes

    def measures(self, first="load", last="vmlinux"):
        """The measurements, without the kernel's unpacking, and with hashing separate."""
        hashing, hashed_bytes = self.hashing_between(first, last)
        net = self.between(first, last) - hashing
        if last == "vmlinux":
            net -= self.between("decompress", "decompress-return")
        # Two places hash everything except padding: one in the loader and one in the purgatory.
        most = sorted(hashed_bytes)[-2:]
        if any(most) and most != [most[-1]] * 2:
            raise ValueError(f"expected every byte to be hashed twice, found {hashed_bytes}")
        return {"CPU ms": 1000 * net.cpu, "instructions": net.instructions, "hash CPU ms": 1000 * hashing.cpu,
                "hash instructions": hashing.instructions, "hashed bytes": hashed_bytes}


def patterns_wanted():
    """The code at which the plugin reads the clocks, as options for it."""
    return [*patterns.marks(), *patterns.decompression(KERNEL), *patterns.vmlinux_entry(KERNEL), *patterns.hashes()]


def wait_for(guest, trace, end):
    """Waits until the plugin has reported `end` behind the last `load`."""
    deadline = time.monotonic() + machine.TIMEOUT
    while True:
        _, load, rest = (f"\n{trace.read_text()}" if trace.exists() else "").rpartition("\nload ")
        if load and f"\n{end} " in rest:
            return
        guest.read(0.2)
        if time.monotonic() > deadline or guest.process.poll() is not None:
            raise machine.Timeout(f"{end} was not reached:\n{guest.log}")


def plugin_options(trace, code):
    return ["-plugin", ",".join([str(plugin()[0]), f"out={trace}", *code])]


def boot(loader, initrd, code, end="vmlinux", extra=(), **options):
    """Boots until `end` is reached, and returns the Trace.

    `loader`: a function of a folder and the initrd that returns the files of the ESP and the loader's options.
    `code`: patterns_wanted(). `extra`: options for QEMU, `options` for machine.Machine.
    """
    with tempfile.TemporaryDirectory(prefix="kexec-") as folder:
        folder = pathlib.Path(folder)
        files, load_options = loader(folder, initrd)
        disk = esp.make(folder / "esp.img", {**files, "/mark.efi": machine.BUILD / "bench/mark.efi"})
        data = load_options.encode("utf-16-le") + b"\0\0" if load_options else b""
        variables = varstore.boot_options(machine.OVMF.variables, folder / "vars.fd", [("mark", r"\mark.efi", data)])
        trace = folder / "trace"
        with machine.Machine(disk, variables=variables, boot_order=True, memory=2048,
                             extra=[*plugin_options(trace, code), *extra], **options) as guest:
            wait_for(guest, trace, end)
        return Trace(trace.read_text())


def stand_in_kernel(size):
    """A kernel of `size` bytes that marks its first instruction and stops there. It never changes."""
    setup_size, entry = 1024, 0x200
    image = bytearray(size)
    # Documentation/arch/x86/boot.rst: one setup sector, protocol 2.12, LOADED_HIGH, XLF_KERNEL_64 and above 4 GiB.
    struct.pack_into("<BHI", image, 0x1f1, 1, 0, (size - setup_size) // 16)
    struct.pack_into("<HBB4sH", image, 0x1fe, 0xaa55, 0xeb, 0x6a, b"HdrS", 0x20c)
    image[0x211] = 1
    struct.pack_into("<IBBHI", image, 0x230, 0x200000, 1, 21, 3, 255)
    struct.pack_into("<QI", image, 0x258, 0x1000000, 2 * size)
    code = patterns.MARKS["kernel"] + bytes.fromhex("faf4ebfd")  # cli; hlt; back to hlt
    image[setup_size + entry:setup_size + entry + len(code)] = code
    return bytes(image)
