# SPDX-License-Identifier: BSD-2-Clause
"""Files under temporary names, and their state after a power cut.

A rename on FAT writes the new name and removes the old one, mostly in two sectors. If the power fails between the two
writes, both names have the same clusters, and removing one file frees the clusters of the other. Only a check of the
file system (fsck.vfat) can separate them, so this package touches neither file until then.
"""

import re

from .errors import Refused

_SUFFIX = re.compile(r"\.partial[0-9]*")

# systemd-boot counts the tries of an entry in the entry's name ("Boot Counting" in the Boot Loader Specification).
_COUNTER = re.compile(r"\+[0-9]+(-[0-9]+)?(?=\.conf$)")


def complete_name(name):
    """The name that the file of a temporary name will get; `name` itself if it is not a temporary one."""
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and _SUFFIX.fullmatch(dot + suffix) else name


def is_partial(path):
    return complete_name(path.name) != path.name


def _stem(path):
    """The part that all names of one file have in common."""
    return _COUNTER.sub("", complete_name(path.name))


def _have_same_content(path, other):
    try:
        return path.read_bytes() == other.read_bytes()
    except OSError:
        # The power cut has lost the clusters of one of them, so the other has clusters of its own.
        return False


def twin(path):
    """The file that may share the clusters of `path`; None without one. It is in the same folder, one of the names is
    the other's temporary name, and their contents are equal."""
    size = path.stat().st_size if path.is_file() else 0
    if not size:
        # An empty file has no clusters.
        return None
    for other in sorted(path.parent.iterdir()):
        if (is_partial(other) != is_partial(path) and _stem(other) == _stem(path) and other.is_file()
                and other.stat().st_size == size and _have_same_content(path, other)):
            return other
    return None


def new_name(path):
    """The temporary name under which to write `path`. A file that an earlier run left there is overwritten, unless it
    may share its clusters with another file."""
    number = 1
    while True:
        partial = path.with_name(f"{path.name}.partial{number if number > 1 else ''}")
        if twin(partial) is None:
            return partial
        number += 1


def sharing_complaint(path):
    """The reason not to touch `path`; None if it may be removed or replaced."""
    found = twin(path)
    return found and (f"{path}: expected clusters of its own, found {found.name}, which may have the same ones since a "
                      "power cut: run fsck.vfat -a on the ESP while it is not mounted")


def expect_own_clusters(path):
    """Refuses a file that must not be removed or replaced."""
    complaint = sharing_complaint(path)
    if complaint:
        raise Refused(complaint)
