// SPDX-License-Identifier: BSD-2-Clause
/* Kernels of any format: how they are recognised, and the bytes that a signature must cover. */
#include "boot/kernel_format.h"

#include "boot/bzimage.h"
#include "tests/unit/support.h"

#define SETUP_SIZE (40 * 512u)
#define KERNEL_SIZE 0x20000u
#define FILE_SIZE (SETUP_SIZE + KERNEL_SIZE)

/* --- recognition --- */

static uint8_t bytes[KERNEL_PROBE_SIZE];

static enum kexec_status plan_bytes(void)
{
	const struct kernel_probe probe = {
		.name = "/vmlinuz",
		.bytes = bytes,
		.size = sizeof(bytes),
		.file_size = sizeof(bytes),
	};
	struct kernel_plan plan;

	return kernel_plan_file(&probe, &plan);
}

static void file_of_no_format_is_judged_as_a_bzimage(void **state)
{
	(void)state;
	memcpy(bytes, "\1\2", 2);
	expect_error(plan_bytes(), KEXEC_BAD_FORMAT,
		     "/vmlinuz: no kernel: boot_flag at 0x1fe: expected 0xaa55, found 0x0");
}

static void file_of_a_format_is_planned_by_it(void **state)
{
	(void)state;
	memcpy(bytes + 0x1fe, "\x55\xaa", 2);
	memcpy(bytes + 0x202, "HdrS", 4);
	expect_error(plan_bytes(), KEXEC_UNSUPPORTED,
		     "/vmlinuz: boot protocol at 0x206: expected 0x020c or later, found");
}

/* Only unified images have profiles. */
static void profile_of_a_plain_kernel(void **state)
{
	const struct kernel_probe probe = {
		.name = "/vmlinuz",
		.bytes = bytes,
		.size = sizeof(bytes),
		.file_size = sizeof(bytes),
		.has_profile = true,
	};
	struct kernel_plan plan;

	(void)state;
	memcpy(bytes + 0x1fe, "\x55\xaa", 2);
	memcpy(bytes + 0x202, "HdrS", 4);
	expect_error(kernel_plan_file(&probe, &plan), KEXEC_UNSUPPORTED,
		     "/vmlinuz: profile: expected a unified image, found a bzImage");
}

/* --- signatures --- */

static const struct kernel_plan kernel = {
	.format = &bzimage_format,
	.lead_size = SETUP_SIZE,
	.content_size = KERNEL_SIZE,
};

/* The whole file, with PE headers like Debian's: SizeOfHeaders, .setup, .text, and a signature behind the kernel. */
static uint8_t *make_signed_file(void)
{
	uint8_t *file = calloc(1, FILE_SIZE + 0x600);
	const uint32_t fields[][2] = {
		{ 0x3c, 0x40 },
		{ 0x40, 0x4550 },
		{ 0x46, 2 },
		{ 0x54, 0xa0 },
		{ 0x58, 0x20b },
		{ 0x58 + 60, 0x200 },
		{ 0x58 + 108, 6 },
		{ 0x58 + 144, FILE_SIZE },
		{ 0x58 + 148, 0x600 },
		{ 0xf8 + 16, SETUP_SIZE - 0x200 },
		{ 0xf8 + 20, 0x200 },
		{ 0x120 + 16, KERNEL_SIZE },
		{ 0x120 + 20, SETUP_SIZE },
	};

	memcpy(file, "MZ", 2);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		memcpy(file + fields[i][0], &fields[i][1], 4);
	return file;
}

static enum kexec_status check_signed_file(const uint8_t *file)
{
	return kernel_check_signed("/vmlinuz", &kernel, file, FILE_SIZE + 0x600);
}

static void signature_covers_the_kernel(void **state)
{
	uint8_t *file = make_signed_file();

	(void)state;
	expect_ok(check_signed_file(file));
	assert_true(kernel_authenticode_covers(&kernel, file, FILE_SIZE + 0x600));
	free(file);
}

static void signature_does_not_cover_the_kernels_end(void **state)
{
	uint8_t *file = make_signed_file();
	uint32_t size = KERNEL_SIZE - 0x200;

	(void)state;
	memcpy(file + 0x120 + 16, &size, 4);
	size = 0x800;
	memcpy(file + 0x58 + 148, &size, 4);
	expect_error(check_signed_file(file), KEXEC_MISMATCH,
		     "/vmlinuz: signature: expected it to cover all from 0x5000 to 0x25000, found it ends at 0x24e00");
	assert_false(kernel_authenticode_covers(&kernel, file, FILE_SIZE + 0x600));
	free(file);
}

/* A kernel without certificates, enrolled by its digest: it may have bytes behind its sections. */
static void digest_need_not_cover_the_kernels_end(void **state)
{
	uint8_t *file = make_signed_file();
	uint32_t size = KERNEL_SIZE - 0x200;

	(void)state;
	memset(file + 0x58 + 144, 0, 8);
	expect_ok(check_signed_file(file));
	memcpy(file + 0x120 + 16, &size, 4);
	expect_error(check_signed_file(file), KEXEC_MISMATCH,
		     "/vmlinuz: signature: expected it to cover all from 0x5000 to 0x25000, found it ends at 0x24e00");
	assert_false(kernel_authenticode_covers(&kernel, file, FILE_SIZE + 0x600));
	free(file);
}

static void signature_does_not_cover_the_setup_header(void **state)
{
	uint8_t *file = make_signed_file();
	uint32_t offset = 0x280;

	(void)state;
	/* A gap between the headers and the first section. */
	memcpy(file + 0xf8 + 20, &offset, 4);
	expect_error(check_signed_file(file), KEXEC_MISMATCH,
		     "/vmlinuz: signature: expected it to cover all from 0x1f1 to 0x290, found it ends at 0x200");
	assert_false(kernel_authenticode_covers(&kernel, file, FILE_SIZE + 0x600));
	free(file);
}

static void no_digest_covers_what_is_no_image(void **state)
{
	uint8_t *file = make_signed_file();

	(void)state;
	file[0] = 0;
	assert_false(kernel_authenticode_covers(&kernel, file, FILE_SIZE + 0x600));
	free(file);
}

static void command_line_that_the_kernel_would_cut(void **state)
{
	const struct kernel_plan plan = { .cmdline_size = 2047 };

	(void)state;
	expect_ok(kernel_check_command_line(&plan, 0));
	expect_ok(kernel_check_command_line(&plan, 2047));
	expect_error(kernel_check_command_line(&plan, 2048), KEXEC_TOO_LARGE,
		     "options: expected at most 2047 bytes (the kernel's cmdline_size), found 2048");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_line_that_the_kernel_would_cut),
		cmocka_unit_test(file_of_no_format_is_judged_as_a_bzimage),
		cmocka_unit_test(file_of_a_format_is_planned_by_it),
		cmocka_unit_test(profile_of_a_plain_kernel),
		cmocka_unit_test(signature_covers_the_kernel),
		cmocka_unit_test(signature_does_not_cover_the_kernels_end),
		cmocka_unit_test(digest_need_not_cover_the_kernels_end),
		cmocka_unit_test(signature_does_not_cover_the_setup_header),
		cmocka_unit_test(no_digest_covers_what_is_no_image),
	};

	return run_named_tests(tests);
}
