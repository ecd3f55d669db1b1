# SPDX-License-Identifier: BSD-2-Clause
"""tools/loader.py: its fs-verity digest is the one that Debian's program prints."""

import pathlib
import random
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
    """At the borders of blocks and of levels."""
    path = tmp_path / "file"
    path.write_bytes(noise[:size])
    printed = subprocess.run(["fsverity", "digest", "--compact", path], check=True, stdout=subprocess.PIPE, text=True).stdout
    path.unlink()
    assert loader.fsverity_digest(noise[:size]) == printed.strip()


def test_fsverity_digest_of_zeros(tmp_path):
    """What a block is filled up with counts by the size alone."""
    digests = {loader.fsverity_digest(bytes(size)) for size in (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK)}
    assert len(digests) == 6
