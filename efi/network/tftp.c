// SPDX-License-Identifier: BSD-2-Clause
/* Reads files by TFTP. */
#include "efi/network/tftp.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"
#include "efi/network/tftp_progress.h"
#include "efi/services/firmware.h"

/* Attempts to get a file. */
#define TRIES 3

/* With its headers a block fits an Ethernet frame, even with IPv6 and inside a tunnel. */
#define BLOCK_SIZE 1428

/* "TFTP error 1: File not found" */
#define WHY_SIZE 160

/* Describes an error: the server's message, in a buffer that the next call overwrites, or the status. */
static const char *explain(const struct tftp_file *file, EFI_STATUS status)
{
	static char text[WHY_SIZE];
	const EFI_PXE_BASE_CODE_MODE *mode = file->pxe->Mode;
	const EFI_PXE_BASE_CODE_TFTP_ERROR *error = &mode->TftpError;
	size_t length = 0;

	if (status != EFI_TFTP_ERROR || !mode->TftpErrorReceived)
		return efi_status_name(status);
	/* The text is untrusted: anybody may have sent it. */
	while (length < sizeof(error->ErrorString) && (uint8_t)error->ErrorString[length] >= ' ' &&
	       (uint8_t)error->ErrorString[length] < 0x7f)
		length++;
	format_text(text, sizeof(text), "TFTP error %u: %.*s", error->ErrorCode, (int)length,
		    (const char *)error->ErrorString);
	return text;
}

static EFI_STATUS call(struct tftp_file *file, EFI_PXE_BASE_CODE_TFTP_OPCODE operation, void *buffer, UINT64 *size)
{
	UINTN block_size = BLOCK_SIZE;

	file->pxe->Mode->TftpErrorReceived = FALSE;
	return file->pxe->Mtftp(file->pxe, operation, buffer, FALSE, size, &block_size, &file->server,
				(UINT8 *)file->path, NULL, FALSE);
}

/* Retries only if the server has not answered: a second answer would be the same. */
static bool may_retry(const struct tftp_file *file, unsigned tries, EFI_STATUS status)
{
	if (!EFI_ERROR(status) || status == EFI_TFTP_ERROR || status == EFI_BUFFER_TOO_SMALL || tries == TRIES)
		return false;
	log_verbose("%s: retrying from byte 0: found %s", file->name, efi_status_name(status));
	return true;
}

static enum kexec_status meaning(EFI_STATUS status)
{
	return status == EFI_BUFFER_TOO_SMALL ? KEXEC_MISMATCH : status_from_efi(status);
}

/* Takes any error of the server for NOT_FOUND: most are about the name, whatever their number. */
enum kexec_status tftp_file_open(struct tftp_file *file)
{
	unsigned tries = 0;
	EFI_STATUS status;

	do {
		UINT64 size = 0;

		firmware_feed_watchdog();
		status = call(file, EFI_PXE_BASE_CODE_TFTP_GET_FILE_SIZE, NULL, &size);
		file->size = size;
	} while (may_retry(file, ++tries, status));
	if (EFI_ERROR(status))
		return log_error(status == EFI_TFTP_ERROR ? KEXEC_NOT_FOUND : meaning(status),
				 "%s: cannot open: expected the size of %s by TFTP, found %s", file->name, file->path,
				 explain(file, status));
	return KEXEC_OK;
}

#define CHANGED "more: it changed while it was read"

/* Reads the whole file to `buffer`, which has room for the size that the server stated. */
static enum kexec_status fetch(struct tftp_file *file, void *buffer, const char **ret_why)
{
	struct tftp_progress progress;
	unsigned tries = 0;
	EFI_STATUS status;
	UINT64 size;

	do {
		size = file->size;
		tftp_progress_start(&progress, file);
		status = call(file, EFI_PXE_BASE_CODE_TFTP_READ_FILE, buffer, &size);
		tftp_progress_end(&progress);
	} while (may_retry(file, ++tries, status));
	if (!EFI_ERROR(status) && size > file->size)
		status = EFI_BUFFER_TOO_SMALL;
	*ret_why = status == EFI_BUFFER_TOO_SMALL ? CHANGED : explain(file, status);
	if (EFI_ERROR(status))
		return meaning(status);
	file->is_fetched = true;
	file->arrived = size;
	return KEXEC_OK;
}

static UINTN buffer_pages(const struct tftp_file *file)
{
	return align_up(file->size, PAGE_SIZE) / PAGE_SIZE;
}

static void free_buffer(struct tftp_file *file)
{
	if (file->buffer)
		firmware_boot_services->FreePages(file->buffer, buffer_pages(file));
	file->buffer = 0;
}

/* Fetches the file into a buffer of its own. */
static enum kexec_status fill_buffer(struct tftp_file *file, const char **ret_why)
{
	EFI_STATUS status;

	/* No file is larger than memory, so rounding up cannot wrap. */
	status = file->size > INT64_MAX ? EFI_OUT_OF_RESOURCES
					: firmware_boot_services->AllocatePages(AllocateAnyPages, EfiLoaderData,
										buffer_pages(file), &file->buffer);
	if (!EFI_ERROR(status))
		return fetch(file, phys_to_ptr(file->buffer), ret_why);
	file->buffer = 0;
	*ret_why = efi_status_name(status);
	return status_from_efi(status);
}

/* Copies from the buffer. Reads are sequential, so the buffer is freed at its end, for use by another file. */
static void copy(struct tftp_file *file, uint64_t offset, void *buffer, uint64_t *size)
{
	uint64_t left = file->buffer && offset < file->arrived ? file->arrived - offset : 0;

	if (*size > left)
		*size = left;
	if (*size)
		memcpy(buffer, (const uint8_t *)phys_to_ptr(file->buffer) + offset, *size);
	if (*size == left)
		free_buffer(file);
}

enum kexec_status tftp_file_read(struct tftp_file *file, uint64_t offset, void *buffer, uint64_t *size,
				 const char **ret_why)
{
	enum kexec_status status = KEXEC_OK;

	*ret_why = "the end";
	if (!file->is_fetched && file->size && offset == 0 && *size == file->size) {
		status = fetch(file, buffer, ret_why);
		*size = file->arrived;
		return status;
	}
	if (!file->is_fetched && file->size)
		status = fill_buffer(file, ret_why);
	if (!status)
		copy(file, offset, buffer, size);
	return status;
}

void tftp_file_close(struct tftp_file *file)
{
	free_buffer(file);
}
