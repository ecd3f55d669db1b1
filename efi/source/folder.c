// SPDX-License-Identifier: BSD-2-Clause
/* Lists folders. */
#include "efi/source/folder.h"

#include "boot/log.h"
#include "boot/pool.h"
#include "boot/sidecar.h"
#include "boot/volume_path.h"
#include "common/string.h"
#include "efi/services/firmware.h"

/* More than EFI_FILE_INFO needs for a name of 255 characters. */
#define ENTRY_SIZE_MAX 2048u

/* A folder while it is read. */
struct listing {
	const char *path;
	EFI_FILE_HANDLE handle;
	struct folder folder;
	_Alignas(EFI_FILE_INFO) uint8_t entry[ENTRY_SIZE_MAX];
};

static enum kexec_status expect_folder(struct listing *listing, bool *ret_is_folder)
{
	const EFI_FILE_INFO *info = (const EFI_FILE_INFO *)listing->entry;
	EFI_GUID guid = EFI_FILE_INFO_ID;
	UINTN size = sizeof(listing->entry);
	EFI_STATUS status = listing->handle->GetInfo(listing->handle, &guid, &size, listing->entry);

	if (EFI_ERROR(status))
		return log_error(status_from_efi(status), "%s: cannot tell whether it is a folder: %s", listing->path,
				 efi_status_name(status));
	*ret_is_folder = (info->Attribute & EFI_FILE_DIRECTORY) != 0;
	if (!*ret_is_folder)
		log_warning("%s: expected a folder, found a file: nothing is taken from it", listing->path);
	return KEXEC_OK;
}

/* Reads the next entry; *ret_size is 0 behind the last one. */
static enum kexec_status read_entry(struct listing *listing, UINTN *ret_size)
{
	UINTN size = sizeof(listing->entry);
	EFI_STATUS status;

	firmware_feed_watchdog();
	status = listing->handle->Read(listing->handle, &size, listing->entry);
	if (EFI_ERROR(status) && status != EFI_BUFFER_TOO_SMALL)
		return log_error(status_from_efi(status), "%s: cannot list: expected an entry, found %s", listing->path,
				 efi_status_name(status));
	if (EFI_ERROR(status) || size > sizeof(listing->entry) || (size && size <= SIZE_OF_EFI_FILE_INFO))
		return log_error(KEXEC_IO, "%s: cannot list: expected entries of %zu to %zu bytes, found %zu",
				 listing->path, (size_t)SIZE_OF_EFI_FILE_INFO + 1, sizeof(listing->entry),
				 (size_t)size);
	*ret_size = size;
	return KEXEC_OK;
}

/* The name in the entry. Empty if it is too long, or has characters beyond ASCII. */
static struct text entry_name(const struct listing *listing, UINTN size, char ret_name[SIDECAR_NAME_MAX + 1])
{
	const CHAR16 *wide = ((const EFI_FILE_INFO *)listing->entry)->FileName;
	size_t room = (size - SIZE_OF_EFI_FILE_INFO) / sizeof(*wide);
	size_t length = 0;

	for (; length < room && wide[length]; length++) {
		if (length == SIDECAR_NAME_MAX || wide[length] > '~')
			return TEXT("");
		ret_name[length] = (char)wide[length];
	}
	ret_name[length] = '\0';
	return (struct text){ .start = ret_name, .length = length };
}

/* Inserts a name into the sorted list. */
static enum kexec_status keep(struct listing *listing, struct text text)
{
	struct folder_name **place = &listing->folder.names;
	struct folder_name *name;
	enum kexec_status status;
	void *memory;

	status = pool_alloc(sizeof(*name) + text.length + 1, listing->path, &memory);
	if (status)
		return status;
	name = memory;
	memcpy(name->text, text.start, text.length + 1);
	while (*place && strcmp((*place)->text, name->text) < 0)
		place = &(*place)->next;
	name->next = *place;
	*place = name;
	return KEXEC_OK;
}

static enum kexec_status read_entries(struct listing *listing)
{
	for (unsigned i = 0; i < FOLDER_ENTRIES_MAX + 1; i++) {
		const EFI_FILE_INFO *info = (const EFI_FILE_INFO *)listing->entry;
		char name[SIDECAR_NAME_MAX + 1];
		enum kexec_status status;
		struct text text;
		UINTN size = 0;

		status = read_entry(listing, &size);
		if (status || !size)
			return status;
		text = entry_name(listing, size, name);
		if ((info->Attribute & EFI_FILE_DIRECTORY) || !sidecar_is_name(text))
			continue;
		status = keep(listing, text);
		if (status)
			return status;
	}
	return log_error(KEXEC_TOO_LARGE, "%s: expected a folder of at most %u entries, found more", listing->path,
			 FOLDER_ENTRIES_MAX);
}

static enum kexec_status list(struct listing *listing)
{
	bool is_folder = false;
	enum kexec_status status = expect_folder(listing, &is_folder);

	if (status || !is_folder)
		return status;
	status = read_entries(listing);
	if (status)
		folder_free(&listing->folder);
	return status;
}

enum kexec_status folder_list(struct volume *volume, const char *path, struct folder *ret_folder)
{
	struct listing listing = { .path = path };
	enum kexec_status status;

	status = volume_open_folder(volume, path, &listing.handle);
	if (!status && listing.handle) {
		status = list(&listing);
		listing.handle->Close(listing.handle);
	}
	if (!status)
		*ret_folder = listing.folder;
	return status;
}

void folder_free(struct folder *folder)
{
	while (folder->names) {
		struct folder_name *name = folder->names;

		folder->names = name->next;
		pool_free(name);
	}
}
