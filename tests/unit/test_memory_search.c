// SPDX-License-Identifier: BSD-2-Clause
/* The search for a place, compared with a search page by page, and at the ends of the address space. */
#include "boot/memory_search.h"

#include "common/align.h"
#include "tests/unit/small_map.h"
#include "tests/unit/support.h"

#define MIB (1ull << 20)
#define LAST_PAGE (UINT64_MAX - (PAGE_SIZE - 1))

/* --- pages --- */

static void pages_of_a_request(void **state)
{
	struct memory_request request = { .size = 1, .align = PAGE_SIZE };
	struct memory_pages pages;

	(void)state;
	pages = memory_request_pages(&request, MIB);
	assert_int_equal(pages.addr, MIB);
	assert_int_equal(pages.size, PAGE_SIZE);
	request.size = PAGE_SIZE + 1;
	assert_int_equal(memory_request_pages(&request, MIB).size, 2 * PAGE_SIZE);
	request.lead = 1;
	pages = memory_request_pages(&request, MIB);
	assert_int_equal(pages.addr, MIB - PAGE_SIZE);
	assert_int_equal(pages.size, 3 * PAGE_SIZE);
	request.lead = 2 * PAGE_SIZE;
	assert_int_equal(memory_request_pages(&request, MIB).addr, MIB - 2 * PAGE_SIZE);
}

/* --- the firmware's choice --- */

static struct memory_request plain(void)
{
	return (struct memory_request){
		.top_down = true, .size = 2 * PAGE_SIZE, .align = PAGE_SIZE, .min = MIB, .max = UINT32_MAX
	};
}

static void plain_requests(void **state)
{
	struct memory_request request = plain();
	uint64_t limit;

	(void)state;
	assert_true(memory_request_is_plain(&request, &limit));
	assert_int_equal(limit, UINT32_MAX);
	request.preferred_max = 64 * MIB;
	assert_true(memory_request_is_plain(&request, &limit));
	assert_int_equal(limit, 64 * MIB);
	request.size = 64 * MIB;
	assert_true(memory_request_is_plain(&request, &limit));
	request.size++;
	assert_false(memory_request_is_plain(&request, &limit));
}

static void requests_that_are_not_plain(void **state)
{
	struct memory_request request = plain();
	uint64_t limit = 1;

	(void)state;
	request.top_down = false;
	assert_false(memory_request_is_plain(&request, &limit));
	request = plain();
	request.lead = 1;
	assert_false(memory_request_is_plain(&request, &limit));
	request = plain();
	request.align = 2 * PAGE_SIZE;
	assert_false(memory_request_is_plain(&request, &limit));
	/* More pages than exist. */
	request = plain();
	request.max = UINT64_MAX;
	request.size = UINT64_MAX;
	assert_false(memory_request_is_plain(&request, &limit));
	request.size = LAST_PAGE + 1;
	assert_false(memory_request_is_plain(&request, &limit));
	assert_int_equal(limit, 1);
}

static void accepted_places(void **state)
{
	struct memory_request request = plain();

	(void)state;
	assert_true(memory_request_accepts(&request, MIB));
	assert_false(memory_request_accepts(&request, MIB + 1));
	assert_false(memory_request_accepts(&request, MIB - PAGE_SIZE));
	request.min = MIB + 1;
	assert_false(memory_request_accepts(&request, MIB));
	request.max = 16 * MIB;
	assert_true(memory_request_accepts(&request, 16 * MIB - 2 * PAGE_SIZE));
	assert_false(memory_request_accepts(&request, 16 * MIB - PAGE_SIZE));
	assert_false(memory_request_accepts(&request, 16 * MIB));
	assert_false(memory_request_accepts(&request, 17 * MIB));
	assert_false(memory_request_accepts(&request, LAST_PAGE));
	request.min = 0;
	request.lead = 2 * MIB;
	assert_false(memory_request_accepts(&request, MIB));
	assert_true(memory_request_accepts(&request, 2 * MIB));
	request.avoid = (struct memory_pages){ .addr = 4 * MIB, .size = MIB };
	assert_true(memory_request_accepts(&request, 4 * MIB - 2 * PAGE_SIZE));
	assert_false(memory_request_accepts(&request, 4 * MIB - PAGE_SIZE));
	assert_false(memory_request_accepts(&request, 5 * MIB - PAGE_SIZE));
	/* The lead counts. */
	assert_false(memory_request_accepts(&request, 7 * MIB - PAGE_SIZE));
	assert_true(memory_request_accepts(&request, 7 * MIB));
}

/* --- one place after the other --- */

static bool shares_bytes(uint64_t a, uint64_t b, uint64_t size)
{
	return a < b ? b - a < size : a - b < size;
}

static bool is_taken(const uint64_t *offered, size_t count, uint64_t addr, uint64_t size)
{
	for (size_t i = 0; i < count; i++) {
		if (shares_bytes(offered[i], addr, size))
			return true;
	}
	return false;
}

/* The best place that shares no byte with earlier ones, or UINT64_MAX. */
static uint64_t best_left(const struct small_map *small, const struct memory_request *request, uint64_t max,
			  const uint64_t *offered, size_t count)
{
	uint64_t best = UINT64_MAX;

	for (uint64_t addr = 0; addr < SMALL_END; addr += PAGE_SIZE) {
		if (small_map_fits(small->free, request, max, addr) && !is_taken(offered, count, addr, request->size) &&
		    (best == UINT64_MAX || request->top_down))
			best = addr;
	}
	return best;
}

static uint64_t expected_place(const struct small_map *small, const struct memory_request *request,
			       const uint64_t *offered, size_t count)
{
	uint64_t best = UINT64_MAX;

	if (request->preferred_max && request->preferred_max < request->max)
		best = best_left(small, request, request->preferred_max, offered, count);
	return best != UINT64_MAX ? best : best_left(small, request, request->max, offered, count);
}

/*
 * Each place is the best of those that share no byte with earlier ones. So no place is offered twice, and none is
 * missed.
 */
static void each_place_is_the_best_that_is_left(void **state)
{
	unsigned several = 0;

	(void)state;
	srand(2);
	for (int round = 0; round < 30000; round++) {
		struct memory_request request = small_map_request();
		uint64_t offered[SMALL_PAGES + 1];
		struct memory_search search;
		struct small_map small;
		size_t count = 0;
		uint64_t addr;

		small_map_make(&small);
		memory_search_start(&search, &request);
		while (memory_search_next(&search, &small.map, &addr)) {
			if (addr != expected_place(&small, &request, offered, count))
				fail_msg("round %d place %zu: lead 0x%lx size 0x%lx align 0x%lx min 0x%lx max 0x%lx "
					 "preferred 0x%lx top_down %d: expected 0x%lx, found 0x%lx",
					 round, count, request.lead, request.size, request.align, request.min,
					 request.max, request.preferred_max, request.top_down,
					 expected_place(&small, &request, offered, count), addr);
			assert_true(count == 0 ? addr == memmap_find_hole(&small.map, &request).addr : true);
			assert_true(memory_request_accepts(&request, addr));
			assert_in_range(count, 0, SMALL_PAGES - 1);
			offered[count++] = addr;
		}
		assert_true(expected_place(&small, &request, offered, count) == UINT64_MAX);
		assert_false(memory_search_next(&search, &small.map, &addr));
		several += count > 1;
	}
	/* Many rounds found further places. */
	assert_in_range(several, 3000, 27000);
}

static void expect_places(const struct memory_map *map, const struct memory_request *request, const uint64_t *expected,
			  size_t count)
{
	struct memory_search search;
	uint64_t addr = 1;

	memory_search_start(&search, request);
	for (size_t i = 0; i < count; i++) {
		assert_true(memory_search_next(&search, map, &addr));
		assert_true(addr == expected[i]);
	}
	assert_false(memory_search_next(&search, map, &addr));
	/* The failed search does not change the last place. */
	assert_true(addr == expected[count - 1]);
}

static void from_above_down_to_0(void **state)
{
	const struct efi_descriptor descriptors[] = { DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0, 2 * PAGE_SIZE) };
	struct memory_map map = MAP_OF(descriptors);
	struct memory_request request = { .top_down = true, .size = 1, .align = PAGE_SIZE, .max = UINT64_MAX };

	(void)state;
	expect_places(&map, &request, (uint64_t[]){ PAGE_SIZE, 0 }, 2);
}

static void from_below_up_to_the_end(void **state)
{
	const struct efi_descriptor descriptors[] = {
		{ .type = EFI_MEMTYPE_CONVENTIONAL, .physical_start = LAST_PAGE - PAGE_SIZE, .number_of_pages = 2 },
	};
	struct memory_map map = MAP_OF(descriptors);
	struct memory_request request = { .size = PAGE_SIZE - 1, .align = PAGE_SIZE, .max = UINT64_MAX };

	(void)state;
	expect_places(&map, &request, (uint64_t[]){ LAST_PAGE - PAGE_SIZE, LAST_PAGE }, 2);
	request.size = PAGE_SIZE;
	expect_places(&map, &request, (uint64_t[]){ LAST_PAGE - PAGE_SIZE }, 1);
}

/* The preferred range is used up down to 0; the memory above it is still left. */
static void preferred_down_to_0_then_the_rest(void **state)
{
	const struct efi_descriptor descriptors[] = { DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0, 4 * PAGE_SIZE) };
	struct memory_map map = MAP_OF(descriptors);
	struct memory_request request = { .top_down = true, .size = PAGE_SIZE, .align = PAGE_SIZE, .max = UINT64_MAX };

	(void)state;
	request.preferred_max = 2 * PAGE_SIZE - 1;
	expect_places(&map, &request, (uint64_t[]){ PAGE_SIZE, 0, 3 * PAGE_SIZE, 2 * PAGE_SIZE }, 4);
	request.preferred_max = UINT64_MAX - 1;
	expect_places(&map, &request, (uint64_t[]){ 3 * PAGE_SIZE, 2 * PAGE_SIZE, PAGE_SIZE, 0 }, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_of_a_request),
		cmocka_unit_test(plain_requests),
		cmocka_unit_test(requests_that_are_not_plain),
		cmocka_unit_test(accepted_places),
		cmocka_unit_test(each_place_is_the_best_that_is_left),
		cmocka_unit_test(from_above_down_to_0),
		cmocka_unit_test(from_below_up_to_the_end),
		cmocka_unit_test(preferred_down_to_0_then_the_rest),
	};

	return run_named_tests(tests);
}
