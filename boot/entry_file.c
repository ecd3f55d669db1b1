// SPDX-License-Identifier: BSD-2-Clause
/* Decodes entry files. */
#include "boot/entry_file.h"

#include "boot/entry.h"
#include "boot/log.h"
#include "boot/pool.h"
#include "boot/text_kind.h"

/* Keys and comments begin with ASCII. */
static enum kexec_status check_lines(const char *said_by, struct text text)
{
	struct text line;

	for (size_t number = 1; text_take_line(&text, &line); number++) {
		text_skip_prefix(&line, TEXT(UTF8_BYTE_ORDER_MARK));
		line = text_trim(line);
		if (line.length && (uint8_t)line.start[0] >= 0x80)
			return log_error(KEXEC_BAD_FORMAT,
					 "%s: line %zu: expected a key in UTF-16, like the text before it, found other "
					 "bytes (the shell's >>a does not append UTF-16)",
					 said_by, number);
	}
	return KEXEC_OK;
}

static enum kexec_status decode_utf16(const char *said_by, struct text content, struct text_buffer *buffer)
{
	struct text text;
	size_t rest;

	text = text_from_utf16(content.start, content.length, buffer->start, &rest);
	if (rest == 1)
		return log_error(KEXEC_BAD_FORMAT, "%s: expected an even number of bytes of UTF-16, found %zu", said_by,
				 content.length);
	if (rest)
		return log_error(KEXEC_BAD_FORMAT, "%s: expected text, found a NUL at byte %zu", said_by,
				 content.length - rest);
	buffer->length = text.length;
	return check_lines(said_by, text);
}

/*
 * Copies bytes that are not UTF-16 unchanged, even if they are not UTF-8: names in entries need not be. entry_to_plan
 * checks them.
 */
static enum kexec_status decode(const char *said_by, struct text content, struct text_buffer *buffer)
{
	switch (text_kind(content.start, content.length)) {
	case TEXT_UTF16:
		return decode_utf16(said_by, content, buffer);
	case TEXT_UTF16_BIG_ENDIAN:
		return log_error(KEXEC_BAD_FORMAT,
				 "%s: expected UTF-8, or UTF-16 little endian, found UTF-16 big endian", said_by);
	default:
		text_append(buffer, content);
		return KEXEC_OK;
	}
}

enum kexec_status entry_file_check_size(const char *said_by, uint64_t size)
{
	if (size < ENTRY_SIZE_MAX)
		return KEXEC_OK;
	return log_error(KEXEC_TOO_LARGE, "%s: expected at most %u bytes, found %lu", said_by, ENTRY_SIZE_MAX - 1,
			 size);
}

enum kexec_status entry_file_to_plan(const char *said_by, struct text content, struct text more,
				     char ret_fallback[FALLBACK_PATH_SIZE], struct boot_plan *ret_plan)
{
	struct text_buffer text = { 0 };
	enum kexec_status status;
	void *memory;

	ret_fallback[0] = '\0';
	status = entry_file_check_size(said_by, content.length);
	if (status)
		return status;
	/* Conversion from UTF-16 to UTF-8 adds half the size at most. */
	status = pool_alloc(content.length + content.length / 2 + 1 + more.length, said_by, &memory);
	if (status)
		return status;
	text.start = memory;
	status = decode(said_by, content, &text);
	if (!status) {
		fallback_find((struct text){ .start = text.start, .length = text.length }, ret_fallback);
		text_append(&text, TEXT("\n"));
		text_append(&text, more);
		status = entry_to_plan(said_by, (struct text){ .start = text.start, .length = text.length },
				       ENTRY_OUTSIDE, ret_plan);
		if (!status)
			ret_plan->is_file = true;
	}
	pool_free(memory);
	return status;
}
