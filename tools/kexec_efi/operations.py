# SPDX-License-Identifier: BSD-2-Clause
"""A change is a list of small operations. The power may fail between any two of them, or within one. A boot entry names
a file only once the file is complete under its own name and its folder is on the disk."""

import contextlib
import dataclasses
import errno
import itertools
import os
import pathlib

import loader

from . import partial_files
from .errors import FAILED, NO_ROOM, Refused
from .variables import GLOBAL, STORED


@dataclasses.dataclass
class MakeFolder:
    path: pathlib.Path
    is_done: bool = False

    def __str__(self):
        return f"make folder {self.path}"

    def run(self):
        if self.path.is_dir():
            return
        self.path.mkdir()
        self.is_done = True
        loader.flush(self.path.parent)

    def undo(self):
        if self.is_done:
            self.path.rmdir()


@dataclasses.dataclass
class Write:
    """Writes the content of the file `path` under a temporary name, `partial`."""

    path: pathlib.Path
    content: bytes = dataclasses.field(repr=False)
    partial: pathlib.Path

    def __str__(self):
        return f"write {self.partial}: {len(self.content)} bytes"

    def run(self):
        with open(self.partial, "wb") as file:
            file.write(self.content)
            file.flush()
            os.fsync(file.fileno())

    def undo(self):
        self.partial.unlink()


@dataclasses.dataclass
class Rename:
    """Gives a written file its own name. No file may have that name already, unless `replaces`: nothing boots from the
    old file, which is the record or a damaged file."""

    path: pathlib.Path
    partial: pathlib.Path
    replaces: bool = False

    def __post_init__(self):
        self._before = None

    def __str__(self):
        return f"rename {self.partial} to {self.path.name}"

    def run(self):
        if self.path.exists():
            if not self.replaces:
                raise Refused(f"{self.path}: expected no such file, found one")
            self._before = self.path.read_bytes()
        loader.rename(self.partial, self.path)

    def undo(self):
        if self.partial.exists():
            # The rename did not happen.
            return
        if self._before is None:
            self.path.unlink()
        else:
            Write(self.path, self._before, self.partial).run()
            loader.rename(self.partial, self.path)


@dataclasses.dataclass
class Flush:
    """Waits until the names in a folder are on the disk."""

    path: pathlib.Path

    def __str__(self):
        return f"flush {self.path}"

    def run(self):
        loader.flush(self.path)

    def undo(self):
        pass


@dataclasses.dataclass
class RemoveFile:
    path: pathlib.Path

    def __str__(self):
        return f"remove {self.path}"

    def run(self):
        self.path.unlink(missing_ok=True)

    def undo(self):
        pass


@dataclasses.dataclass
class RemoveFolder:
    """Removes a folder if nothing is in it."""

    path: pathlib.Path

    def __str__(self):
        return f"remove {self.path} if it is empty"

    def run(self):
        with contextlib.suppress(OSError):
            self.path.rmdir()

    def undo(self):
        pass


@dataclasses.dataclass
class SetVariable:
    """Sets a variable, or with None deletes it."""

    variables: object = dataclasses.field(repr=False)
    name: str
    data: bytes
    meaning: str
    vendor: str = GLOBAL
    attributes: int = STORED

    def __post_init__(self):
        self._before = []

    def __str__(self):
        return f"{'delete' if self.data is None else 'set'} EFI variable {self.name}: {self.meaning}"

    def _put(self, data):
        if data is None:
            self.variables.delete(self.name, self.vendor)
        else:
            self.variables.write(self.name, data, self.vendor, self.attributes)

    def run(self):
        self._before = [self.variables.data(self.name, self.vendor)]
        self._put(self.data)

    def undo(self):
        for data in self._before:
            self._put(data)


def write_file(path, content, replaces=False):
    """The operations that write a file and give it its name. A Flush of the folder must follow."""
    partial = partial_files.new_name(path)
    return [Write(path, content, partial), Rename(path, partial, replaces)]


def make_folders(path, base):
    """The operations that make the missing folders of `path`, below `base`, which exists."""
    missing = []
    while path != base and not path.is_dir():
        missing.insert(0, MakeFolder(path))
        path = path.parent
    return missing


@dataclasses.dataclass
class Plan:
    """The operations of a change, in order. If one of `change` fails, `change` is undone as a whole. Each operation of
    `before` and `after` leaves a good state, so none of these is undone. `complaint` is a Refused for a request that is
    refused although the operations are carried out."""

    before: list = dataclasses.field(default_factory=list)
    change: list = dataclasses.field(default_factory=list)
    after: list = dataclasses.field(default_factory=list)
    complaint: Exception = None

    def _lists(self):
        """The three lists. Of several operations that make one folder, only the first is in them."""
        folders = set()

        def is_new(operation):
            if not isinstance(operation, MakeFolder):
                return True
            is_first = operation.path not in folders
            folders.add(operation.path)
            return is_first

        return [list(filter(is_new, operations)) for operations in (self.before, self.change, self.after)]

    def __iter__(self):
        return itertools.chain(*self._lists())

    def show(self):
        for operation in self:
            loader.say(str(operation))

    def carry_out(self, after_each=None):
        """Runs the operations, and calls `after_each` after each of them. Its exceptions simulate a power cut: nothing
        is undone, unless `_carry_out` catches that class."""
        for operations, is_undone in zip(self._lists(), (False, True, False)):
            _carry_out(operations, is_undone, after_each)


def _carry_out(operations, is_undone, after_each):
    started = []
    try:
        for operation in operations:
            started.append(operation)
            operation.run()
            if after_each:
                after_each()
    except (OSError, Refused, SystemExit, KeyboardInterrupt) as error:
        for operation in reversed(started if is_undone else []):
            with contextlib.suppress(OSError, Refused):
                operation.undo()
        if isinstance(error, OSError):
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise Refused(f"cannot {started[-1]}: {error.strerror}", NO_ROOM if full else FAILED) from None
        raise
