// SPDX-License-Identifier: BSD-2-Clause
/*
 * For entries that say `forensics on`: a checksum of each page that files were read to. If a file's digest differs in
 * the purgatory, the record tells which pages do, and whether a single bit of a page does. It is no defence, so the
 * checksum is fast instead of strong; the digest has found the change already. Pages, not the blocks of the digest: a
 * file need not begin at a page, and `memmap=` spares pages.
 */
#pragma once

#include <stdint.h>

#define PAGE_RECORD_RANGES 2

/* Pages that follow each other, and where their checksums lie. */
struct page_range {
	uint64_t start; /* physical address, of a page */
	uint64_t count; /* 0: the range is unused */
	uint64_t sums;	/* physical address of a uint64_t for each page */
};

struct page_record {
	struct page_range ranges[PAGE_RECORD_RANGES];
};

/* The checksum of a page. It always tells two pages apart that differ within one 64-bit word. */
uint64_t page_sum(const void *page);

enum page_change {
	PAGE_SAME,
	PAGE_ONE_BIT, /* exactly one bit differs */
	PAGE_ZEROED,  /* the page holds nothing but zeros now */
	PAGE_OTHER,   /* more than one bit differs */
};

/* What became of a page whose checksum was `sum`. *ret_bit: PAGE_ONE_BIT's, counted from the page's first byte's
 * lowest. */
enum page_change page_compare(const void *page, uint64_t sum, uint32_t *ret_bit);
