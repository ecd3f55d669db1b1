// SPDX-License-Identifier: BSD-2-Clause
/* The ROMs of PCI devices, which can be read from some of them only once, as the kernel's EFI stub hands them over. */
#pragma once

#include "boot/kexec_image.h"

/*
 * Copies the option ROMs that the firmware has read into a segment of setup_data nodes (libstub/x86-stub.c,
 * setup_efi_pci). Returns the address of the first, 0 where there are none, or, after a line, no memory for them.
 */
uint64_t option_rom_collect(struct kexec_image *kexec_image);
