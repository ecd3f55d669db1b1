// SPDX-License-Identifier: BSD-2-Clause
/*
 * Feeds memory maps to boot/pagetable.c. With as many tables as page_tables_bound says, the build must not fail. Then a
 * walk as the CPU's checks that everything wanted is mapped to itself, and nothing else is mapped.
 */
#include "boot/pagetable.h"
#include "common/align.h"
#include "tests/fuzz/input.h"

#define SIZE_2M (1ull << 21)
#define SIZE_4G (1ull << 32)
#define TABLES_MAX 24u /* more would take too long */
#define SAMPLES 16u    /* tried addresses in a large page or a range */

/* Intel SDM volume 3, tables 5-15 to 5-20: present, writable, accessed; for a page also dirty and large. */
#define TABLE_FLAGS 0x023ull
#define PAGE_FLAGS 0x0e3ull
#define FLAGS_MASK 0xfffull
#define LARGE 0x080ull

#define EFI_MEMATTR_RUNTIME (1ull << 63)

struct fuzzed {
	struct page_tables tables;
	struct memory_map map;
	struct mapped_range extra;
	uint64_t limit; /* end of the addresses that this number of levels can identity map */
};

static bool is_wanted(const struct efi_descriptor *descriptor)
{
	switch (descriptor->type) {
	case EFI_MEMTYPE_LOADER_CODE ... EFI_MEMTYPE_CONVENTIONAL:
	case EFI_MEMTYPE_ACPI_RECLAIM:
	case EFI_MEMTYPE_ACPI_NVS:
		return true;
	default:
		return descriptor->attribute & EFI_MEMATTR_RUNTIME;
	}
}

static uint64_t extra_end(const struct mapped_range *extra)
{
	return extra->size > UINT64_MAX - extra->addr ? UINT64_MAX : extra->addr + extra->size;
}

/* Whether any byte of the 2 MiB at `addr` is wanted. */
static bool wanted_at(const struct fuzzed *fuzzed, uint64_t addr)
{
	if (addr < SIZE_4G)
		return true;
	if (fuzzed->extra.size && fuzzed->extra.addr < addr + SIZE_2M && extra_end(&fuzzed->extra) > addr)
		return true;
	for (size_t i = 0; i < map_count(&fuzzed->map); i++) {
		struct efi_descriptor descriptor = map_descriptor(&fuzzed->map, i);

		if (is_wanted(&descriptor) && descriptor.number_of_pages &&
		    descriptor.physical_start < addr + SIZE_2M && descriptor_end(&descriptor) > addr)
			return true;
	}
	return false;
}

static uint64_t *table_of(const struct fuzzed *fuzzed, uint64_t entry)
{
	uint64_t table = entry & ~FLAGS_MASK;
	uint64_t pool = (uintptr_t)fuzzed->tables.pool;

	assert((entry & FLAGS_MASK) == TABLE_FLAGS);
	assert(table > pool && table < pool + fuzzed->tables.count * PAGE_SIZE);
	return (uint64_t *)(uintptr_t)table;
}

static void check_page(const struct fuzzed *fuzzed, uint64_t entry, uint64_t addr, uint64_t size)
{
	assert(entry == (addr | PAGE_FLAGS));
	assert(addr + size <= fuzzed->limit);
	for (uint64_t at = addr; at < addr + size; at += size == SIZE_2M ? SIZE_2M : size / SAMPLES)
		assert(wanted_at(fuzzed, at));
	assert(wanted_at(fuzzed, addr + size - SIZE_2M));
}

/* Checks all pages below `table`. Its first entry maps `addr`, and each entry maps 1 << shift bytes. */
static void check_table(const struct fuzzed *fuzzed, const uint64_t *table, uint64_t addr, unsigned shift)
{
	for (size_t i = 0; i < 512; i++, addr += 1ull << shift) {
		if (table[i] == 0)
			continue;
		assert(shift < 39 || !(table[i] & LARGE));
		assert(shift != 30 || !(table[i] & LARGE) || fuzzed->tables.paging.one_gib_pages);
		if (shift == 21 || (table[i] & LARGE))
			check_page(fuzzed, table[i], addr, 1ull << shift);
		else
			check_table(fuzzed, table_of(fuzzed, table[i]), addr, shift - 9);
	}
}

static bool is_mapped(const struct fuzzed *fuzzed, uint64_t addr)
{
	const uint64_t *table = (const uint64_t *)fuzzed->tables.pool;
	unsigned shift = fuzzed->tables.paging.five_levels ? 48 : 39;

	for (;; shift -= 9) {
		uint64_t entry = table[addr >> shift & 511];

		if (entry == 0 || shift == 21 || (entry & LARGE))
			return entry != 0;
		table = table_of(fuzzed, entry);
	}
}

static void check_range(const struct fuzzed *fuzzed, uint64_t start, uint64_t end)
{
	uint64_t step;

	if (end > fuzzed->limit)
		end = fuzzed->limit;
	if (start >= end)
		return;
	assert(is_mapped(fuzzed, end - 1));
	step = (end - start) / SAMPLES + 1;
	for (uint64_t at = start; at < end; at += step)
		assert(is_mapped(fuzzed, at));
}

static void check_all_mapped(const struct fuzzed *fuzzed)
{
	check_range(fuzzed, 0, SIZE_4G);
	check_range(fuzzed, fuzzed->extra.addr, extra_end(&fuzzed->extra));
	for (size_t i = 0; i < map_count(&fuzzed->map); i++) {
		struct efi_descriptor descriptor = map_descriptor(&fuzzed->map, i);

		if (is_wanted(&descriptor))
			check_range(fuzzed, descriptor.physical_start, descriptor_end(&descriptor));
	}
}

static void check_build(struct fuzzed *fuzzed)
{
	size_t bound = page_tables_bound(&fuzzed->tables.paging, &fuzzed->map, &fuzzed->extra);

	if (bound > TABLES_MAX)
		return;
	fuzzed->tables.pool = aligned_alloc(PAGE_SIZE, bound * PAGE_SIZE);
	fuzzed->tables.capacity = bound;
	assert(page_tables_build(&fuzzed->tables, &fuzzed->map, &fuzzed->extra) == KEXEC_OK);
	assert(fuzzed->tables.count <= bound);
	check_table(fuzzed, (const uint64_t *)fuzzed->tables.pool, 0, fuzzed->tables.paging.five_levels ? 48 : 39);
	check_all_mapped(fuzzed);

	/* With one table less the build must fail, and write nothing behind the pool. */
	fuzzed->tables.capacity = fuzzed->tables.count - 1;
	assert(page_tables_build(&fuzzed->tables, &fuzzed->map, &fuzzed->extra) == KEXEC_NO_MEMORY);
	free(fuzzed->tables.pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	uint64_t flags = take_number(&input, 1);
	bool machine_sized = flags & 4;
	struct fuzzed fuzzed = {
		.tables.paging = { .five_levels = flags & 1, .one_gib_pages = flags & 2 },
		.limit = flags & 1 ? 1ull << 52 : 1ull << 47,
	};

	fuzzed.extra.addr = take_number(&input, 8);
	fuzzed.extra.size = take_number(&input, 8);
	if (machine_sized) {
		fuzzed.extra.addr &= (1ull << 38) - 1;
		fuzzed.extra.size &= (1ull << 32) - 1;
	}
	fuzzed.map = take_map(&input, machine_sized ? (1u << 26) - 1 : 0, machine_sized ? (1u << 21) - 1 : 0);
	if (memmap_valid(&fuzzed.map))
		check_build(&fuzzed);
	free((void *)fuzzed.map.bytes);
	return 0;
}
