// SPDX-License-Identifier: BSD-2-Clause
/* What has to be asked of the CPU itself. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/pagetable.h"

#define CR4_LA57 (1u << 12)
#define CPUID_EXTENDED_MAX 0x80000000u
#define CPUID_EXTENDED_FEATURES 0x80000001u
#define CPUID_ENCRYPTION 0x8000001fu
#define CPUID_ENCRYPTION_SEV (1u << 1) /* EAX */
#define MSR_SEV_STATUS 0xc0010131u
#define SEV_STATUS_ENABLED (1u << 0)
#define CPUID_PDPE1GB (1u << 26) /* EDX */

static inline uint64_t cpu_cr4(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

/* The time stamp counter. */
static inline uint64_t cpu_ticks(void)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static inline void cpu_cpuid(uint32_t leaf, uint32_t *eax, uint32_t *edx)
{
	uint32_t ebx;
	uint32_t ecx = 0;

	*eax = leaf;
	__asm__ volatile("cpuid" : "+a"(*eax), "=b"(ebx), "+c"(ecx), "=d"(*edx));
}

/* AMD's memory encryption is on: page tables must then mark what is encrypted (APM volume 2, 15.34). */
static inline bool cpu_memory_is_encrypted(void)
{
	uint32_t largest;
	uint32_t eax = 0;
	uint32_t edx;
	uint32_t low;
	uint32_t high;

	cpu_cpuid(CPUID_EXTENDED_MAX, &largest, &edx);
	if (largest < CPUID_ENCRYPTION)
		return false;
	cpu_cpuid(CPUID_ENCRYPTION, &eax, &edx);
	if (!(eax & CPUID_ENCRYPTION_SEV))
		return false;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_SEV_STATUS));
	return (low & SEV_STATUS_ENABLED) != 0;
}

static inline struct paging cpu_paging(void)
{
	uint32_t eax;
	uint32_t edx;
	uint32_t largest;

	cpu_cpuid(CPUID_EXTENDED_MAX, &largest, &edx);
	edx = 0;
	if (largest >= CPUID_EXTENDED_FEATURES)
		cpu_cpuid(CPUID_EXTENDED_FEATURES, &eax, &edx);
	return (struct paging){
		.five_levels = (cpu_cr4() & CR4_LA57) != 0,
		.one_gib_pages = (edx & CPUID_PDPE1GB) != 0,
	};
}
