// SPDX-License-Identifier: BSD-2-Clause
/* Entry files in each encoding, and files that are not text. */
#include "boot/entry_file.h"

#include "boot/entry.h"
#include "boot/pool.h"
#include "tests/unit/support.h"

static struct boot_plan plan;
static char fallback[FALLBACK_PATH_SIZE];

/* The content is in memory of exactly its size, so that a sanitizer detects reads behind it. */
static enum kexec_status parse_bytes(const void *bytes, size_t size, struct text more)
{
	char *copy = test_malloc(size + 1);
	enum kexec_status status;

	memcpy(copy + 1, bytes, size);
	memset(&plan, 0, sizeof(plan));
	status =
		entry_file_to_plan("a.conf", (struct text){ .start = copy + 1, .length = size }, more, fallback, &plan);
	test_free(copy);
	return status;
}

#define parse(literal) parse_bytes((literal), sizeof(literal) - 1, TEXT(""))

/* Converts the text to UTF-16. `prefix` is the first unit, unless it is 0. */
static size_t widen(const char *utf8, uint16_t prefix, uint16_t ret_wide[512])
{
	size_t units = 0;

	if (prefix)
		*ret_wide++ = prefix;
	assert_true(text_to_utf16(text_of_string(utf8), ret_wide, 500));
	while (ret_wide[units])
		units++;
	return 2 * (units + (prefix != 0));
}

static enum kexec_status parse_wide(const char *utf8, uint16_t prefix)
{
	uint16_t wide[512];
	size_t size = widen(utf8, prefix, wide);

	return parse_bytes(wide, size, TEXT(""));
}

static void expect_plan(const char *text)
{
	assert_true(plan.is_file);
	assert_string_equal(plan.said_by, "a.conf");
	assert_int_equal(plan.text.length, strlen(text));
	assert_memory_equal(plan.text.start, text, strlen(text));
	assert_int_equal(plan.initrd_count, 1);
	assert_string_equal(logged(), "");
	boot_plan_free(&plan);
	assert_int_equal(fake_pool_outstanding(), 0);
}

static void utf8_stays_as_it_is(void **state)
{
	(void)state;
	expect_ok(parse("linux /a\ninitrd /k\xc3\xa4se\n"));
	expect_plan("linux /a\ninitrd /k\xc3\xa4se\n\n");
	expect_ok(parse("\xef\xbb\xbflinux /a\r\ninitrd /b"));
	expect_plan("linux /a\r\ninitrd /b\n");
	/* Names on a volume need not be UTF-8. */
	expect_ok(parse("linux /a\ninitrd /b\noptions \xe4\n"));
	expect_plan("linux /a\ninitrd /b\noptions \xe4\n\n");
}

/* The measured text is the same in each encoding. */
static void utf16_becomes_utf8(void **state)
{
	static const char text[] = "linux /a\r\ninitrd /k\xc3\xa4se/\xf0\x9f\x90\xa7\r\noptions quiet\r\n";

	(void)state;
	expect_ok(parse_wide(text, 0xfeff));
	assert_string_equal(plan.initrds[0].name, "/k\xc3\xa4se/\xf0\x9f\x90\xa7");
	assert_string_equal(plan.command_line.start, "quiet");
	expect_plan("linux /a\r\ninitrd /k\xc3\xa4se/\xf0\x9f\x90\xa7\r\noptions quiet\r\n\n");
	expect_ok(parse_wide(text, 0));
	expect_plan("linux /a\r\ninitrd /k\xc3\xa4se/\xf0\x9f\x90\xa7\r\noptions quiet\r\n\n");
}

static void more_lines_are_put_behind(void **state)
{
	uint16_t wide[512];
	size_t size = widen("linux /a\ninitrd /b", 0xfeff, wide);

	(void)state;
	expect_ok(parse_bytes(wide, size, TEXT("options quiet\nverbose yes\n")));
	assert_true(plan.verbose);
	expect_plan("linux /a\ninitrd /b\noptions quiet\nverbose yes\n");
}

/* The fallback is found whether the rest of the file is accepted or not. */
static void fallback_is_found_in_each_encoding(void **state)
{
	(void)state;
	expect_ok(parse_wide("linux /a\r\nfallback /b.conf\r\n", 0xfeff));
	assert_string_equal(fallback, "/b.conf");
	assert_string_equal(plan.fallback, "/b.conf");
	boot_plan_free(&plan);
	expect_error(parse("Linux /a\nfallback /b.conf\n"), KEXEC_BAD_FORMAT, "a.conf: line 1: Linux: expected linux");
	assert_string_equal(fallback, "/b.conf");
	expect_ok(parse("linux /a\n"));
	assert_string_equal(fallback, "");
	boot_plan_free(&plan);
	/* Lines that load options add are not part of the file. */
	expect_error(parse_bytes("linux a", 7, TEXT("fallback /b\nfallback /b\n")), KEXEC_BAD_FORMAT, "one path only");
	assert_string_equal(fallback, "");
	assert_int_equal(fake_pool_outstanding(), 0);
}

/* Files were joined. */
static void byte_order_marks_within(void **state)
{
	(void)state;
	expect_ok(parse("linux /a\n\xef\xbb\xbfinitrd /b\n\xef\xbb\xbf# c\n"));
	assert_int_equal(plan.unknown_key_count, 0);
	expect_plan("linux /a\n\xef\xbb\xbfinitrd /b\n\xef\xbb\xbf# c\n\n");
	expect_ok(parse_wide("linux /a\n\xef\xbb\xbfinitrd /b\n", 0xfeff));
	expect_plan("linux /a\n\xef\xbb\xbfinitrd /b\n\n");
}

static void big_endian_is_named(void **state)
{
	(void)state;
	expect_error(parse("\xfe\xff\0l\0i\0n\0u\0x\0 \0/\0a"), KEXEC_BAD_FORMAT,
		     "a.conf: expected UTF-8, or UTF-16 little endian, found UTF-16 big endian");
	expect_error(parse("\0l\0i\0n\0u\0x\0 \0/\0a"), KEXEC_BAD_FORMAT, "found UTF-16 big endian");
	assert_int_equal(fake_pool_outstanding(), 0);
}

static void half_a_unit_at_the_end(void **state)
{
	(void)state;
	expect_error(parse("l\0i\0n\0u\0x\0 \0/\0a"), KEXEC_BAD_FORMAT,
		     "a.conf: expected an even number of bytes of UTF-16, found 15");
}

/* Text behind a NUL would be lost. */
static void nul_within_utf16(void **state)
{
	(void)state;
	expect_error(parse("l\0i\0n\0u\0x\0 \0/\0a\0\0\0i\0n\0"), KEXEC_BAD_FORMAT,
		     "a.conf: expected text, found a NUL at byte 16");
	expect_error(parse("\xff\xfel\0i\0n\0u\0x\0 \0/\0a\0\0\0"), KEXEC_BAD_FORMAT, "found a NUL at byte 18");
}

static void bytes_behind_utf16(void **state)
{
	uint16_t wide[512];
	size_t size = widen("linux /a\r\ninitrd /b\r\n", 0xfeff, wide);

	(void)state;
	memcpy((char *)wide + size, "sha256 0123 /a\r\n", 16);
	expect_error(parse_bytes(wide, size + 16, TEXT("")), KEXEC_BAD_FORMAT,
		     "a.conf: line 3: expected a key in UTF-16, like the text before it, found other bytes");
	/* The twin: all in UTF-16. */
	expect_ok(parse_wide("linux /a\r\ninitrd /b\r\n\t \r\n# \xc3\xa4\r\n", 0xfeff));
	boot_plan_free(&plan);
}

static void utf16_behind_bytes(void **state)
{
	(void)state;
	expect_error(parse("linux /a\n#\0 \0x\0"), KEXEC_BAD_FORMAT,
		     "a.conf: expected text, found a NUL at byte 10: is there UTF-16 behind it, as PowerShell's >> "
		     "appends?");
	expect_error(parse("linux /a\0\0\0"), KEXEC_BAD_FORMAT, "a.conf: expected text, found a NUL at byte 8\n");
	expect_error(parse("linux /a\0b"), KEXEC_BAD_FORMAT, "a.conf: expected text, found a NUL at byte 8\n");
}

static void no_memory(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		fake_pool_fail_at(n);
		expect_error(parse("linux /a\ninitrd /b\n"), KEXEC_NO_MEMORY, "a.conf");
		assert_int_equal(fake_pool_outstanding(), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(byte_order_marks_within),
		cmocka_unit_test(utf8_stays_as_it_is),
		cmocka_unit_test(utf16_becomes_utf8),
		cmocka_unit_test(more_lines_are_put_behind),
		cmocka_unit_test(fallback_is_found_in_each_encoding),
		cmocka_unit_test(big_endian_is_named),
		cmocka_unit_test(half_a_unit_at_the_end),
		cmocka_unit_test(nul_within_utf16),
		cmocka_unit_test(bytes_behind_utf16),
		cmocka_unit_test(utf16_behind_bytes),
		cmocka_unit_test(no_memory),
	};

	return run_named_tests(tests);
}
