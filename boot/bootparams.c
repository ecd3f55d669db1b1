// SPDX-License-Identifier: BSD-2-Clause
/* Fills in the zero page. */
#include "boot/bootparams.h"

#include "common/align.h"
#include "common/string.h"

/* The stub's value for a kernel that was not started by BIOS calls. */
#define ALT_MEM_K (32u * 1024)
#define VID_MODE_NORMAL 0xffff
#define ROOT_FLAGS_READ_ONLY 1

static uint32_t low(uint64_t value)
{
	return (uint32_t)value;
}

static uint32_t high(uint64_t value)
{
	return (uint32_t)(value >> 32);
}

/*
 * Copies the kernel's own header, with the length that it states: boot.rst, "64-bit boot protocol". The rest of the
 * page stays zero: with a nonzero sentinel the kernel would wipe fields that we set
 * (arch/x86/include/asm/bootparam_utils.h).
 */
static void copy_setup_header(struct boot_params *params, const uint8_t *setup)
{
	const struct setup_header *source = (const void *)(setup + SETUP_HEADER_OFFSET);
	size_t size = offsetof(struct setup_header, header) + source->jump_distance;

	/* A newer header is longer than the struct. boot/bzimage.c has checked that it ends before the next field. */
	memcpy((uint8_t *)params + SETUP_HEADER_OFFSET, source, size);
}

void boot_params_build(struct boot_params *params, const struct boot_params_request *request)
{
	const struct platform *platform = request->platform;
	struct setup_header *header = &params->hdr;

	memset(params, 0, sizeof(*params));
	copy_setup_header(params, request->setup);

	header->type_of_loader = TYPE_OF_LOADER_UNDEFINED;
	header->loadflags &= (uint8_t) ~(KASLR_FLAG | CAN_USE_HEAP);
	header->vid_mode = VID_MODE_NORMAL;
	header->root_flags = ROOT_FLAGS_READ_ONLY;
	header->setup_data = 0;
	params->alt_mem_k = ALT_MEM_K;

	header->cmd_line_ptr = low(request->cmdline->mem);
	params->ext_cmd_line_ptr = high(request->cmdline->mem);
	header->ramdisk_image = 0;
	header->ramdisk_size = 0;
	if (request->initrd) {
		header->ramdisk_image = low(request->initrd->mem);
		params->ext_ramdisk_image = high(request->initrd->mem);
		header->ramdisk_size = low(request->initrd->bufsz);
		params->ext_ramdisk_size = high(request->initrd->bufsz);
	}

	params->screen_info = platform->screen;
	memcpy(params->edid_info, platform->edid, sizeof(params->edid_info));
	params->acpi_rsdp_addr = platform->acpi_rsdp_addr;
	params->secure_boot = (uint8_t)platform->secure_boot;
	params->efi_info.efi_loader_signature = EFI64_LOADER_SIGNATURE;
	params->efi_info.efi_systab = low(platform->efi_system_table_addr);
	params->efi_info.efi_systab_hi = high(platform->efi_system_table_addr);
}

uint64_t boot_params_e820_ext_size(uint64_t entries)
{
	uint64_t extra = entries > E820_MAX_ENTRIES_ZEROPAGE ? entries - E820_MAX_ENTRIES_ZEROPAGE : 0;

	return sizeof(struct setup_data) + extra * sizeof(struct e820_entry);
}

struct e820_destination {
	struct boot_params *params;
	struct setup_data *ext;
};

static void put_e820_entry(void *context, size_t number, const struct e820_entry *entry)
{
	struct e820_destination *destination = context;
	struct e820_entry *ext_entries = (void *)(destination->ext + 1);

	if (number < E820_MAX_ENTRIES_ZEROPAGE) {
		destination->params->e820_table[number] = *entry;
		destination->params->e820_entries = (uint8_t)(number + 1);
	} else {
		ext_entries[number - E820_MAX_ENTRIES_ZEROPAGE] = *entry;
		destination->ext->len += sizeof(*entry);
	}
}

void boot_params_set_memory_map(struct boot_params *params, const struct memory_map *map, bool soft_reserve,
				struct setup_data *e820_ext)
{
	struct e820_destination destination = { .params = params, .ext = e820_ext };
	uint64_t map_addr = (uintptr_t)map->bytes;

	params->efi_info.efi_memmap = low(map_addr);
	params->efi_info.efi_memmap_hi = high(map_addr);
	params->efi_info.efi_memmap_size = (uint32_t)map->size;
	params->efi_info.efi_memdesc_size = (uint32_t)map->descriptor_size;
	params->efi_info.efi_memdesc_version = map->descriptor_version;

	params->e820_entries = 0;
	*e820_ext = (struct setup_data){ .next = e820_ext->next, .type = SETUP_E820_EXT };
	memmap_to_e820(map, soft_reserve, put_e820_entry, &destination);
	params->hdr.setup_data = e820_ext->len ? (uintptr_t)e820_ext : e820_ext->next;
}
