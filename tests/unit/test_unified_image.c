// SPDX-License-Identifier: BSD-2-Clause
/* Plans of unified images: the sections used, and the refusals. */
#define _GNU_SOURCE
#include "boot/unified_image.h"

#include <stdio.h>

#include "boot/kernel_format.h"
#include "tests/unit/pe_builder.h"
#include "tests/unit/support.h"

/* The layout of tests/unit/pe_builder.c. */
#define MACHINE (0x40u + 4)
#define SIZE_OF_IMAGE (0x40u + 24 + 56)
#define SECTION_HEADERS (0x40u + 24 + 0xf0)
#define HEADERS_SIZE (SECTION_HEADERS + 40 * PE_BUILDER_SECTIONS_MAX)

#define SECTION(name_, text)                                                                                           \
	{                                                                                                              \
		.name = (name_), .content = (text), .size = sizeof(text) - 1                                           \
	}

static struct pe_image file;
static struct kernel_plan plan;

/* Builds an image that firmware could load: SizeOfImage has room for all sections. */
static void build(const struct sample_section *sections, size_t count)
{
	uint32_t image_size = 0x40000;

	free((void *)(uintptr_t)file.bytes);
	file = pe_build(PE_FILE, sections, count);
	memcpy((uint8_t *)(uintptr_t)file.bytes + SIZE_OF_IMAGE, &image_size, sizeof(image_size));
	memcpy((uint8_t *)(uintptr_t)file.bytes + MACHINE, "\x64\x86", 2);
}

#define build_of(...)                                                                                                  \
	({                                                                                                             \
		const struct sample_section sections_[] = { __VA_ARGS__ };                                             \
		build(sections_, sizeof(sections_) / sizeof(sections_[0]));                                            \
	})

/* Overwrites a 4-byte field of the header of section `index`. */
static void set_field(unsigned index, unsigned field, uint32_t value)
{
	memcpy((uint8_t *)(uintptr_t)file.bytes + SECTION_HEADERS + 40 * index + field, &value, sizeof(value));
}

static enum kexec_status plan_profile(uint32_t profile)
{
	const struct kernel_probe probe = {
		.name = "/x.efi",
		.bytes = file.bytes,
		.size = file.size < KERNEL_PROBE_SIZE ? file.size : KERNEL_PROBE_SIZE,
		.file_size = file.size,
		.has_profile = profile != 0,
		.profile = profile,
	};

	memset(&plan, 0, sizeof(plan));
	assert_true(unified_image_format.probe(&probe));
	return unified_image_format.plan(&probe, &plan);
}

static void expect_section(enum unified_part part, const char *content)
{
	const struct unified_section *section = &plan.unified.sections[part];

	assert_int_equal(section->size, strlen(content));
	assert_int_equal(section->file_size, strlen(content));
	assert_memory_equal(file.bytes + section->offset, content, strlen(content));
}

static void sections_in_any_order(void **state)
{
	(void)state;
	build_of(SECTION(".text", "T"), SECTION(".initrd", "I"), SECTION(".cmdline", "quiet"), SECTION(".linux", "K"),
		 SECTION(".ucode", "U"), SECTION(".osrel", "ID=debian"));
	expect_ok(plan_profile(0));
	assert_ptr_equal(plan.format, &unified_image_format);
	expect_section(UNIFIED_KERNEL, "K");
	expect_section(UNIFIED_MICROCODE, "U");
	expect_section(UNIFIED_INITRD, "I");
	expect_section(UNIFIED_COMMAND_LINE, "quiet");
	assert_int_equal(unified_initrd_count(&plan.unified), 2);
	assert_int_equal(unified_initrd(&plan.unified, 0), UNIFIED_MICROCODE);
	assert_int_equal(unified_initrd(&plan.unified, 1), UNIFIED_INITRD);
	assert_string_equal(logged(), "");
}

static void sections_that_are_not_used(void **state)
{
	(void)state;
	build_of(SECTION(".osrel", "ID=debian"), SECTION(".dtbauto", "D"), SECTION(".dtbauto", "D"),
		 SECTION(".splash", "S"), SECTION(".linux", "K"));
	expect_ok(plan_profile(0));
	assert_string_equal(logged(), "/x.efi: section .splash is not used\n/x.efi: section .dtbauto is not used\n");
}

static void sections_that_are_not_there(void **state)
{
	(void)state;
	build_of(SECTION(".linux", "K"), SECTION(".cmdline", ""));
	expect_ok(plan_profile(0));
	assert_int_equal(unified_initrd_count(&plan.unified), 0);
	assert_int_equal(plan.unified.sections[UNIFIED_COMMAND_LINE].size, 0);
	build_of(SECTION(".linux", "K"), SECTION(".initrd", "I"));
	expect_ok(plan_profile(0));
	assert_int_equal(unified_initrd_count(&plan.unified), 1);
	assert_int_equal(unified_initrd(&plan.unified, 0), UNIFIED_INITRD);
	build_of(SECTION(".linux", "K"), SECTION(".ucode", "U"));
	expect_ok(plan_profile(0));
	assert_int_equal(unified_initrd(&plan.unified, 0), UNIFIED_MICROCODE);
}

/* Padding does not count, but zeros missing in the file do. */
static void sizes_in_file_and_memory(void **state)
{
	(void)state;
	build_of({ .name = ".linux", .content = "KKKK", .size = 3, .file_size = 512 },
		 { .name = ".initrd", .content = "I", .size = 5000, .file_size = 1 });
	expect_ok(plan_profile(0));
	assert_int_equal(plan.unified.sections[UNIFIED_KERNEL].file_size, 3);
	assert_int_equal(plan.unified.sections[UNIFIED_KERNEL].size, 3);
	assert_int_equal(plan.unified.sections[UNIFIED_INITRD].file_size, 1);
	assert_int_equal(plan.unified.sections[UNIFIED_INITRD].size, 5000);
}

static void profiles(void **state)
{
	(void)state;
	build_of(SECTION(".linux", "K"), SECTION(".cmdline", "base"), SECTION(".profile", "ID=a"),
		 SECTION(".profile", "ID=b"), SECTION(".cmdline", "second"), SECTION(".profile", "ID=c"),
		 SECTION(".initrd", "third"));
	expect_ok(plan_profile(0));
	expect_section(UNIFIED_COMMAND_LINE, "base");
	assert_int_equal(unified_initrd_count(&plan.unified), 0);
	expect_ok(plan_profile(1));
	expect_section(UNIFIED_KERNEL, "K");
	expect_section(UNIFIED_COMMAND_LINE, "second");
	expect_ok(plan_profile(2));
	expect_section(UNIFIED_COMMAND_LINE, "base");
	expect_section(UNIFIED_INITRD, "third");
	expect_error(plan_profile(3), KEXEC_NOT_FOUND, "/x.efi: profile: expected one below 3, found 3");
	/* Adding to the largest number must not wrap. */
	expect_error(plan_profile(UINT32_MAX), KEXEC_NOT_FOUND, "expected one below 3, found 4294967295");
}

static void profile_zero_overrides_too(void **state)
{
	(void)state;
	build_of(SECTION(".cmdline", "base"), SECTION(".profile", "ID=a"), SECTION(".cmdline", "first"),
		 SECTION(".linux", "K"));
	expect_ok(plan_profile(0));
	expect_section(UNIFIED_COMMAND_LINE, "first");
	expect_section(UNIFIED_KERNEL, "K");
}

static void profile_without_profiles(void **state)
{
	(void)state;
	build_of(SECTION(".linux", "K"));
	expect_error(plan_profile(1), KEXEC_NOT_FOUND, "/x.efi: profile: expected one below 1, found 1");
}

static void image_without_a_kernel(void **state)
{
	(void)state;
	build_of(SECTION(".cmdline", "base"), SECTION(".profile", "ID=a"), SECTION(".profile", "ID=b"),
		 SECTION(".linux", "K"));
	expect_ok(plan_profile(1));
	expect_error(plan_profile(0), KEXEC_UNSUPPORTED, "/x.efi: expected a section .linux, found none");
}

/* An addon, another application, and an image for another machine. */
static void images_of_others(void **state)
{
	struct kernel_probe probe = { .name = "/x.efi" };

	(void)state;
	build_of(SECTION(".cmdline", "base"), SECTION(".initrd", "I"));
	probe.bytes = file.bytes;
	probe.size = probe.file_size = file.size;
	assert_false(unified_image_format.probe(&probe));
	build_of(SECTION(".linux", "K"));
	probe.bytes = file.bytes;
	probe.size = probe.file_size = file.size;
	assert_true(unified_image_format.probe(&probe));
	((uint8_t *)(uintptr_t)file.bytes)[MACHINE] = 0x65;
	assert_false(unified_image_format.probe(&probe));
	/* An image that tools/seal makes of an entry. */
	build_of(SECTION(".entry", "linux /vmlinuz"), SECTION(".linux", "K"));
	probe.bytes = file.bytes;
	probe.size = probe.file_size = file.size;
	assert_false(unified_image_format.probe(&probe));
	build_of(SECTION(".linux", "K"));
	probe.bytes = file.bytes;
	/* The section table ends behind the part of the file that was read. */
	((uint8_t *)(uintptr_t)file.bytes)[MACHINE] = 0x64;
	probe.size = SECTION_HEADERS + 39;
	assert_false(unified_image_format.probe(&probe));
}

static void two_sections_of_a_name(void **state)
{
	static const char *const names[] = { ".linux", ".cmdline", ".initrd", ".ucode" };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		char line[64];

		build_of(SECTION(".linux", "K"), SECTION(".osrel", "O"), SECTION(".osrel", "O"),
			 { .name = names[i], .content = "X", .size = 1 },
			 { .name = names[i], .content = "X", .size = 1 });
		(void)snprintf(line, sizeof(line), "/x.efi: expected one section %s, found 2", names[i]);
		expect_error(plan_profile(0), KEXEC_BAD_FORMAT, line);
	}
	build_of(SECTION(".linux", "K"), SECTION(".profile", "a"), SECTION(".ucode", "U"), SECTION(".ucode", "U"),
		 SECTION(".profile", "b"));
	expect_error(plan_profile(0), KEXEC_BAD_FORMAT, "/x.efi: expected one section .ucode, found 2");
	expect_ok(plan_profile(1));
}

static void empty_sections(void **state)
{
	(void)state;
	build_of(SECTION(".linux", ""), SECTION(".initrd", "I"));
	expect_error(plan_profile(0), KEXEC_BAD_FORMAT,
		     "/x.efi: section .linux: expected at least 1 byte in the file, found 0");
	build_of(SECTION(".linux", "K"), SECTION(".initrd", ""));
	expect_error(plan_profile(0), KEXEC_BAD_FORMAT, "section .initrd: expected at least 1 byte");
	build_of(SECTION(".linux", "K"), SECTION(".ucode", "U"));
	set_field(1, 16, 0);
	expect_error(plan_profile(0), KEXEC_BAD_FORMAT, "section .ucode: expected at least 1 byte");
}

static void sections_outside_the_file(void **state)
{
	(void)state;
	build_of(SECTION(".linux", "K"), { .name = ".initrd", .content = "I", .size = 1, .wrong_place = 0x10000 });
	expect_error(plan_profile(0), KEXEC_BAD_FORMAT, "/x.efi: section .initrd: expected it between 0x");
	build_of(SECTION(".linux", "K"), { .name = ".initrd", .content = "I", .size = 1, .wrong_place = 0x10 });
	expect_error(plan_profile(0), KEXEC_BAD_FORMAT, "/x.efi: section .initrd: expected it between 0x");
	build_of(SECTION(".linux", "K"), SECTION(".initrd", "I"));
	set_field(1, 8, UINT32_MAX);
	set_field(1, 16, UINT32_MAX);
	expect_error(plan_profile(0), KEXEC_BAD_FORMAT, "/x.efi: section .initrd: expected it between 0x");
}

/* Firmware would not load such an image, or would load other bytes than the file's. */
static void sections_outside_the_image_in_memory(void **state)
{
	(void)state;
	build_of(SECTION(".linux", "K"), SECTION(".initrd", "I"));
	set_field(1, 12, 0x40000);
	expect_error(plan_profile(0), KEXEC_BAD_FORMAT,
		     "/x.efi: section .initrd: expected it within SizeOfImage, 0x40000, found 0x1 bytes at 0x40000");
	set_field(1, 12, 0x3ffff);
	expect_ok(plan_profile(0));
	set_field(1, 12, UINT32_MAX);
	expect_error(plan_profile(0), KEXEC_BAD_FORMAT, "expected it within SizeOfImage, 0x40000");
}

static void overlapping_sections(void **state)
{
	uint32_t place;

	(void)state;
	/* They overlap in the file; a section that is not used counts as well. */
	build_of(SECTION(".linux", "KKKK"), SECTION(".initrd", "IIII"));
	set_field(1, 20, HEADERS_SIZE + 3);
	expect_error(plan_profile(0), KEXEC_BAD_FORMAT,
		     "/x.efi: section .linux: expected it apart from all others, found it overlaps .initrd");
	build_of(SECTION(".linux", "KKKK"), SECTION(".osrel", "OOOO"));
	set_field(1, 20, HEADERS_SIZE + 3);
	expect_error(plan_profile(0), KEXEC_BAD_FORMAT, "found it overlaps .osrel");
	/* They overlap in memory, where the section that is loaded last wins, as in images of old dracut. */
	build_of(SECTION(".linux", "KKKK"), SECTION(".initrd", "IIII"));
	memcpy(&place, file.bytes + SECTION_HEADERS + 12, sizeof(place));
	set_field(1, 12, place + 3);
	expect_error(plan_profile(0), KEXEC_BAD_FORMAT, "section .linux: expected it apart from all others");
	set_field(1, 12, place + 4);
	expect_ok(plan_profile(0));
}

static void command_line_without_end(void **state)
{
	(void)state;
	build_of(SECTION(".linux", "K"),
		 { .name = ".cmdline", .content = "quiet", .size = (64 << 10) + 1, .file_size = 5 });
	expect_error(plan_profile(0), KEXEC_TOO_LARGE,
		     "/x.efi: section .cmdline: expected at most 65536 bytes, found 65537");
}

static void headers_that_make_no_sense(void **state)
{
	(void)state;
	build_of(SECTION(".linux", "K"));
	/* PE32 */
	((uint8_t *)(uintptr_t)file.bytes)[0x58] = 0x0b;
	((uint8_t *)(uintptr_t)file.bytes)[0x59] = 0x01;
	expect_error(plan_profile(0), KEXEC_BAD_FORMAT, "/x.efi: expected a PE32+ image (magic 0x20b), found 0x10b");
}

/* The signature must cover each section that is used. */
static void signature_covers_what_is_used(void **state)
{
	uint32_t directories = 6;
	uint8_t *bytes;

	(void)state;
	build_of(SECTION(".linux", "KKKK"), SECTION(".initrd", "IIII"), SECTION(".ucode", "UUUU"),
		 SECTION(".cmdline", "quiet"));
	bytes = (uint8_t *)(uintptr_t)file.bytes;
	memcpy(bytes + 0x58 + 108, &directories, sizeof(directories));
	expect_ok(plan_profile(0));
	expect_ok(kernel_check_signed("/x.efi", &plan, file.bytes, file.size));
	assert_true(kernel_authenticode_covers(&plan, file.bytes, file.size));
	/* In the headers that the platform hashes, a section ends earlier than in the plan. */
	for (unsigned i = 0; i < 4; i++) {
		set_field(i, 16, 3);
		expect_error(kernel_check_signed("/x.efi", &plan, file.bytes, file.size), KEXEC_MISMATCH,
			     "/x.efi: signature: expected it to cover all from 0x");
		set_field(i, 16, i == 3 ? 5 : 4);
	}
	expect_ok(kernel_check_signed("/x.efi", &plan, file.bytes, file.size));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_in_any_order),
		cmocka_unit_test(sections_that_are_not_used),
		cmocka_unit_test(sections_that_are_not_there),
		cmocka_unit_test(sizes_in_file_and_memory),
		cmocka_unit_test(profiles),
		cmocka_unit_test(profile_zero_overrides_too),
		cmocka_unit_test(profile_without_profiles),
		cmocka_unit_test(image_without_a_kernel),
		cmocka_unit_test(images_of_others),
		cmocka_unit_test(two_sections_of_a_name),
		cmocka_unit_test(empty_sections),
		cmocka_unit_test(sections_outside_the_file),
		cmocka_unit_test(sections_outside_the_image_in_memory),
		cmocka_unit_test(overlapping_sections),
		cmocka_unit_test(command_line_without_end),
		cmocka_unit_test(headers_that_make_no_sense),
		cmocka_unit_test(signature_covers_what_is_used),
	};

	return run_named_tests(tests);
}
