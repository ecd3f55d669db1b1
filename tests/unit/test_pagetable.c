// SPDX-License-Identifier: BSD-2-Clause
/* The identity page tables, checked by a walker that is written from the CPU's manual, not from the builder. */
#include "boot/pagetable.h"

#include "common/align.h"
#include "tests/unit/support.h"

#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define TIB (1ull << 40)

#define TABLE_SIZE 4096
#define POOL_TABLES 4096

#define GUARD 0x5a

static uint8_t pool[(POOL_TABLES + 1) * TABLE_SIZE] __attribute__((aligned(4096)));
static struct page_tables tables;
static const struct mapped_range nothing;

/* --- the walker --- */

/* The entry that maps `addr`: Intel SDM volume 3, figure 5-11. */
enum {
	P = 1 << 0,
	RW = 1 << 1,
	A = 1 << 5,
	D = 1 << 6,
	PS = 1 << 7,
};

#define NX (1ull << 63)

struct translation {
	bool mapped;
	bool executable;
	uint64_t addr;
	uint64_t page_size;
};

/* Every present entry must have these bits. All other bits except the address are 0. */
static uint64_t address_in(uint64_t entry, int shift, bool is_page)
{
	uint64_t flags = entry & 0xfff0000000000fffull;

	if (is_page)
		flags &= ~NX;
	assert_int_equal(flags, !is_page ? P | RW | A : shift == 12 ? P | RW | A | D : P | RW | A | D | PS);
	return entry & 0x000ffffffffff000ull;
}

static struct translation walk(uint64_t addr)
{
	const uint64_t *table = (const uint64_t *)pool;

	for (int shift = tables.paging.five_levels ? 48 : 39;; shift -= 9) {
		uint64_t entry = table[addr >> shift & 511];
		bool is_page = shift == 12 || (shift <= 30 && (entry & PS));
		uint64_t next;

		if (!(entry & P)) {
			assert_int_equal(entry, 0);
			return (struct translation){ 0 };
		}
		next = address_in(entry, shift, is_page);
		if (is_page) {
			uint64_t offset = addr & ((1ull << shift) - 1);

			assert_int_equal(next & ((1ull << shift) - 1), 0);
			assert_true(shift <= 21 || tables.paging.one_gib_pages);
			assert_true(!(entry & NX) || tables.paging.no_execute);
			return (struct translation){ .mapped = true,
						     .executable = !(entry & NX),
						     .addr = next + offset,
						     .page_size = 1ull << shift };
		}
		assert_in_range(next, (uintptr_t)pool, (uintptr_t)pool + (tables.count - 1) * TABLE_SIZE);
		table = (const uint64_t *)next;
	}
}

static void check_mapped(uint64_t addr, const char *file, int line)
{
	struct translation translation = walk(addr);

	if (!translation.mapped || translation.addr != addr) {
		print_error("0x%lx: expected identity, found %d 0x%lx\n", addr, translation.mapped, translation.addr);
		_fail(file, line);
	}
}

static void check_unmapped(uint64_t addr, const char *file, int line)
{
	if (walk(addr).mapped) {
		print_error("0x%lx: expected nothing, found a page\n", addr);
		_fail(file, line);
	}
}

#define expect_mapped(addr) check_mapped((addr), __FILE__, __LINE__)
#define expect_unmapped(addr) check_unmapped((addr), __FILE__, __LINE__)

/* [start, end) is mapped, and the bytes next to it are not. */
static void check_exactly(uint64_t start, uint64_t end, const char *file, int line)
{
	check_unmapped(start - 1, file, line);
	check_mapped(start, file, line);
	check_mapped(start + (end - start) / 2, file, line);
	check_mapped(end - 1, file, line);
	check_unmapped(end, file, line);
}

#define expect_exactly(start, end) check_exactly((start), (end), __FILE__, __LINE__)

/* The bytes that all tables map together, so that a test can exclude further pages. */
static uint64_t bytes_mapped_in(const uint64_t *table, int shift)
{
	uint64_t bytes = 0;

	for (int i = 0; i < 512; i++) {
		if (!table[i])
			continue;
		if (shift == 12 || (shift <= 30 && (table[i] & PS)))
			bytes += 1ull << shift;
		else
			bytes += bytes_mapped_in((const uint64_t *)(table[i] & 0x000ffffffffff000ull), shift - 9);
	}
	return bytes;
}

static uint64_t bytes_mapped(void)
{
	return bytes_mapped_in((const uint64_t *)pool, tables.paging.five_levels ? 48 : 39);
}

/* --- building --- */

static enum kexec_status build_with(const struct memory_map *map, const struct mapped_range *extra, size_t capacity)
{
	memset(pool, GUARD, (capacity + 1) * TABLE_SIZE);
	tables.pool = pool;
	tables.capacity = capacity;
	tables.count = 12345;
	return page_tables_build(&tables, map, extra);
}

/* Builds with as many tables as the bound allows, and checks that no more were written. */
static void build(const struct memory_map *map, const struct mapped_range *extra)
{
	size_t bound = page_tables_bound(&tables.paging, map, extra);

	assert_true(bound <= POOL_TABLES);
	expect_ok(build_with(map, extra, bound));
	assert_in_range(tables.count, 1, bound);
	for (size_t i = 0; i < TABLE_SIZE; i++)
		assert_int_equal(pool[bound * TABLE_SIZE + i], GUARD);
}

static const struct paging pagings[] = {
	{ .five_levels = false, .one_gib_pages = false },
	{ .five_levels = false, .one_gib_pages = true },
	{ .five_levels = true, .one_gib_pages = false },
	{ .five_levels = true, .one_gib_pages = true },
};

#define PAGING_COUNT (sizeof(pagings) / sizeof(pagings[0]))

/* A machine of 6 GiB: holes and devices below 4 GiB, RAM above. */
static const struct efi_descriptor machine[] = {
	DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0, 640 * KIB),	DESCRIPTOR(EFI_MEMTYPE_RESERVED, 640 * KIB, MIB),
	DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, MIB, 2 * GIB),	DESCRIPTOR(EFI_MEMTYPE_MMIO, 3 * GIB, 4 * GIB),
	DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 4 * GIB, 8 * GIB),
};

static void first_4_gib_and_memory_above(void **state)
{
	struct memory_map map = MAP_OF(machine);

	(void)state;
	for (size_t number = 0; number < PAGING_COUNT; number++) {
		tables.paging = pagings[number];
		build(&map, &nothing);
		for (uint64_t addr = 0; addr < 8 * GIB; addr += 2 * MIB) {
			expect_mapped(addr);
			expect_mapped(addr + 2 * MIB - 1);
		}
		expect_unmapped(8 * GIB);
		assert_int_equal(bytes_mapped(), 8 * GIB);
		assert_int_equal(walk(5 * GIB).page_size, tables.paging.one_gib_pages ? GIB : 2 * MIB);
		assert_int_equal(walk(0).page_size, tables.paging.one_gib_pages ? GIB : 2 * MIB);
	}
}

static void first_4_gib_without_any_memory_named(void **state)
{
	const struct efi_descriptor descriptors[] = { DESCRIPTOR(EFI_MEMTYPE_RESERVED, 0, 16 * GIB) };
	struct memory_map map = MAP_OF(descriptors);

	(void)state;
	for (size_t number = 0; number < PAGING_COUNT; number++) {
		tables.paging = pagings[number];
		build(&map, &nothing);
		expect_mapped(0);
		expect_mapped(4 * GIB - 1);
		expect_unmapped(4 * GIB);
		assert_int_equal(bytes_mapped(), 4 * GIB);
	}
}

static void least_number_of_tables(void **state)
{
	struct memory_map map = MAP_OF(machine);

	(void)state;
	tables.paging = pagings[0];
	build(&map, &nothing);
	assert_int_equal(tables.count, 1 + 1 + 8);
	tables.paging = pagings[1];
	build(&map, &nothing);
	assert_int_equal(tables.count, 1 + 1);
	tables.paging = pagings[2];
	build(&map, &nothing);
	assert_int_equal(tables.count, 1 + 1 + 1 + 8);
	tables.paging = pagings[3];
	build(&map, &nothing);
	assert_int_equal(tables.count, 1 + 1 + 1);
}

static void rounded_to_2_mib_and_no_further(void **state)
{
	const struct efi_descriptor descriptors[] = {
		DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 5 * GIB + 3 * MIB, 7 * GIB + 5 * MIB),
		DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 9 * GIB + 2 * MIB, 9 * GIB + 4 * MIB),
		DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 11 * GIB - 4 * KIB, 11 * GIB + 4 * KIB),
	};
	struct memory_map map = MAP_OF(descriptors);

	(void)state;
	for (size_t number = 0; number < PAGING_COUNT; number++) {
		tables.paging = pagings[number];
		build(&map, &nothing);
		expect_exactly(5 * GIB + 2 * MIB, 7 * GIB + 6 * MIB);
		expect_exactly(9 * GIB + 2 * MIB, 9 * GIB + 4 * MIB);
		expect_exactly(11 * GIB - 2 * MIB, 11 * GIB + 2 * MIB);
		assert_int_equal(bytes_mapped(), 4 * GIB + 2 * GIB + 4 * MIB + 2 * MIB + 4 * MIB);
		assert_int_equal(walk(6 * GIB).page_size, tables.paging.one_gib_pages ? GIB : 2 * MIB);
		assert_int_equal(walk(5 * GIB + 2 * MIB).page_size, 2 * MIB);
		assert_int_equal(walk(7 * GIB).page_size, 2 * MIB);
	}
}

static void range_across_4_gib(void **state)
{
	const struct efi_descriptor descriptors[] = {
		DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 3 * GIB, 4 * GIB + MIB),
	};
	struct memory_map map = MAP_OF(descriptors);

	(void)state;
	for (size_t number = 0; number < PAGING_COUNT; number++) {
		tables.paging = pagings[number];
		build(&map, &nothing);
		expect_mapped(4 * GIB + 2 * MIB - 1);
		expect_unmapped(4 * GIB + 2 * MIB);
		assert_int_equal(bytes_mapped(), 4 * GIB + 2 * MIB);
	}
}

static void overlapping_and_repeated_ranges(void **state)
{
	const struct efi_descriptor descriptors[] = {
		DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 5 * GIB + 512 * MIB, 5 * GIB + 600 * MIB),
		DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 5 * GIB, 8 * GIB),
		DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 6 * GIB + 10 * MIB, 7 * GIB + 10 * MIB),
		DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 5 * GIB, 8 * GIB),
		DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 7 * GIB + 512 * MIB, 9 * GIB),
	};
	struct memory_map map = MAP_OF(descriptors);

	(void)state;
	for (size_t number = 0; number < PAGING_COUNT; number++) {
		tables.paging = pagings[number];
		build(&map, &nothing);
		for (uint64_t addr = 5 * GIB; addr < 9 * GIB; addr += 2 * MIB)
			expect_mapped(addr);
		expect_exactly(5 * GIB, 9 * GIB);
		assert_int_equal(bytes_mapped(), 8 * GIB);
	}
}

static void types_that_others_own(void **state)
{
	/*
	 * Memory that boot code may touch: loader, boot and runtime services, conventional memory, and both types of
	 * ACPI.
	 */
	static const bool wanted[20] = { 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1 };

	(void)state;
	tables.paging = pagings[0];
	for (uint32_t type = 0; type < 20; type++) {
		struct efi_descriptor descriptors[] = { DESCRIPTOR(type, 6 * GIB, 6 * GIB + 2 * MIB) };
		struct memory_map map = MAP_OF(descriptors);

		build(&map, &nothing);
		assert_int_equal(walk(6 * GIB).mapped, wanted[type]);
		/* EFI_MEMORY_RUNTIME */
		descriptors[0].attribute = 1ull << 63;
		build(&map, &nothing);
		expect_exactly(6 * GIB, 6 * GIB + 2 * MIB);
		descriptors[0].attribute = ~(1ull << 63);
		build(&map, &nothing);
		assert_int_equal(walk(6 * GIB).mapped, wanted[type]);
	}
}

static void framebuffer_above_4_gib(void **state)
{
	struct memory_map map = MAP_OF(machine);
	struct mapped_range framebuffer = { .addr = 0x4000123000, .size = 1920 * 1080 * 4 };

	(void)state;
	for (size_t number = 0; number < PAGING_COUNT; number++) {
		tables.paging = pagings[number];
		build(&map, &framebuffer);
		expect_exactly(0x4000000000ull, 0x4000a00000ull);
		assert_int_equal(bytes_mapped(), 8 * GIB + 10 * MIB);
	}
}

static void framebuffer_below_4_gib_or_none(void **state)
{
	static const struct mapped_range ranges[] = {
		{ 0xc0000000, 8 * MIB }, { 0, 0 },	    { 6 * GIB, GIB },  { 64 * GIB, 0 },
		{ 64 * GIB + 1, 0 },	 { UINT64_MAX, 0 }, { UINT64_MAX, 1 },
	};
	struct memory_map map = MAP_OF(machine);

	(void)state;
	for (size_t number = 0; number < PAGING_COUNT; number++) {
		tables.paging = pagings[number];
		for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
			build(&map, &ranges[i]);
			assert_int_equal(bytes_mapped(), 8 * GIB);
		}
	}
}

static void framebuffer_of_one_byte(void **state)
{
	struct memory_map map = MAP_OF(machine);
	struct mapped_range framebuffer = { .addr = 64 * GIB - 1, .size = 1 };

	(void)state;
	for (size_t number = 0; number < PAGING_COUNT; number++) {
		tables.paging = pagings[number];
		build(&map, &framebuffer);
		expect_exactly(64 * GIB - 2 * MIB, 64 * GIB);
	}
}

/* The end of an identity mapping: with 4 levels 47 bits are canonical; an entry has room for 52. */
static uint64_t limit_of(const struct paging *paging)
{
	return paging->five_levels ? 1ull << 52 : 1ull << 47;
}

static void framebuffer_that_wraps(void **state)
{
	struct memory_map map = MAP_OF(machine);

	(void)state;
	for (size_t number = 0; number < PAGING_COUNT; number++) {
		uint64_t limit = limit_of(&pagings[number]);
		struct mapped_range framebuffer = { .addr = limit - 4 * MIB, .size = UINT64_MAX };

		tables.paging = pagings[number];
		build(&map, &framebuffer);
		expect_mapped(limit - 1);
		assert_int_equal(bytes_mapped(), 8 * GIB + 4 * MIB);
	}
}

static void framebuffer_without_end(void **state)
{
	struct memory_map map = MAP_OF(machine);
	struct mapped_range framebuffer = { .addr = 64 * GIB, .size = UINT64_MAX };

	(void)state;
	tables.paging = pagings[1];
	build(&map, &framebuffer);
	expect_mapped((1ull << 47) - 1);
	assert_int_equal(bytes_mapped(), (1ull << 47) - 56 * GIB);
}

static void descriptors_beyond_the_limit(void **state)
{
	(void)state;
	for (size_t number = 0; number < PAGING_COUNT; number++) {
		uint64_t limit = limit_of(&pagings[number]);
		const struct efi_descriptor descriptors[] = {
			DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, limit - 3 * MIB, limit + 3 * MIB),
			DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, limit, limit + MIB),
			DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0 - 4 * MIB, 0 - 2 * MIB),
			{ .type = 7, .physical_start = 0 - MIB, .number_of_pages = UINT64_MAX },
			{ .type = 7, .physical_start = limit - MIB, .number_of_pages = UINT64_MAX },
		};
		struct memory_map map = MAP_OF(descriptors);

		tables.paging = pagings[number];
		build(&map, &nothing);
		expect_unmapped(limit - 4 * MIB - 1);
		expect_mapped(limit - 4 * MIB);
		expect_mapped(limit - 1);
		assert_int_equal(bytes_mapped(), 4 * GIB + 4 * MIB);
	}
}

static void ranges_across_tables_of_every_level(void **state)
{
	(void)state;
	for (size_t number = 0; number < PAGING_COUNT; number++) {
		uint64_t border = pagings[number].five_levels ? 1ull << 48 : 1ull << 39;
		const struct efi_descriptor descriptors[] = {
			DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, border - 2 * GIB, border + 2 * GIB),
			DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 3 * TIB - 2 * MIB, 3 * TIB + 2 * MIB),
		};
		struct memory_map map = MAP_OF(descriptors);

		tables.paging = pagings[number];
		build(&map, &nothing);
		expect_exactly(border - 2 * GIB, border + 2 * GIB);
		expect_mapped(border - 1);
		expect_mapped(border);
		expect_exactly(3 * TIB - 2 * MIB, 3 * TIB + 2 * MIB);
		assert_int_equal(bytes_mapped(), 8 * GIB + 4 * MIB);
	}
}

static void all_the_memory_that_1_gib_pages_reach(void **state)
{
	const struct efi_descriptor descriptors[] = { DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0, 64 * TIB) };
	struct memory_map map = MAP_OF(descriptors);

	(void)state;
	tables.paging = pagings[3];
	build(&map, &nothing);
	assert_int_equal(bytes_mapped(), 64 * TIB);
	assert_int_equal(tables.count, 1 + 1 + 128);
	expect_mapped(64 * TIB - 1);
	expect_unmapped(64 * TIB);
}

static void capacity_too_small(void **state)
{
	struct memory_map map = MAP_OF(machine);
	struct mapped_range framebuffer = { .addr = 700 * GIB, .size = 4 * MIB };

	(void)state;
	for (size_t number = 0; number < PAGING_COUNT; number++) {
		size_t needed;

		tables.paging = pagings[number];
		build(&map, &framebuffer);
		needed = tables.count;
		expect_ok(build_with(&map, &framebuffer, needed));
		assert_int_equal(tables.count, needed);
		for (size_t capacity = 0; capacity < needed; capacity++) {
			expect_error(build_with(&map, &framebuffer, capacity), KEXEC_NO_MEMORY,
				     "page tables: expected");
			for (size_t i = 0; i < TABLE_SIZE; i++)
				assert_int_equal(pool[capacity * TABLE_SIZE + i], GUARD);
		}
	}
}

static void capacity_too_small_says_where(void **state)
{
	struct memory_map map = MAP_OF(machine);

	(void)state;
	tables.paging = pagings[0];
	expect_error(build_with(&map, &nothing, 5), KEXEC_NO_MEMORY,
		     "page tables: expected to need at most 5, found need of more at 0xc0000000");
	expect_error(build_with(&map, &nothing, 9), KEXEC_NO_MEMORY, "at most 9, found need of more at 0x1c0000000");
	expect_error(build_with(&map, &nothing, 0), KEXEC_NO_MEMORY, "expected room for 1 at least, found 0");
}

static void building_again_forgets_the_first_time(void **state)
{
	const struct efi_descriptor small[] = { DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0, GIB) };
	struct memory_map large_map = MAP_OF(machine);
	struct memory_map small_map = MAP_OF(small);

	(void)state;
	tables.paging = pagings[0];
	build(&large_map, &nothing);
	expect_ok(page_tables_build(&tables, &small_map, &nothing));
	assert_int_equal(tables.count, 1 + 1 + 4);
	expect_unmapped(4 * GIB);
	assert_int_equal(bytes_mapped(), 4 * GIB);
}

/* --- data --- */

/* Builds and marks with exactly as many tables as the bounds allow. */
static void build_with_data(const struct memory_map *map, const struct mapped_range *data, size_t count)
{
	size_t bound =
		page_tables_bound(&tables.paging, map, &nothing) + page_tables_split_bound(&tables.paging, data, count);

	assert_true(bound <= POOL_TABLES);
	expect_ok(build_with(map, &nothing, bound));
	for (size_t i = 0; i < count; i++)
		expect_ok(page_tables_forbid_execution(&tables, &data[i]));
	assert_in_range(tables.count, 1, bound);
	for (size_t i = 0; i < TABLE_SIZE; i++)
		assert_int_equal(pool[bound * TABLE_SIZE + i], GUARD);
}

static bool is_data(const struct mapped_range *data, size_t count, uint64_t addr)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t start = data[i].addr & ~0xfffull;
		uint64_t end = (data[i].addr + data[i].size + 0xfff) & ~0xfffull;

		if (data[i].size && addr >= start && addr < end)
			return true;
	}
	return false;
}

/* Every 4 KiB page near an end of a range has the right mark, and the same mapping as before. */
static void check_data(const struct mapped_range *data, size_t count)
{
	for (size_t i = 0; i < 2 * count; i++) {
		uint64_t end = data[i / 2].addr + (i % 2 ? data[i / 2].size : 0);
		uint64_t start = (end & ~0xfffull) - 3 * 4096;

		for (uint64_t addr = start > end ? 0 : start; addr < end + 4 * 4096; addr += 4096) {
			struct translation found = walk(addr);

			assert_true(!found.mapped || found.addr == addr);
			if (found.mapped)
				assert_int_equal(found.executable,
						 !tables.paging.no_execute || !is_data(data, count, addr));
		}
	}
}

static void data_is_not_executable(void **state)
{
	static const struct mapped_range data[] = {
		{ 0x1dfd5000, 0x9000 },	  { 0x1dfde000, 0x1000 }, { 0x10000000, 0x400000 },
		{ 0x10600000, 0x123456 }, { 0x1ff000, 0x2000 },	  { 5 * GIB - 8192, GIB + 3 * 4096 },
		{ 0x1dfdf000, 0 },	  { 7 * GIB, GIB },	  { 2 * GIB, 2 * GIB },
		{ 3 * GIB + 5, 1 },
	};
	struct memory_map map = MAP_OF(machine);

	(void)state;
	for (size_t number = 0; number < 2 * PAGING_COUNT; number++) {
		tables.paging = pagings[number % PAGING_COUNT];
		tables.paging.no_execute = number >= PAGING_COUNT;
		build_with_data(&map, data, ARRAY_SIZE(data));
		check_data(data, ARRAY_SIZE(data));
		assert_int_equal(bytes_mapped(), 8 * GIB);
		/* A page that is all data, or has no data, keeps its size. */
		assert_int_equal(walk(7 * GIB).page_size, tables.paging.one_gib_pages ? GIB : 2 * MIB);
		if (tables.paging.no_execute)
			assert_int_equal(walk(0x10200000).page_size, 2 * MIB);
		assert_int_equal(walk(GIB).page_size, tables.paging.one_gib_pages ? GIB : 2 * MIB);
	}
}

/* Ranges that are not mapped, wrap, or lie beyond the tables have no effect. */
static void data_that_is_nowhere(void **state)
{
	static const struct mapped_range data[] = {
		{ 64 * GIB, 4096 },   { UINT64_MAX - 4095, 4096 }, { UINT64_MAX, UINT64_MAX },
		{ 1ull << 47, 4096 }, { 5, UINT64_MAX },	   { (1ull << 52) - 4096, 8192 },
	};
	struct memory_map map = MAP_OF(machine);

	(void)state;
	for (size_t number = 0; number < PAGING_COUNT; number++) {
		tables.paging = pagings[number];
		tables.paging.no_execute = true;
		for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
			build_with_data(&map, &data[i], 1);
			assert_int_equal(bytes_mapped(), 8 * GIB);
			assert_true(walk(0).executable && walk(8 * GIB - 1).executable);
		}
	}
}

static void no_room_to_split(void **state)
{
	struct mapped_range data = { .addr = 5 * GIB + 4096, .size = 4096 };
	struct memory_map map = MAP_OF(machine);

	(void)state;
	for (size_t number = 0; number < PAGING_COUNT; number++) {
		size_t needed;

		tables.paging = pagings[number];
		tables.paging.no_execute = true;
		build(&map, &nothing);
		needed = tables.count;
		expect_ok(build_with(&map, &nothing, needed));
		expect_error(page_tables_forbid_execution(&tables, &data), KEXEC_NO_MEMORY,
			     "found need of more at 0x140001000");
		for (size_t i = 0; i < TABLE_SIZE; i++)
			assert_int_equal(pool[needed * TABLE_SIZE + i], GUARD);
		assert_true(page_tables_split_bound(&tables.paging, &data, 1) <= PAGE_TABLES_PER_RANGE);
	}
}

/* --- at random --- */

static uint64_t random_below(uint64_t end)
{
	return ((uint64_t)rand() << 31 | (uint64_t)rand()) % end;
}

/* A random address, near a border of some level or anywhere, up to 8 TiB. */
static uint64_t random_addr(void)
{
	static const uint64_t units[] = { 2 * MIB, GIB, 512 * GIB };
	uint64_t unit = units[random_below(3)];
	uint64_t addr = random_below(8 * TIB / unit) * unit;

	if (random_below(2))
		addr += random_below(unit);
	return addr & ~0xfffull;
}

static uint64_t random_size(void)
{
	uint64_t size = random_below(3) ? random_below(6 * MIB) : random_below(12 * GIB);

	return random_below(4) ? size & ~0xfffull : size & ~(GIB - 1);
}

#define RANDOM_DESCRIPTORS 8

static bool is_named(const struct efi_descriptor *descriptors, const struct mapped_range *extra, uint64_t page)
{
	for (size_t i = 0; i < RANDOM_DESCRIPTORS; i++) {
		uint64_t start = descriptors[i].physical_start;
		uint64_t end = start + descriptors[i].number_of_pages * 4096;

		if (descriptors[i].type == EFI_MEMTYPE_CONVENTIONAL && start < page + 2 * MIB && page < end &&
		    start < end)
			return true;
	}
	return page < 4 * GIB || (extra->size && extra->addr < page + 2 * MIB && page < extra->addr + extra->size);
}

/* Checks the pages at both ends of a range, and the pages next to them. */
static void check_around(const struct efi_descriptor *descriptors, const struct mapped_range *extra, uint64_t start,
			 uint64_t size)
{
	uint64_t ends[] = { start, start + size, start + size / 2 };

	for (size_t i = 0; i < 3; i++) {
		uint64_t page = ends[i] & ~(2 * MIB - 1);

		for (uint64_t at = page < 4 * MIB ? 0 : page - 4 * MIB; at <= page + 4 * MIB; at += 2 * MIB) {
			if (is_named(descriptors, extra, at))
				expect_mapped(at);
			else
				expect_unmapped(at);
		}
	}
}

/* The number of bytes that should be mapped: pieces are cut and rounded, and overlaps count once. */
static uint64_t bytes_named(const struct efi_descriptor *descriptors, const struct mapped_range *extra)
{
	uint64_t bytes = 0;
	uint64_t at = 0;

	/* Finds the next page to map from an address on, and the farthest end of the ranges that contain it. */
	for (;;) {
		uint64_t start = at < 4 * GIB ? at : UINT64_MAX;
		uint64_t end = 4 * GIB;

		for (size_t i = 0; i <= RANDOM_DESCRIPTORS; i++) {
			bool is_extra = i == RANDOM_DESCRIPTORS;
			uint64_t first = is_extra ? extra->addr : descriptors[i].physical_start;
			uint64_t size = is_extra ? extra->size : descriptors[i].number_of_pages * 4096;
			uint64_t last = (first + size + 2 * MIB - 1) & ~(2 * MIB - 1);

			first &= ~(2 * MIB - 1);
			if (size == 0 || last <= at || (!is_extra && descriptors[i].type != EFI_MEMTYPE_CONVENTIONAL))
				continue;
			if (first < at)
				first = at;
			if (first < start || (first == start && last > end)) {
				start = first;
				end = last;
			}
		}
		if (start == UINT64_MAX)
			return bytes;
		bytes += end - start;
		at = end;
	}
}

static void maps_what_is_named_within_the_bound(void **state)
{
	(void)state;
	srand(7);
	for (int round = 0; round < 3000; round++) {
		struct efi_descriptor descriptors[RANDOM_DESCRIPTORS] = { 0 };
		struct memory_map map = MAP_OF(descriptors);
		struct mapped_range extra = { .addr = random_addr() + random_below(4096),
					      .size = random_below(20 * MIB) };

		if (random_below(4) == 0)
			extra.size = 0;
		tables.paging = pagings[round & 3];
		for (size_t i = 0; i < RANDOM_DESCRIPTORS; i++) {
			descriptors[i].type = random_below(5) ? EFI_MEMTYPE_CONVENTIONAL : EFI_MEMTYPE_RESERVED;
			descriptors[i].physical_start = random_addr();
			/* Some begin at the end of the one before. */
			if (i > 0 && random_below(3) == 0)
				descriptors[i].physical_start =
					descriptors[i - 1].physical_start + descriptors[i - 1].number_of_pages * 4096;
			descriptors[i].number_of_pages = random_size() / 4096;
		}
		build(&map, &extra);
		assert_int_equal(bytes_mapped(), bytes_named(descriptors, &extra));
		for (size_t i = 0; i < RANDOM_DESCRIPTORS; i++)
			check_around(descriptors, &extra, descriptors[i].physical_start,
				     descriptors[i].number_of_pages * 4096);
		check_around(descriptors, &extra, extra.addr, extra.size);
	}
}

#define RANDOM_RANGES 6

static void random_data_within_the_bound(void **state)
{
	struct memory_map map = MAP_OF(machine);

	(void)state;
	srand(11);
	for (int round = 0; round < 2000; round++) {
		struct mapped_range data[RANDOM_RANGES];

		for (size_t i = 0; i < RANDOM_RANGES; i++) {
			data[i].addr = random_addr() % (9 * GIB);
			data[i].size = random_below(4) ? random_below(3 * MIB) : random_size();
			if (i > 0 && random_below(2) == 0)
				data[i].addr = data[i - 1].addr + data[i - 1].size;
		}
		tables.paging = pagings[round & 3];
		tables.paging.no_execute = true;
		build_with_data(&map, data, RANDOM_RANGES);
		check_data(data, RANDOM_RANGES);
		assert_int_equal(bytes_mapped(), 8 * GIB);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_4_gib_and_memory_above),
		cmocka_unit_test(first_4_gib_without_any_memory_named),
		cmocka_unit_test(least_number_of_tables),
		cmocka_unit_test(rounded_to_2_mib_and_no_further),
		cmocka_unit_test(range_across_4_gib),
		cmocka_unit_test(overlapping_and_repeated_ranges),
		cmocka_unit_test(types_that_others_own),
		cmocka_unit_test(framebuffer_above_4_gib),
		cmocka_unit_test(framebuffer_below_4_gib_or_none),
		cmocka_unit_test(framebuffer_of_one_byte),
		cmocka_unit_test(framebuffer_that_wraps),
		cmocka_unit_test(framebuffer_without_end),
		cmocka_unit_test(descriptors_beyond_the_limit),
		cmocka_unit_test(ranges_across_tables_of_every_level),
		cmocka_unit_test(all_the_memory_that_1_gib_pages_reach),
		cmocka_unit_test(capacity_too_small),
		cmocka_unit_test(capacity_too_small_says_where),
		cmocka_unit_test(building_again_forgets_the_first_time),
		cmocka_unit_test(maps_what_is_named_within_the_bound),
		cmocka_unit_test(data_is_not_executable),
		cmocka_unit_test(data_that_is_nowhere),
		cmocka_unit_test(no_room_to_split),
		cmocka_unit_test(random_data_within_the_bound),
	};

	return run_named_tests(tests);
}
