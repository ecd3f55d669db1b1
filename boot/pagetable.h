// SPDX-License-Identifier: BSD-2-Clause
/*
 * The page tables for the start of purgatory and kernel (Intel SDM volume 3, chapter 5, "4-level paging and 5-level
 * paging"). They map memory to itself and make it writable. Everything is executable except our own data. So it does
 * not matter if the firmware maps data as non-executable, or does not map some memory.
 *
 * Free memory stays executable: kernels up to 4.7 move themselves there under these tables, if they choose a random
 * place (arch/x86/boot/compressed/kaslr.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/memmap.h"
#include "boot/status.h"

/* Capabilities and mode of the CPU that decide about the tables. */
struct paging {
	bool five_levels;   /* CR4.LA57 is set, and cannot be changed in long mode */
	bool one_gib_pages; /* CPUID 80000001h EDX bit 26 */
	bool no_execute;    /* CPUID 80000001h EDX bit 20: pages can be marked as data */
};

/*
 * A range of memory: of data, or to be mapped in addition to the memory map, such as a framebuffer. Size 0 means none.
 */
struct mapped_range {
	uint64_t addr;
	uint64_t size;
};

/* Tables come from `pool`, page by page. The first is the root. */
struct page_tables {
	struct paging paging;
	uint8_t *pool;
	size_t capacity; /* in tables */
	size_t count;
};

/*
 * Maps the first 4 GiB, the memory and runtime devices in `map`, and `extra`. Uses pages of 1 GiB if the CPU has them
 * and the whole GiB is wanted, else of 2 MiB: a page that reaches far beyond memory lets the CPU speculate where it
 * must not. Sets the bits accessed and dirty, so that the CPU never writes to the tables and they can be hashed. Fails
 * if tables->capacity is too small.
 */
enum kexec_status page_tables_build(struct page_tables *tables, const struct memory_map *map,
				    const struct mapped_range *extra);

/*
 * Marks the pages that `data` touches as not executable, if the CPU supports it and they are mapped. Splits larger
 * pages that `data` touches only in part. Fails if tables->capacity is too small.
 */
enum kexec_status page_tables_forbid_execution(struct page_tables *tables, const struct mapped_range *data);

/* Upper limit of the tables that page_tables_build needs. */
size_t page_tables_bound(const struct paging *paging, const struct memory_map *map, const struct mapped_range *extra);

/*
 * Upper limit of the additional tables that page_tables_forbid_execution needs for all `count` ranges of `data`. Add
 * PAGE_TABLES_PER_RANGE for a range whose place is not known yet.
 */
size_t page_tables_split_bound(const struct paging *paging, const struct mapped_range *data, size_t count);

#define PAGE_TABLES_PER_RANGE 4
