// SPDX-License-Identifier: BSD-2-Clause
/* Reads files from web servers. */
#include "efi/network/http_files.h"

#include "boot/log.h"
#include "efi/services/firmware.h"

/* For each file. */
#define RETRIES_MAX 3

enum {
	STATUS_METHOD_NOT_ALLOWED = 405,
	STATUS_NOT_IMPLEMENTED = 501,
};

static EFI_STATUS ask(struct http_file *file, enum http_method method, uint64_t offset, struct http_answer *ret_answer)
{
	const struct http_question question = { .method = method, .url = file->url, .offset = offset };

	return http_ask(file->binding, file->nodes, &question, &file->exchange, ret_answer);
}

/* Whether to retry; counts the retries. */
static bool may_retry(struct http_file *file, uint64_t offset, EFI_STATUS status)
{
	if (file->retries == RETRIES_MAX)
		return false;
	file->retries++;
	log_verbose("%s: retrying from byte %lu: found %s", file->name, offset, http_efi_status_name(status));
	return true;
}

static EFI_STATUS ask_for_headers(struct http_file *file, enum http_method method)
{
	EFI_STATUS status = ask(file, method, 0, &file->first);

	http_close(&file->exchange);
	return status;
}

/* By HEAD, or, if the server does not support that, by GET without reading the body. */
static EFI_STATUS ask_for_size(struct http_file *file)
{
	EFI_STATUS status = ask_for_headers(file, HTTP_HEAD);

	if (!EFI_ERROR(status) &&
	    (file->first.status == STATUS_METHOD_NOT_ALLOWED || file->first.status == STATUS_NOT_IMPLEMENTED))
		status = ask_for_headers(file, HTTP_GET);
	return status;
}

enum kexec_status http_file_open(struct http_file *file)
{
	EFI_STATUS status;

	do {
		status = ask_for_size(file);
	} while (EFI_ERROR(status) && may_retry(file, 0, status));
	if (EFI_ERROR(status))
		return log_error(status_from_efi(status), "%s: cannot open: expected an answer from %s, found %s",
				 file->name, file->url, http_efi_status_name(status));
	return http_answer_check_size(file->name, &file->first, &file->size);
}

/* Requests the bytes from `offset` on. *ret_why is NULL if the reason has been logged. */
static enum kexec_status start(struct http_file *file, uint64_t offset, const char **ret_why)
{
	struct http_answer answer;
	enum kexec_status checked;
	EFI_STATUS status;

	do {
		http_close(&file->exchange);
		status = ask(file, HTTP_GET, offset, &answer);
	} while (EFI_ERROR(status) && may_retry(file, offset, status));
	*ret_why = http_efi_status_name(status);
	if (EFI_ERROR(status))
		return status_from_efi(status);
	*ret_why = NULL;
	checked = http_answer_check_body(file->name, &answer, &file->first, offset, file->size);
	file->is_open = !checked;
	return checked;
}

/* Reads part of the body. If the body ends, the connection broke, because nobody reads beyond the file's size. */
static EFI_STATUS read_once(struct http_file *file, void *buffer, uint64_t wanted, uint64_t *ret_found)
{
	UINTN found = wanted;
	EFI_STATUS status = http_read(&file->exchange, buffer, &found);

	if (!EFI_ERROR(status) && !found)
		status = NETWORK_CONNECTION_FIN;
	*ret_found = EFI_ERROR(status) ? 0 : found;
	return status;
}

/*
 * Like read_once, but requests the rest again if the connection breaks. *ret_found is 0 after the last retry has
 * failed.
 */
static enum kexec_status read_some(struct http_file *file, uint64_t offset, void *buffer, uint64_t wanted,
				   uint64_t *ret_found, const char **ret_why)
{
	EFI_STATUS status;

	*ret_found = 0;
	if (file->has_ended)
		return KEXEC_OK;
	do {
		enum kexec_status started = file->is_open ? KEXEC_OK : start(file, offset, ret_why);

		if (started)
			return started;
		status = read_once(file, buffer, wanted, ret_found);
		file->is_open = !EFI_ERROR(status);
	} while (EFI_ERROR(status) && may_retry(file, offset, status));
	*ret_why = http_efi_status_name(status);
	file->has_ended = EFI_ERROR(status);
	return status == NETWORK_CONNECTION_FIN ? KEXEC_OK : status_from_efi(status);
}

enum kexec_status http_file_read(struct http_file *file, uint64_t offset, void *buffer, uint64_t *size,
				 const char **ret_why)
{
	uint64_t left = offset < file->size ? file->size - offset : 0;
	uint64_t wanted = *size < left ? *size : left;
	uint64_t done = 0;

	*ret_why = "the end";
	while (done < wanted) {
		uint64_t found;
		enum kexec_status status;

		status = read_some(file, offset + done, (uint8_t *)buffer + done, wanted - done, &found, ret_why);

		if (status)
			return status;
		if (!found)
			break;
		done += found;
	}
	*size = done;
	return KEXEC_OK;
}

void http_file_close(struct http_file *file)
{
	http_close(&file->exchange);
}
