# SPDX-License-Identifier: BSD-2-Clause
"""Shared by the benchmarks of hashes: programs that hash on command, and the instruction sets available to them."""

import os
import subprocess

# OPENSSL_ia32cap(3) switches these off: AVX in the first word; BMI1, AVX2, BMI2 and SHA in the second.
WITHOUT_SHA = {"OPENSSL_ia32cap": "~0x1000000000000000:~0x20000128"}


class Program:
    """A process that hashes. Each environment needs its own, because OpenSSL reads the environment when it is loaded."""

    def __init__(self, path, argument, environment):
        self._process = subprocess.Popen([path, str(argument)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                         env={**os.environ, **environment})

    def read(self):
        return self._process.stdout.readline()

    def seconds(self, line):
        """The CPU time that the program takes for a line of input."""
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return float(self.read())

    def end(self):
        self._process.stdin.close()
        self._process.wait()


def cpu_flags():
    with open("/proc/cpuinfo") as cpuinfo:
        return next(line for line in cpuinfo if line.startswith("flags")).split()
