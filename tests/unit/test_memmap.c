// SPDX-License-Identifier: BSD-2-Clause
/* Reading the firmware's memory map: holes, compared with a search page by page, and the e820 table. */
#include "boot/memmap.h"

#include <stdio.h>

#include "common/align.h"
#include "tests/unit/small_map.h"
#include "tests/unit/support.h"

#define FREE EFI_MEMTYPE_CONVENTIONAL
#define USED EFI_MEMTYPE_LOADER_DATA

#define MIB (1ull << 20)

/* --- sizes and steps --- */

static void map_sizes(void **state)
{
	static const struct {
		uint64_t size;
		uint64_t descriptor_size;
		bool valid;
	} cases[] = {
		{ 40, 40, true },	   { 80, 40, true },	      { 48, 48, true },	 { 480, 48, true },
		{ 4096, 4096, true },	   { 0, 40, false },	      { 0, 0, false },	 { 40, 0, false },
		{ 39, 39, false },	   { 40, 48, false },	      { 79, 40, false }, { 81, 40, false },
		{ 100, 48, false },	   { 78, 39, false },	      { 40, 1, false },	 { UINT64_MAX, 0, false },
		{ 40, UINT64_MAX, false }, { UINT64_MAX, 40, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct memory_map map = { .size = cases[i].size, .descriptor_size = cases[i].descriptor_size };

		if (memmap_valid(&map) != cases[i].valid)
			fail_msg("case %zu: expected %d", i, cases[i].valid);
	}
}

static void steps_through_descriptors(void **state)
{
	const struct efi_descriptor descriptors[] = {
		{ .type = 3, .physical_start = 0x1000, .number_of_pages = 2, .attribute = 0xf },
		{ .type = 7, .physical_start = 0x9000, .number_of_pages = 0 },
		{ .type = 0x80000000,
		  .physical_start = 0x100000000000,
		  .number_of_pages = 0x1000000,
		  .attribute = 1ull << 63 },
		{ .type = 7, .physical_start = 0x9000, .number_of_pages = 0 },
	};
	struct memory_map map = MAP_OF(descriptors);
	struct memory_range range;
	size_t index = 0;

	(void)state;
	assert_true(memmap_next(&map, &index, &range));
	assert_int_equal(range.start, 0x1000);
	assert_int_equal(range.end, 0x3000);
	assert_int_equal(range.type, 3);
	assert_int_equal(range.attribute, 0xf);
	assert_int_equal(index, 1);
	assert_true(memmap_next(&map, &index, &range));
	assert_int_equal(range.start, 0x100000000000);
	assert_int_equal(range.end, 0x101000000000);
	assert_int_equal(range.type, 0x80000000);
	assert_true(range.attribute == 1ull << 63);
	assert_int_equal(index, 3);
	assert_false(memmap_next(&map, &index, &range));
	assert_false(memmap_next(&map, &index, &range));
}

/* Descriptors as current firmware makes them: 48 bytes apart, and here at an odd address. */
static void descriptors_of_48_bytes(void **state)
{
	static uint8_t bytes[1 + 3 * 48];
	struct memory_map map = { .bytes = bytes + 1, .size = 3 * 48, .descriptor_size = 48 };
	struct memory_request request = { .size = 1, .align = PAGE_SIZE, .max = UINT64_MAX };
	struct memory_range range;
	size_t index = 0;

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	for (size_t i = 0; i < 3; i++) {
		struct efi_descriptor descriptor = DESCRIPTOR(i == 1 ? FREE : USED, i * MIB, (i + 1) * MIB);

		memcpy(bytes + 1 + 48 * i, &descriptor, sizeof(descriptor));
	}
	assert_true(memmap_valid(&map));
	for (size_t i = 0; i < 3; i++) {
		assert_true(memmap_next(&map, &index, &range));
		assert_int_equal(range.start, i * MIB);
		assert_int_equal(range.end, (i + 1) * MIB);
	}
	assert_false(memmap_next(&map, &index, &range));
	assert_true(memmap_find_hole(&map, &request).found);
	assert_int_equal(memmap_find_hole(&map, &request).addr, MIB);
}

static void number_of_pages_overflows(void **state)
{
	static const uint64_t starts[] = { 0x1000, 0xffffffff00000000, 0xfffffffffffff000 };
	static const uint64_t pages[] = { 1ull << 52, UINT64_MAX, (1ull << 52) + 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(pages); j++) {
			const struct efi_descriptor descriptors[] = {
				{ .type = FREE, .physical_start = starts[i], .number_of_pages = pages[j] },
			};
			struct memory_map map = MAP_OF(descriptors);
			struct memory_range range;
			size_t index = 0;

			assert_true(memmap_next(&map, &index, &range));
			assert_true(range.start == starts[i]);
			assert_true(range.end == UINT64_MAX);
		}
	}
}

static void range_ends_at_2_to_the_64(void **state)
{
	const struct efi_descriptor descriptors[] = {
		{ .type = FREE, .physical_start = 0xfffffffffff00000, .number_of_pages = 256 },
	};
	struct memory_map map = MAP_OF(descriptors);
	struct memory_request request = { .size = 4096, .align = PAGE_SIZE, .max = UINT64_MAX };
	struct memory_range range;
	size_t index = 0;
	struct hole hole;

	(void)state;
	assert_true(memmap_next(&map, &index, &range));
	assert_true(range.end == UINT64_MAX);

	hole = memmap_find_hole(&map, &request);
	assert_true(hole.found);
	assert_true(hole.addr == 0xfffffffffff00000);

	/* The last page of all may be used or not, but nothing may wrap. */
	request.top_down = true;
	hole = memmap_find_hole(&map, &request);
	assert_true(hole.found);
	assert_true(hole.addr >= 0xfffffffffff00000 && hole.addr % PAGE_SIZE == 0);

	request.size = 2 * MIB;
	assert_false(memmap_find_hole(&map, &request).found);
	request.size = UINT64_MAX;
	assert_false(memmap_find_hole(&map, &request).found);
	request.size = 4096;
	request.align = 1ull << 63;
	request.top_down = false;
	assert_false(memmap_find_hole(&map, &request).found);
	request.top_down = true;
	assert_false(memmap_find_hole(&map, &request).found);
}

/* No byte follows this start, so the descriptor has no memory, whatever its number of pages. */
static void range_starts_at_the_last_byte(void **state)
{
	const struct efi_descriptor descriptors[] = {
		{ .type = FREE, .physical_start = UINT64_MAX, .number_of_pages = 1 },
	};
	struct memory_map map = MAP_OF(descriptors);
	struct memory_request request = { .lead = 1, .size = 4096, .align = PAGE_SIZE, .max = UINT64_MAX };
	struct hole hole;

	(void)state;
	for (request.lead = 0; request.lead <= 2 * PAGE_SIZE; request.lead += 1) {
		request.top_down = false;
		hole = memmap_find_hole(&map, &request);
		assert_false(hole.found);
		request.top_down = true;
		hole = memmap_find_hole(&map, &request);
		assert_false(hole.found);
		assert_true(hole.largest <= 1);
	}
}

/* --- holes --- */

static const struct efi_descriptor three_holes[] = {
	DESCRIPTOR(FREE, 1 * MIB, 2 * MIB),  DESCRIPTOR(USED, 2 * MIB, 4 * MIB),   DESCRIPTOR(FREE, 4 * MIB, 8 * MIB),
	DESCRIPTOR(USED, 8 * MIB, 16 * MIB), DESCRIPTOR(FREE, 16 * MIB, 18 * MIB),
};

/* A request that any place meets. */
static struct memory_request request_of(uint64_t size)
{
	return (struct memory_request){ .size = size, .align = PAGE_SIZE, .max = UINT64_MAX };
}

static void check_hole(const struct memory_map *map, const struct memory_request *request, uint64_t addr,
		       const char *file, int line)
{
	struct hole hole = memmap_find_hole(map, request);

	if (!hole.found || hole.addr != addr) {
		print_error("expected 0x%lx, found %d 0x%lx\n", addr, hole.found, hole.addr);
		_fail(file, line);
	}
}

static void check_no_hole(const struct memory_map *map, const struct memory_request *request, uint64_t largest,
			  const char *file, int line)
{
	struct hole hole = memmap_find_hole(map, request);

	if (hole.found || hole.largest != largest) {
		print_error("expected none and 0x%lx, found %d 0x%lx and 0x%lx\n", largest, hole.found, hole.addr,
			    hole.largest);
		_fail(file, line);
	}
}

#define expect_hole(map, request, addr) check_hole((map), (request), (addr), __FILE__, __LINE__)
#define expect_no_hole(map, request, largest) check_no_hole((map), (request), (largest), __FILE__, __LINE__)

static void lowest_and_highest(void **state)
{
	struct memory_map map = MAP_OF(three_holes);
	struct memory_request request = request_of(MIB);

	(void)state;
	expect_hole(&map, &request, 1 * MIB);
	request.top_down = true;
	expect_hole(&map, &request, 17 * MIB);
	request.size = MIB + 1;
	expect_hole(&map, &request, 18 * MIB - MIB - PAGE_SIZE);
	request.top_down = false;
	expect_hole(&map, &request, 4 * MIB);
	request.size = 2 * MIB + 1;
	expect_hole(&map, &request, 4 * MIB);
	request.top_down = true;
	expect_hole(&map, &request, 8 * MIB - 2 * MIB - PAGE_SIZE);
}

static void exact_fit_and_one_byte_more(void **state)
{
	struct memory_map map = MAP_OF(three_holes);
	struct memory_request request = request_of(4 * MIB);

	(void)state;
	expect_hole(&map, &request, 4 * MIB);
	request.top_down = true;
	expect_hole(&map, &request, 4 * MIB);
	request.size++;
	expect_no_hole(&map, &request, 4 * MIB);
	request.top_down = false;
	expect_no_hole(&map, &request, 4 * MIB);
	request.size = UINT64_MAX;
	expect_no_hole(&map, &request, 4 * MIB);
}

static void lead_lies_in_the_hole(void **state)
{
	struct memory_map map = MAP_OF(three_holes);
	struct memory_request request = request_of(MIB - PAGE_SIZE);

	(void)state;
	request.lead = PAGE_SIZE;
	expect_hole(&map, &request, 1 * MIB + PAGE_SIZE);
	request.lead = 1;
	expect_hole(&map, &request, 1 * MIB + PAGE_SIZE);
	request.lead = PAGE_SIZE + 1;
	expect_hole(&map, &request, 4 * MIB + 2 * PAGE_SIZE);
	request.top_down = true;
	expect_hole(&map, &request, 17 * MIB + PAGE_SIZE);
	request.lead = MIB + PAGE_SIZE;
	expect_hole(&map, &request, 17 * MIB + PAGE_SIZE);
	request.lead = MIB + PAGE_SIZE + 1;
	expect_hole(&map, &request, 7 * MIB + PAGE_SIZE);
	request.lead = 3 * MIB + PAGE_SIZE + 1;
	expect_no_hole(&map, &request, MIB - 2 * PAGE_SIZE);
	request.lead = UINT64_MAX;
	expect_no_hole(&map, &request, 0);
}

/* min limits only the address. The lead in front of it may lie below. */
static void lead_may_lie_below_min(void **state)
{
	struct memory_map map = MAP_OF(three_holes);
	struct memory_request request = request_of(MIB);

	(void)state;
	request.lead = MIB;
	request.min = 5 * MIB;
	expect_hole(&map, &request, 5 * MIB);
	request.min = 4 * MIB + PAGE_SIZE;
	expect_hole(&map, &request, 5 * MIB);
}

static void aligned(void **state)
{
	struct memory_map map = MAP_OF(three_holes);
	struct memory_request request = request_of(PAGE_SIZE);

	(void)state;
	request.align = 2 * MIB;
	expect_hole(&map, &request, 4 * MIB);
	request.top_down = true;
	expect_hole(&map, &request, 16 * MIB);
	request.align = 16 * MIB;
	expect_hole(&map, &request, 16 * MIB);
	request.align = 32 * MIB;
	expect_no_hole(&map, &request, 0);
	request.align = 1ull << 63;
	expect_no_hole(&map, &request, 0);
	request.top_down = false;
	expect_no_hole(&map, &request, 0);
	request.align = 2 * MIB;
	request.size = 4 * MIB + 1;
	expect_no_hole(&map, &request, 4 * MIB);
}

static void alignment_is_of_the_address_behind_the_lead(void **state)
{
	struct memory_map map = MAP_OF(three_holes);
	struct memory_request request = request_of(PAGE_SIZE);

	(void)state;
	request.align = 2 * MIB;
	request.lead = PAGE_SIZE;
	expect_hole(&map, &request, 6 * MIB);
	request.top_down = true;
	expect_hole(&map, &request, 6 * MIB);
	request.lead = 2 * MIB + 1;
	expect_no_hole(&map, &request, 0);
}

static void min_and_max_to_the_byte(void **state)
{
	struct memory_map map = MAP_OF(three_holes);
	struct memory_request request = request_of(MIB);

	(void)state;
	request.min = 1 * MIB;
	request.max = 2 * MIB - 1;
	expect_hole(&map, &request, 1 * MIB);
	request.max = 2 * MIB - 2;
	expect_no_hole(&map, &request, MIB - 1);
	request.max = 2 * MIB - 1;
	request.min = 1 * MIB + 1;
	expect_no_hole(&map, &request, MIB - PAGE_SIZE);

	request.min = 5 * MIB - 1;
	request.max = 6 * MIB - 1;
	expect_hole(&map, &request, 5 * MIB);
	request.min = 5 * MIB;
	expect_hole(&map, &request, 5 * MIB);
	request.top_down = true;
	expect_hole(&map, &request, 5 * MIB);
	request.max = 6 * MIB - 2;
	expect_no_hole(&map, &request, MIB - 1);
	request.max = 6 * MIB + PAGE_SIZE - 2;
	expect_hole(&map, &request, 5 * MIB);
	request.max = 6 * MIB + PAGE_SIZE - 1;
	expect_hole(&map, &request, 5 * MIB + PAGE_SIZE);
}

static void min_above_max(void **state)
{
	struct memory_map map = MAP_OF(three_holes);
	struct memory_request request = request_of(1);

	(void)state;
	request.min = 6 * MIB;
	request.max = 5 * MIB;
	expect_no_hole(&map, &request, 0);
}

static void limits_beside_all_memory(void **state)
{
	struct memory_map map = MAP_OF(three_holes);
	struct memory_request request = request_of(1);

	(void)state;
	request.min = 18 * MIB;
	expect_no_hole(&map, &request, 0);
	request.min = 2 * MIB;
	request.max = 4 * MIB - 1;
	expect_no_hole(&map, &request, 0);
	request.min = 0;
	request.max = 1 * MIB - 1;
	expect_no_hole(&map, &request, 0);
	request.max = 0;
	expect_no_hole(&map, &request, 0);
}

static void largest_within_the_limits(void **state)
{
	struct memory_map map = MAP_OF(three_holes);
	struct memory_request request = request_of(100 * MIB);

	(void)state;
	expect_no_hole(&map, &request, 4 * MIB);
	request.max = MIB;
	expect_no_hole(&map, &request, 1);
	request.max = 2 * MIB;
	expect_no_hole(&map, &request, 1 * MIB);
	request.max = 4 * MIB + 99;
	expect_no_hole(&map, &request, 1 * MIB);
	request.min = 1 * MIB + 7;
	expect_no_hole(&map, &request, 1 * MIB - PAGE_SIZE);
	request.max = UINT64_MAX;
	request.min = 7 * MIB;
	expect_no_hole(&map, &request, 2 * MIB);
}

static void preferred_max_while_it_fits(void **state)
{
	struct memory_map map = MAP_OF(three_holes);
	struct memory_request request = request_of(MIB);

	(void)state;
	request.top_down = true;
	request.preferred_max = 8 * MIB - 1;
	expect_hole(&map, &request, 7 * MIB);
	request.preferred_max = 8 * MIB - 2;
	expect_hole(&map, &request, 7 * MIB - PAGE_SIZE);
	request.preferred_max = 2 * MIB - 1;
	expect_hole(&map, &request, 1 * MIB);
	request.preferred_max = 2 * MIB - 2;
	expect_hole(&map, &request, 17 * MIB);
}

static void preferred_max_above_max(void **state)
{
	struct memory_map map = MAP_OF(three_holes);
	struct memory_request request = request_of(MIB);

	(void)state;
	request.top_down = true;
	request.max = 8 * MIB - 1;
	request.preferred_max = UINT64_MAX;
	expect_hole(&map, &request, 7 * MIB);
	request.preferred_max = 8 * MIB - 1;
	expect_hole(&map, &request, 7 * MIB);
}

static void preferred_max_that_fits_nowhere(void **state)
{
	struct memory_map map = MAP_OF(three_holes);
	struct memory_request request = request_of(5 * MIB);

	(void)state;
	request.preferred_max = 2 * MIB - 1;
	expect_no_hole(&map, &request, 4 * MIB);
}

static void neighbours_count_as_one(void **state)
{
	const struct efi_descriptor descriptors[] = {
		DESCRIPTOR(FREE, 1 * MIB, 2 * MIB), DESCRIPTOR(FREE, 2 * MIB, 3 * MIB),
		DESCRIPTOR(FREE, 9 * MIB, 9 * MIB), DESCRIPTOR(FREE, 3 * MIB, 4 * MIB),
		DESCRIPTOR(USED, 4 * MIB, 5 * MIB), DESCRIPTOR(FREE, 5 * MIB, 7 * MIB),
	};
	struct memory_map map = MAP_OF(descriptors);
	struct memory_request request = request_of(3 * MIB);

	(void)state;
	expect_hole(&map, &request, 1 * MIB);
	request.size = 3 * MIB + 1;
	expect_no_hole(&map, &request, 3 * MIB);
}

static void neighbours_with_a_gap_do_not(void **state)
{
	const struct efi_descriptor descriptors[] = {
		DESCRIPTOR(FREE, 1 * MIB, 2 * MIB),
		DESCRIPTOR(FREE, 2 * MIB + PAGE_SIZE, 3 * MIB),
		DESCRIPTOR(FREE, 3 * MIB - PAGE_SIZE, 4 * MIB),
	};
	struct memory_map map = MAP_OF(descriptors);
	struct memory_request request = request_of(MIB + 2 * PAGE_SIZE);

	(void)state;
	expect_no_hole(&map, &request, MIB + PAGE_SIZE);
}

static void neighbours_around_the_end_of_memory(void **state)
{
	const struct efi_descriptor descriptors[] = {
		{ .type = FREE, .physical_start = 0 - 2 * MIB, .number_of_pages = UINT64_MAX },
		{ .type = FREE, .physical_start = 0, .number_of_pages = 256 },
	};
	struct memory_map map = MAP_OF(descriptors);
	struct memory_request request = request_of(2 * MIB + PAGE_SIZE);

	(void)state;
	assert_false(memmap_find_hole(&map, &request).found);
	request.size = MIB;
	expect_hole(&map, &request, 0);
}

static void unsorted_map(void **state)
{
	const struct efi_descriptor descriptors[] = {
		DESCRIPTOR(FREE, 16 * MIB, 18 * MIB), DESCRIPTOR(USED, 2 * MIB, 4 * MIB),
		DESCRIPTOR(FREE, 1 * MIB, 2 * MIB),   DESCRIPTOR(FREE, 32 * MIB, 33 * MIB),
		DESCRIPTOR(FREE, 4 * MIB, 8 * MIB),
	};
	struct memory_map map = MAP_OF(descriptors);
	struct memory_request request = request_of(MIB);

	(void)state;
	expect_hole(&map, &request, 1 * MIB);
	request.top_down = true;
	expect_hole(&map, &request, 32 * MIB);
	request.size = 2 * MIB;
	expect_hole(&map, &request, 16 * MIB);
	request.size = 4 * MIB;
	expect_hole(&map, &request, 4 * MIB);
	request.size++;
	expect_no_hole(&map, &request, 4 * MIB);
}

static void only_conventional_memory_is_free(void **state)
{
	(void)state;
	for (uint32_t type = 0; type < 20; type++) {
		const struct efi_descriptor descriptors[] = { DESCRIPTOR(type, 1 * MIB, 2 * MIB) };
		struct memory_map map = MAP_OF(descriptors);
		struct memory_request request = request_of(1);

		if (type == FREE)
			expect_hole(&map, &request, MIB);
		else
			expect_no_hole(&map, &request, 0);
	}
}

static void memory_for_a_specific_purpose_is_not_free(void **state)
{
	struct efi_descriptor descriptors[] = {
		DESCRIPTOR(FREE, 1 * MIB, 2 * MIB),
		DESCRIPTOR(FREE, 2 * MIB, 4 * MIB),
		DESCRIPTOR(FREE, 4 * MIB, 5 * MIB),
	};
	struct memory_map map = MAP_OF(descriptors);
	struct memory_request request = request_of(MIB + 1);

	(void)state;
	descriptors[1].attribute = EFI_MEMATTR_SPECIFIC_PURPOSE | 0xf;
	expect_no_hole(&map, &request, MIB);
	descriptors[1].attribute = 0xf;
	expect_hole(&map, &request, MIB);
	descriptors[0].attribute = EFI_MEMATTR_SPECIFIC_PURPOSE;
	expect_hole(&map, &request, 2 * MIB);
}

/* A range to avoid is not used, whether free or not, and does not join its neighbours. */
static void pages_to_avoid(void **state)
{
	struct memory_map map = MAP_OF(three_holes);
	struct memory_request request = request_of(MIB);

	(void)state;
	request.avoid = (struct memory_pages){ .addr = 1 * MIB, .size = 4 * MIB };
	expect_hole(&map, &request, 5 * MIB);
	request.lead = 1;
	expect_hole(&map, &request, 5 * MIB + PAGE_SIZE);
	request.avoid = (struct memory_pages){ .addr = 5 * MIB, .size = 2 * MIB };
	request.lead = 0;
	request.size = 2 * MIB;
	expect_hole(&map, &request, 16 * MIB);
	request.avoid = (struct memory_pages){ .size = 17 * MIB };
	expect_no_hole(&map, &request, 1 * MIB);
	request.top_down = true;
	request.avoid = (struct memory_pages){ .addr = 17 * MIB, .size = UINT64_MAX - 17 * MIB };
	expect_hole(&map, &request, 6 * MIB);
}

/* --- holes, against a search page by page --- */

/* Returns UINT64_MAX for none. */
static uint64_t search(const bool free_pages[SMALL_PAGES], const struct memory_request *request, uint64_t max)
{
	uint64_t best = UINT64_MAX;

	for (uint64_t addr = 0; addr < SMALL_END; addr += PAGE_SIZE) {
		if (small_map_fits(free_pages, request, max, addr) && (best == UINT64_MAX || request->top_down))
			best = addr;
	}
	return best;
}

static uint64_t search_preferred(const bool free_pages[SMALL_PAGES], const struct memory_request *request)
{
	uint64_t best = UINT64_MAX;

	if (request->preferred_max && request->preferred_max < request->max)
		best = search(free_pages, request, request->preferred_max);
	return best != UINT64_MAX ? best : search(free_pages, request, request->max);
}

/* The largest size that would fit, with the other fields unchanged. */
static uint64_t search_largest(const bool free_pages[SMALL_PAGES], const struct memory_request *request)
{
	struct memory_request smallest = *request;
	uint64_t largest = 0;

	smallest.size = 1;
	for (uint64_t addr = 0; addr < SMALL_END; addr += PAGE_SIZE) {
		uint64_t end = addr;

		if (!small_map_fits(free_pages, &smallest, request->max, addr))
			continue;
		while (end < SMALL_END && free_pages[end / PAGE_SIZE] && !small_map_avoids(request, end))
			end += PAGE_SIZE;
		if (end - 1 > request->max)
			end = request->max + 1;
		if (end - addr > largest)
			largest = end - addr;
	}
	return largest;
}

static void finds_what_a_search_page_by_page_finds(void **state)
{
	unsigned found = 0;

	(void)state;
	srand(1);
	for (int round = 0; round < 100000; round++) {
		struct memory_request request = small_map_request();
		struct small_map small;
		struct hole hole;
		uint64_t expected;

		small_map_make(&small);
		expected = search_preferred(small.free, &request);
		hole = memmap_find_hole(&small.map, &request);
		if (hole.found != (expected != UINT64_MAX) || (hole.found && hole.addr != expected))
			fail_msg("round %d: lead 0x%lx size 0x%lx align 0x%lx min 0x%lx max 0x%lx preferred 0x%lx "
				 "top_down %d: expected 0x%lx, found %d 0x%lx",
				 round, request.lead, request.size, request.align, request.min, request.max,
				 request.preferred_max, request.top_down, expected, hole.found, hole.addr);
		if (!hole.found) {
			assert_int_equal(hole.largest, search_largest(small.free, &request));
			assert_true(hole.largest < request.size);
		}
		found += hole.found;
	}
	/* Both outcomes are frequent. */
	assert_in_range(found, 20000, 80000);
}

/* Neighbours in a shuffled map need not be joined, but the hole is free, and as good as the best in one descriptor. */
static void finds_free_memory_in_shuffled_maps(void **state)
{
	(void)state;
	srand(2);
	for (int round = 0; round < 20000; round++) {
		struct memory_request request = small_map_request();
		struct small_map small;
		uint64_t best = UINT64_MAX;
		struct hole hole;
		size_t count;

		request.preferred_max = 0;
		small_map_make(&small);
		count = small.map.size / sizeof(small.descriptors[0]);
		for (size_t i = count - 1; i > 0; i--) {
			size_t other = below(i + 1);
			struct efi_descriptor descriptor = small.descriptors[i];

			small.descriptors[i] = small.descriptors[other];
			small.descriptors[other] = descriptor;
		}
		for (size_t i = 0; i < count; i++) {
			struct memory_map one = small.map;
			struct hole alone;

			one.bytes += i * sizeof(small.descriptors[0]);
			one.size = sizeof(small.descriptors[0]);
			alone = memmap_find_hole(&one, &request);
			if (alone.found &&
			    (best == UINT64_MAX || (request.top_down ? alone.addr > best : alone.addr < best)))
				best = alone.addr;
		}
		hole = memmap_find_hole(&small.map, &request);
		if (hole.found)
			assert_true(small_map_fits(small.free, &request, request.max, hole.addr));
		if (best == UINT64_MAX)
			continue;
		assert_true(hole.found);
		assert_true(request.top_down ? hole.addr >= best : hole.addr <= best);
	}
}

/* --- e820 --- */

#define TABLE_MAX 512

struct table {
	struct e820_entry entries[TABLE_MAX];
	size_t count;
};

static void add_entry(void *context, size_t number, const struct e820_entry *entry)
{
	struct table *table = context;

	assert_int_equal(number, table->count);
	assert_true(table->count < TABLE_MAX);
	table->entries[table->count++] = *entry;
}

static struct table table;

static void convert_as(const struct memory_map *map, bool soft_reserve)
{
	table.count = 0;
	memmap_to_e820(map, soft_reserve, add_entry, &table);
}

static void convert(const struct memory_map *map)
{
	convert_as(map, true);
}

static void check_entry(size_t number, uint64_t start, uint64_t end, uint32_t type, const char *file, int line)
{
	const struct e820_entry *entry = &table.entries[number];

	if (number >= table.count || entry->addr != start || entry->size != end - start || entry->type != type) {
		print_error("entry %zu of %zu: expected [0x%lx, 0x%lx) %u, found [0x%lx, 0x%lx) %u\n", number,
			    table.count, start, end, type, entry->addr, entry->addr + entry->size, entry->type);
		_fail(file, line);
	}
}

#define expect_entry(number, start, end, type) check_entry((number), (start), (end), (type), __FILE__, __LINE__)

static void e820_of_every_type(void **state)
{
	/* By setup_e820() in drivers/firmware/efi/libstub/x86-stub.c; 0: no entry. */
	static const uint32_t types[20] = { 2, 1, 1, 1, 1, 2, 2, 1, 5, 3, 4, 2, 2, 2, 7, 0, 0, 0, 0, 0 };

	(void)state;
	for (uint32_t type = 0; type < 20; type++) {
		const struct efi_descriptor descriptors[] = { DESCRIPTOR(type, 3 * MIB, 5 * MIB) };
		struct memory_map map = MAP_OF(descriptors);

		convert(&map);
		assert_int_equal(table.count, types[type] ? 1 : 0);
		if (types[type])
			expect_entry(0, 3 * MIB, 5 * MIB, types[type]);
	}
}

static void e820_of_an_oem_type(void **state)
{
	const struct efi_descriptor descriptors[] = {
		DESCRIPTOR(0x70000001, 1 * MIB, 2 * MIB),
		DESCRIPTOR(0x80000001, 2 * MIB, 3 * MIB),
		DESCRIPTOR(0xffffffff, 3 * MIB, 4 * MIB),
	};
	struct memory_map map = MAP_OF(descriptors);

	(void)state;
	convert(&map);
	assert_int_equal(table.count, 0);
}

/* The kernel's stub reserves such memory for exactly those types that would be RAM otherwise. */
static void e820_of_memory_for_a_specific_purpose(void **state)
{
	(void)state;
	for (uint32_t type = 0; type < 20; type++) {
		struct efi_descriptor descriptors[] = { DESCRIPTOR(type, 3 * MIB, 5 * MIB) };
		struct memory_map map = MAP_OF(descriptors);
		uint32_t without;
		size_t count;

		convert(&map);
		count = table.count;
		without = table.entries[0].type;
		descriptors[0].attribute = EFI_MEMATTR_SPECIFIC_PURPOSE;
		convert(&map);
		assert_int_equal(table.count, count);
		if (count)
			expect_entry(0, 3 * MIB, 5 * MIB, without == 1 ? 0xefffffff : without);
		convert_as(&map, false);
		assert_int_equal(table.count, count);
		if (count)
			expect_entry(0, 3 * MIB, 5 * MIB, without);
	}
}

static void e820_merges_what_touches_and_means_the_same(void **state)
{
	const struct efi_descriptor descriptors[] = {
		DESCRIPTOR(EFI_MEMTYPE_BOOT_SERVICES_CODE, 0, MIB),
		DESCRIPTOR(FREE, MIB, 2 * MIB),
		DESCRIPTOR(FREE, 7 * MIB, 7 * MIB),
		DESCRIPTOR(EFI_MEMTYPE_UNACCEPTED, 20 * MIB, 21 * MIB),
		DESCRIPTOR(EFI_MEMTYPE_LOADER_CODE, 2 * MIB, 3 * MIB),
		DESCRIPTOR(EFI_MEMTYPE_RESERVED, 3 * MIB, 4 * MIB),
		DESCRIPTOR(EFI_MEMTYPE_MMIO, 4 * MIB, 5 * MIB),
		DESCRIPTOR(FREE, 5 * MIB, 6 * MIB),
		DESCRIPTOR(FREE, 6 * MIB + PAGE_SIZE, 7 * MIB),
		DESCRIPTOR(FREE, 7 * MIB - PAGE_SIZE, 8 * MIB),
	};
	struct memory_map map = MAP_OF(descriptors);

	(void)state;
	convert(&map);
	assert_int_equal(table.count, 5);
	expect_entry(0, 0, 3 * MIB, E820_RAM);
	expect_entry(1, 3 * MIB, 5 * MIB, E820_RESERVED);
	expect_entry(2, 5 * MIB, 6 * MIB, E820_RAM);
	expect_entry(3, 6 * MIB + PAGE_SIZE, 7 * MIB, E820_RAM);
	expect_entry(4, 7 * MIB - PAGE_SIZE, 8 * MIB, E820_RAM);
}

static void e820_does_not_merge_across_what_it_leaves_out(void **state)
{
	const struct efi_descriptor descriptors[] = {
		DESCRIPTOR(FREE, 0, MIB),
		DESCRIPTOR(EFI_MEMTYPE_UNACCEPTED, MIB, 2 * MIB),
		DESCRIPTOR(FREE, 2 * MIB, 3 * MIB),
	};
	struct memory_map map = MAP_OF(descriptors);

	(void)state;
	convert(&map);
	assert_int_equal(table.count, 2);
	expect_entry(0, 0, MIB, E820_RAM);
	expect_entry(1, 2 * MIB, 3 * MIB, E820_RAM);
}

static void e820_keeps_memory_for_a_specific_purpose_apart(void **state)
{
	struct efi_descriptor descriptors[] = {
		DESCRIPTOR(FREE, 0, MIB),
		DESCRIPTOR(FREE, MIB, 2 * MIB),
		DESCRIPTOR(FREE, 2 * MIB, 3 * MIB),
		DESCRIPTOR(FREE, 3 * MIB, 4 * MIB),
	};
	struct memory_map map = MAP_OF(descriptors);

	(void)state;
	descriptors[1].attribute = EFI_MEMATTR_SPECIFIC_PURPOSE;
	descriptors[2].attribute = EFI_MEMATTR_SPECIFIC_PURPOSE | 8;
	convert(&map);
	assert_int_equal(table.count, 3);
	expect_entry(0, 0, MIB, E820_RAM);
	expect_entry(1, MIB, 3 * MIB, 0xefffffff);
	expect_entry(2, 3 * MIB, 4 * MIB, E820_RAM);
	convert_as(&map, false);
	assert_int_equal(table.count, 1);
	expect_entry(0, 0, 4 * MIB, E820_RAM);
}

static void e820_of_nothing(void **state)
{
	const struct efi_descriptor descriptors[] = { DESCRIPTOR(FREE, MIB, MIB), DESCRIPTOR(99, MIB, 2 * MIB) };
	struct memory_map map = MAP_OF(descriptors);

	(void)state;
	convert(&map);
	assert_int_equal(table.count, 0);
}

static void e820_of_many_descriptors(void **state)
{
	static struct efi_descriptor descriptors[300];
	struct memory_map map = MAP_OF(descriptors);

	(void)state;
	for (size_t i = 0; i < 300; i++)
		descriptors[i] =
			(struct efi_descriptor)DESCRIPTOR(i % 2 ? EFI_MEMTYPE_RESERVED : FREE, i * MIB, (i + 1) * MIB);
	convert(&map);
	assert_int_equal(table.count, 300);
	for (size_t i = 0; i < 300; i++)
		expect_entry(i, i * MIB, (i + 1) * MIB, i % 2 ? E820_RESERVED : E820_RAM);
}

static void e820_of_a_range_that_ends_at_2_to_the_64(void **state)
{
	const struct efi_descriptor descriptors[] = {
		{ .type = EFI_MEMTYPE_MMIO, .physical_start = 0 - 2 * MIB, .number_of_pages = UINT64_MAX },
		DESCRIPTOR(EFI_MEMTYPE_MMIO, 0, MIB),
	};
	struct memory_map map = MAP_OF(descriptors);

	(void)state;
	convert(&map);
	assert_int_equal(table.count, 2);
	expect_entry(0, 0 - 2 * MIB, UINT64_MAX, E820_RESERVED);
	expect_entry(1, 0, MIB, E820_RESERVED);
}

/* For each page of small random maps, table and map agree, and neighbours are merged. */
static void e820_says_of_each_page_what_the_map_says(void **state)
{
	(void)state;
	srand(3);
	for (int round = 0; round < 20000; round++) {
		uint32_t expected[SMALL_PAGES] = { 0 };
		uint32_t found[SMALL_PAGES] = { 0 };
		struct small_map small;

		small_map_make(&small);
		convert(&small.map);
		for (size_t i = 0; i < small.map.size / sizeof(small.descriptors[0]); i++) {
			const struct efi_descriptor *descriptor = &small.descriptors[i];
			struct efi_descriptor alone[1] = { *descriptor };
			struct memory_map one = MAP_OF(alone);
			struct table all = table;

			convert(&one);
			for (uint64_t page = 0; page < descriptor->number_of_pages; page++)
				expected[descriptor->physical_start / PAGE_SIZE + page] =
					table.count ? table.entries[0].type : 0;
			table = all;
		}
		for (size_t i = 0; i < table.count; i++) {
			const struct e820_entry *entry = &table.entries[i];

			assert_true(entry->size > 0);
			if (i > 0 && entry[-1].addr + entry[-1].size == entry->addr)
				assert_int_not_equal(entry[-1].type, entry->type);
			for (uint64_t at = entry->addr; at < entry->addr + entry->size; at += PAGE_SIZE) {
				assert_int_equal(found[at / PAGE_SIZE], 0);
				found[at / PAGE_SIZE] = entry->type;
			}
		}
		assert_memory_equal(found, expected, sizeof(found));
	}
}

/* --- readable memory --- */

static void readable_to_the_end_of_what_touches(void **state)
{
	struct efi_descriptor descriptors[] = {
		DESCRIPTOR(EFI_MEMTYPE_BOOT_SERVICES_DATA, MIB, 2 * MIB),
		DESCRIPTOR(EFI_MEMTYPE_ACPI_NVS, 2 * MIB, 3 * MIB),
		DESCRIPTOR(EFI_MEMTYPE_MMIO, 3 * MIB, 4 * MIB),
		DESCRIPTOR(EFI_MEMTYPE_RESERVED, 4 * MIB, 5 * MIB),
		DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 6 * MIB, 7 * MIB),
	};
	struct memory_map map = MAP_OF(descriptors);

	(void)state;
	assert_int_equal(memmap_readable_size(&map, MIB), 2 * MIB);
	assert_int_equal(memmap_readable_size(&map, MIB - 1), 0);
	assert_int_equal(memmap_readable_size(&map, 3 * MIB - 1), 1);
	assert_int_equal(memmap_readable_size(&map, 3 * MIB), 0);
	assert_int_equal(memmap_readable_size(&map, 4 * MIB + 5), MIB - 5);
	assert_int_equal(memmap_readable_size(&map, 5 * MIB), 0);
	assert_int_equal(memmap_readable_size(&map, 7 * MIB - 1), 1);
	assert_int_equal(memmap_readable_size(&map, 0), 0);
	assert_int_equal(memmap_readable_size(&map, UINT64_MAX), 0);
	/* To the end of the address space, without wrapping. */
	descriptors[4].physical_start = UINT64_MAX - 0xfff;
	descriptors[4].number_of_pages = UINT64_MAX;
	assert_int_equal(memmap_readable_size(&map, UINT64_MAX - 9), 9);
}

static void readable_types(void **state)
{
	(void)state;
	for (uint32_t type = 0; type < 20; type++) {
		struct efi_descriptor descriptors[] = { DESCRIPTOR(type, MIB, 2 * MIB) };
		struct memory_map map = MAP_OF(descriptors);
		bool readable = type <= EFI_MEMTYPE_ACPI_NVS && type != EFI_MEMTYPE_UNUSABLE;

		assert_int_equal(memmap_readable_size(&map, MIB), readable ? MIB : 0);
	}
}

/* --- the last map --- */

static void room_for_the_last_map(void **state)
{
	struct memory_map map = { .size = 100 * 48, .descriptor_size = 48 };

	(void)state;
	assert_int_equal(memmap_exit_capacity(&map), align_up((200 + 1024) * 48, PAGE_SIZE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_sizes),
		cmocka_unit_test(steps_through_descriptors),
		cmocka_unit_test(descriptors_of_48_bytes),
		cmocka_unit_test(number_of_pages_overflows),
		cmocka_unit_test(range_ends_at_2_to_the_64),
		cmocka_unit_test(range_starts_at_the_last_byte),
		cmocka_unit_test(lowest_and_highest),
		cmocka_unit_test(exact_fit_and_one_byte_more),
		cmocka_unit_test(lead_lies_in_the_hole),
		cmocka_unit_test(lead_may_lie_below_min),
		cmocka_unit_test(aligned),
		cmocka_unit_test(alignment_is_of_the_address_behind_the_lead),
		cmocka_unit_test(min_and_max_to_the_byte),
		cmocka_unit_test(min_above_max),
		cmocka_unit_test(limits_beside_all_memory),
		cmocka_unit_test(largest_within_the_limits),
		cmocka_unit_test(preferred_max_while_it_fits),
		cmocka_unit_test(preferred_max_above_max),
		cmocka_unit_test(preferred_max_that_fits_nowhere),
		cmocka_unit_test(neighbours_count_as_one),
		cmocka_unit_test(neighbours_with_a_gap_do_not),
		cmocka_unit_test(neighbours_around_the_end_of_memory),
		cmocka_unit_test(unsorted_map),
		cmocka_unit_test(only_conventional_memory_is_free),
		cmocka_unit_test(memory_for_a_specific_purpose_is_not_free),
		cmocka_unit_test(pages_to_avoid),
		cmocka_unit_test(finds_what_a_search_page_by_page_finds),
		cmocka_unit_test(finds_free_memory_in_shuffled_maps),
		cmocka_unit_test(readable_to_the_end_of_what_touches),
		cmocka_unit_test(readable_types),
		cmocka_unit_test(e820_of_every_type),
		cmocka_unit_test(e820_of_an_oem_type),
		cmocka_unit_test(e820_of_memory_for_a_specific_purpose),
		cmocka_unit_test(e820_merges_what_touches_and_means_the_same),
		cmocka_unit_test(e820_does_not_merge_across_what_it_leaves_out),
		cmocka_unit_test(e820_keeps_memory_for_a_specific_purpose_apart),
		cmocka_unit_test(e820_of_nothing),
		cmocka_unit_test(e820_of_many_descriptors),
		cmocka_unit_test(e820_of_a_range_that_ends_at_2_to_the_64),
		cmocka_unit_test(e820_says_of_each_page_what_the_map_says),
		cmocka_unit_test(room_for_the_last_map),
	};

	return run_named_tests(tests);
}
