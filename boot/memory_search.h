// SPDX-License-Identifier: BSD-2-Clause
/*
 * Meets a request for memory. If any place will do, the firmware chooses one. Otherwise we offer our own choices, one
 * after the other, until the firmware grants one. All of this is arithmetic; the host makes the calls.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/memmap.h"
#include "boot/memory.h"

/* The pages that hold what `request` describes, at `addr`. */
struct memory_pages memory_request_pages(const struct memory_request *request, uint64_t addr);

/*
 * Whether the firmware may choose the place: AllocatePages at or below *ret_limit, which gives plain pages as high as
 * possible. They may be too low, so check them with memory_request_accepts.
 */
bool memory_request_is_plain(const struct memory_request *request, uint64_t *ret_limit);

/* Whether `addr` is a place as the request describes. */
bool memory_request_accepts(const struct memory_request *request, uint64_t addr);

/* A search in progress. */
struct memory_search {
	struct memory_request now;  /* the present search */
	struct memory_request then; /* the next search, when this one is exhausted; size 0: none */
};

void memory_search_start(struct memory_search *search, const struct memory_request *request);

/*
 * Finds the best remaining place in `map`; the first is memmap_find_hole's. A further call means that this place was
 * refused, so none of its request->size bytes are offered again. Returns false when no place remains.
 */
bool memory_search_next(struct memory_search *search, const struct memory_map *map, uint64_t *ret_addr);
