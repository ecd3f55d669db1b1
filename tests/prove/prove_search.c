// SPDX-License-Identifier: BSD-2-Clause
/*
 * The search for places, boot/memory_search.c. Instead of reading a memory map, memmap_find_hole gives any answer that
 * prove_placement.c allows: a place that meets the request, or none. Assumes a request whose size is not 0 and whose
 * alignment is a power of two.
 */
#include "boot/memory_search.c"
#include "tests/prove/prove.h"

struct hole memmap_find_hole(const struct memory_map *map, const struct memory_request *request)
{
	struct hole hole = { .found = any_u8() & 1, .addr = any_u64() };

	(void)map;
	prove(request->preferred_max == 0, "a search prefers nothing within a side");
	assume(hole.addr >= request->min && hole.addr <= request->max && hole.addr >= request->lead &&
	       request->size - 1 <= request->max - hole.addr);
	return hole;
}

void prove_search(void)
{
	struct memory_request request = {
		.top_down = any_u8() & 1,
		.lead = any_u64(),
		.size = any_u64(),
		.align = PAGE_SIZE, /* the search only passes it on */
		.min = any_u64(),
		.max = any_u64(),
		.preferred_max = any_u64(),
	};
	struct memory_search search;
	uint64_t places[PLACES];

	assume(request.size != 0);
	memory_search_start(&search, &request);
	for (size_t i = 0; i < PLACES; i++) {
		if (!memory_search_next(&search, NULL, &places[i]))
			return;
		prove(places[i] >= request.min && places[i] <= request.max && places[i] >= request.lead &&
			      request.size - 1 <= request.max - places[i],
		      "each place is as the request describes");
		for (size_t j = 0; j < i; j++)
			prove(places[j] < places[i] ? request.size <= places[i] - places[j]
						    : request.size <= places[j] - places[i],
			      "nothing that was refused is offered again");
	}
}
