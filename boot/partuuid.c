// SPDX-License-Identifier: BSD-2-Clause
/* Writes and reads PARTUUIDs. */
#include "boot/partuuid.h"

#include <stddef.h>

#include "common/format.h"
#include "common/string.h"

void partuuid_of_gpt(const uint8_t guid[16], char ret_partuuid[PARTUUID_SIZE])
{
	/* The first three fields of a GUID are little endian. */
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	size_t length = 0;

	for (size_t i = 0; i < sizeof(order); i++)
		length += format_text(ret_partuuid + length, PARTUUID_SIZE - length,
				      i >= 4 && i <= 10 && i % 2 == 0 ? "-%02x" : "%02x", guid[order[i]]);
}

void partuuid_of_mbr(const uint8_t signature[4], uint32_t number, char ret_partuuid[PARTUUID_SIZE])
{
	format_text(ret_partuuid, PARTUUID_SIZE, "%02x%02x%02x%02x-%02x", signature[3], signature[2], signature[1],
		    signature[0], number);
}

/* `shape` has x for a digit. */
static bool has_shape(char c, char shape)
{
	return shape == '-' ? c == '-' : text_hex_digit(c) >= 0;
}

static bool parse_shaped(struct text value, struct text shape, char ret_partuuid[PARTUUID_SIZE])
{
	if (value.length != shape.length)
		return false;
	for (size_t i = 0; i < value.length; i++) {
		ret_partuuid[i] = text_lower(value.start[i]);
		if (!has_shape(ret_partuuid[i], shape.start[i]))
			return false;
	}
	ret_partuuid[value.length] = '\0';
	return true;
}

/* Removes `prefix`, in any case. Returns false if it is missing. */
static bool skip_tag(struct text *value, struct text prefix)
{
	if (value->length < prefix.length)
		return false;
	for (size_t i = 0; i < prefix.length; i++) {
		if (text_lower(value->start[i]) != text_lower(prefix.start[i]))
			return false;
	}
	text_drop(value, prefix.length);
	return true;
}

/* blkid prints "..." around a value, and Windows {...}. */
static void skip_pair(struct text *value)
{
	char first;
	char last;

	if (value->length < 2)
		return;
	first = value->start[0];
	last = value->start[value->length - 1];
	if ((first != '"' || last != '"') && (first != '{' || last != '}'))
		return;
	text_drop(value, 1);
	value->length--;
}

bool volume_parse(struct text value, char ret_volume[PARTUUID_SIZE])
{
	if (text_equal(value, TEXT(VOLUME_ESP)) || text_equal(value, TEXT(VOLUME_XBOOTLDR))) {
		memcpy(ret_volume, value.start, value.length);
		ret_volume[value.length] = '\0';
		return true;
	}
	if (!skip_tag(&value, TEXT("PARTUUID=")))
		text_skip_prefix(&value, TEXT("/dev/disk/by-partuuid/"));
	skip_pair(&value);
	return parse_shaped(value, TEXT("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"), ret_volume) ||
	       parse_shaped(value, TEXT("xxxxxxxx-xx"), ret_volume);
}

/* Whether the value is a UUID=, LABEL= or PARTLABEL=, a link to a device, or the UUID of a FAT or NTFS file system. */
static bool names_file_system(struct text value)
{
	char ignored[PARTUUID_SIZE];

	return skip_tag(&value, TEXT("UUID=")) || skip_tag(&value, TEXT("LABEL=")) ||
	       skip_tag(&value, TEXT("PARTLABEL=")) || text_begins_with(value, TEXT("/dev/disk/by-")) ||
	       parse_shaped(value, TEXT("xxxx-xxxx"), ignored) ||
	       parse_shaped(value, TEXT("xxxxxxxxxxxxxxxx"), ignored);
}

const char *volume_expected(struct text value)
{
	if (names_file_system(value))
		return "esp, xbootldr or a PARTUUID, and neither a label nor a file system's UUID";
	return "esp, xbootldr or a PARTUUID";
}
