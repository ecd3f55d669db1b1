// SPDX-License-Identifier: BSD-2-Clause
/* Cuts text into pieces and converts it. */
#include "boot/text.h"

#include "common/string.h"

bool text_equal(struct text a, struct text b)
{
	return a.length == b.length && memcmp(a.start, b.start, a.length) == 0;
}

bool text_begins_with(struct text text, struct text prefix)
{
	return text.length >= prefix.length && memcmp(text.start, prefix.start, prefix.length) == 0;
}

bool text_contains(struct text text, struct text part)
{
	for (; text.length; text.start++, text.length--) {
		if (text_begins_with(text, part))
			return true;
	}
	return false;
}

bool text_has(struct text text, char c)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.start[i] == c)
			return true;
	}
	return false;
}

void text_drop(struct text *text, size_t count)
{
	text->start += count;
	text->length -= count;
}

void text_skip_prefix(struct text *text, struct text prefix)
{
	if (text_begins_with(*text, prefix))
		text_drop(text, prefix.length);
}

bool text_ends_in_efi(struct text text)
{
	const char *end;

	if (text.length < 4)
		return false;
	end = text.start + text.length - 4;
	return end[0] == '.' && text_lower(end[1]) == 'e' && text_lower(end[2]) == 'f' && text_lower(end[3]) == 'i';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void drop_leading_blanks(struct text *text)
{
	while (text->length && is_blank(text->start[0]))
		text_drop(text, 1);
}

struct text text_trim(struct text text)
{
	drop_leading_blanks(&text);
	while (text.length && is_blank(text.start[text.length - 1]))
		text.length--;
	return text;
}

struct text text_take_word(struct text *text)
{
	struct text word;

	drop_leading_blanks(text);
	word = (struct text){ .start = text->start };
	while (word.length < text->length && !is_blank(text->start[word.length]))
		word.length++;
	text_drop(text, word.length);
	drop_leading_blanks(text);
	return word;
}

bool text_take_line(struct text *text, struct text *ret_line)
{
	struct text line = { .start = text->start };

	if (!text->length)
		return false;
	while (line.length < text->length && text->start[line.length] != '\n')
		line.length++;
	text_drop(text, line.length);
	if (text->length)
		text_drop(text, 1);
	*ret_line = line;
	return true;
}

struct text text_of_string(const char *string)
{
	return (struct text){ .start = string, .length = strlen(string) };
}

struct text text_quote(struct text text, size_t max)
{
	if (text.length > max)
		text.length = max;
	return text;
}

char text_lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c;
}

int text_hex_digit(char c)
{
	if (text_is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool text_take_number(struct text *text, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t digits = 0;

	for (; digits < text->length && text_is_digit(text->start[digits]); digits++) {
		uint64_t digit = (uint64_t)(text->start[digits] - '0');

		if (digit > max || number > (max - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	text_drop(text, digits);
	*ret_number = number;
	return digits != 0;
}

void text_append(struct text_buffer *buffer, struct text text)
{
	if (text.length)
		memcpy(buffer->start + buffer->length, text.start, text.length);
	buffer->length += text.length;
}

#define NOT_A_CHARACTER UINT32_MAX

/* Removes one character from *text, which must not be empty. */
static uint32_t take_character(struct text *text)
{
	static const uint32_t smallest[] = { 0, 0x80, 0x800, 0x10000 };
	uint8_t first = (uint8_t)*text->start++;
	uint32_t character;
	size_t more;

	text->length--;
	if (first < 0x80)
		return first;
	if (first >= 0xf8 || first < 0xc0)
		return NOT_A_CHARACTER;
	more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
	character = first & (0x3fu >> more);
	for (size_t i = 0; i < more; i++) {
		if (!text->length || ((uint8_t)*text->start & 0xc0) != 0x80)
			return NOT_A_CHARACTER;
		character = character << 6 | ((uint8_t)*text->start++ & 0x3f);
		text->length--;
	}
	if (character < smallest[more] || character > 0x10ffff || (character >= 0xd800 && character < 0xe000))
		return NOT_A_CHARACTER;
	return character;
}

bool text_is_utf8(struct text text)
{
	while (text.length) {
		if (take_character(&text) == NOT_A_CHARACTER)
			return false;
	}
	return true;
}

bool text_to_utf16(struct text text, uint16_t *ret_utf16, size_t capacity)
{
	size_t at = 0;

	while (text.length) {
		uint32_t character = take_character(&text);
		size_t units = character >= 0x10000 ? 2 : 1;

		/* One unit is kept for the NUL. */
		if (character == NOT_A_CHARACTER || capacity - at < units + 1)
			return false;
		if (units == 2) {
			ret_utf16[at++] = (uint16_t)(0xd800 + ((character - 0x10000) >> 10));
			ret_utf16[at++] = (uint16_t)(0xdc00 + (character & 0x3ff));
		} else {
			ret_utf16[at++] = (uint16_t)character;
		}
	}
	if (at == capacity)
		return false;
	ret_utf16[at] = 0;
	return true;
}

#define REPLACEMENT_CHARACTER 0xfffdu

/* Returns 0 at the end. A single last byte counts as the end. */
static uint32_t peek_unit(const struct utf16_reader *reader)
{
	return reader->size >= 2 ? reader->bytes[0] | (uint32_t)reader->bytes[1] << 8 : 0;
}

static void drop_unit(struct utf16_reader *reader)
{
	reader->bytes += 2;
	reader->size -= 2;
}

static uint32_t utf16_take_character(struct utf16_reader *reader)
{
	uint32_t high = peek_unit(reader);
	uint32_t low;

	if (high == 0)
		return 0;
	drop_unit(reader);
	if (high < 0xd800 || high > 0xdfff)
		return high;
	low = peek_unit(reader);
	if (high > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return REPLACEMENT_CHARACTER;
	drop_unit(reader);
	return 0x10000 + ((high - 0xd800) << 10 | (low - 0xdc00));
}

size_t utf16_take_utf8(struct utf16_reader *reader, char ret_utf8[4])
{
	static const uint8_t lead[] = { 0, 0x00, 0xc0, 0xe0, 0xf0 };
	uint32_t character = utf16_take_character(reader);
	size_t count = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

	if (character == 0)
		return 0;
	for (size_t i = count - 1; i > 0; i--) {
		ret_utf8[i] = (char)(0x80 | (character & 0x3f));
		character >>= 6;
	}
	ret_utf8[0] = (char)(lead[count] | character);
	return count;
}

size_t utf16_size(const uint16_t *utf16)
{
	size_t units = 0;

	while (utf16[units])
		units++;
	return (units + 1) * sizeof(*utf16);
}
