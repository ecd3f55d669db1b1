// SPDX-License-Identifier: BSD-2-Clause
/*
 * The core's seam to memory: physical pages, identity mapped. efi/services/memory.c implements it with the firmware's
 * AllocatePages, the unit tests with mmap at fixed addresses.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/status.h"

/* We allocate nothing below this: BIOS data, video memory and the kernel's trampoline are there. */
#define LOW_MEMORY_END 0x100000u

enum memory_kind {
	MEMORY_CODE, /* for code: EfiLoaderCode, which strict firmware maps as executable */
	MEMORY_DATA, /* EfiLoaderData */
};

/* The pages of an allocation. A `size` of 0 means none. */
struct memory_pages {
	uint64_t addr;
	uint64_t size;
};

/* Asks for [addr - lead, addr + size) with addr a multiple of `align`, addr >= min and addr + size - 1 <= max. */
struct memory_request {
	enum memory_kind kind;
	bool top_down;	/* the highest such place, else the lowest */
	uint64_t lead;	/* bytes below addr that belong to it */
	uint64_t size;	/* bytes from addr on, not 0 */
	uint64_t align; /* power of two, at least PAGE_SIZE */
	uint64_t min;
	uint64_t max;
	uint64_t preferred_max;	   /* prefer a place that ends at or below this; 0: no preference */
	struct memory_pages avoid; /* never use any of these, even if free */
};

/*
 * Allocates the pages that hold what `request` describes. Their contents are undefined. If there is no place, the
 * message names them by `what`, and states the size requested and the size that would have fitted.
 */
enum kexec_status memory_alloc(const struct memory_request *request, const char *what, uint64_t *ret_addr,
			       struct memory_pages *ret_pages);

/* Frees pages that memory_alloc returned. */
void memory_free(const struct memory_pages *pages);
