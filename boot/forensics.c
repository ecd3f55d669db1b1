// SPDX-License-Identifier: BSD-2-Clause
/* Records pages. */
#include "boot/forensics.h"

#include "boot/log.h"
#include "common/align.h"

/*
 * The end of the last region that starts in the segment's pages. A file may begin below the segment and end behind it.
 */
static uint64_t end_of_regions(const struct kexec_segment *segment, const struct region_table *table)
{
	uint64_t end = segment->pages.addr;

	for (size_t i = 0; i < table->count; i++) {
		const struct sha_region *region = &table->regions[i];

		if (region->start - segment->pages.addr < segment->pages.size && region->start + region->len > end)
			end = region->start + region->len;
	}
	return end;
}

static struct page_range pages_of(const struct kexec_segment *segment, const struct region_table *table)
{
	uint64_t size = end_of_regions(segment, table) - segment->pages.addr;

	return (struct page_range){
		.start = segment->pages.addr,
		.count = align_up(size, PAGE_SIZE) / PAGE_SIZE,
	};
}

/* Returns the number of pages. */
static uint64_t list_ranges(const struct kexec_image *kexec_image, const struct region_table *table,
			    struct page_record *ret_record)
{
	uint64_t pages = 0;
	size_t count = 0;

	*ret_record = (struct page_record){ 0 };
	for (size_t i = 0; i < kexec_image->count && count < PAGE_RECORD_RANGES; i++) {
		if (kexec_image->segments[i].stage != DIGEST_FILES)
			continue;
		ret_record->ranges[count] = pages_of(&kexec_image->segments[i], table);
		pages += ret_record->ranges[count++].count;
	}
	return pages;
}

static void record(struct page_record *record, uint64_t *sums)
{
	for (size_t i = 0; i < PAGE_RECORD_RANGES; i++) {
		struct page_range *range = &record->ranges[i];

		range->sums = (uintptr_t)sums;
		for (uint64_t page = 0; page < range->count; page++)
			*sums++ = page_sum(phys_to_ptr(range->start + page * PAGE_SIZE));
	}
}

void forensics_record_pages(struct kexec_image *kexec_image, const struct digest *digest,
			    struct page_record *ret_record)
{
	uint64_t pages = list_ranges(kexec_image, &digest->table, ret_record);
	struct kexec_segment *segment;

	if (!pages)
		return;
	if (kexec_image_add_data(kexec_image, "page_record", pages * sizeof(uint64_t), DIGEST_EARLY, &segment)) {
		log_warning("forensics: no pages will be named if memory changes");
		*ret_record = (struct page_record){ 0 };
		return;
	}
	record(ret_record, phys_to_ptr(segment->mem));
	log_verbose("forensics: %lu pages recorded", pages);
}
