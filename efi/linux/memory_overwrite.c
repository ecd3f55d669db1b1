// SPDX-License-Identifier: BSD-2-Clause
/* Sets the bit ClearMemory. */
#include "efi/linux/memory_overwrite.h"

#include "boot/log.h"
#include "efi/services/firmware.h"
#include "efi/services/variable.h"

#define CLEAR_MEMORY 1
#define ATTRIBUTES (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)

/* As in the specification. Only firmware that supports it creates the variable. */
static const struct variable control = {
	.name = L"MemoryOverwriteRequestControl",
	.vendor = { 0xe20939be, 0x32d4, 0x41be, { 0xa1, 0x50, 0x89, 0x7f, 0x85, 0xd4, 0x98, 0x29 } },
	.required = ATTRIBUTES,
	.forbidden = 0,
	.size_min = 1,
	.size_max = 1,
};

/*
 * Requests it even if the variable looks wrong: the request costs nothing, and without it secrets may stay in memory.
 * But then the firmware may not support it, so the message does not promise that it will overwrite memory.
 */
void memory_overwrite_request(void)
{
	char why[VARIABLE_EXPLANATION_SIZE];
	struct variable_reading reading;
	EFI_GUID guid = control.vendor;
	uint8_t value;
	enum variable_state state = variable_read(&control, &value, &reading);
	EFI_STATUS status;

	if (state == VARIABLE_ABSENT) {
		log_verbose("memory will stay as it is at the next reset: this firmware does not overwrite it");
		return;
	}
	value = CLEAR_MEMORY;
	status = firmware_runtime_services->SetVariable((CHAR16 *)control.name, &guid, ATTRIBUTES, sizeof(value),
							&value);
	if (EFI_ERROR(status)) {
		log_warning("cannot ask for memory to be overwritten at the next reset: %s", efi_status_name(status));
	} else if (state != VARIABLE_FOUND) {
		variable_explain(&control, state, &reading, why);
		log_warning("memory may stay as it is at the next reset: MemoryOverwriteRequestControl: %s", why);
	} else {
		log_verbose("memory will be overwritten at the next reset");
	}
}
