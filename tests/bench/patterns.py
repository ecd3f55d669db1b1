# SPDX-License-Identifier: BSD-2-Clause
"""The byte patterns by which tests/bench/plugin.c recognises the code at which it reads the clocks."""

import lzma
import pathlib
import re
import struct
import subprocess

import results

LENGTH = 20
# The functions that hash blocks, and their number of lanes.
BLOCK_FUNCTIONS = {"sha256_blocks_ni": 1, "sha256_blocks_ssse3": 1, "mbedtls_internal_sha256_process": 1,
                   "sha256_lanes_ni": 2, "sha256_lanes_ssse3": 4, "sha256_lanes_avx2": 8}
LOADED = [results.BUILD / "efi/kexec.so", results.BUILD / "purgatory/purgatory.ro"]


# The instructions of tests/bench/mark.h, by name.
MARKS = {name.lower().replace("_", "-"): bytes.fromhex("0f1f80") + b"KXM" + bytes([int(number)])
         for name, number in re.findall(r"#define MARK_(\w+) (\d+)",
                                        (pathlib.Path(__file__).parent / "mark.h").read_text())}


def marks():
    return [f"at={name}:{code.hex()}" for name, code in MARKS.items()]


def decompression(kernel):
    """The call that unpacks the kernel: the first call behind the first instruction that takes the payload's address.

    This holds for XZ, whose decoder does everything in one call (lib/decompress_unxz.c, lib/xz/xz_dec_stream.c).
    """
    image = kernel.read_bytes()
    protected = image[(image[0x1f1] + 1) * 512:]
    offset, length = struct.unpack_from("<II", image, 0x248)
    for match in re.finditer(rb"[\x48\x4c]\x8d[\x05\x0d\x15\x1d\x25\x2d\x35\x3d]", protected[offset + length:]):
        lea = offset + length + match.start()
        if lea + 7 + struct.unpack_from("<i", protected, lea + 3)[0] == offset:
            call = protected.index(b"\xe8", lea + 7)
            return [f"call=decompress:{protected[lea:call + 5].hex()}"]
    raise ValueError(f"{kernel}: found no code that takes the payload's address")


def vmlinux_entry(kernel):
    """The first instruction of the kernel packed in `kernel` by XZ."""
    image = kernel.read_bytes()
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (image[0x1f1] + 1) * 512 + offset
    vmlinux = lzma.LZMADecompressor().decompress(image[start:start + length])
    entry, table, _, _, _, size, count = struct.unpack_from("<QQQIHHH", vmlinux, 24)
    for number in range(count):
        kind, _, place, _, address, file_size = struct.unpack_from("<IIQQQQ", vmlinux, table + number * size)
        if kind == 1 and address <= entry < address + file_size:
            code = vmlinux[place + entry - address:][:LENGTH]
            return [f"at=vmlinux:{code.hex()}"]
    raise ValueError(f"{kernel}: found no segment that holds the entry")


def _functions(path):
    """The functions of an ELF file: name -> [bytes, offset of the label `block`]."""
    dump = subprocess.run(["objdump", "-d", "-w", path], capture_output=True, text=True, check=True).stdout
    code = {}
    name = None
    for line in dump.splitlines():
        if match := re.match(r"^[0-9a-f]+ <(.+)>:$", line):
            name, _, label = match[1].partition(".")
            code.setdefault(name, [b"", 0])
            if label == "block":
                code[name][1] = len(code[name][0])
        elif match := re.match(r"^ +[0-9a-f]+:\t((?:[0-9a-f]{2} )+)", line):
            code[name][0] += bytes.fromhex(match[1])
    return code


def functions(names):
    """The beginnings of functions of the loader. `names` maps the plugin's names to those of the functions."""
    code = _functions(LOADED[0])
    return [f"at={name}:{code[function][0][:LENGTH].hex()}" for name, function in names.items()]


def hashes():
    """The functions that hash blocks, in loader and purgatory. They share the assembly, but perhaps not mbedTLS's code."""
    found = {}
    for path in LOADED:
        for name, (code, block) in _functions(path).items():
            if name in BLOCK_FUNCTIONS:
                # The purgatory's labels are stripped; the loader, which comes first, has them.
                found.setdefault((code[:LENGTH], len(code)), (block, BLOCK_FUNCTIONS[name]))
    return [f"hash={code.hex()}:{size}:{block}:{lanes}" for (code, size), (block, lanes) in found.items()]
