# SPDX-License-Identifier: BSD-2-Clause
"""Boots kernels through real UEFI firmware in QEMU, for tests. README.md beside this shows how it is used.

From Python: describe a `Boot`. Either `judge` it by an `Expectation`, which gives a `Result`, or `start` it, which
gives a running `Machine`. `pytest_plugin` has both as fixtures.

  boots       a boot: its kernel, the way to the kernel, and the machine
  kernel_file checks that a file can be booted
  session     verdicts, by text that must come and text that must not
  guest       the command that runs in the guest
  results     JSON, JUnit, a table and a page of HTML
  matrix      many boots from one file
  command     the command kexec-efi-test
  errors      how a test ends, and the exit statuses
  lifetime    nothing outlives the program that made it
  machine     a running QEMU: its serial line, monitor, debugger and screen
  esp         disk images with an EFI system partition
  varstore    the firmware's variables, written without booting it
  signing     keys and signatures for Secure Boot
  uki         unified kernel images
  event_log   the TPM's event log, and the registers that follow from it
  gdb         a debugger's connection to a machine
  screen      text read from a screenshot
  server      a web server for machines that boot over the network
"""

from .boots import Boot
from .errors import GuestFailed, TimeRanOut, WrongCall
from .machine import FIRMWARE, Firmware, Machine, Timeout
from .session import Expectation, Result, judge

__all__ = ["Boot", "Expectation", "FIRMWARE", "Firmware", "GuestFailed", "Machine", "Result", "TimeRanOut", "Timeout",
           "WrongCall", "judge"]
