// SPDX-License-Identifier: BSD-2-Clause
/* Opens, reads and closes files. */
#include "efi/source/volume.h"

#include "boot/log.h"
#include "boot/path_habit.h"
#include "boot/volume_path.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "efi/volumes/file_system.h"
#include "efi/volumes/volume_name.h"

/* EFI_FILE_INFO with a name of 255 characters, the longest of FAT, has 592 bytes. */
#define FILE_INFO_SIZE 1024

/*
 * Large reads need UEFI 2.4. Some firmware of 2011 and 2012 hangs at a large read (Linux, "x86, efi: Break up large
 * initrd reads"). Some fails the read and everything after it (systemd issue 25911). So we never try it on older
 * firmware.
 */
#define LARGE_READ_REVISION ((2u << 16) | 40)

/* For a volume that does not have our image either. */
#define NOT_HERE ", where this program is not either: GRUB passes its $root as the volume, so set root to the program's"

static struct volume *volume_of(struct source *source)
{
	return (struct volume *)source;
}

/* GRUB can start images from memory, and from file systems that the firmware does not know. */
static enum kexec_status complain_of_volume(const struct volume *volume, EFI_STATUS status)
{
	char name[VOLUME_NAME_SIZE];

	volume_name(volume->device, NULL, name);
	return log_error(status_from_efi(status),
			 "cannot open the volume %s: expected a file system that this firmware reads (GRUB reads "
			 "more), found %s; volume= in the load options names another",
			 name, efi_status_name(status));
}

static EFI_STATUS open_root(struct volume *volume)
{
	EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *file_system;
	EFI_STATUS status;

	if (volume->root)
		return EFI_SUCCESS;
	status = file_system_on(volume->device, &file_system);
	if (!EFI_ERROR(status))
		status = file_system->OpenVolume(file_system, &volume->root);
	if (EFI_ERROR(status))
		volume->root = NULL;
	return status;
}

/* Some firmware calls a missing path an invalid one. */
static bool is_missing(EFI_STATUS status)
{
	return status == EFI_NOT_FOUND || status == EFI_INVALID_PARAMETER;
}

static enum kexec_status cannot_open(const struct volume *volume, const char *path, EFI_STATUS status)
{
	bool is_elsewhere =
		volume->role == VOLUME_OWN && status == EFI_NOT_FOUND && !file_system_has_our_image(volume->root);
	bool may_be_a_habit = is_missing(status) && !is_elsewhere;
	const char *hint = may_be_a_habit ? path_habit_missing(text_of_string(path)) : NULL;
	char name[VOLUME_NAME_SIZE];

	volume_name(volume->device, volume->root, name);
	return log_error(status_from_efi(status), "%s: cannot open: expected a file, found %s on the volume %s%s%s%s",
			 path, efi_status_name(status), name, is_elsewhere ? NOT_HERE : "", hint ? ": " : "",
			 hint ? hint : "");
}

static enum kexec_status open_handle(struct source_file *file)
{
	struct volume *volume = volume_of(file->source);
	uint16_t path[VOLUME_PATH_SIZE];
	EFI_FILE_HANDLE handle;
	enum kexec_status status;
	EFI_STATUS opened;

	status = volume_path(file->name, path);
	if (status)
		return status;
	opened = open_root(volume);
	if (EFI_ERROR(opened))
		return complain_of_volume(volume, opened);
	opened = volume->root->Open(volume->root, &handle, (CHAR16 *)path, EFI_FILE_MODE_READ, 0);
	if (EFI_ERROR(opened))
		return cannot_open(volume, file->name, opened);
	file->handle = handle;
	return KEXEC_OK;
}

static enum kexec_status find_size(struct source_file *file)
{
	EFI_GUID guid = EFI_FILE_INFO_ID;
	_Alignas(EFI_FILE_INFO) uint8_t buffer[FILE_INFO_SIZE];
	EFI_FILE_INFO *info = (EFI_FILE_INFO *)buffer;
	EFI_FILE_HANDLE handle = file->handle;
	UINTN size = sizeof(buffer);
	EFI_STATUS status;

	status = handle->GetInfo(handle, &guid, &size, buffer);
	if (EFI_ERROR(status))
		return log_error(status_from_efi(status), "%s: cannot tell its size: %s", file->name,
				 efi_status_name(status));
	if (info->Attribute & EFI_FILE_DIRECTORY)
		return log_error(KEXEC_NOT_FOUND, "%s: expected a file, found a directory", file->name);
	file->size = info->FileSize;
	return KEXEC_OK;
}

static void close_file(struct source_file *file)
{
	EFI_FILE_HANDLE handle = file->handle;

	if (handle)
		handle->Close(handle);
	file->handle = NULL;
}

static enum kexec_status open_file(struct source *source, const char *name, struct source_file *ret_file)
{
	struct source_file file = { .source = source, .name = name };
	enum kexec_status status;

	status = open_handle(&file);
	if (!status)
		status = find_size(&file);
	if (status)
		close_file(&file);
	else
		*ret_file = file;
	return status;
}

static enum kexec_status read_file(struct source_file *file, uint64_t offset, void *buffer, uint64_t *size,
				   const char **ret_why)
{
	EFI_FILE_HANDLE handle = file->handle;
	EFI_STATUS status;
	UINTN found = *size;

	/* The handle knows where the last read ended. */
	(void)offset;
	status = handle->Read(handle, &found, buffer);
	*ret_why = efi_status_name(status);
	if (EFI_ERROR(status))
		return status_from_efi(status);
	*size = found;
	return KEXEC_OK;
}

static enum kexec_status reopen_file(struct source_file *file, uint64_t offset)
{
	EFI_FILE_HANDLE handle;
	enum kexec_status status;
	EFI_STATUS positioned;

	close_file(file);
	status = open_handle(file);
	if (status)
		return status;
	handle = file->handle;
	positioned = handle->SetPosition(handle, offset);
	if (EFI_ERROR(positioned))
		return log_error(status_from_efi(positioned), "%s: cannot go on at byte %lu: %s", file->name, offset,
				 efi_status_name(positioned));
	return KEXEC_OK;
}

void volume_start(struct volume *volume, EFI_HANDLE device, enum volume_role role)
{
	*volume = (struct volume){
		.source = {
			.open = open_file,
			.read = read_file,
			.reopen = reopen_file,
			.close = close_file,
			.bears_large_reads = firmware_system_table->Hdr.Revision >= LARGE_READ_REVISION,
		},
		.device = device,
		.role = role,
	};
}

enum kexec_status volume_open_folder(struct volume *volume, const char *path, EFI_FILE_HANDLE *ret_handle)
{
	uint16_t wide[VOLUME_PATH_SIZE];
	EFI_FILE_HANDLE handle = NULL;
	enum kexec_status status;
	EFI_STATUS opened;

	status = volume_path(path, wide);
	if (status)
		return status;
	*ret_handle = NULL;
	if (EFI_ERROR(open_root(volume)))
		return KEXEC_OK;
	opened = volume->root->Open(volume->root, &handle, (CHAR16 *)wide, EFI_FILE_MODE_READ, 0);
	if (!EFI_ERROR(opened))
		*ret_handle = handle;
	else if (!is_missing(opened))
		log_warning("%s: cannot open: expected a folder or none, found %s: nothing is taken from it", path,
			    efi_status_name(opened));
	return KEXEC_OK;
}

void volume_close(struct volume *volume)
{
	if (volume->root)
		volume->root->Close(volume->root);
	volume->root = NULL;
}
