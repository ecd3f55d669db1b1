// SPDX-License-Identifier: BSD-2-Clause
/* Requests in the load options of our image, if it is a unified image. */
#include "boot/stub_request.h"

#include "tests/unit/support.h"

#define OWN_PATH TEXT("\\EFI\\Linux\\debian.efi")

static const struct load_options_sender firmware = { .own_path = OWN_PATH };
static const struct load_options_sender shell = { .is_shell = true, .own_path = OWN_PATH };

static char *buffer;
static struct stub_request request;

static void parse_bytes(const void *bytes, size_t size, const struct load_options_sender *sender)
{
	uint8_t *copy = test_malloc(size + 1);

	memcpy(copy, bytes, size);
	buffer = test_malloc(OPTIONAL_DATA_TEXT_SIZE(size) + 1);
	request = stub_request_parse(copy, size, sender, buffer);
	test_free(copy);
}

static void parse_from(const char *text, const struct load_options_sender *sender)
{
	uint16_t wide[256];
	struct text utf8 = { .start = text, .length = strlen(text) };
	size_t units = 0;

	assert_true(text_to_utf16(utf8, wide, 256));
	while (wide[units])
		units++;
	parse_bytes(wide, 2 * (units + 1), sender);
}

#define parse(text) parse_from((text), &firmware)

#define NO_PROFILE (-1)

static void expect(int64_t profile, const char *command_line)
{
	assert_int_equal(request.has_profile, profile != NO_PROFILE);
	assert_int_equal(request.profile, profile == NO_PROFILE ? 0 : profile);
	assert_int_equal(request.command_line.length, strlen(command_line));
	assert_memory_equal(request.command_line.start, command_line, strlen(command_line));
	assert_string_equal(logged(), "");
	test_free(buffer);
}

static void command_lines(void **state)
{
	(void)state;
	parse("root=/dev/vda1 quiet");
	expect(NO_PROFILE, "root=/dev/vda1 quiet");
	parse("  quiet \r\n");
	expect(NO_PROFILE, "quiet");
	parse("\\EFI\\Linux\\debian.efi root=/dev/vda1");
	expect(NO_PROFILE, "root=/dev/vda1");
	parse("debian.efi");
	expect(NO_PROFILE, "");
	parse_from("fs0:whatever quiet", &shell);
	expect(NO_PROFILE, "quiet");
}

/* As systemd-boot passes them (src/boot/boot.c), and as a person types them. */
static void profiles(void **state)
{
	(void)state;
	parse("@1");
	expect(1, "");
	parse("@0 quiet");
	expect(0, "quiet");
	parse("@4294967295 a b");
	expect(UINT32_MAX, "a b");
	parse("debian.efi @2");
	expect(2, "");
	parse_from("debian.efi @2 single", &shell);
	expect(2, "single");
}

static void words_that_are_no_profile(void **state)
{
	static const char *const lines[] = { "@", "@x", "@1x", "@-1", "@4294967296", "x @1", "@@1 quiet" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		parse_from(lines[i], &(struct load_options_sender){ .is_shell = false, .own_path = OWN_PATH });
		/* A single short word without small letters counts as a mark of the firmware. */
		expect(NO_PROFILE, strlen(lines[i]) <= 2 && lines[i][1] != 'x' ? "" : lines[i]);
	}
}

static void what_firmware_puts_there(void **state)
{
	static const uint8_t binary[16] = { 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 0x80 };

	(void)state;
	parse("BO");
	expect(NO_PROFILE, "");
	parse_bytes(binary, sizeof(binary), &firmware);
	expect(NO_PROFILE, "");
	parse_bytes(binary, 0, &firmware);
	expect(NO_PROFILE, "");
}

static void expect_repeats(const char *options, const char *command_line, bool expected)
{
	parse(options);
	assert_int_equal(stub_request_repeats(&request, text_of_string(command_line)), expected);
	test_free(buffer);
}

static void what_is_in_the_image_already(void **state)
{
	(void)state;
	expect_repeats("quiet splash", "quiet splash", true);
	expect_repeats("quiet\tsplash ", " quiet\tsplash ", true);
	expect_repeats("debian.efi quiet", "quiet", true);
	expect_repeats("@0 quiet", "quiet", true);
	expect_repeats("@1", "quiet", true);
	expect_repeats("RC", "quiet", true);
	expect_repeats("debian.efi", "debian.efi", true);
	expect_repeats("debian.efi x", "debian.efi x", true);
	expect_repeats("quiet", "", false);
	expect_repeats("quiet", "quie", false);
	expect_repeats("quiet", "quiet splash", false);
	expect_repeats("Quiet", "quiet", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines),
		cmocka_unit_test(profiles),
		cmocka_unit_test(words_that_are_no_profile),
		cmocka_unit_test(what_firmware_puts_there),
		cmocka_unit_test(what_is_in_the_image_already),
	};

	return run_named_tests(tests);
}
