// SPDX-License-Identifier: BSD-2-Clause
/* Load options, and what firmware passes instead of them. */
#include "boot/loadoptions.h"

#include "tests/unit/support.h"

static char *buffer;
static struct load_options options;

static void parse_bytes(const void *bytes, size_t size, bool from_shell)
{
	/* Exactly as large as promised, so that the address sanitizer sees a byte too many. */
	uint8_t *copy = test_malloc(size + 1);

	if (size)
		memcpy(copy, bytes, size);
	buffer = test_malloc(LOAD_OPTIONS_BUFFER_SIZE(size));
	load_options_parse(copy, size, from_shell, buffer, &options);
	test_free(copy);
}

/* As UTF-16 with a NUL at the end, like most firmware does. */
static void parse_text(const char *text, bool from_shell)
{
	uint16_t wide[4096];
	struct text utf8 = { .start = text, .length = strlen(text) };
	size_t units = 0;

	assert_true(text_to_utf16(utf8, wide, 4096));
	while (wide[units])
		units++;
	parse_bytes(wide, 2 * (units + 1), from_shell);
}

static void expect_lines(const char *expected)
{
	assert_int_equal(options.lines.length, strlen(expected));
	assert_memory_equal(options.lines.start, expected, strlen(expected));
	assert_string_equal(logged(), "");
	test_free(buffer);
}

static void expect_ignored(const char *message)
{
	assert_int_equal(options.lines.length, 0);
	assert_int_equal(options.entry_path.length, 0);
	assert_false(options.has_linux);
	assert_true(strncmp(logged(), "warning: load options ignored: ", 31) == 0);
	if (!strstr(logged(), message))
		fail_msg("expected \"%s\", logged: %s", message, logged());
	log_clear();
	test_free(buffer);
}

static void kernel_initrds_and_command_line(void **state)
{
	(void)state;
	parse_text("linux=/vmlinuz initrd=\\a.img  initrd=/b.img verbose -- root=/dev/vda2 ro  x=\"a b\"", false);
	assert_true(options.has_linux);
	expect_lines(
		"linux /vmlinuz\ninitrd \\a.img\ninitrd /b.img\nverbose yes\noptions root=/dev/vda2 ro  x=\"a b\"\n");
}

static void measurement_that_is_required(void **state)
{
	(void)state;
	parse_text("linux=/vmlinuz measure=require", false);
	expect_lines("linux /vmlinuz\nmeasure require\n");
	/* The entry's parser refuses the value. */
	parse_text("entry=/a.conf measure=no", false);
	expect_lines("measure no\n");
	parse_text("linux=/vmlinuz measure", false);
	expect_ignored("found \"measure\"");
}

static void volume_of_the_entry_and_of_its_paths(void **state)
{
	(void)state;
	parse_text("volume=xbootldr entry=/a.conf", false);
	expect_lines("volume xbootldr\n");
	assert_int_equal(options.volume.length, strlen("xbootldr"));
	parse_text("linux=/vmlinuz volume=PARTUUID=1234abcd-01", false);
	expect_lines("linux /vmlinuz\nvolume PARTUUID=1234abcd-01\n");
	parse_text("linux=/vmlinuz volume=", false);
	expect_ignored("found \"volume=\"");
	assert_int_equal(options.volume.length, 0);
}

static void entry_and_command_line(void **state)
{
	(void)state;
	parse_text("entry=/loader/debian.conf -- quiet", false);
	assert_false(options.has_linux);
	assert_int_equal(options.entry_path.length, strlen("/loader/debian.conf"));
	assert_memory_equal(options.entry_path.start, "/loader/debian.conf", options.entry_path.length);
	expect_lines("options quiet\n");
}

static void command_line_alone(void **state)
{
	(void)state;
	parse_text("-- single", false);
	assert_false(options.has_linux);
	expect_lines("options single\n");
	parse_text("--", false);
	expect_lines("options \n");
}

static void second_separator_belongs_to_the_command_line(void **state)
{
	(void)state;
	parse_text("-- init=/bin/sh -- -c verbose", false);
	expect_lines("options init=/bin/sh -- -c verbose\n");
}

static void paths_with_blanks(void **state)
{
	(void)state;
	parse_text("linux=\"/my kernels/vmlinuz\" \"initrd=/an initrd\"", false);
	expect_lines("linux /my kernels/vmlinuz\ninitrd /an initrd\n");
}

static void shell_passes_the_program_name(void **state)
{
	(void)state;
	parse_text("kexecx64 linux=/vmlinuz", true);
	expect_lines("linux /vmlinuz\n");
	parse_text("FS0:\\EFI\\kexecx64.EFI linux=/vmlinuz", false);
	expect_lines("linux /vmlinuz\n");
	parse_text("\"fs0:\\my folder\\kexecx64.efi\" verbose", true);
	expect_lines("verbose yes\n");
}

static void bare_path_of_the_image(void **state)
{
	(void)state;
	parse_text("\\EFI\\BOOT\\BOOTX64.EFI", false);
	expect_lines("");
	parse_text("kexecx64.efi", true);
	expect_lines("");
}

static void kernel_whose_name_ends_like_a_program(void **state)
{
	(void)state;
	parse_text("linux=/vmlinuz.efi initrd=/a.efi -- ro", false);
	assert_true(options.has_linux);
	expect_lines("linux /vmlinuz.efi\ninitrd /a.efi\noptions ro\n");
	parse_text("entry=/a.efi -- ro", false);
	assert_int_equal(options.entry_path.length, strlen("/a.efi"));
	expect_lines("options ro\n");
}

static void not_ascii(void **state)
{
	(void)state;
	parse_text("linux=/k\xc3\xa4se/\xe2\x82\xac/\xf0\x9f\x90\xa7 -- a=\xf0\x9f\x90\xa7", false);
	expect_lines("linux /k\xc3\xa4se/\xe2\x82\xac/\xf0\x9f\x90\xa7\noptions a=\xf0\x9f\x90\xa7\n");
}

static void string_without_nul_as_efibootmgr_writes_it(void **state)
{
	static const uint16_t text[] = { 'v', 'e', 'r', 'b', 'o', 's', 'e' };

	(void)state;
	parse_bytes(text, sizeof(text), false);
	expect_lines("verbose yes\n");
}

static void what_follows_the_nul_is_not_read(void **state)
{
	static const uint16_t text[] = { 'v', 'e', 'r', 'b', 'o', 's', 'e', 0, 1, 2, 3 };

	(void)state;
	parse_bytes(text, sizeof(text), false);
	expect_lines("verbose yes\n");
}

static void fifteen_hundred_characters(void **state)
{
	char text[1600] = "-- ";
	char expected[1700] = "options ";

	(void)state;
	memset(text + 3, 'x', 1500);
	memset(expected + 8, 'x', 1500);
	strcat(expected, "\n");
	parse_text(text, false);
	expect_lines(expected);
}

static void longest_lines_fit_the_buffer(void **state)
{
	char text[4096] = "";

	(void)state;
	for (int i = 0; i < 400; i++)
		strcat(text, "verbose ");
	parse_text(text, false);
	assert_int_equal(options.lines.length, 400 * strlen("verbose yes\n"));
	test_free(buffer);
}

static void nothing_at_all(void **state)
{
	(void)state;
	parse_bytes("", 0, false);
	expect_lines("");
}

static void empty_string(void **state)
{
	(void)state;
	parse_text("", false);
	expect_ignored("found an empty string");
	parse_text(" \t ", false);
	expect_ignored("found an empty string");
}

static void odd_length(void **state)
{
	(void)state;
	parse_bytes("v\0e\0r", 5, false);
	expect_ignored("expected an even number of bytes, found 5");
	parse_bytes("\x7f", 1, false);
	expect_ignored("expected an even number of bytes, found 1");
}

static void binary_data(void **state)
{
	static const uint8_t junk[] = { 1, 0, 0, 0, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc };
	static const uint16_t half_a_pair[] = { '-', '-', ' ', 0xd83d, 'x' };

	(void)state;
	parse_bytes(junk, sizeof(junk), false);
	expect_ignored("found binary data");
	parse_bytes(half_a_pair, sizeof(half_a_pair), false);
	expect_ignored("found binary data");
}

static void line_feed_cannot_add_an_entry_line(void **state)
{
	(void)state;
	parse_text("-- quiet\nlinux /evil", false);
	expect_ignored("found binary data");
}

static void whole_efi_load_option(void **state)
{
	static const uint8_t option[] = {
		1,   0, 0,   0,					/* LOAD_OPTION_ACTIVE */
		4,   0,						/* size of the paths */
		'L', 0, 'i', 0, 'n', 0, 0, 0, 0x7f, 0xff, 4, 0, /* end of the paths */
	};

	(void)state;
	parse_bytes(option, sizeof(option), false);
	expect_ignored("found an EFI_LOAD_OPTION");
}

static void efi_load_option_without_an_end(void **state)
{
	static const uint8_t option[] = { 1, 0, 0, 0, 4, 0, 'L', 0, 'i', 0, 'n', 0, 'u', 0, 'x', 0, 0x7f };

	(void)state;
	parse_bytes(option, sizeof(option) - 1, false);
	expect_ignored("found binary data");
	parse_bytes(option, sizeof(option), false);
	expect_ignored("expected an even number of bytes, found 17");
}

static void word_of_which_a_message_quotes_the_start(void **state)
{
	(void)state;
	parse_text("0123456789012345678901234567890123456789012345678901234567890123456789", false);
	expect_ignored("found \"012345678901234567890123456789012345678901234567890123456789\"");
}

static void too_long(void **state)
{
	uint8_t *bytes = test_malloc(LOAD_OPTIONS_SIZE_MAX + 2);

	(void)state;
	memset(bytes, 'x', LOAD_OPTIONS_SIZE_MAX + 2);
	parse_bytes(bytes, LOAD_OPTIONS_SIZE_MAX + 2, false);
	expect_ignored("expected at most 65536 bytes, found 65538");
	test_free(bytes);
}

static void word_that_does_not_belong(void **state)
{
	(void)state;
	parse_text("root=/dev/vda2 quiet", false);
	expect_ignored("expected linux=, initrd=, entry=, volume=, measure=, verbose, or -- before the command line, "
		       "found \"root=/dev/vda2\"");
	parse_text("linux=/vmlinuz quiet", false);
	expect_ignored("found \"quiet\"");
	parse_text("linux= verbose", false);
	expect_ignored("found \"linux=\"");
	parse_text("entry=/a entry=/b", false);
	expect_ignored("found \"entry=/b\"");
}

static void quote_that_does_not_close(void **state)
{
	(void)state;
	parse_text("linux=\"/vmlinuz verbose", false);
	expect_ignored("expected a \" that closes, found none behind \"linux=/vmlinuz verbose\"");
	/* It looks like the program's name. */
	parse_text("linux=\"/vmlinuz.efi", false);
	expect_ignored("expected a \" that closes, found none behind \"linux=/vmlinuz.efi\"");
	parse_text("\"\\EFI\\kexec.efi linux=/vmlinuz -- quiet", false);
	expect_ignored("expected a \" that closes");
	parse_text("\"fs0:\\kexec.efi linux=/vmlinuz", true);
	expect_ignored("expected a \" that closes");
	parse_text("linux=/vmlinuz \"-- quiet", false);
	expect_ignored("expected a \" that closes, found none behind \"-- quiet\"");
}

static void kernel_and_entry(void **state)
{
	(void)state;
	parse_text("entry=/a.conf linux=/vmlinuz", false);
	expect_ignored("expected linux= or entry=, found both");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_initrds_and_command_line),
		cmocka_unit_test(measurement_that_is_required),
		cmocka_unit_test(volume_of_the_entry_and_of_its_paths),
		cmocka_unit_test(entry_and_command_line),
		cmocka_unit_test(command_line_alone),
		cmocka_unit_test(second_separator_belongs_to_the_command_line),
		cmocka_unit_test(paths_with_blanks),
		cmocka_unit_test(shell_passes_the_program_name),
		cmocka_unit_test(bare_path_of_the_image),
		cmocka_unit_test(kernel_whose_name_ends_like_a_program),
		cmocka_unit_test(not_ascii),
		cmocka_unit_test(string_without_nul_as_efibootmgr_writes_it),
		cmocka_unit_test(what_follows_the_nul_is_not_read),
		cmocka_unit_test(fifteen_hundred_characters),
		cmocka_unit_test(longest_lines_fit_the_buffer),
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(empty_string),
		cmocka_unit_test(odd_length),
		cmocka_unit_test(binary_data),
		cmocka_unit_test(line_feed_cannot_add_an_entry_line),
		cmocka_unit_test(whole_efi_load_option),
		cmocka_unit_test(efi_load_option_without_an_end),
		cmocka_unit_test(word_of_which_a_message_quotes_the_start),
		cmocka_unit_test(too_long),
		cmocka_unit_test(word_that_does_not_belong),
		cmocka_unit_test(quote_that_does_not_close),
		cmocka_unit_test(kernel_and_entry),
	};

	return run_named_tests(tests);
}
