// SPDX-License-Identifier: BSD-2-Clause
/*
 * With `forensics on` in the entry, the loader keeps a checksum of each page that it reads files to. If a file's digest
 * differs in the purgatory, this record tells which pages differ, and whether a single bit of a page does. The checksum
 * is fast rather than strong: it is no defence, and the digest has already found the change. The record has pages
 * instead of the digest's blocks, because a file need not begin at a page, and `memmap=` spares pages.
 */
#pragma once

#include <stdint.h>

#define PAGE_RECORD_RANGES 2

/* Consecutive pages, and the place of their checksums. */
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

/*
 * Tells how a page whose checksum was `sum` has changed. *ret_bit is for PAGE_ONE_BIT: the bit's number, counted from
 * the lowest bit of the page's first byte.
 */
enum page_change page_compare(const void *page, uint64_t sum, uint32_t *ret_bit);
