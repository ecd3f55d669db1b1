// SPDX-License-Identifier: BSD-2-Clause
/* Plans of what is sealed in an image, loaded or as a file. */
#include "boot/sealed_image.h"

#include "boot/entry.h"
#include "tests/unit/pe_builder.h"
#include "tests/unit/support.h"

#define DIGEST_0 "0000000000000000000000000000000000000000000000000000000000000000"

static struct boot_plan plan;
static enum pe_layout layout;

/* Makes a plan of an image of these sections. */
static enum kexec_status make(const struct sample_section *sections, size_t count)
{
	struct pe_image image = pe_build(layout, sections, count);
	enum kexec_status status;

	boot_plan_free(&plan);
	assert_true(sealed_image_found(&image));
	status = sealed_image_to_plan(&image, &plan);
	free((void *)(uintptr_t)image.bytes);
	return status;
}

#define make_of(...)                                                                                                   \
	({                                                                                                             \
		const struct sample_section sections_[] = { __VA_ARGS__ };                                             \
		make(sections_, sizeof(sections_) / sizeof(sections_[0]));                                             \
	})

#define SECTION(name_, text)                                                                                           \
	{                                                                                                              \
		.name = (name_), .content = (text), .size = sizeof(text) - 1                                           \
	}

static void expect_part(const struct boot_part *part, const char *name)
{
	assert_string_equal(part->name, name);
	assert_int_equal(part->source, PART_IN_IMAGE);
	assert_int_equal(part->trust, TRUST_IMAGE);
	assert_false(part->has_digest);
}

static void expect_text(const char *expected)
{
	assert_int_equal(plan.text.length, strlen(expected));
	assert_memory_equal(plan.text.start, expected, plan.text.length);
}

static void check_unified_image(void)
{
	/* Another order, and sections of others between: ukify adds them in its own. */
	expect_ok(make_of(SECTION(".osrel", "ID=debian\n"), SECTION(".cmdline", "root=/dev/vda2 quiet"),
			  SECTION(".initrd", "I"), SECTION(".uname", "6.1"), SECTION(".ucode", "U"),
			  SECTION(".linux", "K"), SECTION(".sbat", "sbat,1")));
	assert_string_equal(plan.said_by, "unified image");
	expect_part(&plan.kernel, ".linux");
	assert_int_equal(plan.initrd_count, 2);
	expect_part(&plan.initrds[0], ".ucode");
	expect_part(&plan.initrds[1], ".initrd");
	assert_string_equal(plan.command_line.start, "root=/dev/vda2 quiet");
	assert_false(plan.require_signature);
	assert_int_equal(plan.on_mismatch, ON_MISMATCH_HALT);
	expect_text("linux .linux\ninitrd .ucode\ninitrd .initrd\noptions root=/dev/vda2 quiet");
}

static void unified_image(void **state)
{
	(void)state;
	layout = PE_LOADED;
	check_unified_image();
}

static void unified_image_in_a_file(void **state)
{
	(void)state;
	layout = PE_FILE;
	check_unified_image();
}

/* ukify pads sections to the file's alignment; VirtualSize says how much of one counts. */
static void sections_padded_as_ukify_writes_them(void **state)
{
	(void)state;
	for (layout = PE_LOADED; layout <= PE_FILE; layout++) {
		expect_ok(make_of({ .name = ".osrel", .content = "ID=x", .size = 4, .file_size = 0x200 },
				  { .name = ".cmdline", .content = "quiet", .size = 5, .file_size = 0x200 },
				  { .name = ".linux", .content = "K", .size = 1, .file_size = 0x200 },
				  { .name = ".initrd", .content = "I", .size = 1, .file_size = 0x200 }));
		expect_part(&plan.kernel, ".linux");
		assert_int_equal(plan.initrd_count, 1);
		assert_string_equal(plan.command_line.start, "quiet");
	}
}

static void kernel_alone(void **state)
{
	(void)state;
	expect_ok(make_of(SECTION(".linux", "K")));
	expect_part(&plan.kernel, ".linux");
	assert_int_equal(plan.initrd_count, 0);
	assert_string_equal(plan.command_line.start, "");
	expect_text("linux .linux\noptions ");
}

/* Nothing in it can begin another line or another key. */
static void command_line_is_one_line(void **state)
{
	(void)state;
	expect_ok(
		make_of(SECTION(".linux", "K"), SECTION(".cmdline", " \ta\nlinux /x\r\ninitrd\t/y\0\x7f\xffz\n\0\0")));
	assert_string_equal(plan.command_line.start, "a linux /x  initrd /y \x7f\xffz");
	assert_int_equal(plan.initrd_count, 0);
	expect_part(&plan.kernel, ".linux");
	expect_text("linux .linux\noptions   a linux /x  initrd /y \x7f\xffz   ");
}

static void command_line_that_is_too_long(void **state)
{
	char *text = calloc(1, ENTRY_SIZE_MAX);

	(void)state;
	memset(text, 'x', ENTRY_SIZE_MAX);
	expect_ok(
		make_of(SECTION(".linux", "K"), { .name = ".cmdline", .content = text, .size = ENTRY_SIZE_MAX - 21 }));
	assert_int_equal(plan.command_line.length, ENTRY_SIZE_MAX - 21);
	expect_error(make_of(SECTION(".linux", "K"),
			     { .name = ".cmdline", .content = text, .size = ENTRY_SIZE_MAX - 20 }),
		     KEXEC_TOO_LARGE, "unified image: expected at most 65536 bytes, found 65537");
	free(text);
}

/* They are parts all the same, which are then refused for their size. */
static void empty_and_misplaced_sections_are_not_passed_over(void **state)
{
	(void)state;
	expect_ok(make_of(SECTION(".linux", "K"), SECTION(".initrd", ""),
			  { .name = ".ucode", .content = "U", .size = 1, .wrong_place = UINT32_MAX }));
	assert_int_equal(plan.initrd_count, 2);
	expect_part(&plan.initrds[0], ".ucode");
	expect_part(&plan.initrds[1], ".initrd");
}

static void sealed_entry(void **state)
{
	static const char text[] = "linux /k\nsha256 " DIGEST_0 " /k\n\0\0\0";

	(void)state;
	for (layout = PE_LOADED; layout <= PE_FILE; layout++) {
		expect_ok(make_of(SECTION(".linux", "not this"), SECTION(".entry", text)));
		assert_string_equal(plan.said_by, "sealed entry");
		assert_string_equal(plan.kernel.name, "/k");
		assert_int_equal(plan.kernel.source, PART_ON_VOLUME);
		assert_int_equal(plan.kernel.trust, TRUST_DIGEST);
		assert_true(plan.kernel.has_digest);
		assert_int_equal(plan.text.length, strlen(text));
	}
}

static void sealed_entry_that_is_refused(void **state)
{
	(void)state;
	expect_error(make_of(SECTION(".linux", "K"), SECTION(".entry", "linux /k\n")), KEXEC_BAD_FORMAT,
		     "sealed entry: expected a line \"sha256 HEX /k\", found none");
	expect_error(make_of(SECTION(".linux", "K"), SECTION(".entry", "\0\0")), KEXEC_NOT_FOUND,
		     "sealed entry: expected a line \"linux PATH\", found none");
	expect_error(make_of(SECTION(".linux", "K"),
			     { .name = ".entry", .content = "linux /k", .size = 8, .wrong_place = 0x7fffffff }),
		     KEXEC_NOT_FOUND, "sealed entry: expected a line \"linux PATH\", found none");
}

static void nothing_sealed(void **state)
{
	const struct sample_section sections[] = { SECTION(".initrd", "I"), SECTION(".cmdline", "x"),
						   SECTION(".text", "t") };
	struct pe_image image = pe_build(PE_LOADED, sections, 3);

	(void)state;
	assert_false(sealed_image_found(&image));
	expect_error(sealed_image_to_plan(&image, &plan), KEXEC_NOT_FOUND,
		     "expected a section .entry or .linux, found neither");
	free((void *)(uintptr_t)image.bytes);
}

static void no_memory(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		fake_pool_fail_at(n);
		expect_error(make_of(SECTION(".linux", "K")), KEXEC_NO_MEMORY, "unified image: out of memory");
		assert_int_equal(fake_pool_outstanding(), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unified_image),
		cmocka_unit_test(unified_image_in_a_file),
		cmocka_unit_test(sections_padded_as_ukify_writes_them),
		cmocka_unit_test(kernel_alone),
		cmocka_unit_test(command_line_is_one_line),
		cmocka_unit_test(command_line_that_is_too_long),
		cmocka_unit_test(empty_and_misplaced_sections_are_not_passed_over),
		cmocka_unit_test(sealed_entry),
		cmocka_unit_test(sealed_entry_that_is_refused),
		cmocka_unit_test(nothing_sealed),
		cmocka_unit_test(no_memory),
	};

	return run_named_tests(tests);
}
