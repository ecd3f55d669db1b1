// SPDX-License-Identifier: BSD-2-Clause
/* Sets the bit ClearMemory. */
#include "efi/linux/memory_overwrite.h"

#include "boot/log.h"
#include "efi/services/firmware.h"

#define CLEAR_MEMORY 1

void memory_overwrite_request(void)
{
	EFI_GUID guid = { 0xe20939be, 0x32d4, 0x41be, { 0xa1, 0x50, 0x89, 0x7f, 0x85, 0xd4, 0x98, 0x29 } };
	CHAR16 name[] = L"MemoryOverwriteRequestControl";
	EFI_RUNTIME_SERVICES *services = firmware_runtime_services;
	UINT32 attributes = EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS;
	uint8_t value = CLEAR_MEMORY;
	EFI_STATUS status;
	UINTN size = 0;

	/* Only firmware that knows it has made it. */
	if (services->GetVariable(name, &guid, NULL, &size, NULL) == EFI_NOT_FOUND) {
		log_verbose("memory will stay as it is at the next reset: this firmware does not overwrite it");
		return;
	}
	status = services->SetVariable(name, &guid, attributes, sizeof(value), &value);
	if (EFI_ERROR(status))
		log_warning("cannot ask for memory to be overwritten at the next reset: %s", efi_status_name(status));
	else
		log_verbose("memory will be overwritten at the next reset");
}
