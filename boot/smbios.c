// SPDX-License-Identifier: BSD-2-Clause
/* Steps through SMBIOS structures. */
#include "boot/smbios.h"

#include "common/string.h"

#define TYPE_OEM_STRINGS 11u
#define TYPE_END 127u

/* Type, length and handle. A structure of OEM strings also has their count. */
#define HEADER_SIZE 4u
#define OEM_STRINGS_SIZE 5u

struct entry_64 {
	char anchor[5];
	uint8_t checksum;
	uint8_t length;
	uint8_t version[5];
	uint8_t table_size[4];
	uint8_t table_addr[8];
};

struct entry_32 {
	char anchor[4];
	uint8_t checksum;
	uint8_t length;
	uint8_t version[16];
	uint8_t table_size[2];
	uint8_t table_addr[4];
	uint8_t count[2];
	uint8_t revision;
};

_Static_assert(sizeof(struct entry_64) == 0x18, "5.2.2");
_Static_assert(sizeof(struct entry_32) == 0x1f, "5.2.1");

/* Little endian. */
static uint64_t number(const uint8_t *bytes, size_t width)
{
	uint64_t value = 0;

	while (width--)
		value = value << 8 | bytes[width];
	return value;
}

/* The bytes of an entry point, with its checksum, must add up to 0. */
static bool is_whole(const uint8_t *bytes, uint64_t size, uint8_t length, size_t length_min)
{
	uint8_t sum = 0;

	if (length < length_min || length > size)
		return false;
	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

bool smbios_entry_point(const uint8_t *bytes, uint64_t size, struct smbios_table *ret_table)
{
	const struct entry_64 *entry_64 = (const struct entry_64 *)bytes;
	const struct entry_32 *entry_32 = (const struct entry_32 *)bytes;

	if (size >= sizeof(*entry_64) && memcmp(bytes, "_SM3_", 5) == 0 &&
	    is_whole(bytes, size, entry_64->length, sizeof(*entry_64))) {
		*ret_table = (struct smbios_table){ .addr = number(entry_64->table_addr, 8),
						    .size = number(entry_64->table_size, 4) };
		return true;
	}
	/* SMBIOS 2.1 itself states a length that is one byte too small. */
	if (size >= sizeof(*entry_32) && memcmp(bytes, "_SM_", 4) == 0 &&
	    is_whole(bytes, size, entry_32->length, sizeof(*entry_32) - 1)) {
		*ret_table = (struct smbios_table){ .addr = number(entry_32->table_addr, 4),
						    .size = number(entry_32->table_size, 2) };
		return true;
	}
	return false;
}

/* Removes a string and its NUL from *text. Returns false if no string ends there. */
static bool take_string(struct text *text, struct text *ret_string)
{
	struct text string = { .start = text->start };

	while (string.length < text->length && string.start[string.length])
		string.length++;
	if (string.length == text->length)
		return false;
	text_drop(text, string.length + 1);
	*ret_string = string;
	return true;
}

/*
 * Removes a structure's strings from *table, up to the empty one at their end; a structure without strings has two
 * NULs. Returns false if they do not end. *ret_rest is the rest behind `prefix` of the first string that begins with
 * it, or has a NULL start.
 */
static bool take_strings(struct text *table, struct text prefix, struct text *ret_rest)
{
	struct text string;

	*ret_rest = (struct text){ 0 };
	if (table->length >= 2 && !table->start[0] && !table->start[1]) {
		text_drop(table, 2);
		return true;
	}
	while (take_string(table, &string)) {
		if (!string.length)
			return true;
		if (ret_rest->start || !text_begins_with(string, prefix))
			continue;
		text_drop(&string, prefix.length);
		*ret_rest = string;
	}
	return false;
}

bool smbios_find_string(const uint8_t *table, uint64_t size, struct text prefix, struct text *ret_rest)
{
	struct text left = { .start = (const char *)table, .length = size };

	while (left.length >= HEADER_SIZE) {
		uint8_t type = (uint8_t)left.start[0];
		uint8_t length = (uint8_t)left.start[1];
		struct text rest;

		if (type == TYPE_END || length < HEADER_SIZE || length > left.length)
			return false;
		text_drop(&left, length);
		if (!take_strings(&left, prefix, &rest))
			return false;
		if (rest.start && type == TYPE_OEM_STRINGS && length >= OEM_STRINGS_SIZE) {
			*ret_rest = rest;
			return true;
		}
	}
	return false;
}
