// SPDX-License-Identifier: BSD-2-Clause
/* Devices that could write to memory while the firmware is being left. */
#pragma once

/*
 * Takes devices behind PCI bridges from their drivers, and lets no bridge pass their DMA on, as `efi=
 * disable_early_pci_dma` makes the kernel's EFI stub do (libstub/pci.c). Devices on bus 0, which have no bridge before
 * them, and displays go on. No file can be read afterwards. What a device refuses is left as it is, with a warning.
 */
void dma_turn_off(void);

/* Takes that back, for a boot that ended before the exit. Harmless if nothing was turned off. */
void dma_restore(void);
