# SPDX-License-Identifier: BSD-2-Clause
"""Builds the Debian packages that guests install, from this checkout's files, committed or not."""

import hashlib
import os
import shutil
import subprocess

import disk

FOLDER = disk.FOLDER / "packages"


def _files():
    """The tracked files, and new ones that git does not ignore."""
    names = subprocess.run(["git", "-C", disk.ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True,
                           stdout=subprocess.PIPE, text=True).stdout
    return sorted(name for name in names.split("\0") if name and (disk.ROOT / name).is_file())


def _digest(names):
    """The digest of all files that can affect a package: not tests, and not pages for developers."""
    found = hashlib.sha256()
    for name in names:
        if not name.startswith(("tests/", "doc/", ".ci/")) and not name.endswith(".md"):
            found.update(f"{name}\0".encode() + hashlib.sha256((disk.ROOT / name).read_bytes()).digest())
    return found.hexdigest() + "\n"


def build():
    """[kexec-efi_VERSION_amd64.deb, kexec-efi-image_VERSION_amd64.deb], rebuilt if a source has changed."""
    with disk.lock("packages"):
        names = _files()
        mark = FOLDER / "mark"
        if not mark.exists() or mark.read_text() != _digest(names):
            _build(names)
            mark.write_text(_digest(names))
        return sorted(FOLDER.glob("kexec-efi_*.deb")) + sorted(FOLDER.glob("kexec-efi-image_*.deb"))


def _build(names):
    shutil.rmtree(FOLDER, ignore_errors=True)
    tree = FOLDER / "kexec-efi"
    for name in names:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(disk.ROOT / name, tree / name)
    (tree / "build").mkdir()
    (tree / "build/deps").symlink_to(disk.ROOT / "build/deps")
    with open(FOLDER / "log", "w") as log:
        result = subprocess.run(["dpkg-buildpackage", "--build=binary", "--no-sign", "--no-check-builddeps"], cwd=tree,
                                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                env={**{name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
                                     "DEB_BUILD_OPTIONS": "nocheck"})
    assert result.returncode == 0, (FOLDER / "log").read_text()[-5000:]
    shutil.rmtree(tree)
