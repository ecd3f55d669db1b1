// SPDX-License-Identifier: BSD-2-Clause
/* Keeps devices from writing to memory while the firmware is being left. */
#pragma once

/*
 * Disconnects devices behind PCI bridges from their drivers, and turns off the bridges' bus mastering, so that no DMA
 * passes. The kernel's EFI stub does so for `efi=disable_early_pci_dma` (libstub/pci.c). Displays, and devices on bus
 * 0, which have no bridge in front of them, are not affected. No file can be read afterwards. A bridge that refuses is
 * left as it is, with a warning.
 */
void dma_turn_off(void);

/* Undoes that after a boot that failed before the exit. Harmless if nothing was turned off. */
void dma_restore(void);
