// SPDX-License-Identifier: BSD-2-Clause
/* Paths that a volume can be asked for, and paths that it cannot. */
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
	char name[VOLUME_PATH_SIZE + 1] = { 0 };

	(void)state;
	memset(name, 'x', VOLUME_PATH_SIZE - 1);
	expect_ok(volume_path(name, path));
	assert_int_equal(path[VOLUME_PATH_SIZE - 1], 0);
	name[VOLUME_PATH_SIZE - 1] = 'x';
	expect_error(volume_path(name, path), KEXEC_TOO_LARGE, "...: expected a path of at most 511 bytes, found 512");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_slashes_separate),
		cmocka_unit_test(characters_beyond_ascii),
		cmocka_unit_test(longest_path),
	};

	return run_named_tests(tests);
}
