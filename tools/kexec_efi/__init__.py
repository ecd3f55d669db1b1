# SPDX-License-Identifier: BSD-2-Clause
"""The command kexec-efi, which keeps the loader, its kernels and its boot entries on a machine up to date.

  command         the words of the command line; exit codes
  system          the paths of the machine's files and of the running kernel's
  configuration   /etc/kexec-efi.conf, the kernel command line, the names that kernel-install uses
  partition       the EFI system partition
  variables       EFI variables, as files of efivarfs
  load_option     boot entries as firmware stores them
  operations      a plan as a list of small operations, and the code that carries it out
  boot_files      kernel and initrds, and the image and the entry that boot them
  store           the files on the ESP: sets, each of which boots one kernel
  firmware_menu   sets as boot entries of the firmware
  systemd_menu    sets as entries of systemd-boot
  shim            shim in front of images
  removable       EFI/BOOT/BOOTX64.EFI
  enrolment       the keys of Secure Boot
  pcr_signature   the signed values of register 11
  signatures      checks who has signed an image
  record          the command's own record in /var/lib/kexec-efi
  machine         all of these together
  changes         add, remove, bless, install, uninstall: they only plan
  report          list, status, verify: they change nothing
  loader_words    the log and the notes of the loader and its purgatory
  outcomes        the outcome of a kernel's trial
  images          seal, uki, sign, predict, pcrlock: for files that the user names

The command plans a change as a whole before it writes anything. At each moment the boot order names only complete
files.
"""
