// SPDX-License-Identifier: BSD-2-Clause
/* CPU state that only the loader needs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/control_registers.h"
#include "boot/descriptor_tables.h"
#include "boot/pagetable.h"
#include "common/cpu.h"
#include "efi/services/exit.h"

#define CR4_MCE (1u << 6)
#define CR4_LA57 (1u << 12)
#define CPUID_MCE (1u << 7) /* EDX */
#define CPUID_TDX 0x21u
#define CPUID_EXTENDED_FEATURES 0x80000001u
#define CPUID_ENCRYPTION 0x8000001fu
#define CPUID_ENCRYPTION_SEV (1u << 1) /* EAX */
#define MSR_SEV_STATUS 0xc0010131u
#define SEV_STATUS_ENABLED (1u << 0)
#define CPUID_PDPE1GB (1u << 26) /* EDX */
#define CPUID_NX (1u << 20)	 /* EDX */

static inline struct control_registers cpu_control_registers(void)
{
	struct control_registers found = { .cr4 = cpu_cr4() };

	__asm__ volatile("mov %%cr0, %0" : "=r"(found.cr0));
	return found;
}

/* Whether this is a guest of Intel TDX, by "IntelTDX    ", as the kernel tests it (arch/x86/boot/compressed/tdx.c). */
static inline bool cpu_is_tdx_guest(void)
{
	struct cpuid found = cpu_cpuid(CPUID_TDX);

	return found.ebx == 0x65746e49 && found.edx == 0x5844546c && found.ecx == 0x20202020;
}

/* Whether AMD's memory encryption is on. If so, page tables must mark encrypted memory (APM volume 2, 15.34). */
static inline bool cpu_memory_is_encrypted(void)
{
	uint32_t low;
	uint32_t high;

	if (!(cpu_cpuid(CPUID_ENCRYPTION).eax & CPUID_ENCRYPTION_SEV))
		return false;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_SEV_STATUS));
	return (low & SEV_STATUS_ENABLED) != 0;
}

static inline struct paging cpu_paging(void)
{
	uint32_t features = cpu_cpuid(CPUID_EXTENDED_FEATURES).edx;

	return (struct paging){
		.five_levels = (cpu_cr4() & CR4_LA57) != 0,
		.one_gib_pages = (features & CPUID_PDPE1GB) != 0,
		.no_execute = (features & CPUID_NX) != 0,
	};
}

static inline struct segments cpu_segments(void)
{
	struct segments found;

	__asm__ volatile("mov %%cs, %0" : "=r"(found.code));
	__asm__ volatile("mov %%ss, %0" : "=r"(found.stack));
	return found;
}

/* The present descriptor tables. */
static inline struct table_pointer cpu_idt(void)
{
	struct table_pointer found;

	__asm__ volatile("sidt %0" : "=m"(found));
	return found;
}

static inline struct table_pointer cpu_gdt(void)
{
	struct table_pointer found;

	__asm__ volatile("sgdt %0" : "=m"(found));
	return found;
}

/* The bits of CR4 with which failing memory raises an exception instead of a shutdown. */
static inline uint64_t cpu_machine_check_bits(void)
{
	return (cpu_cpuid(CPUID_FEATURES).edx & CPUID_MCE) ? CR4_MCE : 0;
}
