// SPDX-License-Identifier: BSD-2-Clause
/* The function and the value that the compiler's added code uses. */
#include "efi/services/stack_guard.h"

#include <stdbool.h>

#include "common/cpu.h"
#include "common/serial.h"
#include "efi/services/firmware.h"
#include "efi/services/rng.h"

#define CPUID_RDRAND (1u << 30) /* ECX */

/* Intel's recommendation (Digital Random Number Generator Software Implementation Guide, 5.2.1). */
#define RDRAND_ATTEMPTS 10

/* A byte of 0 ends a string that runs over the guard. */
#define GUARD_MASK (~(uint64_t)0xff)

/* efi/kexec.lds maps the compiler's __stack_chk_guard and __stack_chk_fail to these. */
uint64_t stack_guard = 0x5bd1e995c2b2ae00; /* until it is set */
_Noreturn void stack_overwritten(void);

static bool firmware_is_left;

static bool ask_firmware(uint64_t *ret_value)
{
	struct rng_protocol *rng = rng_find();

	return rng && !EFI_ERROR(rng->get_rng(rng, NULL, sizeof(*ret_value), (uint8_t *)ret_value));
}

static bool ask_cpu(uint64_t *ret_value)
{
	bool given = false;

	if (!(cpu_cpuid(CPUID_FEATURES).ecx & CPUID_RDRAND))
		return false;
	for (unsigned i = 0; i < RDRAND_ATTEMPTS && !given; i++)
		__asm__ volatile("rdrand %0" : "=r"(*ret_value), "=@ccc"(given));
	return given;
}

__attribute__((no_stack_protector)) void stack_guard_start(void)
{
	uint64_t value = 0;

	if (!ask_firmware(&value) && !ask_cpu(&value))
		value = cpu_ticks() * 0x9e3779b97f4a7c15;
	stack_guard = value & GUARD_MASK;
}

void stack_guard_leave_firmware(void)
{
	firmware_is_left = true;
}

/* Trusts nothing on the stack and frees nothing. Exit restores the firmware's own stack. */
_Noreturn void stack_overwritten(void)
{
	static CHAR16 line[] = L"kexec: stack: a buffer was written beyond its end\r\n";
	SIMPLE_TEXT_OUTPUT_INTERFACE *console = firmware_system_table->ConOut;

	if (firmware_is_left) {
		serial_write("kexec: stack: a buffer was written beyond its end; halted\n");
		cpu_halt();
	}
	if (console)
		console->OutputString(console, line);
	firmware_leave(EFI_ABORTED);
}
