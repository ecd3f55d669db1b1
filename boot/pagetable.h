// SPDX-License-Identifier: BSD-2-Clause
/*
 * The page tables under which purgatory and kernel start (Intel SDM volume 3, chapter 5, "4-level paging and 5-level
 * paging"). They map memory to itself and make it writable. Everything is executable except our own data. Firmware that
 * maps data as non-executable, or that leaves memory out, is no obstacle then.
 *
 * Memory that is free stays executable: kernels up to 4.7 move themselves there under these tables, if they choose
 * their place at random (arch/x86/boot/compressed/kaslr.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/memmap.h"
#include "boot/status.h"

/* What the CPU and its state ask for. */
struct paging {
	bool five_levels;   /* CR4.LA57 is set, and cannot be changed in long mode */
	bool one_gib_pages; /* CPUID 80000001h EDX bit 26 */
	bool no_execute;    /* CPUID 80000001h EDX bit 20: pages can be marked as data */
};

/* A range of memory: to map besides what the memory map holds, such as a framebuffer, or of data. A size of 0 is none.
 */
struct mapped_range {
	uint64_t addr;
	uint64_t size;
};

/* Tables are taken from `pool`, page by page; the root is the first. */
struct page_tables {
	struct paging paging;
	uint8_t *pool;
	size_t capacity; /* in tables */
	size_t count;
};

/*
 * Maps the first 4 GiB, the memory and runtime devices that `map` names, and `extra`, in pages of 1 GiB where the CPU
 * has them and all of the GiB is wanted, else of 2 MiB: a page that reached far beyond memory would let the CPU
 * speculate where it must not. Accessed and dirty are set beforehand, so that the CPU never writes to the tables and
 * they can be hashed. Fails if tables->capacity is too small.
 */
enum kexec_status page_tables_build(struct page_tables *tables, const struct memory_map *map,
				    const struct mapped_range *extra);

/*
 * Marks the pages that `data` touches as not executable, where the CPU can do that and they are mapped. Larger pages
 * that it touches in part are split. Fails if tables->capacity is too small.
 */
enum kexec_status page_tables_forbid_execution(struct page_tables *tables, const struct mapped_range *data);

/* How many tables page_tables_build needs at most. */
size_t page_tables_bound(const struct paging *paging, const struct memory_map *map, const struct mapped_range *extra);

/*
 * How many more page_tables_forbid_execution needs at most for all `count` ranges of `data` together. For a range whose
 * place is not known yet, PAGE_TABLES_PER_RANGE more.
 */
size_t page_tables_split_bound(const struct paging *paging, const struct mapped_range *data, size_t count);

#define PAGE_TABLES_PER_RANGE 4
