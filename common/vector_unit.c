// SPDX-License-Identifier: BSD-2-Clause
/* Registers and bits: Intel SDM volume 3, 2.5 and 2.6; volume 1, 13.2 and 14.3. */
#include "common/vector_unit.h"

#include "common/cpu.h"

#define CPUID_1_ECX_XSAVE (1u << 26)
#define CPUID_1_ECX_OSXSAVE (1u << 27) /* as in CR4 */
#define CPUID_1_ECX_AVX (1u << 28)
#define CPUID_XSAVE 0xdu /* EAX: what XCR0 can have */

#define CR4_OSXSAVE (1ull << 18)
#define RFLAGS_IF (1ull << 9)

/* x87, which is always set, xmm and ymm. A CPU accepts ymm only together with the others. */
#define XCR0_AVX 7u

static uint64_t read_xcr0(void)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

static void write_xcr0(uint64_t value)
{
	__asm__ volatile("xsetbv" : : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(0));
}

static void write_cr4(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static uint64_t read_rflags(void)
{
	uint64_t value;

	__asm__ volatile("pushfq; pop %0" : "=r"(value));
	return value;
}

/* CPUID tells this too, but is slow under a hypervisor. */
static bool is_xsave_on(void)
{
	return cpu_is_privileged() ? cpu_cr4() & CR4_OSXSAVE : cpu_cpuid(CPUID_FEATURES).ecx & CPUID_1_ECX_OSXSAVE;
}

static bool is_avx_on(void)
{
	return is_xsave_on() && (read_xcr0() & XCR0_AVX) == XCR0_AVX;
}

bool vector_unit_has_avx(void)
{
	const uint32_t needed = CPUID_1_ECX_XSAVE | CPUID_1_ECX_AVX;

	if ((cpu_cpuid(CPUID_FEATURES).ecx & needed) != needed)
		return false;
	return is_avx_on() || (cpu_is_privileged() && (cpu_cpuid(CPUID_XSAVE).eax & XCR0_AVX) == XCR0_AVX);
}

void vector_unit_avx_on(struct vector_unit *ret_before)
{
	/* Without privileges AVX cannot be turned on here; the caller has checked that it is on already. */
	*ret_before = (struct vector_unit){ .is_privileged = cpu_is_privileged() };
	if (!ret_before->is_privileged)
		return;
	ret_before->rflags = read_rflags();
	__asm__ volatile("cli" : : : "memory");
	ret_before->was_off = !is_avx_on();
	if (!ret_before->was_off)
		return;
	ret_before->cr4 = cpu_cr4();
	write_cr4(ret_before->cr4 | CR4_OSXSAVE);
	ret_before->xcr0 = read_xcr0();
	write_xcr0(ret_before->xcr0 | XCR0_AVX);
}

void vector_unit_avx_off(const struct vector_unit *before)
{
	if (before->was_off) {
		write_xcr0(before->xcr0);
		write_cr4(before->cr4);
	}
	if (before->is_privileged && before->rflags & RFLAGS_IF)
		__asm__ volatile("sti" : : : "memory");
}
