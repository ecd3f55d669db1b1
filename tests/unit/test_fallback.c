// SPDX-License-Identifier: BSD-2-Clause
/* The fallback of accepted entries, and of entries that are refused because of another line. */
#include "boot/fallback.h"

#include "boot/entry.h"
#include "boot/log.h"
#include "tests/unit/support.h"

/* Searches in memory of exactly the text's size. */
static const char *find(const char *text, size_t length)
{
	static char path[FALLBACK_PATH_SIZE];
	char *copy = malloc(length ? length : 1);

	memcpy(copy, text, length);
	memset(path, 'x', sizeof(path));
	fallback_find((struct text){ .start = copy, .length = length }, path);
	free(copy);
	return path;
}

#define FIND(literal) find((literal), sizeof(literal) - 1)

static void path_of_the_line(void **state)
{
	(void)state;
	assert_string_equal(FIND("linux /k\nfallback /EFI/kexec/old.conf\noptions x\n"), "/EFI/kexec/old.conf");
	assert_string_equal(FIND("\xef\xbb\xbf"
				 "fallback\t \\old one.conf \r\nlinux /k"),
			    "\\old one.conf");
	assert_string_equal(FIND("fallback old.conf"), "old.conf");
	/* Two files were joined. */
	assert_string_equal(FIND("linux /k\n\xef\xbb\xbf"
				 "fallback /a\n"),
			    "/a");
}

/* The place and kind of the error do not matter. */
static void path_of_a_text_that_is_refused(void **state)
{
	struct boot_plan plan;

	(void)state;
	assert_string_equal(FIND("Linux /k\nfallback /a\n"), "/a");
	assert_string_equal(FIND("fallback /a\nfsverity 12 /k\n\0\xff\n"), "/a");
	assert_string_equal(FIND("\xff\xfe\x01\n\n\nfallback /a"), "/a");
	expect_error(entry_to_plan("x", TEXT("fallback /a\nlinux /k /l\n"), ENTRY_OUTSIDE, &plan), KEXEC_BAD_FORMAT,
		     "x: line 2: linux: expected one path a line");
}

static void no_path(void **state)
{
	char long_path[FALLBACK_PATH_SIZE + 16] = "fallback /";

	(void)state;
	assert_string_equal(FIND(""), "");
	assert_string_equal(FIND("linux /k\n"), "");
	assert_string_equal(FIND("#fallback /a\n# fallback /a\nfallbacks /a\nFallback /a\noptions fallback /a\n"), "");
	assert_string_equal(FIND("fallback\nfallback \n"), "");
	assert_string_equal(FIND("fallback\n"), "");
	assert_string_equal(FIND("fallback \"/a\"\n"), "");
	assert_string_equal(FIND("fallback /a /b\n"), "");
	assert_string_equal(FIND("fallback /a\0b\n"), "");
	/* With two fallbacks neither counts, because the user may have meant either. */
	assert_string_equal(FIND("fallback /a\nfallback /b\n"), "");
	assert_string_equal(FIND("fallback /a\nfallback\n"), "");

	memset(long_path + strlen(long_path), 'x', FALLBACK_PATH_SIZE - 2);
	assert_string_equal(find(long_path, strlen("fallback ") + FALLBACK_PATH_SIZE - 1),
			    long_path + strlen("fallback "));
	assert_string_equal(find(long_path, strlen("fallback ") + FALLBACK_PATH_SIZE), "");
}

static void what_the_parser_says(void **state)
{
	struct boot_plan plan;

	(void)state;
	expect_ok(entry_to_plan("x", TEXT("linux /k\nfallback /old.conf\n"), ENTRY_OUTSIDE, &plan));
	assert_string_equal(plan.fallback, "/old.conf");
	boot_plan_free(&plan);
	expect_ok(entry_to_plan("x", TEXT("linux /k\n"), ENTRY_OUTSIDE, &plan));
	assert_null(plan.fallback);
	boot_plan_free(&plan);
	expect_error(entry_to_plan("x", TEXT("linux /k\nfallback /a\nfallback /b\n"), ENTRY_OUTSIDE, &plan),
		     KEXEC_BAD_FORMAT, "x: line 3: fallback: expected one path only, found \"/b\"");
	expect_error(entry_to_plan("x", TEXT("linux /k\nfallback\n"), ENTRY_OUTSIDE, &plan), KEXEC_BAD_FORMAT,
		     "x: line 2: fallback: expected a path, found \"\"");
	expect_error(entry_to_plan("x", TEXT("linux /k\nfall-back /b\n"), ENTRY_OUTSIDE, &plan), KEXEC_BAD_FORMAT,
		     "x: line 2: fall-back: expected fallback");
}

#define DIGEST_LINE "fsverity 0000000000000000000000000000000000000000000000000000000000000000 /k\n"

/* A sealed entry never names an entry outside the image. */
static void sealed_entries_have_none(void **state)
{
	struct boot_plan plan;

	(void)state;
	expect_error(
		entry_to_plan("sealed entry", TEXT("linux /k\n" DIGEST_LINE "fallback /old.conf\n"), ENTRY_SEALED,
			      &plan),
		KEXEC_DENIED,
		"sealed entry: fallback: expected none in a sealed entry (seal the fallback as another entry instead), "
		"found \"/old.conf\"");
	expect_ok(entry_to_plan("sealed entry", TEXT("linux /k\n" DIGEST_LINE), ENTRY_SEALED, &plan));
	boot_plan_free(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_of_the_line),
		cmocka_unit_test(path_of_a_text_that_is_refused),
		cmocka_unit_test(no_path),
		cmocka_unit_test(what_the_parser_says),
		cmocka_unit_test(sealed_entries_have_none),
	};

	return run_named_tests(tests);
}
