// SPDX-License-Identifier: BSD-2-Clause
/*
 * How a request for memory is met: by a place that the firmware chooses, where any will do, else by one of our own
 * choice after the other, until the firmware gives one. All of this is arithmetic; the calls are the host's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/memmap.h"
#include "boot/memory.h"

/* The pages that hold what `request` describes, at `addr`. */
struct memory_pages memory_request_pages(const struct memory_request *request, uint64_t addr);

/*
 * Whether the firmware may choose the place: AllocatePages at or below *ret_limit gives plain pages as high as can be.
 * The pages may lie too low, so memory_request_accepts has to be asked.
 */
bool memory_request_is_plain(const struct memory_request *request, uint64_t *ret_limit);

/* Whether `addr` is a place as the request describes. */
bool memory_request_accepts(const struct memory_request *request, uint64_t addr);

/* A search in progress. */
struct memory_search {
	struct memory_request now;  /* looks here, */
	struct memory_request then; /* and when nothing is left, here: of size 0 where that is nowhere */
};

void memory_search_start(struct memory_search *search, const struct memory_request *request);

/*
 * Finds the best place in `map` that is left; the first is memmap_find_hole's. Whoever asks for the next was refused
 * this one, so none of its request->size bytes are offered again. Returns false when nothing is left.
 */
bool memory_search_next(struct memory_search *search, const struct memory_map *map, uint64_t *ret_addr);
