// SPDX-License-Identifier: BSD-2-Clause
/* Reads the firmware's memory map. It checks everything that arithmetic can check. */
#include "boot/memmap.h"

#include "common/align.h"
#include "common/string.h"

/*
 * Room for the map to grow. Our own allocations make it grow. Some firmware adds many descriptors during
 * ExitBootServices, for example in a guest that accepts all its memory then. Once ExitBootServices has been refused,
 * allocating more room could fail, so there is plenty from the start. Hashing it takes no noticeable time.
 */
#define MAP_HEADROOM_DESCRIPTORS 1024
#define MAP_HEADROOM_FACTOR 2

bool memmap_valid(const struct memory_map *map)
{
	return map->descriptor_size >= sizeof(struct efi_descriptor) && map->size >= map->descriptor_size &&
	       map->size % map->descriptor_size == 0;
}

uint64_t memmap_exit_capacity(const struct memory_map *map)
{
	return align_up(MAP_HEADROOM_FACTOR * map->size + MAP_HEADROOM_DESCRIPTORS * map->descriptor_size, PAGE_SIZE);
}

bool memmap_next(const struct memory_map *map, size_t *index, struct memory_range *ret_range)
{
	struct efi_descriptor descriptor;

	for (; *index < map->size / map->descriptor_size; (*index)++) {
		uint64_t space;

		memcpy(&descriptor, map->bytes + *index * map->descriptor_size, sizeof(descriptor));
		space = UINT64_MAX - descriptor.physical_start;
		if (descriptor.number_of_pages == 0 || space == 0)
			continue;

		ret_range->start = descriptor.physical_start;
		if (descriptor.number_of_pages > space / PAGE_SIZE)
			ret_range->end = UINT64_MAX;
		else
			ret_range->end = descriptor.physical_start + descriptor.number_of_pages * PAGE_SIZE;
		ret_range->type = descriptor.type;
		ret_range->attribute = descriptor.attribute;
		(*index)++;
		return true;
	}
	return false;
}

/* Places the request in one free range. Returns false if it does not fit. */
static bool place(const struct memory_range *range, const struct memory_request *request, uint64_t *ret_addr)
{
	uint64_t first = range->start;
	uint64_t last = range->end - 1;
	uint64_t addr;

	/* addr - lead must be in the range, and addr at or above min. */
	if (request->lead > last - first)
		return false;
	first += request->lead;
	if (first < request->min)
		first = request->min;
	if (last > request->max)
		last = request->max;
	if (first > last || request->size - 1 > last - first)
		return false;

	if (request->top_down) {
		addr = align_down(last - (request->size - 1), request->align);
	} else {
		if (first > UINT64_MAX - (request->align - 1))
			return false;
		addr = align_up(first, request->align);
	}
	if (addr < first || addr > last || request->size - 1 > last - addr)
		return false;
	*ret_addr = addr;
	return true;
}

/* The largest size that would fit: from the first possible address to the end. */
static uint64_t usable_size(const struct memory_range *range, const struct memory_request *request)
{
	uint64_t last = range->end - 1 > request->max ? request->max : range->end - 1;
	uint64_t first = range->start;

	if (request->lead > UINT64_MAX - first)
		return 0;
	first += request->lead;
	if (first < request->min)
		first = request->min;
	if (first > UINT64_MAX - (request->align - 1))
		return 0;
	first = align_up(first, request->align);
	return first > last ? 0 : last - first + 1;
}

static bool is_free(const struct memory_range *range)
{
	return range->type == EFI_MEMTYPE_CONVENTIONAL && !(range->attribute & EFI_MEMATTR_SPECIFIC_PURPOSE);
}

/* Finds the next run of free descriptors that are adjacent in the map and in memory. */
static bool next_free_run(const struct memory_map *map, size_t *index, struct memory_range *ret_run)
{
	struct memory_range next;

	do {
		if (!memmap_next(map, index, ret_run))
			return false;
	} while (!is_free(ret_run));

	for (size_t ahead = *index; memmap_next(map, &ahead, &next); *index = ahead) {
		if (!is_free(&next) || next.start != ret_run->end)
			break;
		ret_run->end = next.end;
	}
	return true;
}

static void look_at(const struct memory_range *free, const struct memory_request *request, struct hole *hole)
{
	uint64_t size = usable_size(free, request);
	uint64_t addr;

	if (size > hole->largest)
		hole->largest = size;
	if (!place(free, request, &addr))
		return;
	if (!hole->found || (request->top_down ? addr > hole->addr : addr < hole->addr))
		hole->addr = addr;
	hole->found = true;
}

/* Looks below and above the pages to avoid. Either part may be empty. */
static void look_around(const struct memory_range *free, const struct memory_request *request, struct hole *hole)
{
	const struct memory_pages *avoid = &request->avoid;
	struct memory_range below = *free;
	struct memory_range above = *free;

	if (free->end > avoid->addr)
		below.end = avoid->addr;
	if (below.start < below.end)
		look_at(&below, request, hole);
	if (free->start < avoid->addr + avoid->size)
		above.start = avoid->addr + avoid->size;
	if (above.start < above.end)
		look_at(&above, request, hole);
}

static struct hole find_hole_within(const struct memory_map *map, const struct memory_request *request)
{
	struct hole hole = { 0 };
	struct memory_range run;
	size_t index = 0;

	while (next_free_run(map, &index, &run)) {
		if (request->avoid.size)
			look_around(&run, request, &hole);
		else
			look_at(&run, request, &hole);
	}
	return hole;
}

struct hole memmap_find_hole(const struct memory_map *map, const struct memory_request *request)
{
	struct memory_request preferred = *request;

	if (request->preferred_max && request->preferred_max < request->max) {
		struct hole hole;

		preferred.max = request->preferred_max;
		hole = find_hole_within(map, &preferred);
		if (hole.found)
			return hole;
	}
	return find_hole_within(map, request);
}

/* Excludes devices, broken memory and memory that is not accepted yet. */
static bool is_readable(uint32_t type)
{
	return type != EFI_MEMTYPE_UNUSABLE && type <= EFI_MEMTYPE_ACPI_NVS;
}

uint64_t memmap_readable_size(const struct memory_map *map, uint64_t addr)
{
	struct memory_range range;
	uint64_t end = addr;
	size_t index = 0;

	while (memmap_next(map, &index, &range)) {
		if (is_readable(range.type) && range.start <= end && end < range.end)
			end = range.end;
	}
	return end - addr;
}

/* Returns 0 for types that the kernel's stub does not know and leaves out. */
static uint32_t e820_type_of(const struct memory_range *range, bool soft_reserve)
{
	switch (range->type) {
	case EFI_MEMTYPE_RESERVED:
	case EFI_MEMTYPE_RUNTIME_SERVICES_CODE:
	case EFI_MEMTYPE_RUNTIME_SERVICES_DATA:
	case EFI_MEMTYPE_MMIO:
	case EFI_MEMTYPE_MMIO_PORT:
	case EFI_MEMTYPE_PAL_CODE:
		return E820_RESERVED;
	case EFI_MEMTYPE_LOADER_CODE:
	case EFI_MEMTYPE_LOADER_DATA:
	case EFI_MEMTYPE_BOOT_SERVICES_CODE:
	case EFI_MEMTYPE_BOOT_SERVICES_DATA:
	case EFI_MEMTYPE_CONVENTIONAL:
		if (soft_reserve && (range->attribute & EFI_MEMATTR_SPECIFIC_PURPOSE))
			return (uint32_t)E820_SOFT_RESERVED;
		return E820_RAM;
	case EFI_MEMTYPE_UNUSABLE:
		return E820_UNUSABLE;
	case EFI_MEMTYPE_ACPI_RECLAIM:
		return E820_ACPI;
	case EFI_MEMTYPE_ACPI_NVS:
		return E820_NVS;
	case EFI_MEMTYPE_PERSISTENT:
		return E820_PMEM;
	default:
		return 0;
	}
}

void memmap_to_e820(const struct memory_map *map, bool soft_reserve, e820_sink *sink, void *context)
{
	struct e820_entry entry = { 0 };
	struct memory_range range;
	size_t number = 0;
	size_t index = 0;

	while (memmap_next(map, &index, &range)) {
		uint32_t type = e820_type_of(&range, soft_reserve);

		if (!type)
			continue;
		if (entry.type == type && entry.addr + entry.size == range.start) {
			entry.size += range.end - range.start;
			continue;
		}
		if (entry.type)
			sink(context, number++, &entry);
		entry = (struct e820_entry){ .addr = range.start, .size = range.end - range.start, .type = type };
	}
	if (entry.type)
		sink(context, number, &entry);
}
