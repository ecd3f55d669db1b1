// SPDX-License-Identifier: BSD-2-Clause
/* The ROMs of PCI devices, handed over as the kernel's EFI stub does. Some devices' ROMs can be read only once. */
#pragma once

#include "boot/kexec_image.h"

/*
 * Copies the option ROMs that the firmware has read into a segment of setup_data nodes (libstub/x86-stub.c,
 * setup_efi_pci). Returns the address of the first node, or 0 if there are no ROMs or, after a message, no memory.
 */
uint64_t option_rom_collect(struct kexec_image *kexec_image);
