// SPDX-License-Identifier: BSD-2-Clause
/*
 * Placement, boot/memmap.c: a place within one free run, and the runs of a map. No proof covers memmap_find_hole, which
 * takes the best place of all runs; tests/fuzz/fuzz_memmap.c tests it.
 *
 * Assumes a map of DESCRIPTORS descriptors of 40 bytes, with any bytes; and a request with any numbers that struct
 * memory_request allows: a size that is not 0, an alignment that is a power of two.
 */
#include "boot/memmap.c"
#include "tests/prove/prove.h"

#ifndef DESCRIPTORS
#define DESCRIPTORS 3u
#endif

static struct efi_descriptor descriptors[DESCRIPTORS];
static const struct memory_map map = {
	.bytes = (const uint8_t *)descriptors,
	.size = sizeof(descriptors),
	.descriptor_size = sizeof(descriptors[0]),
};

static void make_any_map(void)
{
	for (size_t i = 0; i < DESCRIPTORS; i++)
		descriptors[i] = (struct efi_descriptor){
			.type = (uint32_t)any_u64(),
			.physical_start = any_u64(),
			.number_of_pages = any_u64(),
			.attribute = any_u64(),
		};
}

static struct memory_request any_request(void)
{
	struct memory_request request = {
		.top_down = any_u8() & 1,
		.lead = any_u64(),
		.size = any_u64(),
		.align = any_u64(),
		.min = any_u64(),
		.max = any_u64(),
		.preferred_max = any_u64(),
	};

	assume(request.size != 0);
	assume(request.align != 0 && (request.align & (request.align - 1)) == 0);
	return request;
}

/* Whether the map lists the byte as free. Uses no sum that could wrap. */
static bool is_available(uint64_t byte)
{
	for (size_t i = 0; i < DESCRIPTORS; i++) {
		const struct efi_descriptor *descriptor = &descriptors[i];

		if (descriptor->type == EFI_MEMTYPE_CONVENTIONAL && !(descriptor->attribute & 0x40000) &&
		    byte >= descriptor->physical_start &&
		    (byte - descriptor->physical_start) >> 12 < descriptor->number_of_pages)
			return true;
	}
	return false;
}

/* --- one range: everything is unbounded --- */

void prove_place(void)
{
	const struct memory_range range = { .start = any_u64(), .end = any_u64() };
	struct memory_request request = any_request();
	uint64_t addr;

	assume(range.start < range.end); /* as memmap_next returns them: prove_run */
	if (!place(&range, &request, &addr))
		return;
	prove((addr & (request.align - 1)) == 0, "aligned");
	prove(addr >= request.min && addr <= request.max, "begins between min and max");
	prove(request.size - 1 <= request.max - addr, "ends at or below max, and does not wrap");
	prove(request.lead <= addr && addr - request.lead >= range.start, "what leads lies in the range");
	prove(addr < range.end && request.size <= range.end - addr, "all of it lies in the range");
}

/* --- a map --- */

void prove_run(void)
{
	struct memory_range run;
	uint64_t byte = any_u64();
	size_t index = 0;

	make_any_map();
	while (next_free_run(&map, &index, &run)) {
		prove(run.start < run.end, "a run is not empty, and does not wrap");
		if (byte >= run.start && byte < run.end)
			prove(is_available(byte), "each byte lies in available memory");
	}
}
