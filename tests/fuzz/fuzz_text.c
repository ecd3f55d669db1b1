// SPDX-License-Identifier: BSD-2-Clause
/*
 * Feeds bytes to boot/text.c as UTF-8 and as UTF-16, and compares its results with those of the C library's iconv.
 * Feeds the same bytes to boot/stub_options.c as a command line.
 */
#define _GNU_SOURCE
#include <iconv.h>

#include "boot/stub_options.h"
#include "boot/text.h"
#include "tests/fuzz/input.h"

/* Converts UTF-8 to UTF-16 of at most `capacity` bytes. Returns false if it is not UTF-8. */
static bool reference_to_utf16(struct text text, char *ret_utf16, size_t capacity, size_t *ret_size)
{
	static iconv_t converter;
	char *from = (char *)text.start;
	size_t from_size = text.length;
	size_t left = capacity;

	if (!converter)
		converter = iconv_open("UTF-16LE", "UTF-8");
	assert(converter != (iconv_t)-1);
	iconv(converter, NULL, NULL, NULL, NULL);
	if (iconv(converter, &from, &from_size, &ret_utf16, &left) == (size_t)-1)
		return false;
	*ret_size = capacity - left;
	return true;
}

/* Converts UTF-16 up to a NUL, and returns the size. `ret_utf8` must have room for 3 bytes a unit. */
static size_t to_utf8(const void *utf16, size_t size, char *ret_utf8)
{
	struct utf16_reader reader = { .bytes = utf16, .size = size };
	size_t at = 0;
	size_t count;
	char utf8[4];

	while ((count = utf16_take_utf8(&reader, utf8)) != 0) {
		assert(count <= 4);
		memcpy(ret_utf8 + at, utf8, count);
		at += count;
	}
	return at;
}

static void check_same_text(struct text text, const uint16_t *utf16, size_t units)
{
	char *back = malloc(3 * units + 1);
	const char *nul = memchr(text.start, 0, text.length);
	size_t size = to_utf8(utf16, units * 2, back);

	assert(size == (nul ? (size_t)(nul - text.start) : text.length));
	assert(memcmp(back, text.start, size) == 0);
	free(back);
}

static void check_utf8(struct text text)
{
	size_t capacity = text.length + 1;
	uint16_t *utf16 = malloc(capacity * 2);
	char *reference = malloc(capacity * 2);
	size_t reference_size;
	bool valid = reference_to_utf16(text, reference, capacity * 2, &reference_size);

	assert(text_to_utf16(text, utf16, capacity) == valid);
	if (valid) {
		size_t units = reference_size / 2;

		assert(memcmp(utf16, reference, reference_size) == 0);
		assert(utf16[units] == 0);
		assert(!text_to_utf16(text, utf16, units));
		assert(text_to_utf16(text, utf16, units + 1));
		check_same_text(text, utf16, units);
	}
	free(utf16);
	free(reference);
}

/* Converting to UTF-8 and back changes only unpaired surrogates. */
static void check_utf16(const uint8_t *bytes, size_t size)
{
	char *utf8 = malloc(3 * (size / 2) + 1);
	uint16_t *back = malloc(size + 2);
	struct text text = { .start = utf8, .length = to_utf8(bytes, size, utf8) };
	size_t i;

	assert(text_to_utf16(text, back, size / 2 + 1));
	for (i = 0; back[i]; i++) {
		uint16_t unit = (uint16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8);

		assert(back[i] == unit || (back[i] == 0xfffd && unit >= 0xd800 && unit <= 0xdfff));
	}
	assert(2 * i + 2 > size || (bytes[2 * i] == 0 && bytes[2 * i + 1] == 0));
	free(utf8);
	free(back);
}

/* Lines and words: only separators may be lost. */
static void check_pieces(struct text text)
{
	const char *at = text.start;
	struct text line;

	while (text_take_line(&text, &line)) {
		struct text trimmed = text_trim(line);

		assert(line.start == at && !memchr(line.start, '\n', line.length));
		assert(trimmed.start >= line.start && trimmed.length <= line.length);
		while (trimmed.length) {
			struct text word = text_take_word(&trimmed);

			assert(word.length && !memchr(word.start, ' ', word.length) &&
			       !memchr(word.start, '\t', word.length));
		}
		at = text.start;
	}
	assert(text.length == 0);
}

/* An option is found only if the text contains efi=. Words in front of the text do not hide it. */
static void check_options(struct text text)
{
	static const char before[] = "quiet efi=a \"b c\"=d ";
	struct text option = TEXT("a");
	struct text longer = { .length = sizeof(before) - 1 + text.length };
	char *copy = malloc(longer.length);
	bool found = stub_option(text, option);

	assert(!found || memmem(text.start, text.length, "efi=", 4));
	memcpy(copy, before, sizeof(before) - 1);
	memcpy(copy + sizeof(before) - 1, text.start, text.length);
	longer.start = copy;
	assert(stub_option(longer, option) || !found);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct text text = { .start = (const char *)bytes, .length = size };

	if (size == 0)
		return 0;
	check_utf8(text);
	check_utf16(bytes, size);
	check_pieces(text);
	check_options(text);
	return 0;
}
