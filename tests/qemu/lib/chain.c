// SPDX-License-Identifier: BSD-2-Clause
#include "tests/qemu/lib/chain.h"

#include "boot/log.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "efi/source/stream.h"
#include "efi/source/volume.h"

/* edk2 frees an image's path with the image (CoreUnloadAndCloseImage), so each image gets a copy. */
static EFI_DEVICE_PATH *copy_path(EFI_DEVICE_PATH *path)
{
	size_t size = device_path_size(path);
	void *copy;

	if (EFI_ERROR(firmware_boot_services->AllocatePool(EfiLoaderData, size, &copy)))
		return NULL;
	memcpy(copy, path, size);
	return copy;
}

static EFI_STATUS load(EFI_HANDLE *ret_handle)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_LOADED_IMAGE *loaded;
	EFI_LOADED_IMAGE *own;
	struct volume volume;
	struct stream stream;
	EFI_STATUS status;
	uint64_t size;
	void *buffer;

	status = firmware_boot_services->HandleProtocol(firmware_image, &guid, (void **)&own);
	if (EFI_ERROR(status))
		return status;
	volume_start(&volume, own->DeviceHandle, VOLUME_OWN);
	if (stream_open(&volume.source, "/kexec.efi", &stream))
		return EFI_NOT_FOUND;
	size = stream.file.size;
	status = firmware_boot_services->AllocatePool(EfiLoaderData, size, &buffer);
	if (EFI_ERROR(status) || stream_read(&stream, (uintptr_t)buffer, size, NULL))
		return EFI_LOAD_ERROR;
	stream_close(&stream);
	volume_close(&volume);
	status = firmware_boot_services->LoadImage(FALSE, firmware_image, NULL, buffer, size, ret_handle);
	if (EFI_ERROR(status))
		return status;
	status = firmware_boot_services->HandleProtocol(*ret_handle, &guid, (void **)&loaded);
	if (EFI_ERROR(status))
		return status;
	loaded->DeviceHandle = own->DeviceHandle;
	loaded->FilePath = copy_path(own->FilePath);
	loaded->LoadOptions = own->LoadOptions;
	loaded->LoadOptionsSize = own->LoadOptionsSize;
	return EFI_SUCCESS;
}

EFI_HANDLE chain_load(void)
{
	EFI_HANDLE handle = NULL;
	EFI_STATUS status = load(&handle);

	if (EFI_ERROR(status)) {
		log_info("cannot load /kexec.efi: %s", efi_status_name(status));
		firmware_leave(status);
	}
	return handle;
}
