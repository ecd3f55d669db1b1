# SPDX-License-Identifier: BSD-2-Clause
"""Makes disk images with an EFI system partition, from a description of its files. Needs mtools, not root."""

import os
import pathlib
import subprocess
import tempfile

MIB = 1024 * 1024

# Below this mformat makes a FAT12 or FAT16, which firmware reads as well but real ESPs are not.
SIZE_MIN = 300 * MIB


# Where the partition begins, and the GUID that a GPT knows it by.
PARTITION_OFFSET = MIB
PARTITION_UUID = "c0ffee00-1234-5678-9abc-def012345678"

# Firmware measures the partition table: the same files make the same one.
DISK_UUID = "c0ffee01-1234-5678-9abc-def012345678"

_TABLES = {
    "gpt": f"label: gpt\nlabel-id: {DISK_UUID}\nstart={PARTITION_OFFSET // 512}, type=U, uuid={PARTITION_UUID}\n",
    "mbr": f"label: dos\nlabel-id: 0xc0ffee00\nstart={PARTITION_OFFSET // 512}, type=U\n",
}


def _content_size(content):
    return len(content) if isinstance(content, bytes) else os.path.getsize(content)


def make(image, files, table="gpt"):
    """Writes the disk image `image`: one FAT32 volume with `files`, a dict from path to bytes or to a file's path.

    `table` is "gpt", "mbr", or None for a volume that takes the whole disk. Folders are made as needed. The image is
    sparse: it takes no more room than the files.
    """
    image = pathlib.Path(image)
    size = max(SIZE_MIN, sum(map(_content_size, files.values())) * 5 // 4 + 16 * MIB)
    image.unlink(missing_ok=True)
    with open(image, "wb") as disk:
        disk.truncate(size // MIB * MIB)

    if table:
        subprocess.run(["/sbin/sfdisk", "--quiet", image], input=_TABLES[table], text=True, check=True)
    volume = f"{image}@@{PARTITION_OFFSET}" if table else image

    def mtools(command, *arguments):
        subprocess.run([command, "-i", volume, *arguments], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"})

    # A GPT ends with a copy of itself.
    sectors = (size // MIB - 2) * MIB // 512 if table else size // MIB * MIB // 512
    mtools("mformat", "-F", "-v", "ESP", "-T", str(sectors), "::")
    folders = set()
    for path in files:
        folders.update(parent for parent in pathlib.PurePosixPath(path.lstrip("/")).parents if parent.name)
    for folder in sorted(folders):
        mtools("mmd", f"::{folder}")
    for path, content in files.items():
        target = "::" + path.lstrip("/")
        if isinstance(content, bytes):
            with tempfile.NamedTemporaryFile() as source:
                source.write(content)
                source.flush()
                mtools("mcopy", source.name, target)
        else:
            mtools("mcopy", content, target)
    return image
