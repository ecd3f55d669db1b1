# SPDX-License-Identifier: BSD-2-Clause
"""tools/loader.py computes the same fs-verity digest as Debian's program, as doc/entry.md says."""

import pathlib
import random
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import loader  # noqa: E402

BLOCK = 4096
HASHES = 128  # in a block


@pytest.fixture(scope="module")
def noise():
    return random.Random(16).randbytes(HASHES * HASHES * BLOCK + BLOCK)


@pytest.mark.parametrize("size", [
    0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK,
    HASHES * BLOCK - 1, HASHES * BLOCK, HASHES * BLOCK + 1, (HASHES + 1) * BLOCK,
    HASHES * HASHES * BLOCK, HASHES * HASHES * BLOCK + 1, HASHES * HASHES * BLOCK + BLOCK])
def test_fsverity_digest(tmp_path, noise, size):
    """Sizes at the limits of blocks and of levels."""
    path = tmp_path / "file"
    path.write_bytes(noise[:size])
    printed = subprocess.run(["fsverity", "digest", "--compact", path], check=True, stdout=subprocess.PIPE, text=True).stdout
    path.unlink()
    assert loader.fsverity_digest(noise[:size]) == printed.strip()


def test_fsverity_digest_of_zeros(tmp_path):
    """Only the size distinguishes zeros at the end of a file from the padding of a block."""
    digests = {loader.fsverity_digest(bytes(size)) for size in (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK)}
    assert len(digests) == 6


def test_lines_by_the_commands_of_the_readme(tmp_path):
    contents = {"/vmlinuz": b"kernel", "/initrd.img": b"I" * (BLOCK + 1)}
    for name, content in contents.items():
        (tmp_path / name[1:]).write_bytes(content)
    commands = re.findall(r"^    (.* \| sed .*)$", (ROOT / "doc/entry.md").read_text(), re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["fsverity", "sha256sum"]
    for command, key in zip(commands, ("fsverity", "sha256")):
        lines = subprocess.run(command.replace("/boot/efi", str(tmp_path)), shell=True, check=True,
                               stdout=subprocess.PIPE).stdout
        plan = loader.entry("entry", b"linux /vmlinuz\ninitrd /initrd.img\n" + lines, sealed=True)
        for part in [plan["kernel"], *plan["initrds"]]:
            assert part[key] == loader.DIGESTS[key](contents[part["name"]])
