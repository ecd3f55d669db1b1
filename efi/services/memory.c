// SPDX-License-Identifier: BSD-2-Clause
/*
 * Implements boot/memory.h: the firmware chooses the place where its choice will do; else it is chosen by our own look
 * at the map, and the firmware asked for just that.
 */
#include "efi/services/memory_map.h"

#include "boot/log.h"
#include "boot/memory.h"
#include "common/align.h"
#include "efi/services/firmware.h"

/* The pool buffer is itself a change to the map, so a few descriptors more than reported are needed. */
#define MAP_SLACK_DESCRIPTORS 8
#define MAP_READS_MAX 8

/* How often firmware may refuse a place that its own map calls free. */
#define PLACES_TRIED_MAX 64

enum kexec_status memory_map_read(struct memory_map *ret_map)
{
	EFI_BOOT_SERVICES *services = firmware_boot_services;
	UINTN capacity = 0;
	UINTN size = 0;
	UINTN key;
	UINTN descriptor_size = 0;
	UINT32 version = 0;
	EFI_STATUS status;
	void *buffer = NULL;

	for (unsigned i = 0; i < MAP_READS_MAX; i++) {
		EFI_STATUS allocated;

		status = services->GetMemoryMap(&size, buffer, &key, &descriptor_size, &version);
		if (status != EFI_BUFFER_TOO_SMALL)
			break;
		if (buffer)
			services->FreePool(buffer);
		buffer = NULL;
		size += MAP_SLACK_DESCRIPTORS * descriptor_size;
		capacity = size;
		allocated = services->AllocatePool(EfiLoaderData, size, &buffer);
		if (EFI_ERROR(allocated)) {
			buffer = NULL;
			status = allocated;
			break;
		}
	}
	if (EFI_ERROR(status)) {
		if (buffer)
			services->FreePool(buffer);
		return log_error(status_from_efi(status), "memory map: cannot read it: %s", efi_status_name(status));
	}

	*ret_map = (struct memory_map){
		.bytes = buffer, .size = size, .descriptor_size = descriptor_size, .descriptor_version = version
	};
	if (size > capacity || !memmap_valid(ret_map)) {
		memory_map_free(ret_map);
		return log_error(
			KEXEC_BAD_FORMAT,
			"memory map: expected descriptors of at least %zu bytes in at most %lu, found %lu in %lu",
			sizeof(struct efi_descriptor), capacity, descriptor_size, size);
	}
	return KEXEC_OK;
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

	if (memory_map_read(&map))
		return 0;
	size = memmap_readable_size(&map, addr);
	memory_map_free(&map);
	return size;
}

static struct memory_pages pages_of(const struct memory_request *request, uint64_t addr)
{
	uint64_t start = align_down(addr - request->lead, PAGE_SIZE);
	uint64_t end = align_up(addr + request->size, PAGE_SIZE);

	return (struct memory_pages){ .addr = start, .size = end - start };
}

static EFI_MEMORY_TYPE type_of(enum memory_kind kind)
{
	return kind == MEMORY_CODE ? EfiLoaderCode : EfiLoaderData;
}

/*
 * For plain pages as high as can be, firmware's own choice is as good, and reading the map is a hundred times dearer.
 * Where it fails, or chooses a place that will not do, we look for ourselves.
 */
static bool allocate_high(const struct memory_request *request, struct memory_pages *ret_pages)
{
	EFI_PHYSICAL_ADDRESS addr = request->preferred_max ? request->preferred_max : request->max;
	struct memory_pages pages = { .size = align_up(request->size, PAGE_SIZE) };
	EFI_STATUS status;

	if (!request->top_down || request->lead || request->align != PAGE_SIZE || request->size > addr)
		return false;
	status = firmware_boot_services->AllocatePages(AllocateMaxAddress, type_of(request->kind),
						       pages.size / PAGE_SIZE, &addr);
	if (EFI_ERROR(status))
		return false;
	pages.addr = addr;
	if (addr % PAGE_SIZE || addr < request->min || addr > request->max || request->size - 1 > request->max - addr) {
		memory_free(&pages);
		return false;
	}
	*ret_pages = pages;
	return true;
}

static EFI_STATUS allocate_at(enum memory_kind kind, const struct memory_pages *pages)
{
	EFI_PHYSICAL_ADDRESS addr = pages->addr;

	return firmware_boot_services->AllocatePages(AllocateAddress, type_of(kind), pages->size / PAGE_SIZE, &addr);
}

/* Leaves the refused place out of the search: it goes on above it, or below it. */
static bool narrow(struct memory_request *request, uint64_t refused_addr)
{
	if (request->top_down) {
		if (refused_addr < PAGE_SIZE)
			return false;
		if (request->preferred_max && refused_addr <= request->preferred_max)
			request->preferred_max = refused_addr - 1;
		else
			request->max = refused_addr - 1;
	} else {
		if (request->size > UINT64_MAX - refused_addr)
			return false;
		request->min = refused_addr + request->size;
	}
	return request->min <= request->max;
}

enum kexec_status memory_alloc(const struct memory_request *request, const char *what, uint64_t *ret_addr,
			       struct memory_pages *ret_pages)
{
	struct memory_request search = *request;
	EFI_STATUS refusal = EFI_SUCCESS;
	uint64_t refused_addr = 0;
	struct memory_map map;
	enum kexec_status status;
	struct hole hole;

	if (allocate_high(request, ret_pages)) {
		*ret_addr = ret_pages->addr;
		return KEXEC_OK;
	}
	status = memory_map_read(&map);
	if (status)
		return status;
	for (unsigned i = 0; i < PLACES_TRIED_MAX; i++) {
		struct memory_pages pages;

		hole = memmap_find_hole(&map, &search);
		if (!hole.found)
			break;
		pages = pages_of(request, hole.addr);
		refusal = allocate_at(request->kind, &pages);
		if (!EFI_ERROR(refusal)) {
			memory_map_free(&map);
			*ret_addr = hole.addr;
			*ret_pages = pages;
			return KEXEC_OK;
		}
		refused_addr = hole.addr;
		if (!narrow(&search, refused_addr))
			break;
	}
	memory_map_free(&map);
	if (EFI_ERROR(refusal))
		return log_error(KEXEC_NO_MEMORY, "%s: expected 0x%lx bytes at 0x%lx, which the map calls free: %s",
				 what, request->size, refused_addr, efi_status_name(refusal));
	return log_error(KEXEC_NO_MEMORY,
			 "%s: not enough memory: expected 0x%lx bytes in one piece from 0x%lx to 0x%lx, found at most 0x%lx",
			 what, request->size, request->min, request->max, hole.largest);
}

void memory_free(const struct memory_pages *pages)
{
	if (pages->size)
		firmware_boot_services->FreePages(pages->addr, pages->size / PAGE_SIZE);
}
