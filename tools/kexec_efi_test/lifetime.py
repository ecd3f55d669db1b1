# SPDX-License-Identifier: BSD-2-Clause
"""Nothing outlives the program that made it: no QEMU and no folder, however the program ends.

Signals end the program by the exception `Signalled`, so that everything is cleaned up. SIGKILL leaves no time for that:
then the kernel ends QEMU (PR_SET_PDEATHSIG), and the next start removes the folder.
"""

import contextlib
import ctypes
import fcntl
import os
import pathlib
import shutil
import signal
import tempfile
import time
from typing import Callable, Dict, Iterator, Optional

SIGNALS = signal.SIGHUP, signal.SIGINT, signal.SIGTERM

# Folders of this name are ours. The owner of a folder holds a lock on it until it ends.
PREFIX = "kexec-efi-test-"
_NEW_PREFIX = ".kexec-efi-test-"
_NEW_SECONDS = 60

# A socket's address has this many bytes (unix(7): sun_path), a zero included. The names of our sockets are shorter than
# 16 bytes.
_SOCKET_ADDRESS_SIZE = 108
_SHORT_PLACE = pathlib.Path("/tmp")

# linux/prctl.h
_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl


class Signalled(BaseException):
    """The program was asked to end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


# From the identity of each resource that has not ended to the function that ends it. A signal may come after a resource
# was made and before anybody holds it: then only this dict knows it.
_enders: Dict[int, Callable[[], None]] = {}
_asked_by: Optional[int] = None


def must_end(thing: object, end: Callable[[], None]) -> None:
    """Registers `end`, which `end_all` calls unless `has_ended` is called before."""
    _enders[id(thing)] = end


def has_ended(thing: object) -> None:
    _enders.pop(id(thing), None)


def end_all() -> None:
    with undisturbed():
        for end in reversed(list(_enders.values())):
            end()


def end_by_exception() -> None:
    """From now on the first signal raises Signalled, and blocks further ones."""
    def handler(number: int, _: object) -> None:
        global _asked_by
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        _asked_by = number
        raise Signalled(number)
    for number in SIGNALS:
        # nohup and shells without job control make us ignore some signals: they stay ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def check() -> None:
    """Raises Signalled if the exception was lost, as in the clean-up of an object."""
    if _asked_by is not None:
        raise Signalled(_asked_by)


def end_by_signal(number: int) -> None:
    """Ends the program as if the signal had not been handled. Shells and timeout(1) check for that."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Holds signals back. They may raise when this context ends, so everything made in it must be known to
    `must_end`."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def child_setup() -> Callable[[], None]:
    """A function for Popen's preexec_fn. It makes the kernel kill the child as soon as this process ends."""
    parent = os.getpid()

    def setup() -> None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have ended before that.
        if os.getppid() != parent:
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
    return setup


def make_folder(for_sockets: bool = False) -> pathlib.Path:
    """Makes a folder. `remove_folder` removes it, or else the next start of a program that calls this.

    It is in TMPDIR. A folder `for_sockets` is in /tmp if the path would be too long for the address of a socket.
    """
    _remove_left_folders()
    place = pathlib.Path(tempfile.gettempdir())
    if for_sockets and len(os.fsencode(place / f"{_NEW_PREFIX}12345678")) + 16 >= _SOCKET_ADDRESS_SIZE:
        place = _SHORT_PLACE
    new = pathlib.Path(tempfile.mkdtemp(prefix=_NEW_PREFIX, dir=place))
    # No child inherits the lock, so it ends with this process.
    descriptor = os.open(new, os.O_RDONLY | os.O_CLOEXEC)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    # Other programs look for this name, so the folder gets it only once it is locked.
    folder = new.rename(new.with_name(PREFIX + new.name[len(_NEW_PREFIX):]))
    _locks[folder] = descriptor
    must_end(folder, lambda: remove_folder(folder))
    return folder


_locks: dict = {}


def remove_folder(folder: pathlib.Path) -> None:
    """A no-op for a folder that is removed already."""
    if folder in _locks:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(_locks.pop(folder))
        has_ended(folder)


def _remove_left_folders() -> None:
    """Removes the folders of killed programs."""
    places = {pathlib.Path(tempfile.gettempdir()), _SHORT_PLACE}
    for folder in [found for place in places for prefix in (PREFIX, _NEW_PREFIX) for found in place.glob(prefix + "*")]:
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                about = os.fstat(descriptor)
                is_new = folder.name.startswith(_NEW_PREFIX) and time.time() < about.st_mtime + _NEW_SECONDS
                if about.st_uid == os.geteuid() and not is_new:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


@contextlib.contextmanager
def folder() -> Iterator[pathlib.Path]:
    """A folder that exists while this context is open."""
    with undisturbed():
        made = make_folder()
    try:
        yield made
    finally:
        with undisturbed():
            remove_folder(made)
