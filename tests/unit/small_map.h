// SPDX-License-Identifier: BSD-2-Clause
/* Random memory maps, small enough to try every place. */
#pragma once

#include "boot/memmap.h"

#define SMALL_PAGES 64
#define SMALL_END (SMALL_PAGES * (uint64_t)4096)
#define SMALL_DESCRIPTORS 12

struct small_map {
	struct efi_descriptor descriptors[SMALL_DESCRIPTORS];
	struct memory_map map;
	bool free[SMALL_PAGES];
};

/* A random number, from 0 up to but not including `limit`. */
uint64_t below(uint64_t limit);

/* Descriptors from 0 upwards without overlaps; some are empty, some have gaps between them. */
void small_map_make(struct small_map *small);

/* A random request that may fit in such a map. */
struct memory_request small_map_request(void);

/* Whether the request avoids the byte at `addr`. */
bool small_map_avoids(const struct memory_request *request, uint64_t addr);

/* Whether `addr` meets the request as memory.h describes it, with `max` in place of the request's own. */
bool small_map_fits(const bool free_pages[SMALL_PAGES], const struct memory_request *request, uint64_t max,
		    uint64_t addr);
