// SPDX-License-Identifier: BSD-2-Clause
/* Reads device paths. */
#include "boot/imagepath.h"

#include <stdint.h>

#include "boot/device_path.h"
#include "boot/log.h"
#include "boot/text.h"
#include "boot/volume_path.h"
#include "common/string.h"

#define CONF ".conf"

struct path {
	char *bytes;
	size_t capacity;
	size_t length;
	size_t node_size_max; /* of a broken node: the most bytes that it may have, and the number that it states */
	size_t node_size;
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
	/* Joins pieces by exactly one separator, whichever of them has it. */
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

/* Joins the pieces. Logs nothing, because not every caller needs a path. */
static enum kexec_status collect(const void *nodes, size_t size, struct path *path)
{
	const uint8_t *node;
	size_t length = 0;
	size_t at = 0;
	bool broken;

	while ((node = device_path_next(nodes, size, &at, &length, &broken)) != NULL) {
		if (node[0] == DEVICE_PATH_MEDIA && node[1] == DEVICE_PATH_MEDIA_FILE &&
		    !put_node(path, node + DEVICE_PATH_HEADER_SIZE, length - DEVICE_PATH_HEADER_SIZE))
			return KEXEC_TOO_LARGE;
	}
	path->node_size_max = size - at;
	path->node_size = length;
	if (broken)
		return KEXEC_BAD_FORMAT;
	return path->length ? KEXEC_OK : KEXEC_NOT_FOUND;
}

static enum kexec_status complain(enum kexec_status status, const struct path *path)
{
	if (status == KEXEC_TOO_LARGE)
		return log_error(status, "own path: expected at most %zu bytes, found more", path->capacity);
	if (status == KEXEC_BAD_FORMAT)
		return log_error(status, "own device path: expected a node of %u to %zu bytes, found %zu",
				 DEVICE_PATH_HEADER_SIZE, path->node_size_max, path->node_size);
	return log_error(status, "expected to be started from a file, found a device path without one");
}

bool image_path(const void *nodes, size_t size, char *ret_path, size_t capacity)
{
	struct path path = { .bytes = ret_path, .capacity = capacity };

	return collect(nodes, size, &path) == KEXEC_OK && put(&path, "", sizeof(""));
}

/* The name behind the last separator or drive, without .efi. */
static struct text stem(struct text path)
{
	size_t start = path.length;

	while (start && !volume_path_is_separator(path.start[start - 1]) && path.start[start - 1] != ':')
		start--;
	text_drop(&path, start);
	if (text_ends_in_efi(path))
		path.length -= 4;
	return path;
}

bool image_is_named(struct text word, struct text path)
{
	struct text a = stem(word);
	struct text b = stem(path);

	if (!a.length || a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++) {
		if (text_lower(a.start[i]) != text_lower(b.start[i]))
			return false;
	}
	return true;
}

enum kexec_status image_path_conf(const void *nodes, size_t size, char *ret_path, size_t capacity)
{
	struct path path = { .bytes = ret_path, .capacity = capacity };
	enum kexec_status status;

	status = collect(nodes, size, &path);
	if (status)
		return complain(status, &path);
	if (text_ends_in_efi((struct text){ .start = path.bytes, .length = path.length }))
		path.length -= 4;
	return put(&path, CONF, sizeof(CONF)) ? KEXEC_OK : complain(KEXEC_TOO_LARGE, &path);
}

bool image_is_on_qemu_volume(const void *nodes, size_t size)
{
	/* QEMU_KERNEL_LOADER_FS_MEDIA_GUID: 1428f772-b64a-441e-b8c3-9ebdd7f893c7 */
	static const uint8_t guid[] = { 0x72, 0xf7, 0x28, 0x14, 0x4a, 0xb6, 0x1e, 0x44,
					0xb8, 0xc3, 0x9e, 0xbd, 0xd7, 0xf8, 0x93, 0xc7 };
	const uint8_t *node;
	size_t length = 0;
	size_t at = 0;
	bool broken;

	node = device_path_next(nodes, size, &at, &length, &broken);
	return node && node[0] == DEVICE_PATH_MEDIA && node[1] == DEVICE_PATH_MEDIA_VENDOR &&
	       length >= DEVICE_PATH_HEADER_SIZE + sizeof(guid) &&
	       memcmp(node + DEVICE_PATH_HEADER_SIZE, guid, sizeof(guid)) == 0;
}
