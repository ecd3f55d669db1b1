// SPDX-License-Identifier: BSD-2-Clause
/* Reads the registered initrd. It comes as a whole, so a copy is kept until all its pieces have been read. */
#include "efi/source/registered_initrd.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/services/firmware.h"

#define LOAD_FILE2_GUID                                                                                                \
	{                                                                                                              \
		0x4006c0c1, 0xfcb3, 0x403e,                                                                            \
		{                                                                                                      \
			0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d                                                 \
		}                                                                                                      \
	}

#define INITRD_MEDIA_GUID                                                                                              \
	{                                                                                                              \
		0x5568e427, 0x68fc, 0x4f3d,                                                                            \
		{                                                                                                      \
			0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68                                                 \
		}                                                                                                      \
	}

struct initrd_path {
	VENDOR_DEVICE_PATH vendor;
	EFI_DEVICE_PATH end;
};

_Static_assert(sizeof(struct initrd_path) == 24, "device path nodes follow each other without gaps");

static struct registered_initrd *initrd_of(struct source *source)
{
	return (struct registered_initrd *)source;
}

enum kexec_status registered_initrd_size(const struct registered_initrd *initrd, uint64_t *ret_size)
{
	EFI_STATUS status;
	UINTN size = 0;

	*ret_size = 0;
	if (!initrd->protocol)
		return KEXEC_OK;
	status = initrd->protocol->LoadFile(initrd->protocol, initrd->path, FALSE, &size, NULL);
	/* The kernel's stub takes NOT_FOUND for no initrd as well (libstub/efi-stub-helper.c, efi_load_initrd). */
	if (status == EFI_NOT_FOUND || (status == EFI_SUCCESS && !size))
		return KEXEC_OK;
	if (status != EFI_BUFFER_TOO_SMALL)
		return log_error(EFI_ERROR(status) ? status_from_efi(status) : KEXEC_IO,
				 REGISTERED_INITRD ": cannot tell its size: expected BUFFER_TOO_SMALL, found %s",
				 efi_status_name(status));
	*ret_size = size;
	return KEXEC_OK;
}

static enum kexec_status open_initrd(struct source *source, const char *name, struct source_file *ret_file)
{
	struct registered_initrd *initrd = initrd_of(source);
	enum kexec_status status;
	uint64_t size;

	status = registered_initrd_size(initrd, &size);
	if (status)
		return status;
	initrd->size = size;
	*ret_file = (struct source_file){ .source = source, .name = name, .size = size, .handle = initrd };
	return KEXEC_OK;
}

static void drop_copy(struct registered_initrd *initrd)
{
	if (initrd->copy_pages)
		firmware_boot_services->FreePages(initrd->copy, initrd->copy_pages);
	initrd->copy_pages = 0;
}

/* Fetches the whole initrd, and never more bytes than it stated when it was opened. */
static enum kexec_status fetch(struct registered_initrd *initrd, const char **ret_why)
{
	uint64_t size = initrd->size;
	UINTN pages = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
	EFI_STATUS status;
	UINTN found = size;

	if (initrd->copy_pages)
		return KEXEC_OK;
	status = firmware_boot_services->AllocatePages(AllocateAnyPages, EfiLoaderData, pages, &initrd->copy);
	if (!EFI_ERROR(status)) {
		initrd->copy_pages = pages;
		status = initrd->protocol->LoadFile(initrd->protocol, initrd->path, FALSE, &found,
						    phys_to_ptr(initrd->copy));
	}
	initrd->copy_size = found;
	if (!EFI_ERROR(status) && found <= size)
		return KEXEC_OK;
	*ret_why = EFI_ERROR(status) ? efi_status_name(status) : "more than it said before";
	drop_copy(initrd);
	return EFI_ERROR(status) ? status_from_efi(status) : KEXEC_IO;
}

static enum kexec_status read_initrd(struct source_file *file, uint64_t offset, void *buffer, uint64_t *size,
				     const char **ret_why)
{
	struct registered_initrd *initrd = file->handle;
	enum kexec_status status;
	uint64_t left;

	status = fetch(initrd, ret_why);
	if (status)
		return status;
	*ret_why = "the end";
	left = offset < initrd->copy_size ? initrd->copy_size - offset : 0;
	if (*size > left)
		*size = left;
	memcpy(buffer, (const uint8_t *)phys_to_ptr(initrd->copy) + offset, *size);
	return KEXEC_OK;
}

enum kexec_status registered_initrd_expect(struct registered_initrd *initrd, const void *bytes, const char *name)
{
	enum kexec_status status;
	const char *why;
	bool is_equal;

	status = fetch(initrd, &why);
	if (status)
		return log_error(status, REGISTERED_INITRD ": cannot read: expected %lu bytes, found %s", initrd->size,
				 why);
	is_equal = initrd->copy_size == initrd->size && memcmp(phys_to_ptr(initrd->copy), bytes, initrd->size) == 0;
	drop_copy(initrd);
	if (!is_equal)
		return log_error(KEXEC_MISMATCH,
				 REGISTERED_INITRD ": expected the bytes of %s, which has the same size, found others",
				 name);
	return KEXEC_OK;
}

/* Reading the copy cannot fail, so it needs no repair. */
static enum kexec_status reopen_initrd(struct source_file *file, uint64_t offset)
{
	(void)file;
	(void)offset;
	return KEXEC_OK;
}

static void close_initrd(struct source_file *file)
{
	if (file->handle)
		drop_copy(file->handle);
	file->handle = NULL;
}

void registered_initrd_start(struct registered_initrd *initrd)
{
	static struct initrd_path path = {
		.vendor = { .Header = { MEDIA_DEVICE_PATH, MEDIA_VENDOR_DP, { sizeof(path.vendor), 0 } },
			    .Guid = INITRD_MEDIA_GUID },
		.end = { END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, { sizeof(path.end), 0 } },
	};
	EFI_GUID guid = LOAD_FILE2_GUID;
	EFI_HANDLE handle;

	*initrd = (struct registered_initrd){
		.source = {
			.open = open_initrd,
			.read = read_initrd,
			.reopen = reopen_initrd,
			.close = close_initrd,
		},
		.path = &path.vendor.Header,
	};
	/* Afterwards initrd->path is the rest behind the handle's path: the end node. */
	if (!EFI_ERROR(firmware_boot_services->LocateDevicePath(&guid, &initrd->path, &handle)))
		initrd->protocol = firmware_protocol_on(handle, &guid);
}
