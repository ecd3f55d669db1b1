// SPDX-License-Identifier: BSD-2-Clause
/* Turns bus mastering off in PCI bridges (PCI-to-PCI Bridge Architecture Specification 3.2.5.3; UEFI 14.4). */
#include "efi/trust/dma.h"

#include "boot/log.h"
#include "efi/services/firmware.h"
#include "efi/services/pci.h"

#define PCI_COMMAND_MASTER (1u << 2)
#define PCI_CLASS_DISPLAY_VGA 0x0300
#define PCI_CLASS_BRIDGE_PCI 0x0604

/* All PCI devices, in pool memory; NULL for those that we have not changed. Empty until something is turned off. */
static EFI_HANDLE *devices;
static UINTN device_count;

static bool is_bridge(EFI_PCI_IO_PROTOCOL *io)
{
	return pci_read(io, PCI_CLASS) == PCI_CLASS_BRIDGE_PCI;
}

/* Excludes the screen's device, because the framebuffer is shown without DMA. */
static bool is_behind_bridge(EFI_PCI_IO_PROTOCOL *io)
{
	UINTN segment, bus, device, function;

	return !EFI_ERROR(io->GetLocation(io, &segment, &bus, &device, &function)) && bus != 0 && !is_bridge(io) &&
	       pci_read(io, PCI_CLASS) != PCI_CLASS_DISPLAY_VGA;
}

static bool set_master(EFI_PCI_IO_PROTOCOL *io, uint16_t master)
{
	uint16_t command = (uint16_t)((pci_read(io, PCI_COMMAND) & ~PCI_COMMAND_MASTER) | master);

	return !EFI_ERROR(io->Pci.Write(io, EfiPciIoWidthUint16, PCI_COMMAND, 1, &command)) &&
	       pci_read(io, PCI_COMMAND) == command;
}

/* Disconnects the drivers first, while they can still stop their devices. */
static void disconnect_devices(void)
{
	for (UINTN i = 0; i < device_count; i++) {
		EFI_PCI_IO_PROTOCOL *io = pci_io(devices[i]);

		if (io && is_bridge(io))
			continue;
		if (!io || !is_behind_bridge(io) ||
		    EFI_ERROR(firmware_boot_services->DisconnectController(devices[i], NULL, NULL)))
			devices[i] = NULL;
	}
}

static void turn_bridges_off(void)
{
	for (UINTN i = 0; i < device_count; i++) {
		EFI_PCI_IO_PROTOCOL *io = devices[i] ? pci_io(devices[i]) : NULL;

		if (!io || !is_bridge(io))
			continue;
		if (!(pci_read(io, PCI_COMMAND) & PCI_COMMAND_MASTER)) {
			devices[i] = NULL;
			continue;
		}
		if (!set_master(io, 0))
			log_warning("dma: cannot turn it off in a PCI bridge, which still passes it to memory");
	}
}

void dma_turn_off(void)
{
	EFI_STATUS status = pci_find_devices(&device_count, &devices);

	if (EFI_ERROR(status)) {
		devices = NULL;
		device_count = 0;
		log_warning("dma: cannot find PCI devices: %s", efi_status_name(status));
		return;
	}
	disconnect_devices();
	/* Log first, because a display's driver may draw by DMA. */
	log_verbose("dma: off in PCI bridges from here on");
	turn_bridges_off();
}

void dma_restore(void)
{
	for (UINTN i = 0; i < device_count; i++) {
		EFI_PCI_IO_PROTOCOL *io = devices[i] ? pci_io(devices[i]) : NULL;

		if (io && is_bridge(io))
			set_master(io, PCI_COMMAND_MASTER);
	}
	for (UINTN i = 0; i < device_count; i++) {
		if (devices[i])
			firmware_boot_services->ConnectController(devices[i], NULL, NULL, TRUE);
	}
	if (devices)
		firmware_boot_services->FreePool(devices);
	devices = NULL;
	device_count = 0;
}
