// SPDX-License-Identifier: BSD-2-Clause
/*
 * The name and the version by which tools know a boot loader's file: bootctl looks for this text in any file (systemd,
 * src/bootctl/bootctl-util.c, get_file_version), and systemd's own loader and stub have it in a section of this name.
 */
#define SDMAGIC "#### LoaderInfo: kexec-efi " KEXEC_EFI_VERSION " ####"

/* Text to its last byte: no NUL. */
static const char sdmagic[sizeof(SDMAGIC) - 1] __attribute__((section(".sdmagic"), used)) = SDMAGIC;
