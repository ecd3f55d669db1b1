// SPDX-License-Identifier: BSD-2-Clause
/*
 * Name and version, by which tools recognise a boot loader's file: bootctl looks for this text in any file (systemd,
 * src/bootctl/bootctl-util.c, get_file_version). systemd's own loader and stub have it in a section of this name.
 */
#define SDMAGIC "#### LoaderInfo: kexec-efi " KEXEC_EFI_VERSION " ####"

/* Without a NUL at the end. */
static const char sdmagic[sizeof(SDMAGIC) - 1] __attribute__((section(".sdmagic"), used)) = SDMAGIC;
