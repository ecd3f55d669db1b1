// SPDX-License-Identifier: BSD-2-Clause
/* Words, lines, and both conversions between UTF-8 and UTF-16, with every kind of invalid text. */
#include "boot/text.h"

#include "tests/unit/support.h"

#define GUARD 0x5a5a

#define expect_text(text, expected) check_text((text), (expected), sizeof(expected) - 1, __FILE__, __LINE__)

static void check_text(struct text found, const char *expected, size_t length, const char *file, int line)
{
	if (found.length != length || memcmp(found.start, expected, length) != 0) {
		print_error("expected \"%s\", found \"%.*s\"\n", expected, TEXT_ARGS(found));
		_fail(file, line);
	}
}

/* Copies of a test's texts, which the end of its process frees. */
static char *copies[256];
static size_t copies_count;

/* A copy in memory of exactly its size, so that a sanitizer detects reads behind it. */
static struct text text_of(const char *bytes, size_t length)
{
	char *copy = malloc(length ? length : 1);

	assert_true(copy && copies_count < sizeof(copies) / sizeof(copies[0]));
	copies[copies_count++] = copy;
	memcpy(copy, bytes, length);
	return (struct text){ .start = copy, .length = length };
}

#define EXACT(literal) text_of((literal), sizeof(literal) - 1)

/* --- pieces --- */

static void equal_and_unequal(void **state)
{
	(void)state;
	assert_true(text_equal(EXACT("linux"), EXACT("linux")));
	assert_true(text_equal(EXACT(""), EXACT("")));
	assert_true(text_equal(EXACT("a\0b"), EXACT("a\0b")));
	assert_false(text_equal(EXACT("a\0b"), EXACT("a\0c")));
	assert_false(text_equal(EXACT("linux"), EXACT("linu")));
	assert_false(text_equal(EXACT("linu"), EXACT("linux")));
	assert_false(text_equal(EXACT("linux"), EXACT("Linux")));
	assert_false(text_equal(EXACT(""), EXACT("x")));
}

static void expect_rest(struct text text, struct text prefix, const char *rest)
{
	text_skip_prefix(&text, prefix);
	assert_int_equal(text.length, strlen(rest));
	assert_memory_equal(text.start, rest, text.length);
}

static void finds_what_a_text_begins_with_and_contains(void **state)
{
	(void)state;
	assert_true(text_begins_with(TEXT("abc"), TEXT("ab")));
	assert_true(text_begins_with(TEXT("abc"), TEXT("abc")));
	assert_true(text_begins_with(TEXT(""), TEXT("")));
	assert_false(text_begins_with(TEXT("ab"), TEXT("abc")));
	assert_false(text_begins_with(TEXT("abc"), TEXT("b")));
	assert_true(text_contains(TEXT("abc"), TEXT("a")));
	assert_true(text_contains(TEXT("abc"), TEXT("bc")));
	assert_true(text_contains(TEXT("aab"), TEXT("ab")));
	assert_false(text_contains(TEXT("abc"), TEXT("cd")));
	assert_false(text_contains(TEXT(""), TEXT("a")));
}

static void skips_a_whole_prefix_once(void **state)
{
	(void)state;
	expect_rest(EXACT("ab"), TEXT("a"), "b");
	expect_rest(EXACT("aab"), TEXT("a"), "ab");
	expect_rest(EXACT("ab"), TEXT("ab"), "");
	expect_rest(EXACT("ab"), TEXT("abc"), "ab");
	expect_rest(EXACT("ab"), TEXT("b"), "ab");
	expect_rest(EXACT("ab"), TEXT("aB"), "ab");
	expect_rest(EXACT("ab"), TEXT(""), "ab");
	expect_rest(EXACT(""), TEXT("a"), "");
}

static void text_literal(void **state)
{
	struct text text = TEXT("four");

	(void)state;
	assert_int_equal(text.length, 4);
	assert_string_equal(text.start, "four");
}

static void trims_both_ends(void **state)
{
	(void)state;
	expect_text(text_trim(EXACT(" \t\r a b\t c \r\t ")), "a b\t c");
	expect_text(text_trim(EXACT("a")), "a");
	expect_text(text_trim(EXACT("a\n ")), "a\n");
	expect_text(text_trim(EXACT(" \r\t ")), "");
	expect_text(text_trim(EXACT("")), "");
}

static void takes_words_to_the_end(void **state)
{
	struct text text = EXACT(" \tlinux \t /a b\r");

	(void)state;
	expect_text(text_take_word(&text), "linux");
	expect_text(text, "/a b\r");
	expect_text(text_take_word(&text), "/a");
	expect_text(text, "b\r");
	expect_text(text_take_word(&text), "b");
	expect_text(text, "");
	expect_text(text_take_word(&text), "");
	expect_text(text, "");
}

static void takes_a_last_word_without_blanks(void **state)
{
	struct text text = EXACT("word");

	(void)state;
	expect_text(text_take_word(&text), "word");
	expect_text(text, "");
	text = EXACT("  ");
	expect_text(text_take_word(&text), "");
	expect_text(text, "");
}

static void takes_lines_with_and_without_end(void **state)
{
	struct text text = EXACT("one\r\n\n two\nlast");
	struct text line;

	(void)state;
	assert_true(text_take_line(&text, &line));
	expect_text(line, "one\r");
	assert_true(text_take_line(&text, &line));
	expect_text(line, "");
	assert_true(text_take_line(&text, &line));
	expect_text(line, " two");
	expect_text(text, "last");
	assert_true(text_take_line(&text, &line));
	expect_text(line, "last");
	assert_false(text_take_line(&text, &line));
	expect_text(line, "last");
}

static void no_line_after_the_last_line_feed(void **state)
{
	struct text text = EXACT("\n");
	struct text line;

	(void)state;
	assert_true(text_take_line(&text, &line));
	expect_text(line, "");
	assert_false(text_take_line(&text, &line));
	text = EXACT("");
	assert_false(text_take_line(&text, &line));
}

/* --- UTF-8 to UTF-16 --- */

/* Converts with exactly the needed capacity, with one unit more, and with every smaller one, which must be refused. */
static void check_utf16(struct text text, const uint16_t *expected, size_t units, const char *file, int line)
{
	uint16_t found[64];

	for (size_t capacity = 0; capacity <= units + 2; capacity++) {
		bool fits = capacity > units;

		for (size_t i = 0; i < 64; i++)
			found[i] = GUARD;
		if (text_to_utf16(text, found, capacity) != fits) {
			print_error("%zu units: expected %s\n", capacity, fits ? "success" : "failure");
			_fail(file, line);
		}
		if (fits && (memcmp(found, expected, units * 2) != 0 || found[units] != 0)) {
			print_error("%zu units: wrong text\n", capacity);
			_fail(file, line);
		}
		for (size_t i = capacity; i < 64; i++)
			assert_int_equal(found[i], GUARD);
	}
}

#define expect_utf16(literal, ...)                                                                                     \
	do {                                                                                                           \
		static const uint16_t units_[] = { __VA_ARGS__ };                                                      \
                                                                                                                       \
		check_utf16(EXACT(literal), units_, sizeof(units_) / 2, __FILE__, __LINE__);                           \
		assert_true(text_is_utf8(EXACT(literal)));                                                             \
	} while (0)

static void expect_number(struct text text, uint64_t max, uint64_t expected, size_t left)
{
	uint64_t number;

	assert_true(text_take_number(&text, max, &number));
	assert_int_equal(number, expected);
	assert_int_equal(text.length, left);
}

static void expect_no_number(struct text text, uint64_t max)
{
	const size_t length = text.length;
	uint64_t number;

	assert_false(text_take_number(&text, max, &number));
	assert_int_equal(text.length, length);
}

static void takes_numbers_up_to_the_largest(void **state)
{
	(void)state;
	expect_number(TEXT("0"), 0, 0, 0);
	expect_number(TEXT("007-8"), 255, 7, 2);
	expect_number(TEXT("255.1"), 255, 255, 2);
	expect_number(TEXT("18446744073709551615"), UINT64_MAX, UINT64_MAX, 0);
	expect_no_number(TEXT("18446744073709551616"), UINT64_MAX);
	expect_no_number(TEXT("99999999999999999999"), UINT64_MAX);
	expect_no_number(TEXT("256"), 255);
	expect_no_number(TEXT("1"), 0);
	expect_no_number(TEXT("9"), 8);
	expect_no_number(TEXT(""), UINT64_MAX);
	expect_no_number(TEXT("-1"), UINT64_MAX);
	expect_no_number(TEXT("x1"), UINT64_MAX);
}

static void utf16_of_ascii(void **state)
{
	(void)state;
	expect_utf16("\\EFI\\a.efi", '\\', 'E', 'F', 'I', '\\', 'a', '.', 'e', 'f', 'i');
	expect_utf16("\x01\x7f", 0x01, 0x7f);
}

static void utf16_of_nothing(void **state)
{
	uint16_t found = GUARD;

	(void)state;
	assert_false(text_to_utf16(EXACT(""), &found, 0));
	assert_int_equal(found, GUARD);
	assert_true(text_to_utf16(EXACT(""), &found, 1));
	assert_int_equal(found, 0);
}

static void utf16_at_the_borders_of_each_length(void **state)
{
	(void)state;
	expect_utf16("\xc2\x80", 0x80);
	expect_utf16("\xdf\xbf", 0x7ff);
	expect_utf16("\xe0\xa0\x80", 0x800);
	expect_utf16("\xed\x9f\xbf", 0xd7ff);
	expect_utf16("\xee\x80\x80", 0xe000);
	expect_utf16("\xef\xbf\xbf", 0xffff);
	expect_utf16("\xf0\x90\x80\x80", 0xd800, 0xdc00);
	expect_utf16("\xf4\x8f\xbf\xbf", 0xdbff, 0xdfff);
	expect_utf16("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7z", 'a', 0xe4, 0x20ac, 0xd83d, 0xdc27, 'z');
}

#define expect_no_utf16(literal)                                                                                       \
	do {                                                                                                           \
		uint16_t found_[16];                                                                                   \
                                                                                                                       \
		assert_false(text_to_utf16(EXACT(literal), found_, 16));                                               \
		assert_false(text_to_utf16(EXACT("ab" literal), found_, 16));                                          \
		assert_false(text_to_utf16(EXACT(literal "yz"), found_, 16));                                          \
		assert_false(text_is_utf8(EXACT(literal)));                                                            \
		assert_false(text_is_utf8(EXACT("ab" literal "yz")));                                                  \
	} while (0)

static void overlong(void **state)
{
	(void)state;
	expect_no_utf16("\xc0\x80");
	expect_no_utf16("\xc0\xaf");
	expect_no_utf16("\xc1\xbf");
	expect_no_utf16("\xe0\x80\x80");
	expect_no_utf16("\xe0\x9f\xbf");
	expect_no_utf16("\xf0\x80\x80\x80");
	expect_no_utf16("\xf0\x8f\xbf\xbf");
}

static void surrogates_in_utf8(void **state)
{
	(void)state;
	expect_no_utf16("\xed\xa0\x80");
	expect_no_utf16("\xed\xaf\xbf");
	expect_no_utf16("\xed\xb0\x80");
	expect_no_utf16("\xed\xbf\xbf");
	expect_no_utf16("\xed\xa0\xbd\xed\xb0\xa7");
}

static void beyond_unicode(void **state)
{
	(void)state;
	expect_no_utf16("\xf4\x90\x80\x80");
	expect_no_utf16("\xf7\xbf\xbf\xbf");
	expect_no_utf16("\xf8\x88\x80\x80\x80");
	expect_no_utf16("\xf8\x90\x80\x80");
	expect_no_utf16("\xfc\x90\x80\x80");
	expect_no_utf16("\xff\x9f\xbf\xbf");
	expect_no_utf16("\xfc\x84\x80\x80\x80\x80");
	expect_no_utf16("\xfe");
	expect_no_utf16("\xff");
}

static void continuation_without_beginning(void **state)
{
	(void)state;
	expect_no_utf16("\x80");
	expect_no_utf16("\xbf");
	expect_no_utf16("\xbf\xbf");
	expect_no_utf16("\x82\x80");
	expect_no_utf16("\xc3\xa4\xa4");
}

static void truncated_utf8(void **state)
{
	(void)state;
	expect_no_utf16("\xc3");
	expect_no_utf16("\xe2");
	expect_no_utf16("\xe2\x82");
	expect_no_utf16("\xf0");
	expect_no_utf16("\xf0\x9f");
	expect_no_utf16("\xf0\x9f\x90");
}

static void continuation_wrong(void **state)
{
	(void)state;
	expect_no_utf16("\xc3\xc3");
	expect_no_utf16("\xe2\x82\x7f");
	expect_no_utf16("\xe2\x41\xac");
	expect_no_utf16("\xf0\x9f\x90\xc0");
}

/* --- UTF-16 to UTF-8 --- */

/* Converts `bytes`, in memory of exactly `size` bytes at an odd address. */
static void check_utf8(const char *bytes, size_t size, const char *expected, const char *file, int line)
{
	uint8_t *copy = malloc(size + 1);
	struct utf16_reader reader = { .bytes = copy + 1, .size = size };
	char found[64];
	size_t length = 0;
	size_t count;
	char utf8[4];

	memcpy(copy + 1, bytes, size);
	while ((count = utf16_take_utf8(&reader, utf8)) != 0) {
		assert_true(count <= 4 && length + count < sizeof(found));
		memcpy(found + length, utf8, count);
		length += count;
	}
	found[length] = '\0';
	/* Reading on at the end returns the end again. */
	assert_int_equal(utf16_take_utf8(&reader, utf8), 0);
	if (length != strlen(expected) || memcmp(found, expected, length) != 0) {
		print_error("expected \"%s\", found \"%s\"\n", expected, found);
		_fail(file, line);
	}
	free(copy);
}

#define expect_utf8(literal, expected) check_utf8((literal), sizeof(literal) - 1, (expected), __FILE__, __LINE__)

static void utf8_of_nothing(void **state)
{
	(void)state;
	expect_utf8("", "");
	expect_utf8("\0\0a\0", "");
	expect_utf8("a", "");
}

static void utf8_of_ascii(void **state)
{
	(void)state;
	expect_utf8("a\0b\0", "ab");
	expect_utf8("a\0b\0\0\0c\0", "ab");
	expect_utf8("a\0b", "a");
	expect_utf8("\x01\0\x7f\0", "\x01\x7f");
}

static void utf8_at_the_borders_of_each_length(void **state)
{
	(void)state;
	expect_utf8("\x80\x00", "\xc2\x80");
	expect_utf8("\xff\x07", "\xdf\xbf");
	expect_utf8("\x00\x08", "\xe0\xa0\x80");
	expect_utf8("\xff\xd7", "\xed\x9f\xbf");
	expect_utf8("\x00\xe0", "\xee\x80\x80");
	expect_utf8("\xff\xff", "\xef\xbf\xbf");
	expect_utf8("\x00\xd8\x00\xdc", "\xf0\x90\x80\x80");
	expect_utf8("\xff\xdb\xff\xdf", "\xf4\x8f\xbf\xbf");
}

static void half_a_surrogate_pair(void **state)
{
	(void)state;
	expect_utf8("\x00\xd8", "\xef\xbf\xbd");
	expect_utf8("\x00\xd8\x00", "\xef\xbf\xbd");
	expect_utf8("\xff\xdb\x41\x00", "\xef\xbf\xbd\x41");
	expect_utf8("\x00\xd8\x00\x00", "\xef\xbf\xbd");
	expect_utf8("\x00\xdc", "\xef\xbf\xbd");
	expect_utf8("\xff\xdf\x41\x00", "\xef\xbf\xbd\x41");
	expect_utf8("\x00\xd8\x00\xe0", "\xef\xbf\xbd\xee\x80\x80");
	expect_utf8("\x00\xd8\xff\xdb\x00\xdc", "\xef\xbf\xbd\xf4\x8f\xb0\x80");
	expect_utf8("\x00\xdc\x00\xdc", "\xef\xbf\xbd\xef\xbf\xbd");
	expect_utf8("\x00\xdc\x00\xd8", "\xef\xbf\xbd\xef\xbf\xbd");
}

/* Both conversions agree on each character. */
static void every_character_there_and_back(void **state)
{
	(void)state;
	for (uint32_t character = 1; character <= 0x10ffff; character++) {
		uint16_t units[3];
		uint16_t again[3] = { 0 };
		struct utf16_reader reader = { .bytes = (const uint8_t *)units };
		struct text text;
		char utf8[4];

		if (character >= 0xd800 && character < 0xe000)
			continue;
		units[0] = (uint16_t)character;
		reader.size = 2;
		if (character >= 0x10000) {
			units[0] = (uint16_t)(0xd7c0 + (character >> 10));
			units[1] = (uint16_t)(0xdc00 | (character & 0x3ff));
			reader.size = 4;
		}
		text = (struct text){ .start = utf8, .length = utf16_take_utf8(&reader, utf8) };
		assert_int_equal(reader.size, 0);
		assert_true(text_to_utf16(text, again, 3));
		assert_memory_equal(again, units, character >= 0x10000 ? 4 : 2);
		assert_int_equal(again[character >= 0x10000 ? 2 : 1], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_and_unequal),
		cmocka_unit_test(finds_what_a_text_begins_with_and_contains),
		cmocka_unit_test(skips_a_whole_prefix_once),
		cmocka_unit_test(text_literal),
		cmocka_unit_test(trims_both_ends),
		cmocka_unit_test(takes_words_to_the_end),
		cmocka_unit_test(takes_a_last_word_without_blanks),
		cmocka_unit_test(takes_lines_with_and_without_end),
		cmocka_unit_test(no_line_after_the_last_line_feed),
		cmocka_unit_test(takes_numbers_up_to_the_largest),
		cmocka_unit_test(utf16_of_ascii),
		cmocka_unit_test(utf16_of_nothing),
		cmocka_unit_test(utf16_at_the_borders_of_each_length),
		cmocka_unit_test(overlong),
		cmocka_unit_test(surrogates_in_utf8),
		cmocka_unit_test(beyond_unicode),
		cmocka_unit_test(continuation_without_beginning),
		cmocka_unit_test(truncated_utf8),
		cmocka_unit_test(continuation_wrong),
		cmocka_unit_test(utf8_of_nothing),
		cmocka_unit_test(utf8_of_ascii),
		cmocka_unit_test(utf8_at_the_borders_of_each_length),
		cmocka_unit_test(half_a_surrogate_pair),
		cmocka_unit_test(every_character_there_and_back),
	};

	return run_named_tests(tests);
}
