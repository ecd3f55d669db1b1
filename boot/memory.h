// SPDX-License-Identifier: BSD-2-Clause
/*
 * The core's seam to memory: physical pages, identity mapped. efi/services/memory.c implements it with the firmware's
 * AllocatePages, the unit tests with mmap at fixed addresses.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/status.h"

/* Nothing of ours goes below, where BIOS data, video memory and the kernel's trampoline are. */
#define LOW_MEMORY_END 0x100000u

enum memory_kind {
	MEMORY_CODE, /* will be executed: EfiLoaderCode, which strict firmware does not map as non-executable */
	MEMORY_DATA, /* EfiLoaderData */
};

/* Where an allocation lies: whole pages. A `size` of 0 is no allocation. */
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
	uint64_t preferred_max;	   /* a place that ends at or below this is taken if there is one; 0: no preference */
	struct memory_pages avoid; /* none of these is taken, free or not */
};

/*
 * Allocates the pages that hold what `request` describes. Their contents are undefined. `what` names them in the
 * message when there is no such place, which says how much was asked and how much would have fitted.
 */
enum kexec_status memory_alloc(const struct memory_request *request, const char *what, uint64_t *ret_addr,
			       struct memory_pages *ret_pages);

/* Frees what memory_alloc returned. */
void memory_free(const struct memory_pages *pages);
