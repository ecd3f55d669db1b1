// SPDX-License-Identifier: BSD-2-Clause
/* A piece of somebody else's text: not NUL-terminated, not owned. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	const char *start;
	size_t length;
};

/* For log messages: "%.*s", TEXT_ARGS(text). The argument is evaluated twice. */
#define TEXT_ARGS(text) (int)(text).length, (text).start

/* U+FEFF. */
#define UTF8_BYTE_ORDER_MARK "\xef\xbb\xbf"

/* A string literal as a struct text. */
#define TEXT(literal) ((struct text){ .start = (literal), .length = sizeof(literal) - 1 })

bool text_equal(struct text a, struct text b);

bool text_begins_with(struct text text, struct text prefix);

/* Whether the text contains `part`, which must not be empty. */
bool text_contains(struct text text, struct text part);

/* Whether the text contains the character. */
bool text_has(struct text text, char c);

/* Removes the first `count` bytes of *text, which must have as many. */
void text_drop(struct text *text, size_t count);

/* Removes the prefix if *text begins with it. */
void text_skip_prefix(struct text *text, struct text prefix);

/* Whether the text ends in ".efi", in any case, like the names of images. */
bool text_ends_in_efi(struct text text);

/* The text without spaces, tabs and carriage returns at both ends. */
struct text text_trim(struct text text);

/* Removes the first word of *text, and the spaces and tabs that separate it from the rest. Empty at the end. */
struct text text_take_word(struct text *text);

/* Removes the first line of *text. *ret_line does not have its line feed. Returns false when there is none left. */
bool text_take_line(struct text *text, struct text *ret_line);

/* A NUL-terminated string as a text. */
struct text text_of_string(const char *string);

/* The first bytes of somebody's text, for a message: at most `max` of them. */
struct text text_quote(struct text text, size_t max);

/* A letter of ASCII in lower case; any other character as it is. */
char text_lower(char c);

/* The value of a hexadecimal digit in either case, -1 for any other character. */
int text_hex_digit(char c);

bool text_is_digit(char c);

/* Removes a decimal number from *text. Returns false, and removes nothing, without a digit or above `max`. */
bool text_take_number(struct text *text, uint64_t max, uint64_t *ret_number);

/* A text that is being written. The writer ensures that the buffer is large enough. */
struct text_buffer {
	char *start;
	size_t length;
};

void text_append(struct text_buffer *buffer, struct text text);

/* Whether it is UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, no values beyond 0x10ffff. */
bool text_is_utf8(struct text text);

/* Converts UTF-8 to UTF-16 with a NUL. Returns false if it is not UTF-8, or does not fit in `capacity` units. */
bool text_to_utf16(struct text text, uint16_t *ret_utf16, size_t capacity);

/* The size in bytes of UTF-16 that ends with a NUL, including the NUL. */
size_t utf16_size(const uint16_t *utf16);

/* UTF-16 from the firmware. It may be unaligned, and ends behind `size` bytes or at a NUL. */
struct utf16_reader {
	const uint8_t *bytes;
	size_t size;
};

/*
 * Removes one character and writes it as UTF-8. Returns the number of bytes written, 0 at the end. Half a surrogate
 * pair becomes U+FFFD.
 */
size_t utf16_take_utf8(struct utf16_reader *reader, char ret_utf8[4]);
