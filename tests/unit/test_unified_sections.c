// SPDX-License-Identifier: BSD-2-Clause
/*
 * The sections of a unified image that count, in memory and in a file. test_unified_image.c tests the refusals of a
 * file.
 */
#include "boot/unified_sections.h"

#include "tests/unit/pe_builder.h"
#include "tests/unit/support.h"

static struct pe_image image;
static struct unified_view view;

#define SECTION(name_, text)                                                                                           \
	{                                                                                                              \
		.name = (name_), .content = (text), .size = sizeof(text) - 1                                           \
	}

static void build(enum pe_layout layout, const struct sample_section *sections, size_t count)
{
	free((void *)(uintptr_t)image.bytes);
	image = pe_build(layout, sections, count);
}

#define build_of(layout, ...)                                                                                          \
	({                                                                                                             \
		const struct sample_section sections_[] = { __VA_ARGS__ };                                             \
		build(layout, sections_, sizeof(sections_) / sizeof(sections_[0]));                                    \
	})

static enum kexec_status find(uint32_t profile)
{
	view = (struct unified_view){ .bytes = image.bytes };
	return unified_sections_find("x", &image, profile, &view.image);
}

static void expect_content(enum unified_part part, const char *expected)
{
	struct text content = unified_content(&view, part);

	assert_int_equal(content.length, strlen(expected));
	assert_memory_equal(content.start, expected, content.length);
}

static void names_in_the_order_of_measuring(void **state)
{
	static const char *const order[] = { ".linux",	".osrel", ".cmdline", ".initrd",  ".ucode",   ".splash", ".dtb",
					     ".uname", ".sbat",	 ".pcrsig",  ".pcrpkey", ".profile", ".hwids" };

	(void)state;
	assert_int_equal(sizeof(order) / sizeof(order[0]), UNIFIED_PARTS);
	for (unsigned i = 0; i < UNIFIED_PARTS; i++)
		assert_string_equal(unified_section_name((enum unified_part)i), order[i]);
}

static void profiles_of_an_image(enum pe_layout layout)
{
	build_of(layout, SECTION(".pcrsig", "base"), SECTION(".linux", "K"), SECTION(".osrel", "O"),
		 SECTION(".profile", "zero"), SECTION(".cmdline", "C"), SECTION(".profile", "one"),
		 SECTION(".pcrsig", "its own"), SECTION(".initrd", "I"));
	assert_int_equal(unified_profile_count(&image), 2);
	expect_ok(find(0));
	expect_content(UNIFIED_PROFILE, "zero");
	expect_content(UNIFIED_COMMAND_LINE, "C");
	expect_content(UNIFIED_SIGNATURE, "base");
	expect_content(UNIFIED_INITRD, "");
	expect_ok(find(1));
	expect_content(UNIFIED_PROFILE, "one");
	expect_content(UNIFIED_COMMAND_LINE, "");
	expect_content(UNIFIED_SIGNATURE, "its own");
	expect_content(UNIFIED_INITRD, "I");
	expect_content(UNIFIED_KERNEL, "K");
	expect_content(UNIFIED_OS_RELEASE, "O");
	expect_error(find(2), KEXEC_NOT_FOUND, "x: profile: expected one below 2, found 2");
	expect_error(find(UINT32_MAX), KEXEC_NOT_FOUND, "x: profile: expected one below 2, found 4294967295");
}

static void profiles(void **state)
{
	(void)state;
	profiles_of_an_image(PE_LOADED);
	profiles_of_an_image(PE_FILE);
}

static void one_section(void **state)
{
	struct pe_section section;

	(void)state;
	build_of(PE_LOADED, SECTION(".linux", "K"), SECTION(".initrd", ""), SECTION(".profile", "P"),
		 SECTION(".linux", "L2"));
	assert_int_equal(unified_profile_count(&image), 1);
	assert_true(unified_find_section(&image, 0, ".linux", &section));
	assert_int_equal(section.size, 2);
	/* The section exists, but is empty. */
	assert_true(unified_find_section(&image, 0, ".initrd", &section));
	assert_int_equal(section.size, 0);
	assert_false(unified_find_section(&image, 0, ".ucode", &section));
}

static void two_sections_of_a_name(void **state)
{
	(void)state;
	build_of(PE_LOADED, SECTION(".linux", "K"), SECTION(".osrel", "1"), SECTION(".osrel", "2"));
	expect_ok(find(0));
	expect_content(UNIFIED_OS_RELEASE, "1");
	build_of(PE_LOADED, SECTION(".linux", "K"), SECTION(".profile", "P"), SECTION(".initrd", "1"),
		 SECTION(".initrd", "2"));
	expect_error(find(0), KEXEC_BAD_FORMAT, "x: expected one section .initrd, found 2");
}

static void no_kernel(void **state)
{
	(void)state;
	build_of(PE_LOADED, SECTION(".initrd", "I"), SECTION(".profile", "P"), SECTION(".profile", "P"),
		 SECTION(".linux", "K"));
	expect_error(find(0), KEXEC_UNSUPPORTED, "x: expected a section .linux, found none");
	expect_ok(find(1));
	build_of(PE_LOADED, SECTION(".linux", ""));
	expect_error(find(0), KEXEC_UNSUPPORTED, "x: expected a section .linux, found none");
}

/* Zeros at the end are only in memory. */
static void content_of_a_file(void **state)
{
	(void)state;
	build_of(PE_FILE, SECTION(".linux", "K"), { .name = ".osrel", .content = "ID=x", .size = 100, .file_size = 4 });
	expect_ok(find(0));
	expect_content(UNIFIED_OS_RELEASE, "ID=x");
	assert_int_equal(view.image.sections[UNIFIED_OS_RELEASE].size, 100);
	view.bytes = NULL;
	expect_content(UNIFIED_OS_RELEASE, "");
}

static void addon_has_no_kernel(void **state)
{
	(void)state;
	build_of(PE_FILE, SECTION(".cmdline", "quiet"), SECTION(".initrd", "I"), SECTION(".uname", "6.12"));
	view = (struct unified_view){ .bytes = image.bytes };
	expect_ok(unified_addon_find("x", &image, &view.image));
	expect_content(UNIFIED_COMMAND_LINE, "quiet");
	expect_content(UNIFIED_INITRD, "I");
	expect_content(UNIFIED_KERNEL_VERSION, "6.12");
	expect_content(UNIFIED_KERNEL, "");
	build_of(PE_FILE, SECTION(".cmdline", "quiet"), SECTION(".linux", "K"));
	expect_error(unified_addon_find("x", &image, &view.image), KEXEC_UNSUPPORTED,
		     "x: expected an addon, found a unified image with a .linux of its own");
	build_of(PE_FILE, SECTION(".cmdline", "quiet"), SECTION(".cmdline", "splash"));
	expect_error(unified_addon_find("x", &image, &view.image), KEXEC_BAD_FORMAT,
		     "x: expected one section .cmdline, found 2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_in_the_order_of_measuring),
		cmocka_unit_test(profiles),
		cmocka_unit_test(one_section),
		cmocka_unit_test(two_sections_of_a_name),
		cmocka_unit_test(no_kernel),
		cmocka_unit_test(content_of_a_file),
		cmocka_unit_test(addon_has_no_kernel),
	};

	return run_named_tests(tests);
}
