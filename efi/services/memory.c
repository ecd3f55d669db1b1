// SPDX-License-Identifier: BSD-2-Clause
/*
 * Implements boot/memory.h. If any place is good enough, the firmware chooses it. Otherwise we choose one from the map,
 * and ask the firmware for exactly that.
 */
#include "efi/services/memory_map.h"

#include "boot/log.h"
#include "boot/memory.h"
#include "boot/memory_search.h"
#include "common/align.h"
#include "common/format.h"
#include "efi/services/firmware.h"

/* Allocating the buffer changes the map, so it needs a few more descriptors than reported. */
#define MAP_SLACK_DESCRIPTORS 8
#define MAP_READS_MAX 8

/* How often firmware may refuse a place that its own map calls free. */
#define PLACES_TRIED_MAX 64

#define COMPLAINT_SIZE 160

EFI_STATUS memory_map_get(uint64_t addr, uint64_t capacity, struct memory_map *ret_map, UINTN *ret_key)
{
	UINTN size = capacity;
	UINTN descriptor_size = 0;
	UINT32 version = 0;
	EFI_STATUS status;

	status = firmware_boot_services->GetMemoryMap(&size, phys_to_ptr(addr), ret_key, &descriptor_size, &version);
	*ret_map = (struct memory_map){
		.bytes = phys_to_ptr(addr),
		.size = size,
		.descriptor_size = descriptor_size,
		.descriptor_version = version,
	};
	return status;
}

/* Reads the map into pool memory, which grows until the map fits. After a failure nothing is allocated. */
static EFI_STATUS get_map_of_any_size(struct memory_map *ret_map, uint64_t *ret_capacity)
{
	uint64_t capacity = 0;
	EFI_STATUS status = EFI_BUFFER_TOO_SMALL;

	for (unsigned i = 0; status == EFI_BUFFER_TOO_SMALL && i < MAP_READS_MAX; i++) {
		void *buffer = NULL;
		UINTN key;

		if (capacity) {
			status = firmware_boot_services->AllocatePool(EfiLoaderData, capacity, &buffer);
			if (EFI_ERROR(status))
				return status;
		}
		status = memory_map_get((uintptr_t)buffer, capacity, ret_map, &key);
		*ret_capacity = capacity;
		capacity = ret_map->size + MAP_SLACK_DESCRIPTORS * ret_map->descriptor_size;
		if (EFI_ERROR(status))
			memory_map_free(ret_map);
	}
	return status;
}

/* Reads and checks the map, or describes the error in `ret_complaint`. */
static enum kexec_status read_map(struct memory_map *ret_map, char ret_complaint[COMPLAINT_SIZE])
{
	struct memory_map map;
	uint64_t capacity;
	EFI_STATUS status;

	status = get_map_of_any_size(&map, &capacity);
	if (EFI_ERROR(status)) {
		format_text(ret_complaint, COMPLAINT_SIZE, "memory map: cannot read it: %s", efi_status_name(status));
		return status_from_efi(status);
	}
	if (map.size > capacity || !memmap_valid(&map)) {
		format_text(ret_complaint, COMPLAINT_SIZE,
			    "memory map: expected descriptors of at least %zu bytes in at most %lu, found %lu in %lu",
			    sizeof(struct efi_descriptor), capacity, map.descriptor_size, map.size);
		memory_map_free(&map);
		return KEXEC_BAD_FORMAT;
	}
	*ret_map = map;
	return KEXEC_OK;
}

enum kexec_status memory_map_read(struct memory_map *ret_map)
{
	char complaint[COMPLAINT_SIZE];
	enum kexec_status status = read_map(ret_map, complaint);

	return status ? log_error(status, "%s", complaint) : KEXEC_OK;
}

bool memory_map_read_or_warn(struct memory_map *ret_map)
{
	char complaint[COMPLAINT_SIZE];

	if (!read_map(ret_map, complaint))
		return true;
	log_warning("%s", complaint);
	return false;
}

void memory_map_free(struct memory_map *map)
{
	if (map->bytes)
		firmware_boot_services->FreePool((void *)(uintptr_t)map->bytes);
	*map = (struct memory_map){ 0 };
}

uint64_t memory_readable_size(uint64_t addr)
{
	struct memory_map map;
	uint64_t size;

	if (!memory_map_read_or_warn(&map))
		return 0;
	size = memmap_readable_size(&map, addr);
	memory_map_free(&map);
	return size;
}

static EFI_MEMORY_TYPE type_of(enum memory_kind kind)
{
	return kind == MEMORY_CODE ? EfiLoaderCode : EfiLoaderData;
}

/* Depending on `how`, *addr is a limit or a place. It becomes the pages' address. */
static EFI_STATUS allocate(EFI_ALLOCATE_TYPE how, enum memory_kind kind, uint64_t size, EFI_PHYSICAL_ADDRESS *addr)
{
	return firmware_boot_services->AllocatePages(how, type_of(kind), size / PAGE_SIZE, addr);
}

/*
 * For plain pages as high as possible, the firmware's choice is as good as ours, and reading the map costs a hundred
 * times more. If this fails, or the choice is unusable, we choose the place ourselves.
 */
static bool let_firmware_choose(const struct memory_request *request, struct memory_pages *ret_pages)
{
	struct memory_pages pages = { .size = align_up(request->size, PAGE_SIZE) };

	if (!memory_request_is_plain(request, &pages.addr) ||
	    EFI_ERROR(allocate(AllocateMaxAddress, request->kind, pages.size, &pages.addr)))
		return false;
	if (!memory_request_accepts(request, pages.addr)) {
		memory_free(&pages);
		return false;
	}
	*ret_pages = pages;
	return true;
}

/* Tries one place after the other. Logs a failure. */
static enum kexec_status choose(const struct memory_request *request, const char *what, const struct memory_map *map,
				uint64_t *ret_addr, struct memory_pages *ret_pages)
{
	EFI_STATUS refusal = EFI_SUCCESS;
	struct memory_search search;
	uint64_t addr = 0;

	memory_search_start(&search, request);
	for (unsigned i = 0; i < PLACES_TRIED_MAX && memory_search_next(&search, map, &addr); i++) {
		struct memory_pages pages = memory_request_pages(request, addr);
		EFI_PHYSICAL_ADDRESS start = pages.addr;

		refusal = allocate(AllocateAddress, request->kind, pages.size, &start);
		if (!EFI_ERROR(refusal)) {
			*ret_addr = addr;
			*ret_pages = pages;
			return KEXEC_OK;
		}
	}
	if (EFI_ERROR(refusal))
		return log_error(KEXEC_NO_MEMORY, "%s: expected 0x%lx bytes at 0x%lx, which the map calls free: %s",
				 what, request->size, addr, efi_status_name(refusal));
	return log_error(
		KEXEC_NO_MEMORY,
		"%s: not enough memory: expected 0x%lx bytes in one piece from 0x%lx to 0x%lx, found at most 0x%lx",
		what, request->size, request->min, request->max, memmap_find_hole(map, request).largest);
}

enum kexec_status memory_alloc(const struct memory_request *request, const char *what, uint64_t *ret_addr,
			       struct memory_pages *ret_pages)
{
	enum kexec_status status;
	struct memory_map map;

	if (let_firmware_choose(request, ret_pages)) {
		*ret_addr = ret_pages->addr;
		return KEXEC_OK;
	}
	status = memory_map_read(&map);
	if (status)
		return status;
	status = choose(request, what, &map, ret_addr, ret_pages);
	memory_map_free(&map);
	return status;
}

void memory_free(const struct memory_pages *pages)
{
	if (pages->size)
		firmware_boot_services->FreePages(pages->addr, pages->size / PAGE_SIZE);
}
