// SPDX-License-Identifier: BSD-2-Clause
/* Finds the pages of a region that changed, by the loader's record: common/page_record.h. */
#pragma once

#include "common/purgatory_abi.h"
#include "common/stop_note.h"

/* The range of the record that holds checksums of the region's pages, or NULL. */
const struct page_range *find_page_range(const struct sha_region *region);

/* Compares the pages of `region`, which lie in `range`, with the record. The record must be unchanged. */
void find_changed_pages(const struct sha_region *region, const struct page_range *range,
			struct page_findings *ret_findings);

void report_changed_pages(const struct page_findings *findings);
