// SPDX-License-Identifier: BSD-2-Clause
/*
 * Feeds files to boot/unified_image.c, each behind the number of a profile. The used bytes lie within the file, none is
 * used twice, and each digest covers the bytes that it claims to cover.
 */
#include "boot/kernel_format.h"
#include "boot/pe.h"
#include "boot/unified_image.h"
#include "tests/fuzz/input.h"

/* Larger than any section that a plan may have here. */
#define ZEROS_MAX (UINT64_C(1) << 32)

static void check_section(const struct unified_section *section, uint64_t file_size)
{
	assert(section->file_size && section->file_size <= section->size && section->size < ZEROS_MAX);
	assert(section->offset <= file_size && section->file_size <= file_size - section->offset);
}

static bool overlap(const struct unified_section *a, const struct unified_section *b)
{
	return a->offset < b->offset + b->file_size && b->offset < a->offset + a->file_size;
}

static void check_sections(const struct unified_image *image, uint64_t file_size)
{
	for (unsigned i = 0; i < UNIFIED_PARTS; i++) {
		if (!image->sections[i].size)
			continue;
		check_section(&image->sections[i], file_size);
		for (unsigned j = 0; j < i; j++)
			assert(!image->sections[j].size || !overlap(&image->sections[i], &image->sections[j]));
	}
	assert(image->sections[UNIFIED_KERNEL].size);
	for (size_t i = 0; i < unified_initrd_count(image); i++)
		assert(image->sections[unified_initrd(image, i)].size);
}

/* Each used byte is in a hashed range. */
static void check_cover(const struct unified_image *image, const struct pe_signed_ranges *ranges)
{
	for (unsigned i = 0; i < UNIFIED_PARTS; i++) {
		const struct unified_section *section = &image->sections[i];

		for (uint64_t at = section->offset; section->size && at < section->offset + section->file_size; at++) {
			size_t range = 0;

			while (range < ranges->count &&
			       (at < ranges->list[range].start || at >= ranges->list[range].end))
				range++;
			assert(range < ranges->count);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	uint32_t profile = (uint32_t)take_number(&input, 1);
	const struct kernel_probe probe = {
		.name = "x",
		.bytes = input.bytes,
		.size = input.size < KERNEL_PROBE_SIZE ? input.size : KERNEL_PROBE_SIZE,
		.file_size = input.size,
		.has_profile = profile != 0,
		.profile = profile,
	};
	struct pe_signed_ranges ranges;
	struct kernel_plan plan;

	if (!unified_image_format.probe(&probe) || unified_image_format.plan(&probe, &plan))
		return 0;
	assert(plan.format == &unified_image_format);
	check_sections(&plan.unified, input.size);
	if (kernel_authenticode_covers(&plan, input.bytes, input.size)) {
		assert(pe_signed_ranges(input.bytes, input.size, &ranges));
		check_cover(&plan.unified, &ranges);
	}
	return 0;
}
