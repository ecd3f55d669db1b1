// SPDX-License-Identifier: BSD-2-Clause
/* Which files are sidecars, and their folders. */
#include "boot/sidecar.h"

#include "tests/unit/support.h"

static enum sidecar kind(const char *name)
{
	return sidecar_kind(text_of_string(name));
}

static void kinds_are_told_by_the_end_of_the_name(void **state)
{
	(void)state;
	assert_int_equal(kind("a.cred"), SIDECAR_CREDENTIAL);
	assert_int_equal(kind("a.raw"), SIDECAR_SYSEXT);
	assert_int_equal(kind("a.sysext.raw"), SIDECAR_SYSEXT);
	assert_int_equal(kind("a.confext.raw"), SIDECAR_CONFEXT);
	assert_int_equal(kind("a.addon.efi"), SIDECAR_ADDON);
	assert_int_equal(kind("a.efi"), SIDECAR_NONE);
	assert_int_equal(kind("raw"), SIDECAR_NONE);
	assert_int_equal(kind("a.cred.bak"), SIDECAR_NONE);
	assert_int_equal(kind(""), SIDECAR_NONE);
}

static void case_does_not_count(void **state)
{
	(void)state;
	assert_int_equal(kind("A.CRED"), SIDECAR_CREDENTIAL);
	assert_int_equal(kind("A.ConfExt.Raw"), SIDECAR_CONFEXT);
	assert_int_equal(kind("A.ADDON.EFI"), SIDECAR_ADDON);
}

static bool is_name(const char *name)
{
	return sidecar_is_name(text_of_string(name));
}

static void names_are_visible_ascii(void **state)
{
	(void)state;
	assert_true(is_name("a b+c~.cred"));
	assert_false(is_name(""));
	assert_false(is_name(".a.cred"));
	assert_false(is_name("\xc3\xa4.cred"));
	assert_false(is_name("a\x7f.cred"));
	assert_false(is_name("a\n.cred"));
}

/* In an archive such names would lead out of its folder. */
static void names_have_no_separators(void **state)
{
	(void)state;
	assert_false(is_name("a/../../../init.cred"));
	assert_false(is_name("a\\b.cred"));
}

static void names_end_where_linux_ends_them(void **state)
{
	char name[SIDECAR_NAME_MAX + 1];

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_true(sidecar_is_name((struct text){ .start = name, .length = SIDECAR_NAME_MAX }));
	assert_false(sidecar_is_name((struct text){ .start = name, .length = SIDECAR_NAME_MAX + 1 }));
}

static void expect_folder(const char *path, const char *expected)
{
	char folder[100];

	assert_true(sidecar_folder(text_of_string(path), folder, sizeof(folder)));
	assert_string_equal(folder, expected);
}

static void folder_is_beside_the_image(void **state)
{
	(void)state;
	expect_folder("\\EFI\\Linux\\a.efi", "\\EFI\\Linux\\a.efi.extra.d");
	expect_folder("EFI/Linux/A.EFI", "EFI/Linux/A.EFI.extra.d");
	expect_folder("kernel", "kernel.extra.d");
}

static void boot_counting_is_left_out(void **state)
{
	(void)state;
	expect_folder("\\a+3.efi", "\\a.efi.extra.d");
	expect_folder("\\a+3-1.efi", "\\a.efi.extra.d");
	expect_folder("\\a+0-12.conf.efi", "\\a.conf.efi.extra.d");
	expect_folder("\\a+3", "\\a.extra.d");
	expect_folder("\\b+1.d\\a+3-1.efi", "\\b+1.d\\a.efi.extra.d");
}

static void what_is_no_count_stays(void **state)
{
	(void)state;
	expect_folder("\\a+.efi", "\\a+.efi.extra.d");
	expect_folder("\\a+b.efi", "\\a+b.efi.extra.d");
	expect_folder("\\a+3b.efi", "\\a+3b.efi.extra.d");
	expect_folder("\\a+3-.efi", "\\a+3-.efi.extra.d");
	expect_folder("\\a+3-1-1.efi", "\\a+3-1-1.efi.extra.d");
	expect_folder("\\a+b+3.efi", "\\a+b+3.efi.extra.d");
	expect_folder("\\a+18446744073709551616.efi", "\\a+18446744073709551616.efi.extra.d");
}

static void folder_that_does_not_fit(void **state)
{
	static const char path[] = "\\a.efi";
	char folder[sizeof("\\a.efi.extra.d") + 1];

	(void)state;
	for (size_t capacity = 0; capacity < sizeof(folder); capacity++) {
		memset(folder, 'x', sizeof(folder));
		assert_int_equal(sidecar_folder(text_of_string(path), folder, capacity), capacity >= sizeof(folder) - 1);
		assert_int_equal(folder[capacity], 'x');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_told_by_the_end_of_the_name),
		cmocka_unit_test(case_does_not_count),
		cmocka_unit_test(names_are_visible_ascii),
		cmocka_unit_test(names_have_no_separators),
		cmocka_unit_test(names_end_where_linux_ends_them),
		cmocka_unit_test(folder_is_beside_the_image),
		cmocka_unit_test(boot_counting_is_left_out),
		cmocka_unit_test(what_is_no_count_stays),
		cmocka_unit_test(folder_that_does_not_fit),
	};

	return run_named_tests(tests);
}
