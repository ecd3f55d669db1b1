// SPDX-License-Identifier: BSD-2-Clause
/* Finds the owner of a kernel's fixed place. */
#include "boot/destination.h"

#include "boot/log.h"
#include "common/align.h"

/* Names the owner by attribute or type (UEFI specification 7.2). NULL: free after the exit. */
static const char *owner_of(const struct memory_range *range)
{
	static const char *const names[] = {
		[EFI_MEMTYPE_RESERVED] = "reserved memory",
		[EFI_MEMTYPE_RUNTIME_SERVICES_CODE] = "code of the firmware's runtime services",
		[EFI_MEMTYPE_RUNTIME_SERVICES_DATA] = "data of the firmware's runtime services",
		[EFI_MEMTYPE_UNUSABLE] = "memory with errors",
		[EFI_MEMTYPE_ACPI_RECLAIM] = "ACPI tables",
		[EFI_MEMTYPE_ACPI_NVS] = "ACPI NVS memory",
		[EFI_MEMTYPE_MMIO] = "memory-mapped devices",
		[EFI_MEMTYPE_MMIO_PORT] = "memory-mapped ports",
		[EFI_MEMTYPE_PAL_CODE] = "processor firmware",
		[EFI_MEMTYPE_PERSISTENT] = "persistent memory",
		[EFI_MEMTYPE_UNACCEPTED] = "memory that the guest has not accepted",
	};

	if (range->attribute & EFI_MEMATTR_RUNTIME)
		return "memory of the firmware's runtime services";
	if (range->attribute & EFI_MEMATTR_SPECIFIC_PURPOSE)
		return "memory for a specific purpose";
	switch (range->type) {
	case EFI_MEMTYPE_LOADER_CODE:
	case EFI_MEMTYPE_LOADER_DATA:
	case EFI_MEMTYPE_BOOT_SERVICES_CODE:
	case EFI_MEMTYPE_BOOT_SERVICES_DATA:
	case EFI_MEMTYPE_CONVENTIONAL:
		return NULL;
	default:
		return range->type < ARRAY_SIZE(names) ? names[range->type] : "memory of an unknown type";
	}
}

/* If two descriptors claim the same memory, an owner in either of them counts. */
static bool find_owned(const struct memory_pages *pages, const struct memory_map *map, struct memory_range *ret_range)
{
	size_t index = 0;

	while (memmap_next(map, &index, ret_range)) {
		if (ret_range->start < pages->addr + pages->size && pages->addr < ret_range->end && owner_of(ret_range))
			return true;
	}
	return false;
}

/* The end of the descriptor that holds `addr`; `addr` itself if none does. */
static uint64_t covered_until(const struct memory_map *map, uint64_t addr)
{
	struct memory_range range;
	size_t index = 0;

	while (memmap_next(map, &index, &range)) {
		if (range.start <= addr && addr < range.end)
			return range.end;
	}
	return addr;
}

/* The first address that no descriptor holds; the end of the pages if there is none. */
static uint64_t find_gap(const struct memory_pages *pages, const struct memory_map *map)
{
	uint64_t end = pages->addr + pages->size;
	uint64_t addr = pages->addr;

	while (addr < end) {
		uint64_t next = covered_until(map, addr);

		if (next == addr)
			return addr;
		addr = next;
	}
	return end;
}

bool destination_is_free(const struct memory_pages *destination, const struct memory_map *map)
{
	struct memory_range range;

	return !find_owned(destination, map, &range) &&
	       find_gap(destination, map) == destination->addr + destination->size;
}

enum kexec_status destination_check(const char *name, const struct memory_pages *destination,
				    const struct memory_map *map)
{
	uint64_t end = destination->addr + destination->size;
	struct memory_range range;
	uint64_t gap;

	if (find_owned(destination, map, &range))
		return log_error(KEXEC_NO_MEMORY,
				 "%s: not relocatable: expected memory that is free after the firmware's exit from "
				 "0x%lx to 0x%lx, found %s from 0x%lx to 0x%lx; a relocatable kernel goes elsewhere",
				 name, destination->addr, end, owner_of(&range), range.start, range.end);
	gap = find_gap(destination, map);
	if (gap != end)
		return log_error(KEXEC_NO_MEMORY,
				 "%s: not relocatable: expected memory from 0x%lx to 0x%lx, found none at 0x%lx; a "
				 "relocatable kernel goes elsewhere",
				 name, destination->addr, end, gap);
	return KEXEC_OK;
}

enum kexec_status destination_choose(const char *name, const struct kernel_plan *plan, const struct memory_map *map,
				     struct memory_request *ret_request, struct memory_pages *ret_destination)
{
	const struct memory_pages destination = {
		.addr = plan->memory.min,
		.size = align_up(plan->init_size, PAGE_SIZE),
	};
	enum kexec_status status;

	if (!plan->elsewhere.size || memmap_find_hole(map, &plan->memory).found) {
		*ret_request = plan->memory;
		*ret_destination = (struct memory_pages){ 0 };
		return KEXEC_OK;
	}
	status = destination_check(name, &destination, map);
	if (status)
		return status;
	*ret_request = plan->elsewhere;
	*ret_destination = destination;
	return KEXEC_OK;
}
