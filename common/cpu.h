// SPDX-License-Identifier: BSD-2-Clause
/* CPU instructions that loader and purgatory both need. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Intel SDM volume 2, CPUID: leaves come in ranges; the first leaf of a range names its last. */
#define CPUID_EXTENDED 0x80000000u
#define CPUID_FEATURES 1u

#define SELECTOR_PRIVILEGE_LEVEL 3u

struct cpuid {
	uint32_t eax;
	uint32_t ebx;
	uint32_t ecx;
	uint32_t edx;
};

static inline struct cpuid cpu_cpuid_unchecked(uint32_t leaf)
{
	struct cpuid found = { .eax = leaf };

	__asm__ volatile("cpuid" : "+a"(found.eax), "=b"(found.ebx), "+c"(found.ecx), "=d"(found.edx));
	return found;
}

/* All zero if the CPU does not have the leaf. Reads subleaf 0 of a leaf that has subleaves. */
static inline struct cpuid cpu_cpuid(uint32_t leaf)
{
	if (cpu_cpuid_unchecked(leaf & CPUID_EXTENDED).eax < leaf)
		return (struct cpuid){ 0 };
	return cpu_cpuid_unchecked(leaf);
}

/* The time stamp counter. */
static inline uint64_t cpu_ticks(void)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static inline uint64_t cpu_cr4(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

/* Whether control registers may be read and written: not in a unit test on a host. */
static inline bool cpu_is_privileged(void)
{
	uint16_t cs;

	__asm__("mov %%cs, %0" : "=r"(cs));
	return !(cs & SELECTOR_PRIVILEGE_LEVEL);
}

/* Stops this CPU. An interrupt that cannot be masked wakes it, and it halts again. */
static inline _Noreturn void cpu_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}
