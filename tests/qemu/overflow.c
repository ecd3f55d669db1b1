// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes one byte for each byte of its load options to a buffer on the stack, even beyond its end, and returns from
 * that function. Prints the stack guard first.
 */
#include "boot/log.h"
#include "efi/services/firmware.h"
#include "efi/services/stack_guard.h"

#define BUFFER_SIZE 16

/* `volatile` hides the length from the compiler, which would warn. */
static __attribute__((noinline)) uint8_t fill(volatile size_t size)
{
	volatile uint8_t buffer[BUFFER_SIZE];

	for (size_t i = 0; i < size; i++)
		buffer[i] = (uint8_t)i;
	return buffer[0];
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_LOADED_IMAGE *image;

	firmware_init(handle, system_table);
	stack_guard_start();
	image = firmware_protocol_on(handle, &guid);
	log_info("overflow: guard 0x%016lx", stack_guard);
	fill(BUFFER_SIZE + (image && image->LoadOptions ? image->LoadOptionsSize : 0));
	log_info("overflow: returned");
	firmware_leave(EFI_NOT_FOUND);
}
