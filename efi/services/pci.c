// SPDX-License-Identifier: BSD-2-Clause
/* Finds PCI devices. */
#include "efi/services/pci.h"

#include "efi/services/firmware.h"

EFI_STATUS pci_find_devices(UINTN *ret_count, EFI_HANDLE **ret_devices)
{
	EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;

	return firmware_boot_services->LocateHandleBuffer(ByProtocol, &guid, NULL, ret_count, ret_devices);
}

EFI_PCI_IO_PROTOCOL *pci_io(EFI_HANDLE device)
{
	EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;

	return firmware_protocol_on(device, &guid);
}

uint16_t pci_read(EFI_PCI_IO_PROTOCOL *io, UINT32 offset)
{
	uint16_t value;

	if (EFI_ERROR(io->Pci.Read(io, EfiPciIoWidthUint16, offset, 1, &value)))
		return UINT16_MAX;
	return value;
}
