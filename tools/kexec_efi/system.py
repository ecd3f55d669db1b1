# SPDX-License-Identifier: BSD-2-Clause
"""The paths of the files of the machine to set up, and of the running kernel's /proc, /sys, /run and /dev."""

import os
import pathlib


class System:
    """`root` is the folder of the machine's own files. The running kernel's /proc, /sys and /run are not below it: they
    are in /, or for tests in the folder that the environment variable KEXEC_EFI_SYSTEM names."""

    def __init__(self, root="/", kernel=None):
        self.root = pathlib.Path(os.path.realpath(root))
        self._kernel = pathlib.Path(kernel or os.environ.get("KEXEC_EFI_SYSTEM") or "/")

    @property
    def is_running(self):
        """Whether the machine to set up is the running one."""
        return self.root == pathlib.Path("/")

    def file(self, path):
        """A path in the machine's files."""
        return self.root / path.lstrip("/")

    def kernel_file(self, path):
        """A path below /proc, /sys, /run or /dev."""
        return self._kernel / path.lstrip("/")

    def kernel_text(self, path):
        """The content of a file of the running kernel; empty if it cannot be read."""
        try:
            return self.kernel_file(path).read_bytes().decode("utf-8", "surrogateescape")
        except OSError:
            return ""

    def is_in_chroot(self):
        """Whether / differs from that of process 1, as in a chroot or a container: then the firmware is not this
        machine's."""
        try:
            return not os.path.samestat(os.stat(self.kernel_file("/proc/1/root")), os.stat("/"))
        except OSError:
            return False

    @property
    def runs_here(self):
        """Whether the machine to set up runs this command, so that firmware and kernel are its own."""
        return self.is_running and not self.is_in_chroot()

    @property
    def boot_id(self):
        return self.kernel_text("/proc/sys/kernel/random/boot_id").strip()

    @property
    def running_kernel(self):
        return self.kernel_text("/proc/sys/kernel/osrelease").strip()
