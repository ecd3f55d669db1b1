// SPDX-License-Identifier: BSD-2-Clause
/* Copies option ROMs. */
#include "efi/linux/option_rom.h"

#include "boot/bootparams.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "efi/services/pci.h"

/* The specification's maximum. Some firmware has pointers in place of the size. */
#define ROM_SIZE_MAX (16u << 20)
#define NODE_ALIGN 8

static bool has_rom(EFI_PCI_IO_PROTOCOL *io)
{
	return io && io->RomImage && io->RomSize && io->RomSize <= ROM_SIZE_MAX;
}

static uint64_t node_size(const EFI_PCI_IO_PROTOCOL *io)
{
	return align_up(sizeof(struct setup_pci_rom) + io->RomSize, NODE_ALIGN);
}

static bool fill_node(EFI_PCI_IO_PROTOCOL *io, struct setup_pci_rom *node)
{
	UINTN segment, bus, device, function;

	if (EFI_ERROR(io->GetLocation(io, &segment, &bus, &device, &function)))
		return false;
	*node = (struct setup_pci_rom){
		.header = { .type = SETUP_PCI, .len = (uint32_t)(sizeof(*node) - sizeof(node->header) + io->RomSize) },
		.vendor = pci_read(io, PCI_VENDOR),
		.device_id = pci_read(io, PCI_DEVICE),
		.rom_size = io->RomSize,
		.segment = segment,
		.bus = bus,
		.device = device,
		.function = function,
	};
	memcpy(node + 1, io->RomImage, io->RomSize);
	return true;
}

/* Writes one node behind the other, each with the address of the next. */
static uint64_t fill_list(const EFI_HANDLE *devices, UINTN count, const struct kexec_segment *segment)
{
	uint64_t end = segment->mem + segment->bufsz;
	uint64_t addr = segment->mem;
	uint64_t first = 0;
	uint64_t *link = &first;

	memset(phys_to_ptr(addr), 0, segment->bufsz);
	for (UINTN i = 0; i < count; i++) {
		EFI_PCI_IO_PROTOCOL *io = pci_io(devices[i]);
		struct setup_pci_rom *node = phys_to_ptr(addr);

		if (!has_rom(io) || node_size(io) > end - addr || !fill_node(io, node))
			continue;
		*link = addr;
		link = &node->header.next;
		addr += node_size(io);
	}
	return first;
}

uint64_t option_rom_collect(struct kexec_image *kexec_image)
{
	struct kexec_segment *segment;
	uint64_t first = 0;
	EFI_HANDLE *devices;
	uint64_t size = 0;
	UINTN count;

	if (EFI_ERROR(pci_find_devices(&count, &devices)))
		return 0;
	for (UINTN i = 0; i < count; i++) {
		EFI_PCI_IO_PROTOCOL *io = pci_io(devices[i]);

		if (has_rom(io))
			size += node_size(io);
	}
	if (size && !kexec_image_add_data(kexec_image, "option_roms", size, DIGEST_EARLY, &segment))
		first = fill_list(devices, count, segment);
	firmware_boot_services->FreePool(devices);
	return first;
}
