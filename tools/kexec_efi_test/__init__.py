# SPDX-License-Identifier: BSD-2-Clause
"""Boots kernels through real UEFI firmware in QEMU, for tests.

  machine     a running QEMU: its serial line, monitor, debugger and screen
  esp         disk images with an EFI system partition
  varstore    the firmware's variables, written without booting it
  signing     keys and signatures for Secure Boot
  uki         unified kernel images
  event_log   the TPM's event log, and the registers that it adds up to
  gdb         a debugger's connection to a machine
  screen      text read from a screenshot
  server      a web server for machines that boot over the network
"""
