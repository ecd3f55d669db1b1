// SPDX-License-Identifier: BSD-2-Clause
/* Plans of a sealed image, loaded or as a file. */
#define _GNU_SOURCE
#include "boot/sealed_image.h"

#include <stdio.h>

#include "boot/attempts.h"
#include "boot/entry.h"
#include "tests/unit/pe_builder.h"
#include "tests/unit/support.h"

#define DIGEST_0 "0000000000000000000000000000000000000000000000000000000000000000"

static struct boot_plan plan;
static enum pe_layout layout;

/* Makes a plan from an image of these sections. */
static enum kexec_status make(const struct sample_section *sections, size_t count)
{
	struct pe_image image = pe_build(layout, sections, count);
	enum kexec_status status;

	boot_plan_free(&plan);
	assert_int_equal(sealed_image_found(&image, false), SEALED);
	assert_int_equal(sealed_image_found(&image, true), SEALED);
	status = sealed_image_to_plan(&image, &(struct sealed_choice){ 0 }, &plan);
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

#define CHOICE(profile_, options_) (&(struct sealed_choice){ .profile = (profile_), .options = (options_) })

static void expect_part(const struct boot_part *part, const char *name)
{
	assert_string_equal(part->name, name);
	assert_int_equal(part->source, PART_IN_IMAGE);
	assert_int_equal(part->trust, TRUST_IMAGE);
	assert_false(boot_part_has_digest(part));
}

static void expect_text(const char *expected)
{
	assert_int_equal(plan.text.length, strlen(expected));
	assert_memory_equal(plan.text.start, expected, plan.text.length);
}

static void check_unified_image(void)
{
	/* ukify uses another order, with other sections in between. */
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
	assert_string_equal(logged(), "");
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

static void picture_that_nobody_shows(void **state)
{
	(void)state;
	layout = PE_LOADED;
	expect_ok(make_of(SECTION(".linux", "K"), SECTION(".splash", "BM"), SECTION(".dtb", "D")));
	assert_string_equal(logged(), "this image: section .splash is not used\n"
				      "this image: section .dtb is not used\n");
}

/* ukify pads sections to the file's alignment. Only VirtualSize bytes of a section count. */
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

/* No text in it can begin another line or another key. */
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

/* They are parts nevertheless. Their size makes the loader refuse them later. */
static void empty_sections_are_not_passed_over(void **state)
{
	(void)state;
	expect_ok(make_of(SECTION(".linux", "K"), SECTION(".initrd", ""), SECTION(".ucode", "")));
	assert_int_equal(plan.initrd_count, 2);
	expect_part(&plan.initrds[0], ".ucode");
	expect_part(&plan.initrds[1], ".initrd");
}

/* Only an image without a command line accepts one from outside. Any image accepts the choice of a profile. */
static void what_load_options_choose(void **state)
{
	const struct sample_section sections[] = { SECTION(".linux", "K"),    SECTION(".initrd", "I"),
						   SECTION(".profile", "P0"), SECTION(".cmdline", "zero"),
						   SECTION(".profile", "P1"), SECTION(".ucode", "U") };
	struct pe_image image = pe_build(PE_LOADED, sections, 6);

	(void)state;
	boot_plan_free(&plan);
	expect_ok(sealed_image_to_plan(&image, CHOICE(0, TEXT("from outside")), &plan));
	assert_string_equal(plan.command_line.start, "zero");
	assert_false(plan.options_are_added);
	assert_int_equal(plan.initrd_count, 1);
	boot_plan_free(&plan);
	expect_ok(sealed_image_to_plan(&image, CHOICE(1, TEXT("from outside")), &plan));
	assert_string_equal(plan.command_line.start, "from outside");
	assert_true(plan.options_are_added);
	assert_int_equal(plan.initrd_count, 2);
	assert_int_equal(plan.profile, 1);
	boot_plan_free(&plan);
	expect_ok(sealed_image_to_plan(&image, CHOICE(1, TEXT("")), &plan));
	assert_string_equal(plan.command_line.start, "");
	assert_false(plan.options_are_added);
	boot_plan_free(&plan);
	expect_error(sealed_image_to_plan(&image, CHOICE(2, TEXT("")), &plan), KEXEC_NOT_FOUND,
		     "this image: profile: expected one below 2, found 2");
	/* Load options must not add an initrd. */
	expect_error(sealed_image_to_plan(&image, CHOICE(1, TEXT("initrd=/x")), &plan), KEXEC_DENIED, "initrd=");
	plan = (struct boot_plan){ 0 };
	free((void *)(uintptr_t)image.bytes);
}

static void sealed_entry(void **state)
{
	static const char text[] = "linux /k\nfsverity " DIGEST_0 " /k\n\0\0\0";

	(void)state;
	for (layout = PE_LOADED; layout <= PE_FILE; layout++) {
		expect_ok(make_of(SECTION(".linux", "not this"), SECTION(".entry", text)));
		assert_string_equal(plan.said_by, "sealed entry");
		assert_string_equal(plan.kernel.name, "/k");
		assert_int_equal(plan.kernel.source, PART_ON_VOLUME);
		assert_int_equal(plan.kernel.trust, TRUST_DIGEST);
		assert_true(plan.kernel.fsverity.is_known);
		assert_int_equal(plan.text.length, strlen(text));
	}
}

static void sealed_entry_that_is_refused(void **state)
{
	(void)state;
	expect_error(make_of(SECTION(".linux", "K"), SECTION(".entry", "linux /k\n")), KEXEC_BAD_FORMAT,
		     "sealed entry: expected a line \"fsverity HEX /k\" (or sha256), found none");
	expect_error(make_of(SECTION(".linux", "K"), SECTION(".entry", "\0\0")), KEXEC_NOT_FOUND,
		     "sealed entry: expected a line \"linux PATH\", found none");
}

/* In the order of their headers, even with other sections in between. Each is padded separately. */
static void several_sealed_entries(void **state)
{
	static const char first[] = "linux /k1\nfsverity " DIGEST_0 " /k1\n\0\0\0";
	static const char second[] = "linux /k2\nfsverity " DIGEST_0 " /k2\n";
	const struct sample_section sections[] = { SECTION(".entry", first), SECTION(".linux", "not this"),
						   SECTION(".entry", second), SECTION(".entry", "linux /k3\n") };
	struct sealed_choice choice = { 0 };

	(void)state;
	for (layout = PE_LOADED; layout <= PE_FILE; layout++) {
		struct pe_image image = pe_build(layout, sections, 4);

		assert_int_equal(sealed_image_found(&image, true), SEALED);
		assert_int_equal(sealed_image_entries(&image), 3);
		choice.entry = 0;
		expect_ok(sealed_image_to_plan(&image, &choice, &plan));
		assert_string_equal(plan.said_by, "sealed entry 1");
		assert_string_equal(plan.kernel.name, "/k1");
		boot_plan_free(&plan);
		choice.entry = 1;
		expect_ok(sealed_image_to_plan(&image, &choice, &plan));
		assert_string_equal(plan.said_by, "sealed entry 2");
		assert_string_equal(plan.kernel.name, "/k2");
		assert_int_equal(plan.kernel.trust, TRUST_DIGEST);
		boot_plan_free(&plan);
		/* Each entry must have its own digests. */
		choice.entry = 2;
		expect_error(sealed_image_to_plan(&image, &choice, &plan), KEXEC_BAD_FORMAT,
			     "sealed entry 3: expected a line \"fsverity HEX /k3\" (or sha256), found none");
		choice.entry = 3;
		expect_error(sealed_image_to_plan(&image, &choice, &plan), KEXEC_NOT_FOUND,
			     "this image: expected a section .entry number 4, found 3");
		plan = (struct boot_plan){ 0 };
		free((void *)(uintptr_t)image.bytes);
	}
}

#define expect_unreadable(call, message)                                                                               \
	expect_error((call) == SEAL_UNREADABLE ? KEXEC_DENIED : KEXEC_OK, KEXEC_DENIED, message)

static enum seal found(const struct sample_section *sections, size_t count, bool is_demanded)
{
	struct pe_image image = pe_build(layout, sections, count);
	enum seal seal = sealed_image_found(&image, is_demanded);

	free((void *)(uintptr_t)image.bytes);
	return seal;
}

static void nothing_sealed(void **state)
{
	const struct sample_section sections[] = { SECTION(".initrd", "I"), SECTION(".cmdline", "x"),
						   SECTION(".text", "t") };
	struct pe_image image = pe_build(PE_LOADED, sections, 3);

	(void)state;
	assert_int_equal(sealed_image_found(&image, false), NOT_SEALED);
	expect_error(sealed_image_to_plan(&image, &(struct sealed_choice){ 0 }, &plan), KEXEC_NOT_FOUND,
		     "expected a section .entry or .linux, found neither");
	free((void *)(uintptr_t)image.bytes);
}

/* The mark demands a seal. If there is none, or it has another name, nothing boots. */
static void nothing_sealed_in_an_image_that_is_marked(void **state)
{
	const struct sample_section none[] = { SECTION(".text", "t"), SECTION(".initrd", "I") };
	const struct sample_section other[] = { SECTION(".text", "t"), SECTION(".entrx", "linux /k") };
	const struct sample_section kernel[] = { SECTION(".linux", "K") };
	const char *message = "this image: is marked as sealed: expected a section .entry or .linux, found neither";

	(void)state;
	for (layout = PE_LOADED; layout <= PE_FILE; layout++) {
		expect_unreadable(found(none, 2, true), message);
		expect_unreadable(found(other, 2, true), message);
		assert_int_equal(found(kernel, 1, true), SEALED);
		assert_int_equal(found(none, 2, false), NOT_SEALED);
	}
}

/* Bytes behind the NUL belong to the name, so this is another one. */
static void name_with_a_tail(void **state)
{
	const struct sample_section sections[] = { SECTION(".linux", "K") };
	struct pe_image image = pe_build(PE_LOADED, sections, 1);
	uint8_t *name = memmem(image.bytes, image.size, ".linux", 6);

	(void)state;
	name[7] = 'x';
	assert_int_equal(sealed_image_found(&image, false), NOT_SEALED);
	expect_unreadable(sealed_image_found(&image, true), "this image: is marked as sealed: expected a section ");
	free((void *)(uintptr_t)image.bytes);
}

static void image_that_cannot_be_read(void **state)
{
	const struct sample_section sections[] = { SECTION(".linux", "K") };
	const struct sample_section misplaced[] = {
		SECTION(".text", "t"), { .name = ".entry", .content = "linux /k", .size = 8, .wrong_place = 0x7fffffff }
	};
	struct pe_image image = pe_build(PE_LOADED, sections, 1);

	(void)state;
	layout = PE_LOADED;
	expect_unreadable(found(misplaced, 2, false), "this image: section .entry: expected it between ");
	memset((void *)(uintptr_t)image.bytes, 0, image.size);
	for (unsigned is_demanded = 0; is_demanded < 2; is_demanded++)
		expect_unreadable(sealed_image_found(&image, is_demanded),
				  "this image: expected the headers of a PE image in its ");
	free((void *)(uintptr_t)image.bytes);
}

static void two_sections_of_one_name(void **state)
{
	static const char *const names[] = { ".linux", ".cmdline", ".ucode", ".initrd", ".seal" };
	char message[80];

	(void)state;
	layout = PE_LOADED;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct sample_section sections[] = { SECTION(".linux", "K"),
							   { .name = names[i], .content = "1", .size = 1 },
							   { .name = names[i], .content = "2", .size = 1 },
							   SECTION(".profile", "ID=x") };

		snprintf(message, sizeof(message), "this image: expected one section %s, found %u", names[i],
			 strcmp(names[i], ".linux") == 0 ? 3 : 2);
		expect_unreadable(found(sections, 3, false), message);
		/* With a .profile, sections of one name may belong to profiles of a unified image. */
		assert_int_equal(found(sections, 4, false), SEALED);
	}
}

/* The image is refused, so that no entry is skipped silently. */
static void more_entries_than_can_be_tried(void **state)
{
	struct sample_section sections[ATTEMPTS_MAX + 2];

	(void)state;
	layout = PE_LOADED;
	for (size_t i = 0; i <= ATTEMPTS_MAX; i++)
		sections[i] = (struct sample_section)SECTION(".entry", "linux /k\n");
	sections[ATTEMPTS_MAX + 1] = (struct sample_section)SECTION(".profile", "ID=x");
	assert_int_equal(found(sections, ATTEMPTS_MAX, true), SEALED);
	expect_unreadable(found(sections, ATTEMPTS_MAX + 1, false),
			  "this image: expected at most 8 sections .entry, found 9");
	expect_unreadable(found(sections, ATTEMPTS_MAX + 2, true),
			  "this image: expected at most 8 sections .entry, found 9");
}

static void mark_that_demands_a_seal(void **state)
{
	char mark[SEAL_MARK_SIZE] = SEAL_MARK_GENERIC;

	(void)state;
	assert_false(seal_mark_demands(mark));
	for (size_t i = 0; i < 8 * sizeof(mark); i++) {
		mark[i / 8] ^= (char)(1 << i % 8);
		assert_true(seal_mark_demands(mark));
		mark[i / 8] ^= (char)(1 << i % 8);
	}
	memset(mark, 0, sizeof(mark));
	assert_true(seal_mark_demands(mark));
	memcpy(mark, SEAL_MARK_SEALED, sizeof(SEAL_MARK_SEALED));
	assert_true(seal_mark_demands(mark));
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
		cmocka_unit_test(picture_that_nobody_shows),
		cmocka_unit_test(unified_image_in_a_file),
		cmocka_unit_test(sections_padded_as_ukify_writes_them),
		cmocka_unit_test(kernel_alone),
		cmocka_unit_test(command_line_is_one_line),
		cmocka_unit_test(command_line_that_is_too_long),
		cmocka_unit_test(empty_sections_are_not_passed_over),
		cmocka_unit_test(what_load_options_choose),
		cmocka_unit_test(sealed_entry),
		cmocka_unit_test(sealed_entry_that_is_refused),
		cmocka_unit_test(several_sealed_entries),
		cmocka_unit_test(more_entries_than_can_be_tried),
		cmocka_unit_test(nothing_sealed),
		cmocka_unit_test(nothing_sealed_in_an_image_that_is_marked),
		cmocka_unit_test(name_with_a_tail),
		cmocka_unit_test(image_that_cannot_be_read),
		cmocka_unit_test(two_sections_of_one_name),
		cmocka_unit_test(mark_that_demands_a_seal),
		cmocka_unit_test(no_memory),
	};

	return run_named_tests(tests);
}
