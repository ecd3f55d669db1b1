# SPDX-License-Identifier: BSD-2-Clause
"""Makes disk images with an EFI system partition, from a description of its files. Needs mtools, not root."""

import os
import pathlib
import subprocess
import tempfile

MIB = 1024 * 1024

# Below this mformat makes a FAT12 or FAT16, which firmware reads as well but real ESPs are not.
SIZE_MIN = 300 * MIB


def _content_size(content):
    return len(content) if isinstance(content, bytes) else os.path.getsize(content)


def make(image, files):
    """Writes the disk image `image`: one FAT32 volume with `files`, a dict from path to bytes or to a file's path.

    Folders are made as needed. The image is sparse: it takes no more room than the files.
    """
    image = pathlib.Path(image)
    size = max(SIZE_MIN, sum(map(_content_size, files.values())) * 5 // 4 + 16 * MIB)
    image.unlink(missing_ok=True)
    with open(image, "wb") as disk:
        disk.truncate(size // MIB * MIB)

    def mtools(command, *arguments):
        subprocess.run([command, "-i", image, *arguments], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"})

    mtools("mformat", "-F", "-v", "ESP", "::")
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
