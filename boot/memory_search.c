// SPDX-License-Identifier: BSD-2-Clause
/* Finds one place after the other. */
#include "boot/memory_search.h"

#include "common/align.h"

struct memory_pages memory_request_pages(const struct memory_request *request, uint64_t addr)
{
	uint64_t start = align_down(addr - request->lead, PAGE_SIZE);
	uint64_t end = align_up(addr + request->size, PAGE_SIZE);

	return (struct memory_pages){ .addr = start, .size = end - start };
}

bool memory_request_is_plain(const struct memory_request *request, uint64_t *ret_limit)
{
	uint64_t limit = request->preferred_max ? request->preferred_max : request->max;

	if (!request->top_down || request->lead || request->align != PAGE_SIZE ||
	    request->size > align_down(limit, PAGE_SIZE))
		return false;
	*ret_limit = limit;
	return true;
}

static bool is_avoided(const struct memory_request *request, uint64_t addr)
{
	const struct memory_pages pages = memory_request_pages(request, addr);
	const struct memory_pages *avoid = &request->avoid;

	return avoid->size && pages.addr < avoid->addr + avoid->size && avoid->addr < pages.addr + pages.size;
}

bool memory_request_accepts(const struct memory_request *request, uint64_t addr)
{
	return addr % request->align == 0 && addr >= request->min && addr >= request->lead && addr <= request->max &&
	       request->size - 1 <= request->max - addr && !is_avoided(request, addr);
}

/* First searches the places that end at or below preferred_max, then only those that end above it. */
void memory_search_start(struct memory_search *search, const struct memory_request *request)
{
	uint64_t limit = request->preferred_max;

	*search = (struct memory_search){ .now = *request };
	search->now.preferred_max = 0;
	if (!limit || limit >= request->max)
		return;
	search->then = search->now;
	search->now.max = limit;
	if (request->size - 1 <= limit && search->then.min < limit + 2 - request->size)
		search->then.min = limit + 2 - request->size;
}

/* Excludes the place at `addr`. Returns false if nothing is left in the direction of the search. */
static bool narrow(struct memory_request *request, uint64_t addr)
{
	if (request->top_down) {
		if (addr == 0)
			return false;
		request->max = addr - 1;
	} else {
		if (request->size > UINT64_MAX - addr)
			return false;
		request->min = addr + request->size;
	}
	return true;
}

/* Places of the later search end above all preferred ones, but may share bytes with them. Excludes those bytes. */
static void spare(struct memory_search *search, uint64_t addr)
{
	if (search->then.size && search->then.min < addr + search->then.size)
		search->then.min = addr + search->then.size;
}

static void look_elsewhere(struct memory_search *search)
{
	search->now = search->then;
	search->then = (struct memory_request){ 0 };
}

bool memory_search_next(struct memory_search *search, const struct memory_map *map, uint64_t *ret_addr)
{
	while (search->now.size) {
		struct hole hole = memmap_find_hole(map, &search->now);

		if (!hole.found) {
			look_elsewhere(search);
			continue;
		}
		spare(search, hole.addr);
		if (!narrow(&search->now, hole.addr))
			look_elsewhere(search);
		*ret_addr = hole.addr;
		return true;
	}
	return false;
}
