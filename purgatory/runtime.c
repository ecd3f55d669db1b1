// SPDX-License-Identifier: BSD-2-Clause
/* Calls the runtime services (UEFI specification 8.2 and 8.5.1), in physical mode, with interrupts off. */
#include "purgatory/runtime.h"

#include <stddef.h>

#include "common/align.h"
#include "common/vendor.h"

enum {
	RESET_COLD = 0,

	RESET_CONTROL_PORT = 0xcf9, /* of every PC chipset since the 440 */
	RESET_CONTROL_HARD = 0x06,  /* bit 1: system reset; bit 2: reset now */
};

#define STATUS_ABORTED (1ull << 63 | 21)

typedef uint64_t __attribute__((ms_abi))
set_variable(const uint16_t *name, const struct guid *guid, uint32_t attributes, uint64_t size, const void *data);
typedef void __attribute__((ms_abi)) reset_system(uint32_t type, uint64_t status, uint64_t size, const void *data);

/* EFI_RUNTIME_SERVICES (UEFI specification 4.5), of which the purgatory calls two services. */
struct runtime_services {
	uint8_t header[24];
	uint64_t before[8]; /* time, virtual memory, and reading variables */
	set_variable *set_variable;
	uint64_t monotonic_count;
	reset_system *reset_system;
};

_Static_assert(offsetof(struct runtime_services, set_variable) == 88, "UEFI specification 4.5");
_Static_assert(offsetof(struct runtime_services, reset_system) == 104, "UEFI specification 4.5");

static const struct runtime_services *runtime_services(void)
{
	return phys_to_ptr(purgatory_policy.runtime_services);
}

/* An exception can come at any instruction, even in the firmware. */
static volatile bool in_firmware;

bool firmware_remember(const struct stop_note *note)
{
	static const uint16_t name[] = STOP_NOTE_NAME;
	static const struct guid guid = KEXEC_VENDOR_GUID;
	const struct runtime_services *services = runtime_services();
	uint64_t status;

	if (!services || !services->set_variable || in_firmware)
		return false;
	in_firmware = true;
	status = services->set_variable(name, &guid, STOP_NOTE_ATTRIBUTES, stop_note_size(note), note);
	in_firmware = false;
	return status == 0;
}

_Noreturn void firmware_reset(void)
{
	const struct runtime_services *services = runtime_services();

	if (services && services->reset_system && !in_firmware) {
		in_firmware = true;
		services->reset_system(RESET_COLD, STATUS_ABORTED, 0, NULL);
	}
	__asm__ volatile("outb %0, %1" : : "a"((uint8_t)RESET_CONTROL_HARD), "Nd"((uint16_t)RESET_CONTROL_PORT));
	/* Neither reset had an effect. */
	shut_down();
}
