// SPDX-License-Identifier: BSD-2-Clause
/* Options that an entry adds to a unified image's, or uses instead of them. */
#include "boot/unified_options.h"

#include "tests/unit/support.h"

static const struct unified_image with_command_line = { .sections = { [UNIFIED_COMMAND_LINE] = { .file_size = 4,
												 .size = 4 } } };
static const struct unified_image without_command_line;

static struct boot_plan plan_of(const char *options, enum trust trust)
{
	return (struct boot_plan){
		.said_by = "my.conf",
		.kernel = { .name = "/x.efi", .trust = trust, .fsverity.is_known = trust == TRUST_DIGEST },
		.command_line = { .start = options, .length = strlen(options) },
	};
}

/* The number of bytes of the last line that come from .cmdline. */
static size_t of_the_image;

static void expect_line(const char *embedded, const char *options, enum trust trust, const char *expected)
{
	const struct boot_plan plan = plan_of(options, trust);
	const struct unified_image image = { .sections = { [UNIFIED_COMMAND_LINE] = { .file_size = strlen(embedded),
										      .size = strlen(embedded) } } };
	/* Exactly the room, so that a sanitizer detects a write behind it. */
	char *place = malloc(unified_command_line_size(&plan, &image));
	struct text part;
	struct text line;

	assert_non_null(place);
	memcpy(place, embedded, strlen(embedded));
	log_clear();
	line = unified_command_line(&plan, place, strlen(embedded), &part);
	assert_int_equal(line.length, strlen(expected));
	assert_memory_equal(line.start, expected, strlen(expected) + 1);
	assert_ptr_equal(part.start, line.start);
	of_the_image = part.length;
	free(place);
}

static void command_line_of_the_image(void **state)
{
	(void)state;
	expect_line("quiet", "", TRUST_PLATFORM, "quiet");
	assert_int_equal(of_the_image, 5);
	expect_line(" a\tb\nc \n\r\n", "", TRUST_PLATFORM, "a b c");
	expect_line("\n", "", TRUST_PLATFORM, "");
	expect_line("", "", TRUST_PLATFORM, "");
	expect_line("", "", TRUST_DIGEST, "");
	assert_string_equal(logged(), "");
}

static void options_replace_it_aloud(void **state)
{
	(void)state;
	expect_line("quiet\n", "debug", TRUST_PLATFORM, "debug");
	assert_int_equal(of_the_image, 0);
	assert_string_equal(logged(), "/x.efi: options of my.conf instead of its .cmdline: \"quiet\"\n");
	expect_line("", "debug", TRUST_PLATFORM, "debug");
	expect_line(" \n", "debug", TRUST_PLATFORM, "debug");
	assert_string_equal(logged(), "");
	expect_line("a", "much longer than the command line in the image", TRUST_PLATFORM,
		    "much longer than the command line in the image");
}

static void options_of_a_sealed_entry_add_to_it(void **state)
{
	(void)state;
	expect_line(" quiet\n", "debug", TRUST_DIGEST, "quiet debug");
	assert_int_equal(of_the_image, 5);
	expect_line("", "debug", TRUST_DIGEST, "debug");
	assert_string_equal(logged(), "");
}

static void additions_to_what_was_signed(void **state)
{
	struct boot_part initrd = { .name = "/extra" };
	struct boot_plan plan = plan_of("debug", TRUST_PLATFORM);

	(void)state;
	expect_ok(unified_check_additions(&plan, &without_command_line));
	expect_error(unified_check_additions(&plan, &with_command_line), KEXEC_DENIED,
		     "/x.efi: options: expected none beside a signed .cmdline with Secure Boot on, found \"debug\" in "
		     "my.conf");
	plan = plan_of("", TRUST_PLATFORM);
	expect_ok(unified_check_additions(&plan, &with_command_line));
	plan.initrds = &initrd;
	plan.initrd_count = 1;
	expect_ok(unified_check_additions(&plan, &without_command_line));
	expect_error(unified_check_additions(&plan, &with_command_line), KEXEC_DENIED,
		     "/x.efi: initrd: expected none beside a signed .cmdline with Secure Boot on, found /extra in "
		     "my.conf");
	plan = plan_of("debug", TRUST_DIGEST);
	plan.initrds = &initrd;
	plan.initrd_count = 1;
	expect_ok(unified_check_additions(&plan, &with_command_line));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_line_of_the_image),
		cmocka_unit_test(options_replace_it_aloud),
		cmocka_unit_test(options_of_a_sealed_entry_add_to_it),
		cmocka_unit_test(additions_to_what_was_signed),
	};

	return run_named_tests(tests);
}
