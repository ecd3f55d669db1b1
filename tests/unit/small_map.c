// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/small_map.h"

#include "common/align.h"
#include "tests/unit/support.h"

uint64_t below(uint64_t limit)
{
	return (uint64_t)rand() % limit;
}

void small_map_make(struct small_map *small)
{
	uint64_t page = below(4);
	size_t count = 0;

	memset(small, 0, sizeof(*small));
	while (count < 1 || (count < SMALL_DESCRIPTORS && page < SMALL_PAGES && below(16))) {
		struct efi_descriptor *descriptor = &small->descriptors[count++];
		uint64_t pages = below(SMALL_PAGES - page) % 20;
		bool set_aside = below(8) == 0;

		descriptor->type = below(3) ? EFI_MEMTYPE_CONVENTIONAL : (uint32_t)below(16);
		descriptor->attribute = set_aside ? EFI_MEMATTR_SPECIFIC_PURPOSE : 0;
		descriptor->physical_start = page * PAGE_SIZE;
		descriptor->number_of_pages = pages;
		for (uint64_t i = 0; i < pages; i++)
			small->free[page + i] = descriptor->type == EFI_MEMTYPE_CONVENTIONAL && !set_aside;
		page += pages + (below(3) ? 0 : below(3));
		if (page >= SMALL_PAGES)
			page = SMALL_PAGES - 1;
		if (page + 1 == SMALL_PAGES)
			break;
	}
	small->map = (struct memory_map){ .bytes = (const uint8_t *)small->descriptors,
					  .size = count * sizeof(small->descriptors[0]),
					  .descriptor_size = sizeof(small->descriptors[0]) };
}

struct memory_request small_map_request(void)
{
	struct memory_request request = {
		.top_down = below(2),
		.lead = below(2) ? 0 : below(6 * PAGE_SIZE),
		.size = 1 + (below(2) ? below(24 * PAGE_SIZE) : below(24) * PAGE_SIZE),
		.align = (uint64_t)PAGE_SIZE << below(5),
		.min = below(2) ? 0 : below(SMALL_END),
		.max = below(2) ? UINT64_MAX : below(SMALL_END),
		.preferred_max = below(2) ? 0 : below(SMALL_END),
	};

	if (below(2)) {
		uint64_t first = below(SMALL_PAGES);

		request.avoid.addr = first * PAGE_SIZE;
		request.avoid.size = below(SMALL_PAGES - first) * PAGE_SIZE;
	}
	if (below(2)) {
		request.min = align_down(request.min, PAGE_SIZE);
		request.max = align_up(request.max / 2, PAGE_SIZE) - 1;
		request.size = align_up(request.size, PAGE_SIZE);
	}
	return request;
}

bool small_map_avoids(const struct memory_request *request, uint64_t addr)
{
	return addr >= request->avoid.addr && addr - request->avoid.addr < request->avoid.size;
}

bool small_map_fits(const bool free_pages[SMALL_PAGES], const struct memory_request *request, uint64_t max,
		    uint64_t addr)
{
	if (addr % request->align != 0 || addr < request->min || addr < request->lead)
		return false;
	if (addr + request->size > SMALL_END || addr + request->size - 1 > max)
		return false;
	for (uint64_t at = align_down(addr - request->lead, PAGE_SIZE); at < addr + request->size; at += PAGE_SIZE) {
		if (!free_pages[at / PAGE_SIZE] || small_map_avoids(request, at))
			return false;
	}
	return true;
}
