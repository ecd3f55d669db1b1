// SPDX-License-Identifier: BSD-2-Clause
/* PCI devices that the firmware has found (UEFI specification 14.4, EFI_PCI_IO_PROTOCOL). */
#pragma once

#include <efi.h>

#define PCI_VENDOR 0x00u
#define PCI_DEVICE 0x02u
#define PCI_COMMAND 0x04u
#define PCI_CLASS 0x0au /* class and subclass */

/* Finds all of them. Returns EFI_NOT_FOUND if there are none. The caller frees the handles, which are pool memory. */
EFI_STATUS pci_find_devices(UINTN *ret_count, EFI_HANDLE **ret_devices);

/* NULL if the handle is not, or is no longer, a PCI device. */
EFI_PCI_IO_PROTOCOL *pci_io(EFI_HANDLE device);

/* Reads 16 bits of its configuration space, or 0xffff if the read fails, as on the bus. */
uint16_t pci_read(EFI_PCI_IO_PROTOCOL *io, UINT32 offset);
