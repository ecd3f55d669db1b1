// SPDX-License-Identifier: BSD-2-Clause
/* Paths that can be opened on a volume, and paths that cannot. */
#include "boot/volume_path.h"

#include "tests/unit/support.h"

static uint16_t path[VOLUME_PATH_SIZE];

static void expect_units(const char *name, const uint16_t *expected, size_t count)
{
	expect_ok(volume_path(name, path));
	assert_memory_equal(path, expected, count * sizeof(*expected));
}

static void both_slashes_separate(void **state)
{
	static const uint16_t expected[] = { '\\', 'a', '\\', 'b', '\\', 'c', 0 };

	(void)state;
	expect_units("/a/b/c", expected, 7);
	expect_units("\\a\\b/c", expected, 7);
}

/* Each path as written, and its normal form. */
static const char *const spellings[][2] = {
	{ "a", "\\a" },
	{ "/a", "\\a" },
	{ "//a", "\\a" },
	{ "\\\\a", "\\a" },
	{ "/\\/a", "\\a" },
	{ "a/b", "\\a\\b" },
	{ "a//b", "\\a\\b" },
	{ "a\\/b/", "\\a\\b" },
	{ "./a", "\\a" },
	{ "/./a/./b/.", "\\a\\b" },
	{ "/x/../a", "\\a" },
	{ "x\\..\\a", "\\a" },
	{ "/x/y/../../a", "\\a" },
	{ "/x/./..//y/../a/b", "\\a\\b" },
	{ "/a/x/..", "\\a" },
	{ "/...", "\\..." },
	{ "/..a/b../.c", "\\..a\\b..\\.c" },
	{ "/a b/c ", "\\a b\\c " },
	{ "/", "\\" },
	{ ".", "\\" },
	{ "x/..", "\\" },
};

static void one_spelling(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		const char *expected = spellings[i][1];
		struct text written = text_of_string(spellings[i][0]);

		expect_ok(volume_path(spellings[i][0], path));
		for (size_t at = 0; at <= strlen(expected); at++)
			assert_int_equal(path[at], expected[at]);
		for (size_t other = 0; other < sizeof(spellings) / sizeof(spellings[0]); other++)
			assert_int_equal(volume_path_equal(written, text_of_string(spellings[other][0])),
					 strcmp(expected, spellings[other][1]) == 0);
	}
	assert_false(volume_path_equal(TEXT("/a"), TEXT("/A")));
	assert_false(volume_path_equal(TEXT("/ab"), TEXT("/a/b")));
	assert_false(volume_path_equal(TEXT("/a"), TEXT("/b/a")));
}

/* A path above the root is a mistake. edk2 refuses it as well. */
static void above_the_root(void **state)
{
	static const char *const names[] = {
		"..", "/..", "../a", "/../a", "a/../../b", "\\..\\a", "./..", "a/../../a"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_true(volume_path_leads_out(text_of_string(names[i])));
		expect_error(volume_path(names[i], path), KEXEC_BAD_FORMAT,
			     "expected a path below the volume's root, found .. above it");
	}
	assert_false(volume_path_leads_out(TEXT("a/../b")));
	assert_false(volume_path_equal(TEXT("/../a"), TEXT("/a")));
}

static void first_part(void **state)
{
	(void)state;
	assert_true(text_equal(volume_path_first(TEXT("//boot/./x")), TEXT("boot")));
	assert_true(text_equal(volume_path_first(TEXT("x/../a\\b")), TEXT("a")));
	assert_true(text_equal(volume_path_first(TEXT("a")), TEXT("a")));
	assert_int_equal(volume_path_first(TEXT("/")).length, 0);
	assert_int_equal(volume_path_first(TEXT("")).length, 0);
}

static void characters_beyond_ascii(void **state)
{
	static const uint16_t expected[] = { '\\', 0xa0, 0xd83d, 0xde00, 0 };

	(void)state;
	expect_units("/\xc2\xa0\xf0\x9f\x98\x80", expected, 5);
	expect_error(volume_path("/a\xa0", path), KEXEC_BAD_FORMAT, "expected a path in UTF-8, found other bytes");
	expect_error(volume_path("/\xed\xa0\x80", path), KEXEC_BAD_FORMAT, "expected a path in UTF-8");
}

static void longest_path(void **state)
{
	char name[513] = { 0 };

	(void)state;
	memset(name, 'x', 511);
	expect_ok(volume_path(name, path));
	assert_int_equal(path[0], '\\');
	assert_int_equal(path[511], 'x');
	assert_int_equal(path[512], 0);
	memset(name, '/', 510);
	expect_ok(volume_path(name, path));
	assert_int_equal(path[1], 'x');
	assert_int_equal(path[2], 0);
	name[511] = 'x';
	expect_error(volume_path(name, path), KEXEC_TOO_LARGE, "...: expected a path of at most 511 bytes, found 512");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_slashes_separate),   cmocka_unit_test(one_spelling),
		cmocka_unit_test(above_the_root),	   cmocka_unit_test(first_part),
		cmocka_unit_test(characters_beyond_ascii), cmocka_unit_test(longest_path),
	};

	return run_named_tests(tests);
}
