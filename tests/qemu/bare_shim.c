// SPDX-License-Identifier: BSD-2-Clause
/*
 * Simulates a shim of version 16 or later without a vendor's certificates (Debian's has some). It starts \kexec.efi
 * with its own load options, does not replace the firmware's LoadImage, and vouches by SHIM_IMAGE_LOADER for files that
 * end with MARK.
 */
#include "boot/log.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "efi/trust/shim.h"
#include "tests/qemu/lib/chain.h"

#define MARK "bare shim knows this kernel"

static EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
static EFI_LOADED_IMAGE loaded;

/* Makes a handle that the firmware could not unload. */
static EFI_STATUS EFIAPI load(BOOLEAN policy, EFI_HANDLE parent, EFI_DEVICE_PATH *path, void *source, UINTN size,
			      EFI_HANDLE *ret_handle)
{
	size_t length = sizeof(MARK) - 1;
	bool known = size > length && memcmp((const uint8_t *)source + size - length, MARK, length) == 0;

	(void)policy;
	(void)parent;
	(void)path;
	log_info("bare shim: asked about %lu bytes: %s", size, known ? "known" : "unknown");
	if (!known)
		return EFI_SECURITY_VIOLATION;
	*ret_handle = NULL;
	return firmware_boot_services->InstallProtocolInterface(ret_handle, &image_guid, EFI_NATIVE_INTERFACE, &loaded);
}

static EFI_STATUS EFIAPI unload(EFI_HANDLE handle)
{
	log_info("bare shim: unloads it");
	return firmware_boot_services->UninstallProtocolInterface(handle, &image_guid, &loaded);
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table)
{
	static struct shim_image_loader loader = { .load = load, .unload = unload };
	EFI_GUID loader_guid = SHIM_IMAGE_LOADER_GUID;
	EFI_HANDLE loader_handle = NULL;
	EFI_HANDLE second_stage;
	EFI_STATUS status;

	firmware_init(handle, system_table);
	second_stage = chain_load();
	firmware_boot_services->InstallProtocolInterface(&loader_handle, &loader_guid, EFI_NATIVE_INTERFACE, &loader);
	status = firmware_boot_services->StartImage(second_stage, NULL, NULL);
	firmware_boot_services->UninstallProtocolInterface(loader_handle, &loader_guid, &loader);
	firmware_leave(status);
}
