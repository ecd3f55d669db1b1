// SPDX-License-Identifier: BSD-2-Clause
/* Puts the path of the image's .conf together. */
#include "boot/imagepath.h"

#include <stdbool.h>
#include <stdint.h>

#include "boot/log.h"
#include "boot/text.h"
#include "common/string.h"

enum {
	NODE_HEADER_SIZE = 4, /* type, subtype, length in two bytes */
	NODE_TYPE_MEDIA = 4,
	NODE_SUBTYPE_FILE_PATH = 4,
	NODE_TYPE_END = 0x7f,
};

#define CONF ".conf"

struct path {
	char *bytes;
	size_t capacity;
	size_t length;
};

static bool put(struct path *path, const char *bytes, size_t count)
{
	if (count > path->capacity - path->length)
		return false;
	memcpy(path->bytes + path->length, bytes, count);
	path->length += count;
	return true;
}

/* Appends the text of one file path node: UTF-16 up to a NUL or the node's end. */
static bool put_node(struct path *path, const uint8_t *text, size_t size)
{
	struct utf16_reader reader = { .bytes = text, .size = size };
	char utf8[4];
	size_t count;

	bool ends = path->length && path->bytes[path->length - 1] == '\\';
	bool begins = size >= 2 && text[0] == '\\' && text[1] == 0;

	if (size < 2 || (text[0] == 0 && text[1] == 0))
		return true;
	/* Pieces are joined by one separator, whichever of them brings it. */
	if (ends && begins)
		path->length--;
	else if (path->length && !ends && !begins && !put(path, "\\", 1))
		return false;
	while ((count = utf16_take_utf8(&reader, utf8)) != 0) {
		if (!put(path, utf8, count))
			return false;
	}
	return true;
}

static bool ends_in_efi(const struct path *path)
{
	const char *end;

	if (path->length < 4)
		return false;
	end = path->bytes + path->length - 4;
	return end[0] == '.' && (end[1] | 0x20) == 'e' && (end[2] | 0x20) == 'f' && (end[3] | 0x20) == 'i';
}

enum kexec_status image_path_conf(const void *nodes, size_t size, char *ret_path, size_t capacity)
{
	struct path path = { .bytes = ret_path, .capacity = capacity };
	const uint8_t *bytes = nodes;
	size_t at = 0;

	while (size - at >= NODE_HEADER_SIZE) {
		const uint8_t *node = bytes + at;
		size_t length = node[2] | (size_t)node[3] << 8;

		if ((node[0] & 0x7f) == NODE_TYPE_END)
			break;
		if (length < NODE_HEADER_SIZE || length > size - at)
			return log_error(KEXEC_BAD_FORMAT,
					 "own device path: expected a node of at least %u bytes, found %zu",
					 NODE_HEADER_SIZE, length);
		if (node[0] == NODE_TYPE_MEDIA && node[1] == NODE_SUBTYPE_FILE_PATH &&
		    !put_node(&path, node + NODE_HEADER_SIZE, length - NODE_HEADER_SIZE))
			return log_error(KEXEC_TOO_LARGE, "own path: expected at most %zu bytes, found more", capacity);
		at += length;
	}
	if (path.length == 0)
		return log_error(KEXEC_NOT_FOUND,
				 "expected to be started from a file, found a device path without one");

	if (ends_in_efi(&path))
		path.length -= 4;
	if (!put(&path, CONF, sizeof(CONF)))
		return log_error(KEXEC_TOO_LARGE, "own path: expected at most %zu bytes, found more", capacity);
	return KEXEC_OK;
}
