// SPDX-License-Identifier: BSD-2-Clause
/*
 * Feeds memory maps to boot/memmap.c and to the e820 part of boot/bootparams.c. The input is a scale, a request and
 * descriptors. On the small scale all memory is in the first pages, and the target tries every place there.
 */
#include "boot/bootparams.h"
#include "common/align.h"
#include "tests/fuzz/input.h"

enum scale { SCALE_ANY, SCALE_PAGES, SCALE_MACHINE, SCALE_COUNT };

#define SMALL_START_MASK 0x3fu
#define SMALL_PAGES_MASK 0x0fu
#define SMALL_END ((SMALL_START_MASK + SMALL_PAGES_MASK) * PAGE_SIZE)
#define SMALL_COUNT 40u /* of descriptors; more would take too long, page by page */
#define PLACEMENTS 4

static struct memory_request take_request(struct input *input, enum scale scale)
{
	uint64_t flags = take_number(input, 1);
	uint64_t align_shift = take_number(input, 1);
	struct memory_request request = {
		.kind = MEMORY_DATA,
		.top_down = flags & 1,
		.align = PAGE_SIZE << (scale == SCALE_PAGES ? align_shift % 4 : align_shift % 20),
		.lead = take_number(input, 8),
		.size = take_number(input, 8),
		.min = take_number(input, 8),
		.max = take_number(input, 8),
		.preferred_max = take_number(input, 8),
	};

	if (scale == SCALE_PAGES) {
		request.lead &= 0x3fff;
		request.size &= 0x7fff;
		request.min &= 0x3ffff;
		request.max &= 0x7ffff;
		request.preferred_max &= 0x7ffff;
	}
	if (request.size == 0)
		request.size = 1;
	return request;
}

static bool is_free(const struct efi_descriptor *descriptor)
{
	return descriptor->type == EFI_MEMTYPE_CONVENTIONAL && !(descriptor->attribute & EFI_MEMATTR_SPECIFIC_PURPOSE);
}

/* The end of the free descriptor that holds `addr`, or `addr`. */
static uint64_t free_until(const struct memory_map *map, uint64_t addr)
{
	for (size_t i = 0; i < map_count(map); i++) {
		struct efi_descriptor descriptor = map_descriptor(map, i);

		if (is_free(&descriptor) && descriptor.physical_start <= addr && addr < descriptor_end(&descriptor))
			return descriptor_end(&descriptor);
	}
	return addr;
}

static void check_hole(const struct memory_map *map, const struct memory_request *request, uint64_t addr)
{
	uint64_t last = addr + (request->size - 1);

	assert(addr % request->align == 0);
	assert(addr >= request->min && last >= addr && last <= request->max);
	assert(addr >= request->lead);
	for (uint64_t at = addr - request->lead; at <= last;) {
		uint64_t end = free_until(map, at);

		assert(end > at);
		at = end;
	}
}

/* Whether the request fits at `addr` within one free descriptor. Only for small numbers. */
static bool fits_at(const struct memory_map *map, const struct memory_request *request, uint64_t addr, uint64_t max)
{
	if (addr < request->lead || addr < request->min || addr + request->size - 1 > max)
		return false;
	for (size_t i = 0; i < map_count(map); i++) {
		struct efi_descriptor descriptor = map_descriptor(map, i);

		if (is_free(&descriptor) && descriptor.physical_start <= addr - request->lead &&
		    addr + request->size <= descriptor_end(&descriptor))
			return true;
	}
	return false;
}

/* Tries all places: none may be better than the one found. */
static void check_best(const struct memory_map *map, const struct memory_request *request, const struct hole *hole)
{
	for (uint64_t addr = 0; addr <= SMALL_END; addr += request->align) {
		if (!fits_at(map, request, addr, request->max))
			continue;
		assert(hole->found);
		if (request->preferred_max && fits_at(map, request, addr, request->preferred_max))
			assert(hole->addr + request->size - 1 <= request->preferred_max);
		if (!request->preferred_max)
			assert(request->top_down ? hole->addr >= addr : hole->addr <= addr);
	}
}

/* Places the request several times, each time in the remaining memory. The places must not overlap. */
static void check_placements(const struct memory_map *map, const struct memory_request *request)
{
	struct efi_descriptor pages[SMALL_END / PAGE_SIZE];
	struct memory_map left = { .bytes = (void *)pages, .size = sizeof(pages), .descriptor_size = sizeof(pages[0]) };

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		bool free = free_until(map, i * PAGE_SIZE) > i * PAGE_SIZE;

		pages[i] = (struct efi_descriptor){ .type = free ? EFI_MEMTYPE_CONVENTIONAL : EFI_MEMTYPE_RESERVED,
						    .physical_start = i * PAGE_SIZE,
						    .number_of_pages = 1 };
	}
	for (int i = 0; i < PLACEMENTS; i++) {
		struct hole hole = memmap_find_hole(&left, request);

		if (!hole.found)
			break;
		for (uint64_t page = (hole.addr - request->lead) / PAGE_SIZE;
		     page <= (hole.addr + request->size - 1) / PAGE_SIZE; page++) {
			assert(pages[page].type == EFI_MEMTYPE_CONVENTIONAL);
			pages[page].type = EFI_MEMTYPE_LOADER_DATA;
		}
	}
}

/* The rule of the kernel's EFI stub as a table: setup_e820() in drivers/firmware/efi/libstub/x86-stub.c. */
static uint32_t expected_type(const struct efi_descriptor *descriptor, bool soft_reserve)
{
	static const uint32_t types[17] = {
		[EFI_MEMTYPE_RESERVED] = E820_RESERVED,
		[EFI_MEMTYPE_LOADER_CODE] = E820_RAM,
		[EFI_MEMTYPE_LOADER_DATA] = E820_RAM,
		[EFI_MEMTYPE_BOOT_SERVICES_CODE] = E820_RAM,
		[EFI_MEMTYPE_BOOT_SERVICES_DATA] = E820_RAM,
		[EFI_MEMTYPE_RUNTIME_SERVICES_CODE] = E820_RESERVED,
		[EFI_MEMTYPE_RUNTIME_SERVICES_DATA] = E820_RESERVED,
		[EFI_MEMTYPE_CONVENTIONAL] = E820_RAM,
		[EFI_MEMTYPE_UNUSABLE] = E820_UNUSABLE,
		[EFI_MEMTYPE_ACPI_RECLAIM] = E820_ACPI,
		[EFI_MEMTYPE_ACPI_NVS] = E820_NVS,
		[EFI_MEMTYPE_MMIO] = E820_RESERVED,
		[EFI_MEMTYPE_MMIO_PORT] = E820_RESERVED,
		[EFI_MEMTYPE_PAL_CODE] = E820_RESERVED,
		[EFI_MEMTYPE_PERSISTENT] = E820_PMEM,
	};

	if (soft_reserve && types[descriptor->type] == E820_RAM &&
	    (descriptor->attribute & EFI_MEMATTR_SPECIFIC_PURPOSE))
		return (uint32_t)E820_SOFT_RESERVED;
	return types[descriptor->type];
}

struct e820_table {
	struct e820_entry *entries;
	size_t count;
	size_t capacity;
};

static void put_entry(void *context, size_t number, const struct e820_entry *entry)
{
	struct e820_table *table = context;

	assert(number == table->count && number < table->capacity);
	assert(entry->type && entry->size);
	table->entries[table->count++] = *entry;
}

/* Each descriptor is at the table's next place, each entry is complete, and none could be longer. */
static void check_table(const struct memory_map *map, bool soft_reserve, const struct e820_table *table)
{
	size_t number = 0;
	uint64_t filled = 0;

	for (size_t i = 0; i < map_count(map); i++) {
		struct efi_descriptor descriptor = map_descriptor(map, i);
		uint64_t size = descriptor_end(&descriptor) - descriptor.physical_start;
		uint32_t type = expected_type(&descriptor, soft_reserve);

		if (!type || !size)
			continue;
		if (number < table->count && filled == table->entries[number].size) {
			const struct e820_entry *full = &table->entries[number++];

			assert(full->type != type || full->addr + full->size != descriptor.physical_start);
			filled = 0;
		}
		assert(number < table->count && table->entries[number].type == type);
		assert(table->entries[number].addr + filled == descriptor.physical_start);
		assert(size <= table->entries[number].size - filled);
		filled += size;
	}
	assert(table->count ? number == table->count - 1 && filled == table->entries[number].size : !filled);
}

/* The zero page and the node behind it must have the same entries. */
static void check_boot_params(const struct memory_map *map, bool soft_reserve, const struct e820_table *table)
{
	struct setup_data *ext = malloc(boot_params_e820_ext_size(map_count(map)));
	struct boot_params *params = calloc(1, sizeof(*params));
	const struct e820_entry *ext_entries = (const void *)(ext + 1);

	ext->next = 0;
	boot_params_set_memory_map(params, map, soft_reserve, ext);
	assert(params->e820_entries + ext->len / sizeof(*ext_entries) == table->count);
	assert((params->hdr.setup_data != 0) == (ext->len != 0));
	for (size_t i = 0; i < table->count; i++) {
		const struct e820_entry *entry;

		if (i < E820_MAX_ENTRIES_ZEROPAGE)
			entry = &params->e820_table[i];
		else
			entry = &ext_entries[i - E820_MAX_ENTRIES_ZEROPAGE];
		assert(memcmp(entry, &table->entries[i], sizeof(*entry)) == 0);
	}
	free(params);
	free(ext);
}

static void check_e820(const struct memory_map *map, bool soft_reserve)
{
	struct e820_table table = { .capacity = map_count(map) };

	table.entries = calloc(table.capacity, sizeof(*table.entries));
	memmap_to_e820(map, soft_reserve, put_entry, &table);
	check_table(map, soft_reserve, &table);
	check_boot_params(map, soft_reserve, &table);
	free(table.entries);
}

static void check_ranges(const struct memory_map *map)
{
	struct memory_range range;
	size_t index = 0;

	while (memmap_next(map, &index, &range)) {
		struct efi_descriptor descriptor = map_descriptor(map, index - 1);

		assert(range.start < range.end);
		assert(range.start == descriptor.physical_start && range.end == descriptor_end(&descriptor));
		assert(range.type == descriptor.type && range.attribute == descriptor.attribute);
	}
	assert(index == map_count(map));
}

/* Takes sizes from the input. memmap_next must be able to walk any map that is accepted. */
static void check_sizes(struct input input)
{
	struct memory_map map = { .descriptor_size = take_number(&input, 1), .descriptor_version = 1 };
	struct memory_range range;
	size_t index = 0;

	map.bytes = input.bytes;
	map.size = input.size;
	if (!memmap_valid(&map))
		return;
	while (memmap_next(&map, &index, &range))
		assert(index <= map.size / map.descriptor_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const uint64_t start_masks[SCALE_COUNT] = { 0, SMALL_START_MASK, (1ull << 36) - 1 };
	static const uint64_t pages_masks[SCALE_COUNT] = { 0, SMALL_PAGES_MASK, (1ull << 28) - 1 };
	struct input input = { .bytes = bytes, .size = size };
	struct memory_request request;
	struct memory_map map;
	struct hole hole;
	enum scale scale;

	check_sizes(input);
	scale = take_number(&input, 1) % SCALE_COUNT;
	request = take_request(&input, scale);
	map = take_map(&input, start_masks[scale], pages_masks[scale]);
	if (memmap_valid(&map)) {
		check_ranges(&map);
		hole = memmap_find_hole(&map, &request);
		if (hole.found)
			check_hole(&map, &request, hole.addr);
		if (scale == SCALE_PAGES && map_count(&map) <= SMALL_COUNT) {
			check_best(&map, &request, &hole);
			check_placements(&map, &request);
		}
		check_e820(&map, true);
		check_e820(&map, false);
	}
	free((void *)map.bytes);
	return 0;
}
