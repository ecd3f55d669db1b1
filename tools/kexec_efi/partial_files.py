# SPDX-License-Identifier: BSD-2-Clause
"""Files under temporary names, and what a power cut leaves of them.

A rename on FAT writes the new name and removes the old one, mostly in two sectors. If the power fails between the two writes,
both names have the same clusters, and whoever removes one file frees the clusters of the other. Only a check of the file
system (fsck.vfat) can part them. So neither file is touched until then.
"""

import re

from .errors import Refused

_SUFFIX = re.compile(r"\.partial[0-9]*")

# systemd-boot renames the entries of which it counts the tries ("Boot Counting" in the Boot Loader Specification).
_COUNTER = re.compile(r"\+[0-9]+(-[0-9]+)?(?=\.conf$)")


def complete_name(name):
    """The name that a file of this temporary name will have; `name` itself if it is not a temporary one."""
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and _SUFFIX.fullmatch(dot + suffix) else name


def is_partial(path):
    return complete_name(path.name) != path.name


def _stem(path):
    """What the names of one file have in common."""
    return _COUNTER.sub("", complete_name(path.name))


def _have_same_content(path, other):
    try:
        return path.read_bytes() == other.read_bytes()
    except OSError:
        # The power cut has lost the clusters of one of them, so the other has clusters of its own.
        return False


def twin(path):
    """The file that may have the clusters of `path`: the same folder has both, one name is the temporary one of the other,
    and their contents are equal. None without one."""
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
    """The temporary name under which to write `path`. What an earlier run has left there is written over, unless the clusters
    may be those of another file."""
    number = 1
    while True:
        partial = path.with_name(f"{path.name}.partial{number if number > 1 else ''}")
        if twin(partial) is None:
            return partial
        number += 1


def sharing_complaint(path):
    """Why `path` must stay as it is; None if it may be removed or replaced."""
    found = twin(path)
    return found and (f"{path}: expected clusters of its own, found {found.name}, which may have the same ones since a power cut: "
                      "run fsck.vfat -a on the ESP while it is not mounted")


def expect_own_clusters(path):
    """Refuses a file that must not be removed or replaced."""
    complaint = sharing_complaint(path)
    if complaint:
        raise Refused(complaint)
