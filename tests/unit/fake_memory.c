// SPDX-License-Identifier: BSD-2-Clause
/* boot/memory.h by mmap at fixed addresses. */
#include <sys/mman.h>

#include "boot/log.h"
#include "boot/memory.h"
#include "boot/memory_search.h"
#include "common/align.h"
#include "tests/unit/support.h"

#define OUTSTANDING_MAX 64

/* The content of fresh pages, which must not be zeros. */
#define GARBAGE 0xa5

static const struct efi_descriptor default_descriptors[] = {
	DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, FAKE_MEMORY_START, FAKE_MEMORY_END),
};

static const struct memory_map *map;
static struct memory_pages outstanding[OUTSTANDING_MAX];
static unsigned outstanding_count;
static unsigned allocations;
static unsigned fail_at;
static uint64_t lie;
static uint64_t shift;

void fake_memory_set_map(const struct memory_map *new_map)
{
	map = new_map;
}

void fake_memory_fail_at(unsigned n)
{
	allocations = 0;
	fail_at = n;
}

void fake_memory_lie(uint64_t addr)
{
	lie = addr;
}

void fake_memory_shift(uint64_t by)
{
	shift = by;
}

unsigned fake_memory_allocations(void)
{
	return allocations;
}

unsigned fake_memory_outstanding(void)
{
	return outstanding_count;
}

/* The firmware's map without the allocated memory. Each call gives a new map. */
static struct hole find_free_hole(const struct memory_request *request)
{
	struct memory_map default_map = MAP_OF(default_descriptors);
	struct efi_descriptor free_descriptors[OUTSTANDING_MAX + 1];
	const struct memory_map *all = map ? map : &default_map;
	struct memory_range range;
	struct memory_map rest;
	size_t count = 0;
	size_t index = 0;

	while (memmap_next(all, &index, &range)) {
		uint64_t start = range.start;

		if (range.type != EFI_MEMTYPE_CONVENTIONAL)
			continue;
		/* Inserts the allocation in order of address. */
		for (unsigned i = 0; i < outstanding_count; i++) {
			const struct memory_pages *taken = &outstanding[i];

			if (taken->addr < start || taken->addr >= range.end)
				continue;
			free_descriptors[count++] = (struct efi_descriptor)DESCRIPTOR(range.type, start, taken->addr);
			start = taken->addr + taken->size;
		}
		free_descriptors[count++] = (struct efi_descriptor)DESCRIPTOR(range.type, start, range.end);
	}
	rest = (struct memory_map){ .bytes = (const uint8_t *)free_descriptors,
				    .size = count * sizeof(free_descriptors[0]),
				    .descriptor_size = sizeof(free_descriptors[0]) };
	return memmap_find_hole(&rest, request);
}

static void insert(const struct memory_pages *pages)
{
	unsigned at = outstanding_count++;

	assert_true(outstanding_count <= OUTSTANDING_MAX);
	for (; at > 0 && outstanding[at - 1].addr > pages->addr; at--)
		outstanding[at] = outstanding[at - 1];
	outstanding[at] = *pages;
}

enum kexec_status memory_alloc(const struct memory_request *request, const char *what, uint64_t *ret_addr,
			       struct memory_pages *ret_pages)
{
	struct memory_pages pages;
	struct hole hole;
	void *place;

	if (++allocations == fail_at)
		return log_error(KEXEC_NO_MEMORY, "%s: out of memory, as the test wants it", what);
	hole = find_free_hole(request);
	if (!hole.found)
		return log_error(KEXEC_NO_MEMORY, "%s: expected 0x%lx bytes, found at most 0x%lx", what, request->size,
				 hole.largest);
	if (lie) {
		hole.addr = lie;
		lie = 0;
	}
	pages = memory_request_pages(request, hole.addr);
	place = mmap(phys_to_ptr(pages.addr), pages.size, PROT_READ | PROT_WRITE | PROT_EXEC,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (place != MAP_FAILED)
		memset(place, GARBAGE, pages.size);
	insert(&pages);
	*ret_addr = hole.addr + shift;
	shift = 0;
	*ret_pages = pages;
	return KEXEC_OK;
}

void memory_free(const struct memory_pages *pages)
{
	for (unsigned i = 0; i < outstanding_count; i++) {
		if (outstanding[i].addr != pages->addr || outstanding[i].size != pages->size)
			continue;
		memmove(&outstanding[i], &outstanding[i + 1], (outstanding_count - i - 1) * sizeof(outstanding[0]));
		outstanding_count--;
		munmap(phys_to_ptr(pages->addr), pages->size);
		return;
	}
	fail_msg("freed 0x%lx bytes at 0x%lx, which were not allocated", pages->size, pages->addr);
}
