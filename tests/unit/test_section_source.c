// SPDX-License-Identifier: BSD-2-Clause
/* Sections as files of a source. */
#include "boot/section_source.h"

#include "tests/unit/pe_builder.h"
#include "tests/unit/support.h"

static const char kernel[] = "0123456789";

static const struct sample_section sections[] = {
	{ .name = ".linux", .content = kernel, .size = sizeof(kernel) - 1 },
	{ .name = ".initrd", .size = 0 },
};

static struct section_source source;
static struct source_file file;

static void start(void)
{
	struct pe_image image = pe_build(PE_LOADED, sections, 2);

	section_source_start(&source, &image);
}

static enum kexec_status open_file(const char *name)
{
	return source.source.open(&source.source, name, &file);
}

static void expect_read(uint64_t offset, uint64_t wanted, const char *expected)
{
	char buffer[32];
	uint64_t size = wanted;
	const char *why;

	memset(buffer, 'x', sizeof(buffer));
	expect_ok(source.source.read(&file, offset, buffer, &size, &why));
	assert_int_equal(size, strlen(expected));
	assert_memory_equal(buffer, expected, size);
	assert_int_equal(buffer[size], 'x');
}

static void section_is_read_to_its_end(void **state)
{
	(void)state;
	start();
	expect_ok(open_file(".linux"));
	assert_int_equal(file.size, 10);
	assert_string_equal(file.name, ".linux");
	expect_read(0, 4, "0123");
	expect_read(4, 4, "4567");
	expect_read(8, 4, "89");
	expect_read(10, 1, "");
	expect_read(11, 1, "");
	expect_read(UINT64_MAX, UINT32_MAX, "");
	expect_ok(source.source.reopen(&file, 3));
	expect_read(3, 1, "3");
	source.source.close(&file);
	assert_null(file.handle);
	source.source.close(&file);
}

static void empty_section_is_an_empty_file(void **state)
{
	(void)state;
	start();
	expect_ok(open_file(".initrd"));
	assert_non_null(file.handle);
	assert_int_equal(file.size, 0);
	expect_read(0, 1, "");
}

/* The loader never falls back to a file of that name on a volume, which anybody could have written. */
static void unknown_name_is_an_error(void **state)
{
	static const char *const names[] = { ".ucode", "/.linux", "\\.linux", ".Linux", "", ".linux2" };

	(void)state;
	start();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		memset(&file, 0, sizeof(file));
		expect_error(open_file(names[i]), KEXEC_NOT_FOUND, "expected a section of the image, found none");
		assert_null(file.handle);
	}
}

static void no_large_reads(void **state)
{
	(void)state;
	start();
	assert_false(source.source.bears_large_reads);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(section_is_read_to_its_end),
		cmocka_unit_test(empty_section_is_an_empty_file),
		cmocka_unit_test(unknown_name_is_an_error),
		cmocka_unit_test(no_large_reads),
	};

	return run_named_tests(tests);
}
