// SPDX-License-Identifier: BSD-2-Clause
/* Finds files through EFI_SIMPLE_FILE_SYSTEM_PROTOCOL (UEFI specification 13.4 and 13.5). */
#include "efi/source/file.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/services/clock.h"
#include "efi/services/console.h"
#include "efi/services/firmware.h"

/* EFI_FILE_INFO with a name of 255 characters, the longest of FAT, has 592 bytes. */
#define FILE_INFO_SIZE 1024

/* What takes no longer needs no progress to be seen. */
#define PROGRESS_AFTER_USEC 1000000
#define PROGRESS_INTERVAL_USEC 250000

static EFI_HANDLE volume_device;
static EFI_FILE_HANDLE volume_root;

static struct {
	const char *name;
	struct text content;
} served[FILES_SERVED_MAX];
static size_t served_count;

void file_set_device(EFI_HANDLE device)
{
	volume_device = device;
}

static enum kexec_status open_volume(void)
{
	EFI_GUID guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume;
	EFI_STATUS status;

	if (volume_root)
		return KEXEC_OK;
	status = firmware_boot_services->HandleProtocol(volume_device, &guid, (void **)&volume);
	if (!EFI_ERROR(status))
		status = volume->OpenVolume(volume, &volume_root);
	if (EFI_ERROR(status)) {
		volume_root = NULL;
		return log_error(status_from_efi(status), "cannot open the volume that this program came from: %s",
				 efi_status_name(status));
	}
	return KEXEC_OK;
}

void file_close_volume(void)
{
	if (volume_root)
		volume_root->Close(volume_root);
	volume_root = NULL;
}

static void turn_slashes(uint16_t *path)
{
	for (; *path; path++) {
		if (*path == '/')
			*path = '\\';
	}
}

static enum kexec_status open_handle(struct file *file)
{
	uint16_t wide_path[FILE_PATH_SIZE];
	struct text path = { .start = file->path, .length = strlen(file->path) };
	EFI_STATUS status;

	if (!text_to_utf16(path, wide_path, ARRAY_SIZE(wide_path)))
		return log_error(KEXEC_BAD_FORMAT, "%s: expected a path in UTF-8, found other bytes", file->path);
	turn_slashes(wide_path);
	status = volume_root->Open(volume_root, &file->handle, (CHAR16 *)wide_path, EFI_FILE_MODE_READ, 0);
	if (EFI_ERROR(status)) {
		file->handle = NULL;
		return log_error(status_from_efi(status), "%s: cannot open: expected a file, found %s", file->path,
				 efi_status_name(status));
	}
	return KEXEC_OK;
}

enum kexec_status file_reopen(struct file *file)
{
	enum kexec_status status;
	EFI_STATUS position_status;

	file_close(file);
	status = open_handle(file);
	if (status)
		return status;
	position_status = file->handle->SetPosition(file->handle, file->done);
	if (EFI_ERROR(position_status))
		return log_error(status_from_efi(position_status), "%s: cannot go on at byte %lu: %s", file->path,
				 file->done, efi_status_name(position_status));
	return KEXEC_OK;
}

static enum kexec_status read_size(struct file *file)
{
	EFI_GUID guid = EFI_FILE_INFO_ID;
	_Alignas(EFI_FILE_INFO) uint8_t buffer[FILE_INFO_SIZE];
	EFI_FILE_INFO *info = (EFI_FILE_INFO *)buffer;
	UINTN size = sizeof(buffer);
	EFI_STATUS status;

	status = file->handle->GetInfo(file->handle, &guid, &size, buffer);
	if (EFI_ERROR(status))
		return log_error(status_from_efi(status), "%s: cannot tell its size: %s", file->path,
				 efi_status_name(status));
	if (info->Attribute & EFI_FILE_DIRECTORY)
		return log_error(KEXEC_NOT_FOUND, "%s: expected a file, found a directory", file->path);
	file->size = info->FileSize;
	return KEXEC_OK;
}

void file_serve(const char *name, struct text content)
{
	if (served_count == FILES_SERVED_MAX)
		return;
	served[served_count].name = name;
	served[served_count++].content = content;
}

static bool find_served(struct file *file)
{
	for (size_t i = 0; i < served_count; i++) {
		struct text name = { .start = served[i].name, .length = strlen(served[i].name) };
		struct text path = { .start = file->path, .length = strlen(file->path) };

		if (text_equal(name, path)) {
			file->memory = served[i].content.start;
			file->size = served[i].content.length;
			return true;
		}
	}
	return false;
}

static enum kexec_status find_on_volume(struct file *file)
{
	enum kexec_status status = open_volume();

	if (!status)
		status = open_handle(file);
	if (!status)
		status = read_size(file);
	if (status)
		file_close(file);
	return status;
}

enum kexec_status file_open(struct text path, struct file *ret_file)
{
	enum kexec_status status;

	*ret_file = (struct file){ 0 };
	if (path.length >= FILE_PATH_SIZE)
		return log_error(KEXEC_TOO_LARGE, "%.*s...: expected a path of at most %u bytes, found %zu", 60,
				 path.start, FILE_PATH_SIZE - 1, path.length);
	memcpy(ret_file->path, path.start, path.length);

	status = find_served(ret_file) ? KEXEC_OK : find_on_volume(ret_file);
	sha256_start(&ret_file->hash);
	ret_file->opened_usec = clock_usec();
	ret_file->next_shown_usec = ret_file->opened_usec + PROGRESS_AFTER_USEC;
	return status;
}

void file_close(struct file *file)
{
	if (file->handle)
		file->handle->Close(file->handle);
	file->handle = NULL;
}

/* Bytes in a microsecond are megabytes in a second. */
static uint64_t mb_per_second(const struct file *file, uint64_t now)
{
	uint64_t elapsed = now - file->opened_usec;

	return elapsed ? file->done / elapsed : 0;
}

void file_show_progress(struct file *file)
{
	uint64_t now = clock_usec();

	if (now < file->next_shown_usec || file->done >= file->size)
		return;
	file->next_shown_usec = now + PROGRESS_INTERVAL_USEC;
	console_progress(file->path, (unsigned)(file->done * 100 / file->size), mb_per_second(file, now));
}

void file_show_done(const struct file *file)
{
	console_progress_done(file->path, mb_per_second(file, clock_usec()));
}
