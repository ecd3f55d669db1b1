// SPDX-License-Identifier: BSD-2-Clause
/* Text, its encoding, and data that only resembles text. */
#include "boot/text_kind.h"

#include "tests/unit/support.h"

/* A copy in memory of exactly its size, at an odd address, so that a sanitizer detects reads behind it. */
static enum text_kind kind_of(const void *bytes, size_t size)
{
	uint8_t *copy = test_malloc(size + 1);
	enum text_kind kind;

	if (size)
		memcpy(copy + 1, bytes, size);
	kind = text_kind(copy + 1, size);
	test_free(copy);
	return kind;
}

#define expect_kind(literal, kind) assert_int_equal(kind_of((literal), sizeof(literal) - 1), (kind))

static void nothing(void **state)
{
	(void)state;
	expect_kind("", TEXT_NOTHING);
	expect_kind("\0", TEXT_NOTHING);
	expect_kind("\0\0\0\0\0", TEXT_NOTHING);
	expect_kind("\xff\xfe", TEXT_NOTHING);
	expect_kind("\xfe\xff", TEXT_NOTHING);
	expect_kind("\xef\xbb\xbf", TEXT_NOTHING);
	expect_kind("\xff\xfe\0\0", TEXT_NOTHING);
}

static void bytes_of_even_and_odd_length(void **state)
{
	(void)state;
	expect_kind("linux=/vmlinuz", TEXT_UTF8);
	expect_kind("linux=/vmlinuz2", TEXT_UTF8);
	expect_kind("linux=/vmlinuz\0", TEXT_UTF8);
	expect_kind("linux=/vmlinuz2\0", TEXT_UTF8);
	expect_kind("linux=/vmlinuz\0\0\0\0", TEXT_UTF8);
	expect_kind("x", TEXT_UTF8);
	expect_kind("linux=/k\xc3\xa4se", TEXT_UTF8);
	expect_kind("\xef\xbb\xbflinux /vmlinuz\r\n", TEXT_UTF8);
}

static void bytes_that_are_not_utf8(void **state)
{
	(void)state;
	expect_kind("linux=/k\xe4se", TEXT_BINARY);
	expect_kind("\xef\xbb\xbfk\xe4se", TEXT_BINARY);
	expect_kind("\xef\xbb\xbfx\0y", TEXT_BINARY);
}

static void utf16_with_a_mark(void **state)
{
	(void)state;
	expect_kind("\xff\xfel\0i\0n\0u\0x\0", TEXT_UTF16);
	/* Only the mark shows the encoding, because nothing here is ASCII. */
	expect_kind("\xff\xfe\x00\x4e\x01\x4e", TEXT_UTF16);
	expect_kind("\xff\xfex\0\0\0", TEXT_UTF16);
	expect_kind("\xff\xfe\x3d\xd8", TEXT_BINARY);
	expect_kind("\xff\xfe\0\0x\0", TEXT_BINARY);
}

static void utf16_without_a_mark(void **state)
{
	(void)state;
	expect_kind("l\0i\0n\0u\0x\0", TEXT_UTF16);
	expect_kind("-\0-\0", TEXT_UTF16);
	expect_kind("l\0i\0n\0u\0x\0\0\0junk", TEXT_UTF16);
	/* Half a unit at the end is left to the caller. */
	expect_kind("l\0i\0n", TEXT_UTF16);
	/* A Chinese path behind our word, and a Chinese name in front of it. */
	expect_kind("e\0=\0\x85\x51\x38\x68\x85\x51\x38\x68\x85\x51\x38\x68", TEXT_UTF16);
	expect_kind("\x2f\x54\xa8\x52 \0-\0", TEXT_UTF16);
	expect_kind("a\0b\0\x3d\xd8", TEXT_BINARY);
}

static void utf16_big_endian(void **state)
{
	(void)state;
	expect_kind("\xfe\xff\0l\0i", TEXT_UTF16_BIG_ENDIAN);
	expect_kind("\0l\0i\0n\0u\0x", TEXT_UTF16_BIG_ENDIAN);
	/* U+4E00 and U+0A00 resemble big endian. */
	expect_kind("a\0b\0c\0\x00\x4e\x00\x0a", TEXT_UTF16);
}

/* Real boot entries: rhboot/efibootmgr issues 179 and 43, pull request 221, and shim's load-options.c. */
static void what_firmware_puts_in(void **state)
{
	(void)state;
	expect_kind("\0\0BO", TEXT_BINARY);
	expect_kind("RC", TEXT_UTF8);
	expect_kind("FJ\0", TEXT_UTF8);
	expect_kind("\x4e\xac\x08\x81\x11\x9f\x59\x4d\x85\x0e\xe2\x1a\x52\x2c\x59\xb2", TEXT_BINARY);
	expect_kind("\x4e\xac\x08\x81\x11\x9f\x59\x4d\x85\x0e\xe2\x1a\x52\x2c\x59\xb2\xff\x03", TEXT_BINARY);
	expect_kind("\0\0GO\0\0NO\0\0\0\0", TEXT_BINARY);
	expect_kind("WINDOWS\0\1\0\0\0\x88\0\0\0x\0\0\0B\0C\0D\0O\0", TEXT_BINARY);
}

static void one_encoding_that_goes_on_as_another(void **state)
{
	(void)state;
	expect_kind("linux=/vmlinuz -\0-\0", TEXT_BINARY);
	expect_kind("linux=/a\0b", TEXT_BINARY);
	/* The length is odd, and the part behind the first words resembles big endian. */
	expect_kind("linux\n\n#\0 \0a\0 \0c\0o\0m\0m\0e\0n\0t\0", TEXT_BINARY);
}

static void expect_utf8(const char *bytes, size_t size, const char *expected, size_t expected_rest)
{
	char *buffer = test_malloc(TEXT_UTF8_SIZE(size) + 1);
	uint8_t *copy = test_malloc(size + 1);
	struct text text;
	size_t rest;

	memcpy(copy + 1, bytes, size);
	text = text_from_utf16(copy + 1, size, buffer, &rest);
	assert_int_equal(text.length, strlen(expected));
	assert_memory_equal(text.start, expected, text.length);
	assert_int_equal(rest, expected_rest);
	test_free(copy);
	test_free(buffer);
}

#define expect_text(literal, expected, rest) expect_utf8((literal), sizeof(literal) - 1, (expected), (rest))

static void utf16_becomes_utf8(void **state)
{
	(void)state;
	expect_text("a\0b\0", "ab", 0);
	expect_text("\xff\xfex\0y\0", "xy", 0);
	expect_text("a\0\xac\x20\x3d\xd8\x27\xdc", "a\xe2\x82\xac\xf0\x9f\x90\xa7", 0);
	expect_text("a\0\0\0b\0", "a", 4);
	expect_text("a\0b", "a", 1);
	expect_text("\xff\xff\xff\xff\xff\xff", "\xef\xbf\xbf\xef\xbf\xbf\xef\xbf\xbf", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(bytes_of_even_and_odd_length),
		cmocka_unit_test(bytes_that_are_not_utf8),
		cmocka_unit_test(utf16_with_a_mark),
		cmocka_unit_test(utf16_without_a_mark),
		cmocka_unit_test(utf16_big_endian),
		cmocka_unit_test(what_firmware_puts_in),
		cmocka_unit_test(one_encoding_that_goes_on_as_another),
		cmocka_unit_test(utf16_becomes_utf8),
	};

	return run_named_tests(tests);
}
