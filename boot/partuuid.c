// SPDX-License-Identifier: BSD-2-Clause
/* Writes and reads PARTUUIDs. */
#include "boot/partuuid.h"

#include <stddef.h>

#include "common/format.h"
#include "common/string.h"

void partuuid_of_gpt(const uint8_t guid[16], char ret_partuuid[PARTUUID_SIZE])
{
	/* The first three fields of a GUID are little endian. */
	format_text(ret_partuuid, PARTUUID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		    guid[3], guid[2], guid[1], guid[0], guid[5], guid[4], guid[7], guid[6], guid[8], guid[9], guid[10],
		    guid[11], guid[12], guid[13], guid[14], guid[15]);
}

void partuuid_of_mbr(const uint8_t signature[4], uint32_t number, char ret_partuuid[PARTUUID_SIZE])
{
	format_text(ret_partuuid, PARTUUID_SIZE, "%02x%02x%02x%02x-%02x", signature[3], signature[2], signature[1],
		    signature[0], number);
}

/* A PARTUUID in lower case, or 0 for a character that none has there. `shape` has x for a digit. */
static char take_shaped(char c, char shape)
{
	if (shape == '-')
		return c == '-' ? c : '\0';
	if (c >= 'A' && c <= 'F')
		return (char)(c - 'A' + 'a');
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ? c : '\0';
}

static bool parse_shaped(struct text value, struct text shape, char ret_partuuid[PARTUUID_SIZE])
{
	if (value.length != shape.length)
		return false;
	for (size_t i = 0; i < value.length; i++) {
		ret_partuuid[i] = take_shaped(value.start[i], shape.start[i]);
		if (!ret_partuuid[i])
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
