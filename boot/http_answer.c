// SPDX-License-Identifier: BSD-2-Clause
/* Judges the answers of web servers. */
#include "boot/http_answer.h"

#include "boot/log.h"
#include "boot/text.h"
#include "common/align.h"

enum {
	STATUS_OK = 200,
	STATUS_PARTIAL = 206,
};

/* In the order of EFI_HTTP_STATUS_CODE, to which 308 was added last. */
static const uint16_t statuses[] = {
	0,   100, 101, 200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 304, 305, 307, 400, 401, 402, 403,
	404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 500, 501, 502, 503, 504, 505, 308,
};

unsigned http_status_number(unsigned code)
{
	return code < ARRAY_SIZE(statuses) ? statuses[code] : 0;
}

/* `b` must be in lower case. */
static bool is_same(const char *a, const char *b)
{
	while (*a && text_lower(*a) == *b) {
		a++;
		b++;
	}
	return text_lower(*a) == *b;
}

static void add_length(struct http_answer *answer, struct text value)
{
	uint64_t length;

	if (!text_take_number(&value, UINT64_MAX, &length) || value.length ||
	    (answer->has_length && length != answer->length)) {
		answer->is_broken = true;
		return;
	}
	answer->has_length = true;
	answer->length = length;
}

/* Removes the prefix. Returns false if it is missing. */
static bool take_prefix(struct text *text, struct text prefix)
{
	size_t length = text->length;

	text_skip_prefix(text, prefix);
	return text->length != length;
}

/* "bytes 1000-1999/2000" (RFC 9110, 14.4). */
static void add_range(struct http_answer *answer, struct text value)
{
	uint64_t last;

	if (take_prefix(&value, TEXT("bytes ")) && text_take_number(&value, UINT64_MAX, &answer->range_start) &&
	    take_prefix(&value, TEXT("-")) && text_take_number(&value, UINT64_MAX, &last) &&
	    take_prefix(&value, TEXT("/")) && text_take_number(&value, UINT64_MAX, &answer->range_size) &&
	    !value.length && answer->range_start <= last && last < answer->range_size && !answer->has_range)
		answer->has_range = true;
	else
		answer->is_broken = true;
}

/* FNV-1a. It detects a file that changed by itself. A dishonest server needs no collision. */
static uint64_t checksum(struct text text)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (size_t i = 0; i < text.length; i++)
		sum = (sum ^ (uint8_t)text.start[i]) * 0x100000001b3;
	return sum ? sum : 1;
}

void http_answer_add_header(struct http_answer *answer, const char *name, const char *value)
{
	struct text text = text_trim(text_of_string(value));

	if (is_same(name, "content-length"))
		add_length(answer, text);
	else if (is_same(name, "content-range"))
		add_range(answer, text);
	else if (is_same(name, "transfer-encoding"))
		answer->is_chunked = true;
	else if (is_same(name, "content-encoding"))
		answer->is_encoded = !text_equal(text, TEXT("identity"));
	else if (is_same(name, "etag"))
		answer->etag = checksum(text);
	else if (is_same(name, "last-modified"))
		answer->modified = checksum(text);
}

/* The usual cause of a server's refusal. */
static const char *remedy(unsigned status)
{
	if (status >= 300 && status < 400)
		return ": a redirect, give the firmware the final URL";
	if (status == 401 || status == 407)
		return ": no password is sent";
	return "";
}

static enum kexec_status check_status(const char *name, const struct http_answer *answer, unsigned expected)
{
	if (answer->status == expected)
		return KEXEC_OK;
	if (!answer->status)
		return log_error(KEXEC_IO, "%s: expected HTTP status %u, found one that the firmware does not know",
				 name, expected);
	return log_error(answer->status == 404 || answer->status == 410 ? KEXEC_NOT_FOUND : KEXEC_IO,
			 "%s: expected HTTP status %u, found %u%s", name, expected, answer->status,
			 remedy(answer->status));
}

static enum kexec_status check_length(const char *name, const struct http_answer *answer)
{
	if (answer->is_chunked)
		return log_error(KEXEC_UNSUPPORTED,
				 "%s: expected a Content-Length, found a Transfer-Encoding: serve a plain file", name);
	if (answer->is_encoded)
		return log_error(KEXEC_UNSUPPORTED,
				 "%s: expected the file as it is, found a Content-Encoding: serve a plain file", name);
	if (answer->is_broken)
		return log_error(KEXEC_BAD_FORMAT, "%s: expected one Content-Length in bytes, found another header",
				 name);
	if (!answer->has_length)
		return log_error(KEXEC_UNSUPPORTED, "%s: expected a Content-Length, found none: serve a plain file",
				 name);
	return KEXEC_OK;
}

enum kexec_status http_answer_check_size(const char *name, const struct http_answer *answer, uint64_t *ret_size)
{
	enum kexec_status status = check_status(name, answer, STATUS_OK);

	if (!status)
		status = check_length(name, answer);
	if (!status)
		*ret_size = answer->length;
	return status;
}

/* A missing checksum proves nothing. */
static bool differ(uint64_t a, uint64_t b)
{
	return a && b && a != b;
}

/* Checks the size of the whole file by an answer with the bytes from `offset` on. */
static enum kexec_status check_total(const char *name, const struct http_answer *answer, uint64_t offset, uint64_t size)
{
	uint64_t total = offset ? answer->range_size : answer->length;

	if (offset && (!answer->has_range || answer->range_start != offset))
		return log_error(KEXEC_BAD_FORMAT, "%s: expected the bytes from %lu on, found %s", name, offset,
				 answer->has_range ? "others" : "no Content-Range");
	if (total != size)
		return log_error(KEXEC_MISMATCH, "%s: changed while it was read: expected %lu bytes, found %lu", name,
				 size, total);
	if (answer->length != size - offset)
		return log_error(KEXEC_BAD_FORMAT, "%s: expected %lu bytes from byte %lu on, found %lu", name,
				 size - offset, offset, answer->length);
	return KEXEC_OK;
}

enum kexec_status http_answer_check_body(const char *name, const struct http_answer *answer,
					 const struct http_answer *first, uint64_t offset, uint64_t size)
{
	enum kexec_status status = check_status(name, answer, offset ? STATUS_PARTIAL : STATUS_OK);

	if (!status)
		status = check_length(name, answer);
	if (!status)
		status = check_total(name, answer, offset, size);
	if (status)
		return status;
	if (differ(answer->etag, first->etag) || differ(answer->modified, first->modified))
		return log_error(KEXEC_MISMATCH,
				 "%s: changed while it was read: expected the %s of before, found another", name,
				 differ(answer->etag, first->etag) ? "ETag" : "Last-Modified");
	return KEXEC_OK;
}
