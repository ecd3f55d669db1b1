// SPDX-License-Identifier: BSD-2-Clause
/* Finds out which pages of a region have changed, by the record that the loader kept: common/page_record.h. */
#pragma once

#include "common/purgatory_abi.h"
#include "common/stop_note.h"

/* Where the record holds checksums of the region's pages; NULL: nowhere. */
const struct page_range *find_page_range(const struct sha_region *region);

/* Compares the pages of `region`, which lie in `range`, with the record, which must not have changed. */
void find_changed_pages(const struct sha_region *region, const struct page_range *range,
			struct page_findings *ret_findings);

void report_changed_pages(const struct page_findings *findings);
