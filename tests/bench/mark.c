// SPDX-License-Identifier: BSD-2-Clause
/* Starts \peer.efi with its own load options. Marks the moments before loading and before starting it. */
#include <efi.h>
#include <efilib.h>

#include "tests/bench/mark.h"

/* Called by GNU-EFI's crt0, in the System V ABI. */
EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table)
{
	EFI_GUID loaded_image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_LOADED_IMAGE_PROTOCOL *self;
	EFI_LOADED_IMAGE_PROTOCOL *peer;
	EFI_BOOT_SERVICES *services = system_table->BootServices;
	EFI_DEVICE_PATH *path;
	EFI_HANDLE image;
	EFI_STATUS status;

	InitializeLib(handle, system_table);
	status = services->HandleProtocol(handle, &loaded_image_guid, (void **)&self);
	if (EFI_ERROR(status))
		return status;
	path = FileDevicePath(self->DeviceHandle, L"\\peer.efi");

	MARK(MARK_LOAD);
	status = services->LoadImage(FALSE, handle, path, NULL, 0, &image);
	if (EFI_ERROR(status))
		return status;
	status = services->HandleProtocol(image, &loaded_image_guid, (void **)&peer);
	if (EFI_ERROR(status))
		return status;
	peer->LoadOptions = self->LoadOptions;
	peer->LoadOptionsSize = self->LoadOptionsSize;
	MARK(MARK_START);
	return services->StartImage(image, NULL, NULL);
}
