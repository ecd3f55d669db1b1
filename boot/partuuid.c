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

bool volume_parse(struct text value, char ret_volume[PARTUUID_SIZE])
{
	if (text_equal(value, TEXT(VOLUME_ESP)) || text_equal(value, TEXT(VOLUME_XBOOTLDR))) {
		memcpy(ret_volume, value.start, value.length);
		ret_volume[value.length] = '\0';
		return true;
	}
	text_skip_prefix(&value, TEXT("PARTUUID="));
	return parse_shaped(value, TEXT("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"), ret_volume) ||
	       parse_shaped(value, TEXT("xxxxxxxx-xx"), ret_volume);
}
