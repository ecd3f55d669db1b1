// SPDX-License-Identifier: BSD-2-Clause
#include "tests/qemu/lib/chain.h"

#include "boot/log.h"
#include "efi/source/file.h"
#include "efi/services/firmware.h"

static EFI_STATUS load(EFI_HANDLE *ret_handle)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_LOADED_IMAGE *loaded;
	EFI_LOADED_IMAGE *own;
	struct file file;
	EFI_STATUS status;
	void *buffer;

	status = firmware_boot_services->HandleProtocol(firmware_image, &guid, (void **)&own);
	if (EFI_ERROR(status))
		return status;
	file_set_device(own->DeviceHandle);
	if (file_open(TEXT("/kexec.efi"), &file))
		return EFI_NOT_FOUND;
	status = firmware_boot_services->AllocatePool(EfiLoaderData, file.size, &buffer);
	if (EFI_ERROR(status) || file_read(&file, (uintptr_t)buffer, file.size, NULL))
		return EFI_LOAD_ERROR;
	file_close(&file);
	file_close_volume();
	status = firmware_boot_services->LoadImage(FALSE, firmware_image, NULL, buffer, file.size, ret_handle);
	if (EFI_ERROR(status))
		return status;
	status = firmware_boot_services->HandleProtocol(*ret_handle, &guid, (void **)&loaded);
	if (EFI_ERROR(status))
		return status;
	loaded->DeviceHandle = own->DeviceHandle;
	loaded->FilePath = own->FilePath;
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
