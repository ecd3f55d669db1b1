// SPDX-License-Identifier: BSD-2-Clause
/*
 * Hashes leaves with each code that the CPU supports: under firmware that has AVX off, then with only XSAVE on, then
 * with AVX on. The digests must equal those of the C code. Control registers and interrupts must not change, which a
 * notification by the firmware's timer checks meanwhile as well.
 */
#include "boot/log.h"
#include "common/cpu.h"
#include "common/sha256.h"
#include "common/string.h"
#include "efi/services/firmware.h"

#define LEAVES 300u
#define CPUID_1_ECX_XSAVE (1u << 26)
#define CR4_OSXSAVE (1ull << 18)
#define XCR0_X87 1u
#define XCR0_AVX 7u
#define RFLAGS_IF (1ull << 9)
#define TICKS 5u
#define TICK_PERIOD 100000 /* of 100 ns */

/* The state that each code must preserve. */
struct control {
	uint64_t cr4;
	uint64_t xcr0;
	uint64_t interrupts;
};

static const char *const names[SHA256_CODES] = {
	[SHA256_C] = "C",
	[SHA256_SSSE3] = "SSSE3",
	[SHA256_AVX2] = "AVX2",
	[SHA256_NI] = "NI",
};

static uint8_t leaves[LEAVES * SHA256_LEAF_SIZE];
static uint8_t expected[LEAVES][SHA256_DIGEST_SIZE];
static uint8_t found[LEAVES][SHA256_DIGEST_SIZE];

static struct control usual;
static volatile unsigned ticks;
static volatile unsigned unusual_ticks;

static uint64_t read_cr4(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static struct control control(void)
{
	struct control now = { .cr4 = read_cr4() };
	uint32_t low = 0;
	uint32_t high = 0;

	if (now.cr4 & CR4_OSXSAVE)
		__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	now.xcr0 = (uint64_t)high << 32 | low;
	__asm__ volatile("pushfq; pop %0" : "=r"(now.interrupts));
	now.interrupts &= RFLAGS_IF;
	return now;
}

/* Interrupts must be off in a notification. */
static void EFIAPI tick(EFI_EVENT event, void *context)
{
	struct control now = control();

	(void)event;
	(void)context;
	ticks++;
	if (now.cr4 != usual.cr4 || now.xcr0 != usual.xcr0)
		unusual_ticks++;
}

static void hash(enum sha256_code code, size_t count)
{
	memset(found, 0, sizeof(found));
	sha256_leaves(code, leaves, count, found);
	if (memcmp(found, expected, count * SHA256_DIGEST_SIZE) != 0)
		log_info("leaves: %s differs in %lu leaves", names[code], (uint64_t)count);
}

static void try_code(enum sha256_code code, const char *how, uint64_t interrupts)
{
	struct control now;

	if (!interrupts)
		__asm__ volatile("cli");
	usual = control();
	for (size_t count = 0; count <= 17; count++)
		hash(code, count);
	ticks = 0;
	unusual_ticks = 0;
	do {
		hash(code, LEAVES);
	} while (interrupts && ticks < TICKS);
	now = control();
	__asm__ volatile("sti");
	log_info("leaves: by %s with %s: CR4 0x%lx 0x%lx, XCR0 0x%lx 0x%lx, IF 0x%lx 0x%lx, %s", names[code], how,
		 usual.cr4, now.cr4, usual.xcr0, now.xcr0, usual.interrupts, now.interrupts,
		 unusual_ticks ? "seen by an interrupt" : "unseen");
}

static void try_codes(const char *how, uint64_t interrupts)
{
	log_info("leaves: with %s the best is %s", how, names[sha256_best_code()]);
	for (enum sha256_code code = SHA256_SSSE3; code < SHA256_CODES; code++) {
		if (sha256_has_code(code))
			try_code(code, how, interrupts);
	}
}

static void set_xcr0(uint32_t value)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(read_cr4() | CR4_OSXSAVE));
	__asm__ volatile("xsetbv" : : "a"(value), "d"(0), "c"(0));
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table)
{
	EFI_EVENT timer;

	firmware_init(handle, system_table);
	for (size_t i = 0; i < sizeof(leaves); i++)
		leaves[i] = (uint8_t)(i * i >> 8);
	sha256_leaves(SHA256_C, leaves, LEAVES, expected);
	firmware_boot_services->CreateEvent(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_CALLBACK, tick, NULL, &timer);
	firmware_boot_services->SetTimer(timer, TimerPeriodic, TICK_PERIOD);
	try_codes("AVX off", RFLAGS_IF);
	try_codes("AVX and interrupts off", 0);
	if (cpu_cpuid(CPUID_FEATURES).ecx & CPUID_1_ECX_XSAVE) {
		set_xcr0(XCR0_X87);
		try_codes("XSAVE on", RFLAGS_IF);
		set_xcr0(XCR0_AVX);
		try_codes("AVX on", RFLAGS_IF);
	}
	log_info("leaves: done");
	firmware_leave(EFI_ABORTED);
}
