// SPDX-License-Identifier: BSD-2-Clause
/* Implements boot/pool.h with the firmware's pool (UEFI specification 7.2, EFI_BOOT_SERVICES.AllocatePool). */
#include "boot/pool.h"

#include "boot/log.h"
#include "efi/services/firmware.h"

enum kexec_status pool_alloc(size_t size, const char *what, void **ret_memory)
{
	EFI_STATUS status;
	void *memory;

	status = firmware_boot_services->AllocatePool(EfiLoaderData, size, &memory);
	if (EFI_ERROR(status))
		return log_error(KEXEC_NO_MEMORY, "%s: expected memory for %zu bytes, found %s", what, size,
				 efi_status_name(status));
	*ret_memory = memory;
	return KEXEC_OK;
}

void pool_free(void *memory)
{
	if (memory)
		firmware_boot_services->FreePool(memory);
}
