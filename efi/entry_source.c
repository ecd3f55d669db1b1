// SPDX-License-Identifier: BSD-2-Clause
/* The file beside the image: \EFI\BOOT\BOOTX64.conf for \EFI\BOOT\BOOTX64.EFI. */
#include "efi/entry_source.h"

#include "boot/imagepath.h"
#include "boot/log.h"
#include "common/string.h"
#include "efi/file.h"
#include "efi/firmware.h"

/* The size of a device path, its end node included, with a bound for one that never ends. */
static size_t device_path_size(const EFI_DEVICE_PATH *path)
{
	const uint8_t *bytes = (const uint8_t *)path;
	size_t size = 0;

	while (size < IMAGE_PATH_NODES_SIZE_MAX) {
		size_t length = bytes[size + 2] | (size_t)bytes[size + 3] << 8;

		if (length < sizeof(EFI_DEVICE_PATH) || (bytes[size] & 0x7f) == END_DEVICE_PATH_TYPE)
			return size + sizeof(EFI_DEVICE_PATH);
		size += length;
	}
	return size;
}

static enum kexec_status conf_path(const EFI_LOADED_IMAGE *image, char *ret_path, size_t capacity)
{
	const void *nodes = image->FilePath;

	if (!nodes)
		return log_error(KEXEC_NOT_FOUND,
				 "expected to be started from a file, found no path to look for a .conf beside");
	return image_path_conf(nodes, device_path_size(nodes), ret_path, capacity);
}

static enum kexec_status read_text(struct file *file, struct entry_source *source)
{
	enum kexec_status status;
	EFI_STATUS efi_status;

	if (file->size > ENTRY_SIZE_MAX)
		return log_error(KEXEC_TOO_LARGE, "%s: expected at most %u bytes, found %lu", file->path,
				 ENTRY_SIZE_MAX, file->size);
	efi_status = firmware_boot_services->AllocatePool(EfiLoaderData, file->size + 1, (void **)&source->buffer);
	if (EFI_ERROR(efi_status)) {
		source->buffer = NULL;
		return log_error(KEXEC_NO_MEMORY, "%s: expected memory for %lu bytes, found %s", file->path, file->size,
				 efi_status_name(efi_status));
	}
	status = file_read(file, (uintptr_t)source->buffer, file->size);
	if (status)
		return status;
	return file_expect_end(file);
}

enum kexec_status entry_source_read(const EFI_LOADED_IMAGE *image, struct entry_source *ret_source)
{
	enum kexec_status status;
	struct file file;
	struct text text;

	status = conf_path(image, ret_source->path, sizeof(ret_source->path));
	if (status)
		return status;
	text = (struct text){ .start = ret_source->path, .length = strlen(ret_source->path) };
	status = file_open(text, &file);
	if (status)
		return status;
	status = read_text(&file, ret_source);
	if (!status) {
		text = (struct text){ .start = ret_source->buffer, .length = file.size };
		status = entry_parse(ret_source->path, text, &ret_source->entry);
	}
	file_close(&file);
	return status;
}

void entry_source_free(struct entry_source *source)
{
	if (source->buffer)
		firmware_boot_services->FreePool(source->buffer);
	source->buffer = NULL;
}
