// SPDX-License-Identifier: BSD-2-Clause
/* Writes and reads the values of the Boot Loader Interface. */
#include "boot/loader_info.h"

#include "boot/text.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"

/* Up to 384 bytes of UTF-8, which leave room for the revision. */
#define VENDOR_UNITS_MAX ((size_t)128)

_Static_assert(3 * VENDOR_UNITS_MAX + sizeof(" 65535.65535") <= LOADER_VALUE_SIZE, "the firmware's name must fit");

/* Removes `text`, which is ASCII, from *value. Returns false if *value does not begin with it. */
static bool take(struct utf16_reader *value, const char *text)
{
	char utf8[4];

	for (; *text; text++) {
		if (utf16_take_utf8(value, utf8) != 1 || utf8[0] != *text)
			return false;
	}
	return true;
}

static bool begins_with(struct utf16_reader value, const char *prefix)
{
	return take(&value, prefix);
}

/* Whether the value is exactly `text`, with or without a NUL behind it. */
static bool is(struct utf16_reader value, const char *text)
{
	char utf8[4];

	return take(&value, text) && utf16_take_utf8(&value, utf8) == 0;
}

enum loader_before loader_before(const void *value, size_t size)
{
	struct utf16_reader reader = { .bytes = value, .size = size };
	struct utf16_reader first = reader;
	char utf8[4];

	if (utf16_take_utf8(&first, utf8) == 0)
		return LOADER_BEFORE_NONE;
	if (begins_with(reader, "kexec-efi"))
		return LOADER_BEFORE_SELF;
	return begins_with(reader, "systemd-boot") ? LOADER_BEFORE_MENU : LOADER_BEFORE_OTHER;
}

bool loader_variable_is_report(const void *name, size_t size)
{
	struct utf16_reader reader = { .bytes = name, .size = size };

	if (begins_with(reader, "Stub") || is(reader, "LoaderEntrySelected"))
		return true;
	if (begins_with(reader, "LoaderEntry") || begins_with(reader, "LoaderConfig"))
		return false;
	return begins_with(reader, "Loader") && !is(reader, "LoaderSystemToken");
}

const uint16_t *shim_report_name(size_t index)
{
	/* Letter by letter, because a build for the host has wide characters of 32 bits. */
	static const uint16_t names[][18] = {
		{ 'M', 'o', 'k', 'I', 'g', 'n', 'o', 'r', 'e', 'D', 'B' },
		{ 'M', 'o', 'k', 'L', 'i', 's', 't', 'R', 'T' },
		{ 'M', 'o', 'k', 'L', 'i', 's', 't', 'T', 'r', 'u', 's', 't', 'e', 'd', 'R', 'T' },
		{ 'M', 'o', 'k', 'L', 'i', 's', 't', 'X', 'R', 'T' },
		{ 'M', 'o', 'k', 'P', 'o', 'l', 'i', 'c', 'y', 'R', 'T' },
		{ 'M', 'o', 'k', 'S', 'B', 'S', 't', 'a', 't', 'e', 'R', 'T' },
		{ 'S', 'b', 'a', 't', 'L', 'e', 'v', 'e', 'l', 'R', 'T' },
	};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

bool shim_variable_is_report(const uint16_t *name)
{
	for (size_t i = 0; shim_report_name(i); i++) {
		const uint16_t *known = shim_report_name(i);
		const uint16_t *rest = name;

		for (; *known && *rest == *known; known++)
			rest++;
		while (!*known && *rest >= '0' && *rest <= '9')
			rest++;
		if (!*known && !*rest)
			return true;
	}
	return false;
}

bool loader_replaces_values(enum loader_before before)
{
	return before == LOADER_BEFORE_SELF;
}

bool loader_is_stub(enum loader_before before)
{
	return before == LOADER_BEFORE_MENU || before == LOADER_BEFORE_OTHER;
}

const char *loader_entry_selected(const struct boot_plan *plan)
{
	const char *name = plan->said_by;

	if (!plan->is_file)
		return NULL;
	for (const char *c = plan->said_by; *c; c++) {
		if (*c == '/' || *c == '\\')
			name = c + 1;
	}
	return *name ? name : NULL;
}

static void write_revision(char *text, size_t size, const char *name, uint32_t revision)
{
	format_text(text, size, "%s %u.%02u", name, revision >> 16, revision & 0xffff);
}

void loader_firmware_info(const void *vendor, uint32_t revision, char ret_text[LOADER_VALUE_SIZE])
{
	struct utf16_reader reader = { .bytes = vendor, .size = vendor ? 2 * VENDOR_UNITS_MAX : 0 };
	size_t length = 0;
	char utf8[4];
	size_t count;

	while ((count = utf16_take_utf8(&reader, utf8)) != 0) {
		memcpy(ret_text + length, utf8, count);
		length += count;
	}
	write_revision(ret_text + length, LOADER_VALUE_SIZE - length, "", revision);
}

void loader_firmware_type(uint32_t revision, char ret_text[LOADER_VALUE_SIZE])
{
	write_revision(ret_text, LOADER_VALUE_SIZE, "UEFI", revision);
}

size_t loader_value(const char *text, uint16_t ret_value[LOADER_VALUE_SIZE])
{
	size_t units = 0;

	if (!text_to_utf16(text_of_string(text), ret_value, LOADER_VALUE_SIZE))
		return 0;
	while (ret_value[units])
		units++;
	return (units + 1) * sizeof(ret_value[0]);
}
