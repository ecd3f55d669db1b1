// SPDX-License-Identifier: BSD-2-Clause
/* Data that firmware passes around a user's text, and whole load options. */
#include "boot/optional_data.h"

#include "tests/unit/support.h"

#define GUID "\x4e\xac\x08\x81\x11\x9f\x59\x4d\x85\x0e\xe2\x1a\x52\x2c\x59\xb2"

/* Attributes, size of the paths, description. */
#define HEADER(paths_size) "\1\0\0\0" paths_size "\0L\0i\0n\0u\0x\0\0\0"
#define FILE_NODE "\x04\x04\x0a\0\\\0k\0\0\0"
#define END_NODE "\x7f\xff\x04\0"

static void check(const char *bytes, size_t size, const char *expected, const char *expected_found)
{
	uint8_t *copy = test_malloc(size + 1);
	char *place = test_malloc(OPTIONAL_DATA_TEXT_SIZE(size) + 1);
	struct text text = { 0 };
	const char *found;

	memcpy(copy + 1, bytes, size);
	assert_int_equal(optional_data_text(copy + 1, size, place, &text, &found), expected != NULL);
	if (expected) {
		assert_int_equal(text.length, strlen(expected));
		assert_memory_equal(text.start, expected, text.length);
	} else if (expected_found) {
		assert_string_equal(found, expected_found);
	} else {
		assert_null(found);
	}
	test_free(copy);
	test_free(place);
}

#define expect_text(literal, text) check((literal), sizeof(literal) - 1, (text), NULL)
#define expect_none(literal, found) check((literal), sizeof(literal) - 1, NULL, (found))

/* Some firmware passes the whole load option (systemd issue 10001, shim's load-options.c, Linux 4a568ce29d3f). */
static void whole_load_option(void **state)
{
	(void)state;
	expect_text(HEADER("\x0e") FILE_NODE END_NODE "v\0e\0r\0", "ver");
	expect_text(HEADER("\x0e") FILE_NODE END_NODE "verbose", "verbose");
	/* There are several paths; the last one ends the list. */
	expect_text(HEADER("\x1c") FILE_NODE END_NODE FILE_NODE END_NODE "v\0e\0r\0", "ver");
	expect_none(HEADER("\x0e") FILE_NODE END_NODE, "an EFI_LOAD_OPTION without optional data");
	expect_none(HEADER("\x0e") FILE_NODE END_NODE "\0\0BO", "binary data");
	assert_string_equal(logged(), "");
}

static void load_option_that_is_none(void **state)
{
	(void)state;
	/* A length that is too small, or too large; no end; an end within the list; an attribute; no NUL. */
	expect_none(HEADER("\x0d") FILE_NODE END_NODE "v\0e\0r\0", "binary data");
	expect_none(HEADER("\x40") FILE_NODE END_NODE "v\0e\0r\0", "binary data");
	expect_none(HEADER("\x0a") FILE_NODE "v\0e\0r\0", "binary data");
	expect_none(HEADER("\x0e") END_NODE FILE_NODE "v\0e\0r\0", "binary data");
	expect_none("\1\0\0\x80\x0e\0L\0\0\0" FILE_NODE END_NODE "v\0e\0r\0", "binary data");
	expect_none("\1\0\0\0\x0e\0L\0i\0n\0", "binary data");
	expect_none("\1\0\0\0\x0e", "binary data");
	assert_string_equal(logged(), "");
}

/* An invalid path does not hide a user's text. */
static void load_option_with_words_of_ours_that_is_none(void **state)
{
	(void)state;
	expect_none(HEADER("\x0d") FILE_NODE END_NODE "l\0i\0n\0u\0x\0=\0", NULL);
	assert_non_null(strstr(logged(), "load options ignored: expected UTF-8 or UTF-16, as efibootmgr --unicode"));
}

static void guid_at_the_end(void **state)
{
	(void)state;
	expect_text("v\0e\0r\0" GUID, "ver");
	expect_text("verb" GUID, "verb");
	expect_none(GUID, "an empty string");
	expect_none(HEADER("\x0e") FILE_NODE END_NODE GUID, "an empty string");
	expect_none(GUID "\xff\x03", "binary data");
	assert_string_equal(logged(), "");
}

static void too_long(void **state)
{
	char *bytes = test_malloc(OPTIONAL_DATA_SIZE_MAX + 1);

	(void)state;
	memset(bytes, 'x', OPTIONAL_DATA_SIZE_MAX + 1);
	check(bytes, OPTIONAL_DATA_SIZE_MAX + 1, NULL, NULL);
	assert_non_null(strstr(logged(), "load options ignored: expected at most 65536 bytes, found 65537"));
	test_free(bytes);
}

/* The longest UTF-8 that UTF-16 of this size can become must fit. */
static void longest_text_fits(void **state)
{
	(void)state;
	expect_text("\xff\xfe\xff\xd7\xff\xd7\xff\xd7", "\xed\x9f\xbf\xed\x9f\xbf\xed\x9f\xbf");
	expect_text("abcdefg", "abcdefg");
}

static void marks(void **state)
{
	(void)state;
	assert_true(optional_data_is_mark(TEXT("RC")));
	assert_true(optional_data_is_mark(TEXT("BO")));
	assert_true(optional_data_is_mark(TEXT("@")));
	assert_true(optional_data_is_mark(TEXT("UEFI")));
	assert_false(optional_data_is_mark(TEXT("--")));
	assert_false(optional_data_is_mark(TEXT("ro")));
	assert_false(optional_data_is_mark(TEXT("A B")));
	assert_false(optional_data_is_mark(TEXT("DEBUG")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_load_option),
		cmocka_unit_test(load_option_that_is_none),
		cmocka_unit_test(load_option_with_words_of_ours_that_is_none),
		cmocka_unit_test(guid_at_the_end),
		cmocka_unit_test(too_long),
		cmocka_unit_test(longest_text_fits),
		cmocka_unit_test(marks),
	};

	return run_named_tests(tests);
}
