// SPDX-License-Identifier: BSD-2-Clause
/* Hooks of the volume and of the files that the image opens on it. */
#include "common/string.h"
#include "efi/services/firmware.h"
#include "tests/firmware/difficult.h"

static EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume;

/* All handles of a volume share the same functions. */
static EFI_VOLUME_OPEN original_open_volume;
static struct _EFI_FILE_HANDLE original;

/* A file after a failed large read, until it is closed. */
static EFI_FILE_HANDLE broken_file;

static uint64_t bytes_read;
static uint64_t reads;

static void hook_file(EFI_FILE_HANDLE file);

static EFI_STATUS EFIAPI file_open_hook(EFI_FILE_HANDLE file, EFI_FILE_HANDLE *new_file, CHAR16 *name, UINT64 mode,
					UINT64 attributes)
{
	EFI_STATUS status;

	if (fault_hits(FAULT_OPEN_ERROR))
		return EFI_DEVICE_ERROR;
	status = original.Open(file, new_file, name, mode, attributes);
	if (!EFI_ERROR(status))
		hook_file(*new_file);
	return status;
}

static EFI_STATUS EFIAPI file_close_hook(EFI_FILE_HANDLE file)
{
	ledger_remove(HOLDING_FILE, (uintptr_t)file);
	if (file == broken_file)
		broken_file = NULL;
	return original.Close(file);
}

static bool is_too_large(enum fault fault, uint64_t size)
{
	struct fault_state *state = &current_run.faults[fault];

	if (!state->set || size <= state->number)
		return false;
	state->fired = true;
	return true;
}

static EFI_STATUS EFIAPI file_read_hook(EFI_FILE_HANDLE file, UINTN *size, void *buffer)
{
	UINTN asked = *size;
	EFI_STATUS status;

	if (is_too_large(FAULT_LARGE_READ_FAILS, *size))
		broken_file = file;
	if (is_too_large(FAULT_LARGE_READ_BREAKS, *size) || current_run.faults[FAULT_LARGE_READ_BREAKS].fired ||
	    file == broken_file)
		return EFI_BAD_BUFFER_SIZE;
	if (fault_hits(FAULT_READ_ERROR))
		return EFI_DEVICE_ERROR;
	if (fault_hits(FAULT_SHORT) && *size > 1)
		*size /= 2;
	status = original.Read(file, size, buffer);
	if (EFI_ERROR(status))
		return status;
	if ((uintptr_t)buffer >= FOUR_GIB && fault_hits(FAULT_HIGH_READ_LIES))
		memset(buffer, 0x5a, *size);
	reads++;
	bytes_read += *size;
	if (*size && fault_hits(FAULT_TOCTOU))
		*(uint8_t *)buffer ^= 1;
	if (*size && fault_hits(FAULT_SIZE_LIES))
		*size = 2 * asked;
	return status;
}

static EFI_STATUS EFIAPI file_get_info_hook(EFI_FILE_HANDLE file, EFI_GUID *type, UINTN *size, void *buffer)
{
	EFI_STATUS status;

	if (fault_hits(FAULT_INFO_ERROR))
		return EFI_DEVICE_ERROR;
	status = original.GetInfo(file, type, size, buffer);
	if (!EFI_ERROR(status) && fault_hits(FAULT_SIZE_CHANGES))
		((EFI_FILE_INFO *)buffer)->FileSize += current_run.faults[FAULT_SIZE_CHANGES].size;
	return status;
}

static void hook_file(EFI_FILE_HANDLE file)
{
	original = *file;
	file->Open = file_open_hook;
	file->Close = file_close_hook;
	file->Read = file_read_hook;
	file->GetInfo = file_get_info_hook;
	ledger_add(HOLDING_FILE, (uintptr_t)file, 0);
}

static EFI_STATUS EFIAPI open_volume_hook(EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *self, EFI_FILE_HANDLE *root)
{
	bool by_app = CALLED_BY_APP();
	EFI_STATUS status;

	if (by_app && fault_hits(FAULT_OPEN_ERROR))
		return EFI_NO_MEDIA;
	status = original_open_volume(self, root);
	if (by_app && !EFI_ERROR(status))
		hook_file(*root);
	return status;
}

void files_hook(EFI_HANDLE device)
{
	EFI_GUID guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;

	broken_file = NULL;
	bytes_read = 0;
	reads = 0;
	if (EFI_ERROR(original_services.HandleProtocol(device, &guid, (void **)&volume))) {
		say("the volume is gone");
		return;
	}
	original_open_volume = volume->OpenVolume;
	volume->OpenVolume = open_volume_hook;
}

void files_unhook(void)
{
	volume->OpenVolume = original_open_volume;
}

uint64_t files_bytes_read(void)
{
	return bytes_read;
}

uint64_t files_reads(void)
{
	return reads;
}
