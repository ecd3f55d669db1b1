// SPDX-License-Identifier: BSD-2-Clause
/* Arithmetic on addresses and sizes that loader and purgatory share. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096u

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Round to a multiple of `align`, a power of two. The caller has made sure that rounding up cannot wrap. */
static inline uint64_t align_down(uint64_t value, uint64_t align)
{
	return value & ~(align - 1);
}

static inline uint64_t align_up(uint64_t value, uint64_t align)
{
	return align_down(value + align - 1, align);
}

static inline int is_power_of_two(uint64_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

/* UEFI and the purgatory map memory one to one, so a physical address is a pointer. */
static inline void *phys_to_ptr(uint64_t addr)
{
	return (void *)(uintptr_t)addr;
}
