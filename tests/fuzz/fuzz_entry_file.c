// SPDX-License-Identifier: BSD-2-Clause
/*
 * Feeds bytes to boot/text_kind.c, and to boot/entry_file.c as an entry file. A file in UTF-8 must make the same plan
 * as its text in UTF-16.
 */
#define _GNU_SOURCE
#include "boot/entry_file.h"

#include "boot/text_kind.h"
#include "tests/fuzz/input.h"

/* The UTF-8 of a text that counts as UTF-16 must contain exactly the text of its units. */
static void check_kind(const uint8_t *bytes, size_t size)
{
	size_t capacity = size / 2 + 1;
	char *utf8 = malloc(TEXT_UTF8_SIZE(size) + 1);
	uint16_t *units = malloc(capacity * sizeof(*units));

	if (text_kind(bytes, size) == TEXT_UTF16) {
		size_t mark = bytes[0] == 0xff && bytes[1] == 0xfe ? 2 : 0;
		size_t rest;
		struct text text = text_from_utf16(bytes, size, utf8, &rest);

		assert(text.length && text.length <= TEXT_UTF8_SIZE(size) && rest <= size - mark);
		assert(text_is_utf8(text) && text_to_utf16(text, units, capacity));
		assert(memcmp(units, bytes + mark, size - mark - rest) == 0);
		assert(rest < 2 || (bytes[size - rest] == 0 && bytes[size - rest + 1] == 0));
	}
	free(utf8);
	free(units);
}

static bool plan(const void *bytes, size_t size, struct boot_plan *ret_plan)
{
	struct text content = { .start = bytes, .length = size };
	char fallback[FALLBACK_PATH_SIZE];

	if (entry_file_to_plan("file", content, TEXT("verbose yes\n"), fallback, ret_plan) != KEXEC_OK)
		return false;
	/* The parser and the search without it find the same fallback. */
	assert(strcmp(fallback, ret_plan->fallback ? ret_plan->fallback : "") == 0);
	return true;
}

static void check_same_plan(const struct boot_plan *a, const struct boot_plan *b)
{
	assert(text_equal(a->text, b->text));
	assert(text_equal(a->command_line, b->command_line));
	assert(strcmp(a->kernel.name, b->kernel.name) == 0);
	assert(a->initrd_count == b->initrd_count && a->verbose == b->verbose);
}

/*
 * Lines in UTF-16 must begin with ASCII. Any other text that is accepted in UTF-8 must be accepted in UTF-16 as well.
 */
static bool all_lines_begin_with_ascii(struct text text)
{
	struct text line;

	while (text_take_line(&text, &line)) {
		line = text_trim(line);
		if (line.length && (uint8_t)line.start[0] >= 0x80)
			return false;
	}
	return true;
}

static void check_utf16(const struct boot_plan *expected, struct text text)
{
	size_t capacity = text.length + 2;
	uint16_t *units = malloc(capacity * sizeof(*units));
	struct boot_plan found;
	size_t count = 1;

	units[0] = 0xfeff;
	if (text_to_utf16(text, units + 1, capacity - 1)) {
		while (units[count])
			count++;
		if (plan(units, count * sizeof(*units), &found)) {
			check_same_plan(expected, &found);
			boot_plan_free(&found);
		} else {
			assert(!all_lines_begin_with_ascii(text) || memmem(text.start, text.length, "\xef\xbf\xbd", 3));
		}
	}
	free(units);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct text text = { .start = (const char *)bytes, .length = size };
	struct boot_plan found;

	if (size == 0)
		return 0;
	check_kind(bytes, size);
	if (!plan(bytes, size, &found))
		return 0;
	/* A text in UTF-16 cannot be converted again. */
	if (text_kind(bytes, size) == TEXT_UTF8 && bytes[0] < 0x80)
		check_utf16(&found, text);
	boot_plan_free(&found);
	return 0;
}
