// SPDX-License-Identifier: BSD-2-Clause
/* Weighs the evidence for each encoding. */
#include "boot/text_kind.h"

#include "common/string.h"

#define UTF8_MARK "\xef\xbb\xbf"
#define UTF16_MARK "\xff\xfe"
#define UTF16_BIG_ENDIAN_MARK "\xfe\xff"

static bool is_ascii(uint8_t c)
{
	return (c >= ' ' && c <= '~') || c == '\t' || c == '\r' || c == '\n';
}

/* The units that are ASCII, in one byte order. */
struct ascii_units {
	size_t count;
	bool first; /* the very first unit is one of them */
};

/* The units up to a NUL, counted in both byte orders. */
struct units {
	size_t count;
	struct ascii_units little;
	struct ascii_units big;
};

static void count_ascii(struct ascii_units *units, uint8_t high, uint8_t low, size_t index)
{
	if (high || !is_ascii(low))
		return;
	units->count++;
	units->first |= index == 0;
}

static struct units count_units(const uint8_t *bytes, size_t size)
{
	struct units units = { 0 };

	for (; size >= 2 && (bytes[0] || bytes[1]); bytes += 2, size -= 2) {
		count_ascii(&units.little, bytes[1], bytes[0], units.count);
		count_ascii(&units.big, bytes[0], bytes[1], units.count);
		units.count++;
	}
	return units;
}

static bool is_mostly_ascii(const struct ascii_units *ascii, size_t count)
{
	return ascii->count >= 2 && (ascii->first || 2 * ascii->count >= count);
}

/* Whether it is valid UTF-16, with at least one character in front of the first NUL. */
static bool is_utf16(const void *bytes, size_t size)
{
	struct utf16_reader reader = { .bytes = bytes, .size = size };
	size_t length = 0;
	char utf8[4];
	size_t count;

	while ((count = utf16_take_utf8(&reader, utf8)) != 0) {
		/* Half a surrogate pair comes back as U+FFFD, the replacement character. */
		if (count == 3 && memcmp(utf8, "\xef\xbf\xbd", 3) == 0)
			return false;
		length += count;
	}
	return length != 0;
}

static enum text_kind kind_with_nuls(const void *bytes, size_t size)
{
	const struct units units = count_units(bytes, size);

	if (is_mostly_ascii(&units.little, units.count) && units.little.count >= units.big.count)
		return is_utf16(bytes, size) ? TEXT_UTF16 : TEXT_BINARY;
	/* The first unit must be ASCII too: UTF-16 behind ASCII of an odd length looks big endian. */
	return units.big.first && is_mostly_ascii(&units.big, units.count) ? TEXT_UTF16_BIG_ENDIAN : TEXT_BINARY;
}

enum text_kind text_kind(const void *bytes, size_t size)
{
	struct text text = { .start = bytes, .length = size };

	while (text.length && text.start[text.length - 1] == '\0')
		text.length--;
	if (!text.length || text_equal(text, TEXT(UTF8_MARK)) || text_equal(text, TEXT(UTF16_MARK)) ||
	    text_equal(text, TEXT(UTF16_BIG_ENDIAN_MARK)))
		return TEXT_NOTHING;
	if (text_begins_with(text, TEXT(UTF16_MARK)))
		return is_utf16((const uint8_t *)bytes + 2, size - 2) ? TEXT_UTF16 : TEXT_BINARY;
	if (text_begins_with(text, TEXT(UTF16_BIG_ENDIAN_MARK)))
		return TEXT_UTF16_BIG_ENDIAN;
	if (!text_has(text, '\0'))
		return text_is_utf8(text) ? TEXT_UTF8 : TEXT_BINARY;
	return text_begins_with(text, TEXT(UTF8_MARK)) ? TEXT_BINARY : kind_with_nuls(bytes, size);
}

struct text text_from_utf16(const void *bytes, size_t size, char *buffer, size_t *ret_rest)
{
	struct text text = { .start = bytes, .length = size };
	struct text_buffer utf8 = { .start = buffer };
	struct utf16_reader reader;
	char character[4];
	size_t count;

	text_skip_prefix(&text, TEXT(UTF16_MARK));
	reader = (struct utf16_reader){ .bytes = (const uint8_t *)text.start, .size = text.length };
	while ((count = utf16_take_utf8(&reader, character)) != 0)
		text_append(&utf8, (struct text){ .start = character, .length = count });
	*ret_rest = reader.size;
	return (struct text){ .start = utf8.start, .length = utf8.length };
}
