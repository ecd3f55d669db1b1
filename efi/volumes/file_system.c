// SPDX-License-Identifier: BSD-2-Clause
/* Finds file systems. */
#include "efi/volumes/file_system.h"

#include "boot/imagepath.h"
#include "boot/volume_path.h"
#include "efi/services/firmware.h"

EFI_STATUS file_system_on(EFI_HANDLE device, EFI_SIMPLE_FILE_SYSTEM_PROTOCOL **ret_file_system)
{
	EFI_GUID guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	EFI_STATUS status;

	status = firmware_boot_services->HandleProtocol(device, &guid, (void **)ret_file_system);
	if (!EFI_ERROR(status) || !device)
		return status;
	firmware_boot_services->ConnectController(device, NULL, NULL, TRUE);
	return firmware_boot_services->HandleProtocol(device, &guid, (void **)ret_file_system);
}

bool file_system_has_our_image(EFI_FILE_HANDLE root)
{
	static const EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	const EFI_LOADED_IMAGE *image = firmware_protocol_on(firmware_image, &guid);
	uint16_t path[VOLUME_PATH_SIZE];
	char name[VOLUME_PATH_SIZE];
	EFI_FILE_HANDLE file;

	if (!image || !image->FilePath ||
	    !image_path(image->FilePath, device_path_size(image->FilePath), name, sizeof(name)) ||
	    volume_path(name, path) || EFI_ERROR(root->Open(root, &file, (CHAR16 *)path, EFI_FILE_MODE_READ, 0)))
		return false;
	file->Close(file);
	return true;
}
