// SPDX-License-Identifier: BSD-2-Clause
/* Load options, and other data that firmware passes instead. */
#include "boot/loadoptions.h"

#include "tests/unit/support.h"

static char *buffer;
static struct load_options options;

#define OWN_PATH TEXT("\\EFI\\kexec\\kexecx64.efi")

static const struct load_options_sender firmware = { .own_path = OWN_PATH };
static const struct load_options_sender shell = { .is_shell = true, .own_path = OWN_PATH };

static void parse_bytes_of(const void *bytes, size_t size, const struct load_options_sender *sender)
{
	/* In memory of exactly the promised size, so that the address sanitizer detects a write behind it. */
	uint8_t *copy = test_malloc(size + 1);

	if (size)
		memcpy(copy, bytes, size);
	buffer = test_malloc(LOAD_OPTIONS_BUFFER_SIZE(size));
	load_options_parse(copy, size, sender, buffer, &options);
	test_free(copy);
}

#define parse_bytes(bytes, size) parse_bytes_of((bytes), (size), &firmware)

/* Parses UTF-16 with a NUL at the end, as most firmware passes it. */
static void parse_text_of(const char *text, const struct load_options_sender *sender)
{
	uint16_t wide[4096];
	struct text utf8 = { .start = text, .length = strlen(text) };
	size_t units = 0;

	assert_true(text_to_utf16(utf8, wide, 4096));
	while (wide[units])
		units++;
	parse_bytes_of(wide, 2 * (units + 1), sender);
}

#define parse_text(text) parse_text_of((text), &firmware)
#define parse_in_shell(text) parse_text_of((text), &shell)

static void expect_lines(const char *expected)
{
	assert_int_equal(options.lines.length, strlen(expected));
	assert_memory_equal(options.lines.start, expected, strlen(expected));
	assert_string_equal(logged(), "");
	assert_null(options.skipped);
	test_free(buffer);
}

static void expect_ignored(const char *message)
{
	assert_int_equal(options.lines.length, 0);
	assert_int_equal(options.entry_path.length, 0);
	assert_false(options.has_linux);
	assert_null(options.skipped);
	assert_true(strncmp(logged(), "warning: load options ignored: ", 31) == 0);
	if (!strstr(logged(), message))
		fail_msg("expected \"%s\", logged: %s", message, logged());
	log_clear();
	test_free(buffer);
}

/* Nothing is logged until the caller asks for the message. */
static void expect_skipped(const char *found)
{
	assert_int_equal(options.lines.length, 0);
	assert_int_equal(options.entry_path.length, 0);
	assert_false(options.has_linux);
	assert_string_equal(logged(), "");
	assert_string_equal(options.skipped, found);
	test_free(buffer);
}

static void kernel_initrds_and_command_line(void **state)
{
	(void)state;
	parse_text("linux=/vmlinuz initrd=\\a.img  initrd=/b.img verbose -- root=/dev/vda2 ro  x=\"a b\"");
	assert_true(options.has_linux);
	expect_lines(
		"linux /vmlinuz\ninitrd \\a.img\ninitrd /b.img\nverbose yes\noptions root=/dev/vda2 ro  x=\"a b\"\n");
}

static void measurement_that_is_required(void **state)
{
	(void)state;
	parse_text("linux=/vmlinuz measure=require");
	expect_lines("linux /vmlinuz\nmeasure require\n");
	/* The entry's parser will refuse the value. */
	parse_text("entry=/a.conf measure=no");
	expect_lines("measure no\n");
	parse_text("linux=/vmlinuz measure");
	expect_ignored("found \"measure\"");
}

static void network_that_is_trusted(void **state)
{
	(void)state;
	parse_text("linux=/vmlinuz network=trust");
	expect_lines("linux /vmlinuz\nnetwork trust\n");
}

static void volume_of_the_entry_and_of_its_paths(void **state)
{
	(void)state;
	parse_text("volume=xbootldr entry=/a.conf");
	expect_lines("volume xbootldr\n");
	assert_int_equal(options.volume.length, strlen("xbootldr"));
	parse_text("linux=/vmlinuz volume=PARTUUID=1234abcd-01");
	expect_lines("linux /vmlinuz\nvolume PARTUUID=1234abcd-01\n");
	parse_text("linux=/vmlinuz volume=");
	expect_ignored("found \"volume=\"");
	assert_int_equal(options.volume.length, 0);
}

static void entry_and_command_line(void **state)
{
	(void)state;
	parse_text("entry=/loader/debian.conf -- quiet");
	assert_false(options.has_linux);
	assert_int_equal(options.entry_path.length, strlen("/loader/debian.conf"));
	assert_memory_equal(options.entry_path.start, "/loader/debian.conf", options.entry_path.length);
	expect_lines("options quiet\n");
}

static void command_line_alone(void **state)
{
	(void)state;
	parse_text("-- single");
	assert_false(options.has_linux);
	expect_lines("options single\n");
	parse_text("--");
	expect_lines("options \n");
}

static void second_separator_belongs_to_the_command_line(void **state)
{
	(void)state;
	parse_text("-- init=/bin/sh -- -c verbose");
	expect_lines("options init=/bin/sh -- -c verbose\n");
}

static void paths_with_blanks(void **state)
{
	(void)state;
	parse_text("linux=\"/my kernels/vmlinuz\" \"initrd=/an initrd\"");
	expect_lines("linux /my kernels/vmlinuz\ninitrd /an initrd\n");
}

static void shell_passes_the_program_name(void **state)
{
	(void)state;
	parse_in_shell("kexecx64 linux=/vmlinuz");
	expect_lines("linux /vmlinuz\n");
	parse_in_shell("an-alias linux=/vmlinuz");
	expect_lines("linux /vmlinuz\n");
	parse_in_shell("\"fs0:\\my folder\\kexecx64.efi\" verbose");
	expect_lines("verbose yes\n");
	parse_in_shell("RC");
	expect_lines("");
}

/* Other callers pass a name as well: iPXE the image's name, some firmware the path. */
static void first_word_that_names_the_image(void **state)
{
	static const char *const names[] = {
		"kexecx64",
		"kexecx64.efi",
		"KEXECX64.EFI",
		"\\EFI\\kexec\\kexecx64.efi",
		"FS0:\\EFI\\kexec\\kexecx64",
		"fs0:kexecx64.efi",
		"/other/kexecx64.efi",
		"\"\\my folder\\kexecx64.efi\"",
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		strcpy(text, names[i]);
		strcat(text, " linux=/vmlinuz");
		parse_text(text);
		expect_lines("linux /vmlinuz\n");
		parse_text(names[i]);
		expect_lines("");
	}
}

static void first_word_that_names_another_image(void **state)
{
	(void)state;
	parse_text("\\EFI\\debian\\grubx64.efi linux=/vmlinuz");
	expect_ignored("found \"\\EFI\\debian\\grubx64.efi\"");
	parse_text("kexec linux=/vmlinuz");
	expect_ignored("found \"kexec\"");
	parse_text("kexecx64.efi.old verbose");
	expect_ignored("found \"kexecx64.efi.old\"");
	/* Only the first word may be the name. */
	parse_text("linux=/vmlinuz kexecx64.efi");
	expect_ignored("found \"kexecx64.efi\"");
}

/* An image may come from memory. Then its name is unknown. */
static void first_word_where_our_name_is_not_known(void **state)
{
	static const struct load_options_sender nobody = { .own_path = TEXT("") };

	(void)state;
	parse_text_of("anything.EFI verbose", &nobody);
	expect_lines("verbose yes\n");
	parse_text_of("kexec verbose", &nobody);
	expect_ignored("found \"kexec\"");
}

static void name_without_a_suffix_and_one_of_a_word(void **state)
{
	static const struct load_options_sender plain = { .own_path = TEXT("\\kexec") };
	static const struct load_options_sender verbose = { .own_path = TEXT("\\verbose.efi") };

	(void)state;
	parse_text_of("kexec linux=/vmlinuz", &plain);
	expect_lines("linux /vmlinuz\n");
	parse_text_of("Kexec.efi linux=/vmlinuz", &plain);
	expect_lines("linux /vmlinuz\n");
	parse_text_of("verbose linux=/vmlinuz", &verbose);
	expect_lines("verbose yes\nlinux /vmlinuz\n");
}

static const struct load_options_sender qemu = { .is_qemu = true, .own_path = TEXT("shim") };

static void kernel_of_qemu(void **state)
{
	(void)state;
	parse_text_of("kernel initrd=initrd console=ttyS0 quiet", &qemu);
	assert_true(options.has_linux);
	expect_lines("linux kernel\ninitrd initrd\noptions console=ttyS0 quiet\n");
	parse_text_of("kernel console=ttyS0", &qemu);
	expect_lines("linux kernel\noptions console=ttyS0\n");
	parse_text_of("kernel initrd=initrd ", &qemu);
	expect_lines("linux kernel\ninitrd initrd\noptions \n");
	parse_text_of("kernel", &qemu);
	expect_lines("linux kernel\noptions \n");
	/* As edk2 passed it before its pull request 11115. */
	parse_text_of("kernel console=ttyS0 quiet initrd=initrd", &qemu);
	expect_lines("linux kernel\ninitrd initrd\noptions console=ttyS0 quiet\n");
	parse_text_of("kernel console=ttyS0 xinitrd=initrd", &qemu);
	expect_lines("linux kernel\noptions console=ttyS0 xinitrd=initrd\n");
}

/* No word of -append is for the loader. */
static void append_of_qemu_is_the_command_line(void **state)
{
	(void)state;
	parse_text_of("kernel initrd=initrd a=\"b  c linux=/x -- init=\"/x y entry=/z verbose", &qemu);
	expect_lines("linux kernel\ninitrd initrd\noptions a=\"b  c linux=/x -- init=\"/x y entry=/z verbose\n");
	parse_text_of("kernel initrd=initrd.img -- x", &qemu);
	expect_lines("linux kernel\noptions initrd=initrd.img -- x\n");
	/* edk2 makes one unit of UTF-16 of each byte. */
	parse_text_of("kernel x=k\xc3\x83\xc2\xa4se y=\xc3\xbf", &qemu);
	expect_lines("linux kernel\noptions x=k\xc3\xa4se y=\xff\n");
	parse_text_of("kernel a\nlinux /evil", &qemu);
	expect_lines("linux kernel\noptions a linux /evil\n");
}

static void words_of_qemu_elsewhere(void **state)
{
	static const struct load_options_sender kernel = { .is_qemu = true, .own_path = TEXT("kernel") };
	static const struct load_options_sender in_shell = { .is_qemu = true,
							     .is_shell = true,
							     .own_path = TEXT("shim") };
	static const struct load_options_sender disk = { .own_path = TEXT("\\shim") };

	(void)state;
	parse_text_of("kernel initrd=initrd quiet", &disk);
	expect_ignored("found \"kernel\"");
	parse_text_of("kernels quiet", &qemu);
	expect_ignored("found \"kernels\"");
	parse_text_of("kernel initrd=initrd verbose", &in_shell);
	expect_lines("initrd initrd\nverbose yes\n");
	/* With -kernel we are the kernel, so -append is for us. */
	parse_text_of("initrd=initrd linux=/vmlinuz -- quiet", &kernel);
	expect_lines("initrd initrd\nlinux /vmlinuz\noptions quiet\n");
}

static void kernel_whose_name_ends_like_a_program(void **state)
{
	(void)state;
	parse_text("linux=/vmlinuz.efi initrd=/a.efi -- ro");
	assert_true(options.has_linux);
	expect_lines("linux /vmlinuz.efi\ninitrd /a.efi\noptions ro\n");
	parse_text("entry=/a.efi -- ro");
	assert_int_equal(options.entry_path.length, strlen("/a.efi"));
	expect_lines("options ro\n");
}

static void not_ascii(void **state)
{
	(void)state;
	parse_text("linux=/k\xc3\xa4se/\xe2\x82\xac/\xf0\x9f\x90\xa7 -- a=\xf0\x9f\x90\xa7");
	expect_lines("linux /k\xc3\xa4se/\xe2\x82\xac/\xf0\x9f\x90\xa7\noptions a=\xf0\x9f\x90\xa7\n");
}

static void string_without_nul_as_efibootmgr_writes_it(void **state)
{
	static const uint16_t text[] = { 'v', 'e', 'r', 'b', 'o', 's', 'e' };

	(void)state;
	parse_bytes(text, sizeof(text));
	expect_lines("verbose yes\n");
}

static void what_follows_the_nul_is_not_read(void **state)
{
	static const uint16_t text[] = { 'v', 'e', 'r', 'b', 'o', 's', 'e', 0, 1, 2, 3 };

	(void)state;
	parse_bytes(text, sizeof(text));
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
	parse_text(text);
	expect_lines(expected);
}

static void longest_lines_fit_the_buffer(void **state)
{
	char text[4096] = "";

	(void)state;
	for (int i = 0; i < 400; i++)
		strcat(text, "verbose ");
	parse_text(text);
	assert_int_equal(options.lines.length, 400 * strlen("verbose yes\n"));
	test_free(buffer);
}

static void nothing_at_all(void **state)
{
	(void)state;
	parse_bytes("", 0);
	expect_lines("");
}

static void empty_string(void **state)
{
	(void)state;
	parse_text("");
	expect_skipped("an empty string");
	parse_text(" \t \r\n");
	expect_skipped("an empty string");
}

/* efibootmgr without --unicode writes bytes. */
static void bytes_of_even_and_odd_length(void **state)
{
	(void)state;
	parse_bytes("linux=/vmlinuz -- root=/dev/x", 29);
	assert_true(options.has_linux);
	expect_lines("linux /vmlinuz\noptions root=/dev/x\n");
	parse_bytes("linux=/vmlinuz -- root=/dev/x1", 30);
	expect_lines("linux /vmlinuz\noptions root=/dev/x1\n");
	parse_bytes("linux=/k\xc3\xa4se\n\0\0", 14);
	expect_lines("linux /k\xc3\xa4se\n");
	parse_bytes("root=/dev/vda2 ro", 17);
	expect_ignored("found \"root=/dev/vda2\"");
}

/* As the shell's > and edit write a file for `bcfg boot -opt`: with a byte order mark and line ends. */
static void text_from_a_file(void **state)
{
	(void)state;
	parse_text("\xef\xbb\xbflinux=/vmlinuz -- root=/dev/vda2\r\n");
	expect_lines("linux /vmlinuz\noptions root=/dev/vda2\n");
	parse_bytes("\xef\xbb\xbfverbose\r\n", 12);
	expect_lines("verbose yes\n");
	parse_text("linux=/vmlinuz\r\ninitrd=/initrd\r\n-- quiet\r\nro\r\n");
	expect_lines("linux /vmlinuz\ninitrd /initrd\noptions quiet  ro\n");
}

static void marks_of_the_firmware(void **state)
{
	(void)state;
	parse_bytes("RC", 2);
	expect_skipped("a mark of the firmware");
	parse_bytes("FJ\0", 3);
	expect_skipped("a mark of the firmware");
	parse_bytes("\0\0BO", 4);
	expect_skipped("binary data");
	/* A user may have meant this. */
	parse_bytes("ro", 2);
	expect_ignored("found \"ro\"");
	parse_text("@1");
	expect_ignored("found \"@1\"");
	parse_bytes("DEBUG", 5);
	expect_ignored("found \"DEBUG\"");
}

static void half_a_character(void **state)
{
	(void)state;
	parse_bytes("v\0e\0r", 5);
	expect_ignored("expected an even number of bytes of UTF-16, found an odd one");
	parse_bytes("\x7f", 1);
	expect_skipped("binary data");
}

static void binary_data(void **state)
{
	static const uint8_t junk[] = { 1, 0, 0, 0, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc };
	static const uint16_t half_a_pair[] = { '-', '-', ' ', 0xd83d, 'x' };

	(void)state;
	parse_bytes(junk, sizeof(junk));
	expect_skipped("binary data");
	parse_bytes(half_a_pair, sizeof(half_a_pair));
	expect_skipped("binary data");
}

/* Text that resembles an instruction is never skipped without a message. */
static void binary_data_with_words_of_ours(void **state)
{
	(void)state;
	parse_bytes("linux=/k\xe4se", 11);
	expect_ignored("expected UTF-8 or UTF-16, as efibootmgr --unicode writes it");
	parse_bytes("\0\0linux=/vmlinuz", 16);
	expect_ignored("efibootmgr --unicode");
	parse_text("linux=/vmlinuz\x1b[0m");
	expect_ignored("efibootmgr --unicode");
	parse_bytes("initrd=/k\xe4se", 12);
	expect_ignored("efibootmgr --unicode");
	parse_bytes("\xe4 volume=esp", 12);
	expect_ignored("efibootmgr --unicode");
}

/* Arguments, each with a NUL behind it. All except the first would be lost. */
static void words_behind_a_nul(void **state)
{
	static const char text[] = "l\0i\0n\0u\0x\0=\0/\0k\0\0\0i\0n\0i\0t\0r\0d\0=\0/\0i\0\0";

	(void)state;
	parse_bytes(text, sizeof(text) - 1);
	expect_ignored("expected one text up to the first NUL, found words of this loader behind that");
	/* The twin: firmware has appended garbage. */
	parse_bytes(text, 22);
	expect_lines("linux /k\n");
}

static void big_endian(void **state)
{
	(void)state;
	parse_bytes("\0v\0e\0r\0b\0o\0s\0e", 14);
	expect_ignored("expected UTF-8 or UTF-16 little endian, found UTF-16 big endian");
}

static void line_feed_cannot_add_an_entry_line(void **state)
{
	(void)state;
	parse_text("-- quiet\nlinux /evil");
	expect_lines("options quiet linux /evil\n");
}

static void word_of_which_a_message_quotes_the_start(void **state)
{
	(void)state;
	parse_text("0123456789012345678901234567890123456789012345678901234567890123456789");
	expect_ignored("found \"012345678901234567890123456789012345678901234567890123456789\"");
}

static void too_long(void **state)
{
	uint8_t *bytes = test_malloc(LOAD_OPTIONS_SIZE_MAX + 2);

	(void)state;
	memset(bytes, 'x', LOAD_OPTIONS_SIZE_MAX + 2);
	parse_bytes(bytes, LOAD_OPTIONS_SIZE_MAX + 2);
	expect_ignored("expected at most 65536 bytes, found 65538");
	test_free(bytes);
}

static void word_that_does_not_belong(void **state)
{
	(void)state;
	parse_text("root=/dev/vda2 quiet");
	expect_ignored("expected linux=, initrd=, entry=, volume=, measure=, network=, verbose, or -- before the "
		       "command line, "
		       "found \"root=/dev/vda2\"");
	parse_text("linux=/vmlinuz quiet");
	expect_ignored("found \"quiet\"");
	parse_text("linux= verbose");
	expect_ignored("found \"linux=\"");
	parse_text("entry=/a entry=/b");
	expect_ignored("found \"entry=/b\"");
}

static void quote_that_does_not_close(void **state)
{
	(void)state;
	parse_text("linux=\"/vmlinuz verbose");
	expect_ignored("expected a \" that closes, found none behind \"linux=/vmlinuz verbose\"");
	/* It resembles the program's name. */
	parse_text("linux=\"/vmlinuz.efi");
	expect_ignored("expected a \" that closes, found none behind \"linux=/vmlinuz.efi\"");
	parse_text("\"\\EFI\\kexec.efi linux=/vmlinuz -- quiet");
	expect_ignored("expected a \" that closes");
	parse_in_shell("\"fs0:\\kexec.efi linux=/vmlinuz");
	expect_ignored("expected a \" that closes");
	parse_text("linux=/vmlinuz \"-- quiet");
	expect_ignored("expected a \" that closes, found none behind \"-- quiet\"");
}

static void kernel_and_entry(void **state)
{
	(void)state;
	parse_text("entry=/a.conf linux=/vmlinuz");
	expect_ignored("expected linux= or entry=, found both");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_behind_a_nul),
		cmocka_unit_test(kernel_initrds_and_command_line),
		cmocka_unit_test(measurement_that_is_required),
		cmocka_unit_test(network_that_is_trusted),
		cmocka_unit_test(volume_of_the_entry_and_of_its_paths),
		cmocka_unit_test(entry_and_command_line),
		cmocka_unit_test(command_line_alone),
		cmocka_unit_test(second_separator_belongs_to_the_command_line),
		cmocka_unit_test(paths_with_blanks),
		cmocka_unit_test(shell_passes_the_program_name),
		cmocka_unit_test(first_word_that_names_the_image),
		cmocka_unit_test(first_word_that_names_another_image),
		cmocka_unit_test(first_word_where_our_name_is_not_known),
		cmocka_unit_test(name_without_a_suffix_and_one_of_a_word),
		cmocka_unit_test(kernel_of_qemu),
		cmocka_unit_test(append_of_qemu_is_the_command_line),
		cmocka_unit_test(words_of_qemu_elsewhere),
		cmocka_unit_test(kernel_whose_name_ends_like_a_program),
		cmocka_unit_test(not_ascii),
		cmocka_unit_test(string_without_nul_as_efibootmgr_writes_it),
		cmocka_unit_test(what_follows_the_nul_is_not_read),
		cmocka_unit_test(fifteen_hundred_characters),
		cmocka_unit_test(longest_lines_fit_the_buffer),
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(empty_string),
		cmocka_unit_test(bytes_of_even_and_odd_length),
		cmocka_unit_test(text_from_a_file),
		cmocka_unit_test(marks_of_the_firmware),
		cmocka_unit_test(half_a_character),
		cmocka_unit_test(binary_data),
		cmocka_unit_test(binary_data_with_words_of_ours),
		cmocka_unit_test(big_endian),
		cmocka_unit_test(line_feed_cannot_add_an_entry_line),
		cmocka_unit_test(word_of_which_a_message_quotes_the_start),
		cmocka_unit_test(too_long),
		cmocka_unit_test(word_that_does_not_belong),
		cmocka_unit_test(quote_that_does_not_close),
		cmocka_unit_test(kernel_and_entry),
	};

	return run_named_tests(tests);
}
