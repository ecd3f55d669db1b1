// SPDX-License-Identifier: BSD-2-Clause
/*
 * Measures the firmware's cost of reading \vmlinuz and \initrd, each by one Read of the whole file into fresh pages. No
 * loader can cost less.
 */
#include <efi.h>
#include <efilib.h>

#include "tests/bench/mark.h"

/* Called by GNU-EFI's crt0, in the System V ABI. */
EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table);

static EFI_STATUS file_size(EFI_FILE_HANDLE file, UINTN *ret_size)
{
	EFI_STATUS status;
	UINT64 end;

	/* UEFI specification 13.5: the end of the file. */
	status = file->SetPosition(file, UINT64_MAX);
	if (!EFI_ERROR(status))
		status = file->GetPosition(file, &end);
	if (!EFI_ERROR(status))
		status = file->SetPosition(file, 0);
	if (!EFI_ERROR(status))
		*ret_size = end;
	return status;
}

static EFI_STATUS read_file(EFI_FILE_HANDLE root, CHAR16 *path)
{
	EFI_PHYSICAL_ADDRESS addr;
	EFI_FILE_HANDLE file;
	EFI_STATUS status;
	UINTN wanted;
	UINTN size;

	status = root->Open(root, &file, path, EFI_FILE_MODE_READ, 0);
	if (EFI_ERROR(status))
		return status;
	status = file_size(file, &wanted);
	if (EFI_ERROR(status))
		return status;
	status = BS->AllocatePages(AllocateAnyPages, EfiLoaderData, EFI_SIZE_TO_PAGES(wanted), &addr);
	if (EFI_ERROR(status))
		return status;
	size = wanted;
	status = file->Read(file, &size, (void *)addr);
	if (!EFI_ERROR(status) && size != wanted)
		return EFI_END_OF_FILE;
	return status;
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system_table)
{
	EFI_GUID loaded_image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_LOADED_IMAGE_PROTOCOL *self;
	EFI_FILE_HANDLE root;
	EFI_STATUS status;

	InitializeLib(handle, system_table);
	status = BS->HandleProtocol(handle, &loaded_image_guid, (void **)&self);
	if (EFI_ERROR(status))
		return status;
	root = LibOpenRoot(self->DeviceHandle);
	if (!root)
		return EFI_NOT_FOUND;

	MARK(MARK_READ);
	status = read_file(root, L"\\vmlinuz");
	if (!EFI_ERROR(status))
		status = read_file(root, L"\\initrd");
	/* The mark counts only if everything was read. */
	if (EFI_ERROR(status))
		return status;
	MARK(MARK_READ_END);
	return EFI_SUCCESS;
}
