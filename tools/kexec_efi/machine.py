# SPDX-License-Identifier: BSD-2-Clause
"""A machine: its files, its ESP, its menu, and its record."""

import contextlib
import fcntl
import hashlib
import os
import shutil

from . import configuration as conf
from . import outcomes, partition, removable, shim, signatures
from .errors import WRONG_CALL, Refused
from .firmware_menu import FirmwareMenu
from .record import Record
from .store import Store
from .systemd_menu import SystemdMenu
from .variables import FOLDER, LOADER, Variables


class Machine:
    """`use_variables` is yes, no or auto. With auto, the machine has variables only if it is the running one and not in
    a chroot."""

    def __init__(self, system, configuration, use_variables="auto"):
        self.system, self.configuration = system, configuration
        self.esp = partition.find(system, configuration.esp)
        self.record = Record(system)
        # The folder keeps its name, even if the machine's ID changes.
        self.token = conf.check_token(self.record.token or conf.entry_token(system))
        self.store = Store(self.esp, self.token)
        self.variables = self._find_variables(use_variables)
        self.use_shim(self.record.shim)
        self.menu = self._find_menu()

    def _find_variables(self, wanted):
        folder = self.system.kernel_file(FOLDER)
        is_there = folder.is_dir() and any(folder.iterdir())
        if wanted == "yes" and not is_there:
            raise Refused(f"expected EFI variables in {folder}, found none: was Linux started by UEFI?")
        if wanted == "no" or not is_there:
            return None
        return Variables(folder) if wanted == "yes" or self.system.runs_here else None

    def loader_text(self, name):
        """A variable of the Boot Loader Interface as text."""
        data = self.variables.data(name, LOADER) if self.variables else None
        return (data or b"").decode("utf-16-le", "replace").rstrip("\0")

    def new_menu(self):
        return self._find_menu()

    def _find_menu(self):
        wanted = self.configuration.menu
        if wanted == "auto":
            # `install` records the menu. Later it cannot be told any more, because this loader itself starts the
            # machine.
            started = conf.SYSTEMD_BOOT if self.loader_text("LoaderInfo").startswith("systemd-boot") else conf.FIRMWARE
            wanted = self.record.menu or started
        if self.record.menu not in (None, wanted):
            raise Refused(f"menu={wanted}: this machine was set up with {self.record.menu}: run kexec-efi uninstall with "
                          "menu=auto, then install", WRONG_CALL)
        if wanted == conf.SYSTEMD_BOOT:
            release = conf.os_release(self.system)
            sort_key = release.get("IMAGE_ID") or release.get("ID") or "linux"
            return SystemdMenu(self.variables, self.esp, self.store, self.configuration.tries, self.token, sort_key)
        if wanted != conf.FIRMWARE:
            raise Refused(f"{self.record.path}: menu: expected firmware or systemd-boot, found {wanted}", WRONG_CALL)
        return FirmwareMenu(self.variables, self.esp, self.store, self.shim, self._started_from_boot())

    def use_shim(self, path):
        """Puts shim in front of images from now on; no shim if `path` is empty."""
        self.record.shim = path
        self.shim, self.shim_complaint = None, None
        try:
            self.shim = shim.read(self.system.file(path)) if path else None
        except Refused as refused:
            # Only new sets need it: existing ones have their own copy.
            self.shim_complaint = refused

    def _started_from_boot(self):
        """The set that EFI/BOOT is a copy of, if the firmware has started it from there."""
        path = self.loader_text("LoaderImageIdentifier").replace("\\", "/").lower()
        is_here = self.loader_text("LoaderDevicePartUUID").lower() == self.esp.partition.uuid
        if not is_here or path.rpartition("/")[0] != removable.PLACE.lower():
            return None
        return self.removable.copied

    @property
    def removable(self):
        return removable.Removable(self)

    def state(self, found):
        """(a word, an explanation) for the state of a set."""
        return self.menu.state(found, self.record, self.system.boot_id, outcomes.Witness(self).outcome)

    @property
    def has_secure_boot(self):
        data = self.variables.data("SecureBoot") if self.variables else None
        return data == b"\1"

    def damage(self, found):
        """The damage of a set's files, by the loader's own check and by the recorded digests; None if they are good."""
        if not self.store.image(found).exists():
            return f"expected {self.store.image(found)}, found none"
        complaint = self.store.complaint(found)
        if complaint is not None:
            return complaint
        for name, expected in self.record.sets.get(found.name, {}).get("files", {}).items():
            try:
                digest = hashlib.sha256((self.store.folder / name).read_bytes()).hexdigest()
            except OSError as error:
                return f"{name}: {error.strerror}"
            if digest != expected:
                return f"{name}: expected sha256 {expected}, found {digest}"
        return None

    def signature(self, found):
        """The kind of a set's signature: good (by certificate=), other, none, or unknown if it cannot be checked."""
        image, certificate = self.store.image(found), self.configuration.certificate
        content = image.read_bytes()
        if not signatures.is_signed(content):
            return "none"
        if not certificate or not shutil.which("sbverify"):
            return "unknown"
        return "good" if signatures.is_by(content, certificate) else "other"

    @contextlib.contextmanager
    def locked(self):
        """Allows one change at a time: hooks of the kernel's and the initrd's package may run at once."""
        folder = self.record.path.parent
        file = os.open(folder if folder.is_dir() else self.system.root, os.O_RDONLY)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Another process may have changed the record meanwhile.
            self.record = Record(self.system)
            self.store = Store(self.esp, self.token)
            self.menu = self._find_menu()
            yield
        finally:
            os.close(file)
