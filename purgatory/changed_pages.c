// SPDX-License-Identifier: BSD-2-Clause
/* Runs only after a digest differs, so it costs a matching boot nothing. */
#include "purgatory/changed_pages.h"

#include "common/align.h"
#include "common/format.h"
#include "common/string.h"
#include "purgatory/moved_kernel.h"
#include "purgatory/stop.h"

PURGATORY_DATA struct page_record purgatory_page_record;

const struct page_range *find_page_range(const struct sha_region *region)
{
	for (size_t i = 0; i < PAGE_RECORD_RANGES; i++) {
		const struct page_range *range = &purgatory_page_record.ranges[i];

		if (region->start >= range->start && (region->start - range->start) / PAGE_SIZE < range->count)
			return range;
	}
	return NULL;
}

static void examine_page(const struct page_range *range, uint64_t index, struct page_findings *findings)
{
	const uint64_t *sums = phys_to_ptr(range->sums);
	uint64_t address = place_now(range->start + index * PAGE_SIZE);
	struct page_finding finding = { .address = address };

	if (page_sum(phys_to_ptr(address)) == sums[index])
		return;
	if (findings->differing < PAGE_FINDINGS_MAX) {
		finding.change = page_compare(phys_to_ptr(address), sums[index], &finding.bit);
		findings->first[findings->differing] = finding;
	}
	findings->differing++;
}

void find_changed_pages(const struct sha_region *region, const struct page_range *range,
			struct page_findings *ret_findings)
{
	uint64_t first = (region->start - range->start) / PAGE_SIZE;
	uint64_t end = (region->start + region->len - range->start + PAGE_SIZE - 1) / PAGE_SIZE;

	memset(ret_findings, 0, sizeof(*ret_findings));
	for (uint64_t index = first; index < end && index < range->count; index++)
		examine_page(range, index, ret_findings);
}

static void report_page(const struct page_finding *finding)
{
	char line[160];

	switch ((enum page_change)finding->change) {
	case PAGE_ONE_BIT:
		format_text(line, sizeof(line), "purgatory: page 0x%lx: one bit, bit %u of the byte at 0x%lx\n",
			    finding->address, finding->bit % 8, finding->address + finding->bit / 8);
		break;
	case PAGE_ZEROED:
		format_text(line, sizeof(line), "purgatory: page 0x%lx: all zeros\n", finding->address);
		break;
	default:
		format_text(line, sizeof(line), "purgatory: page 0x%lx: more than one bit\n", finding->address);
		break;
	}
	say(line);
}

void report_changed_pages(const struct page_findings *findings)
{
	char line[160];

	format_text(line, sizeof(line), "purgatory: pages that differ: %lu\n", findings->differing);
	say(line);
	for (size_t i = 0; i < PAGE_FINDINGS_MAX && i < findings->differing; i++)
		report_page(&findings->first[i]);
}
