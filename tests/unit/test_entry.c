// SPDX-License-Identifier: BSD-2-Clause
/* Entries, right ones and each kind of wrong one. */
#include "boot/entry.h"

#include "boot/log.h"
#include "tests/unit/support.h"

#define DIGEST_0 "0000000000000000000000000000000000000000000000000000000000000000"
#define DIGEST_1 "0000000000000000000000000000000000000000000000000000000000000001"

#define HEX "00112233445566778899aabbccddeeff0123456789ABCDEFfedcba9876543210"

static const uint8_t digest_of_hex[SHA256_DIGEST_SIZE] = {
	0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
	0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10,
};

static struct entry entry;

/* The last text parsed: exactly its own size, so that a sanitizer sees what is read behind it. */
static char *copy;

static enum kexec_status parse_bytes(const char *bytes, size_t size)
{
	free(copy);
	copy = malloc(size ? size : 1);
	assert_non_null(copy);
	memcpy(copy, bytes, size);
	return entry_parse("a.conf", (struct text){ .start = copy, .length = size }, &entry);
}

#define parse(literal) parse_bytes((literal), sizeof(literal) - 1)

/* Parses what is wrong, and wants the caller's entry untouched. */
#define refuse(literal, status, part)                                                                                  \
	do {                                                                                                           \
		struct entry before_;                                                                                  \
                                                                                                                       \
		memset(&entry, 0x5a, sizeof(entry));                                                                   \
		before_ = entry;                                                                                       \
		expect_error(parse(literal), status, part);                                                            \
		assert_memory_equal(&entry, &before_, sizeof(entry));                                                  \
	} while (0)

static void check_text(struct text found, const char *expected, const char *file, int line)
{
	if (found.length != strlen(expected) || memcmp(found.start, expected, found.length) != 0) {
		print_error("expected \"%s\", found \"%.*s\"\n", expected, TEXT_ARGS(found));
		_fail(file, line);
	}
}

#define expect_text(text, expected) check_text((text), (expected), __FILE__, __LINE__)

static void check_command_line(const char *expected, const char *file, int line)
{
	size_t size = entry_command_line_size(&entry);
	char *found = malloc(size + 1);

	entry_command_line(&entry, found);
	if (size != strlen(expected) || memcmp(found, expected, size + 1) != 0) {
		print_error("expected %zu bytes of \"%s\", found %zu: \"%s\"\n", strlen(expected), expected, size,
			    found);
		_fail(file, line);
	}
	free(found);
}

#define expect_command_line(expected) check_command_line((expected), __FILE__, __LINE__)

/* The initrds, each followed by a semicolon. */
static void check_initrds(const char *expected, const char *file, int line)
{
	struct text rest = entry.text;
	struct text initrd;
	char found[256];
	size_t length = 0;

	while (entry_next(&rest, ENTRY_INITRD, &initrd)) {
		memcpy(found + length, initrd.start, initrd.length);
		length += initrd.length;
		found[length++] = ';';
	}
	found[length] = '\0';
	if (strcmp(found, expected) != 0) {
		print_error("expected \"%s\", found \"%s\"\n", expected, found);
		_fail(file, line);
	}
}

#define expect_initrds(expected) check_initrds((expected), __FILE__, __LINE__)

static void expect_plain(void)
{
	expect_text(entry.linux_path, "/vmlinuz");
	expect_initrds("/initrd;");
	expect_command_line("quiet");
}

/* --- lines --- */

static void all_keys(void **state)
{
	(void)state;
	expect_ok(parse("title Debian GNU/Linux\n"
			"version 6.1.0\n"
			"machine-id 4098b3f648d74c13b1f04ccfba7798e8\n"
			"sort-key debian\n"
			"architecture x64\n"
			"linux /vmlinuz\n"
			"initrd /microcode\n"
			"initrd /initrd\n"
			"options root=/dev/vda1\n"
			"sha256 " HEX " /vmlinuz\n"
			"signature require\n"
			"on-mismatch reset\n"
			"dma off\n"
			"memory-overwrite off\n"
			"verbose yes\n"));
	assert_string_equal(entry.source, "a.conf");
	expect_text(entry.linux_path, "/vmlinuz");
	expect_initrds("/microcode;/initrd;");
	expect_command_line("root=/dev/vda1");
	assert_true(entry.require_signature);
	assert_true(entry.verbose);
	assert_int_equal(entry.on_mismatch, ON_MISMATCH_RESET);
	assert_true(entry.dma_off);
	assert_true(entry.overwrite_off);
	entry_print_unknown_keys(&entry);
	assert_string_equal(logged(), "");
}

static void defaults(void **state)
{
	(void)state;
	memset(&entry, 0xff, sizeof(entry));
	expect_ok(parse("linux /vmlinuz\n"));
	assert_false(entry.require_signature);
	assert_false(entry.verbose);
	assert_int_equal(entry.on_mismatch, ON_MISMATCH_HALT);
	assert_false(entry.dma_off);
	assert_false(entry.overwrite_off);
	expect_initrds("");
	expect_command_line("");
}

static void keys_that_say_the_default(void **state)
{
	(void)state;
	expect_ok(parse("linux /vmlinuz\non-mismatch halt\ndma on\nmemory-overwrite on\nverbose no\n"));
	assert_false(entry.verbose);
	assert_false(entry.dma_off);
	assert_false(entry.overwrite_off);
	assert_int_equal(entry.on_mismatch, ON_MISMATCH_HALT);
}

static void comments_and_empty_lines(void **state)
{
	(void)state;
	expect_ok(parse("# linux /comment\n\n  \t \n#\n \t# linux /indented\nlinux /vmlinuz\n#linux /close\n"
			"initrd /initrd\noptions quiet\n\n"));
	expect_plain();
}

static void comment_in_a_value_is_none(void **state)
{
	(void)state;
	expect_ok(parse("linux /vmlinuz#1\noptions a # b\n"));
	expect_text(entry.linux_path, "/vmlinuz#1");
	expect_command_line("a # b");
}

static void lines_end_in_cr_lf(void **state)
{
	(void)state;
	expect_ok(parse("# comment\r\n\r\nlinux /vmlinuz\r\ninitrd /initrd\r\noptions quiet\r\nverbose yes\r\n"));
	expect_plain();
	assert_true(entry.verbose);
}

static void no_newline_at_the_end(void **state)
{
	(void)state;
	expect_ok(parse("initrd /initrd\noptions quiet\nlinux /vmlinuz"));
	expect_plain();
	expect_ok(parse("initrd /initrd\nlinux /vmlinuz\noptions quiet"));
	expect_plain();
	expect_ok(parse("linux /vmlinuz\ninitrd /initrd\noptions quiet\n# end"));
	expect_plain();
}

static void tabs_and_many_blanks(void **state)
{
	(void)state;
	expect_ok(parse(" \tlinux\t \t/vmlinuz \t\n\tinitrd  /initrd\noptions\tquiet\t\n"));
	expect_plain();
}

static void byte_order_mark(void **state)
{
	(void)state;
	expect_ok(parse("\xef\xbb\xbflinux /vmlinuz\ninitrd /initrd\noptions quiet\n"));
	expect_plain();
	expect_ok(parse("\xef\xbb\xbf\ninitrd /initrd\noptions quiet\nlinux /vmlinuz\n"));
	expect_plain();
	entry_print_unknown_keys(&entry);
	assert_string_equal(logged(), "");
}

static void byte_order_mark_in_half_or_alone(void **state)
{
	(void)state;
	refuse("\xef\xbb", KEXEC_NOT_FOUND, "expected a line \"linux PATH\"");
	refuse("\xef\xbb\xbf", KEXEC_NOT_FOUND, "expected a line \"linux PATH\"");
	refuse("\xef\xbblinux /vmlinuz", KEXEC_NOT_FOUND, "expected a line \"linux PATH\"");
}

static void order_does_not_matter(void **state)
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	(void)state;
	expect_ok(parse("sha256 " HEX " /initrd\noptions quiet\ninitrd /initrd\nlinux /vmlinuz\n"));
	expect_plain();
	assert_true(entry_digest(&entry, TEXT("/initrd"), digest));
}

/* --- refused texts --- */

static void nul_byte(void **state)
{
	(void)state;
	refuse("linux /vmlinuz\n\0", KEXEC_BAD_FORMAT, "a.conf: expected text, found a NUL at byte 15");
	refuse("\0linux /vmlinuz\n", KEXEC_BAD_FORMAT, "a.conf: expected text, found a NUL at byte 0");
	refuse("l\0i\0n\0u\0x\0", KEXEC_BAD_FORMAT, "found a NUL at byte 1");
}

static void longest_text(void **state)
{
	char *text = malloc(ENTRY_SIZE_MAX + 1);

	(void)state;
	memset(text, ' ', ENTRY_SIZE_MAX + 1);
	memcpy(text, "linux /vmlinuz\n", 15);
	memcpy(text + ENTRY_SIZE_MAX - 14, "initrd /initrd", 14);
	expect_ok(parse_bytes(text, ENTRY_SIZE_MAX));
	expect_initrds("/initrd;");
	expect_error(parse_bytes(text, ENTRY_SIZE_MAX + 1), KEXEC_TOO_LARGE,
		     "a.conf: expected at most 65536 bytes, found 65537");
	free(text);
}

static void linux_missing(void **state)
{
	(void)state;
	refuse("", KEXEC_NOT_FOUND, "a.conf: expected a line \"linux PATH\", found none");
	refuse("initrd /initrd\n", KEXEC_NOT_FOUND, "expected a line \"linux PATH\"");
	refuse("#linux /vmlinuz\n", KEXEC_NOT_FOUND, "expected a line \"linux PATH\"");
	refuse("Linux /vmlinuz\nlinuxx /a\nlinu /b\n", KEXEC_NOT_FOUND, "expected a line \"linux PATH\"");
	refuse("linux=/vmlinuz\n", KEXEC_NOT_FOUND, "expected a line \"linux PATH\"");
}

static void linux_twice(void **state)
{
	(void)state;
	refuse("linux /one\nlinux /two\n", KEXEC_BAD_FORMAT, "a.conf: linux: expected one kernel, found \"/two\"");
	refuse("linux /one\nlinux /one\n", KEXEC_BAD_FORMAT, "a.conf: linux: expected one kernel, found \"/one\"");
}

static void value_missing(void **state)
{
	(void)state;
	refuse("linux\n", KEXEC_BAD_FORMAT, "a.conf: linux: expected a path, found \"\"");
	refuse("linux /vmlinuz\nlinux \t\r\n", KEXEC_BAD_FORMAT, "linux: expected a path, found \"\"");
	refuse("linux /vmlinuz\ninitrd\n", KEXEC_BAD_FORMAT, "a.conf: initrd: expected a path, found \"\"");
	refuse("linux /vmlinuz\ninitrd", KEXEC_BAD_FORMAT, "a.conf: initrd: expected a path, found \"\"");
	refuse("linux /vmlinuz\nsha256\n", KEXEC_BAD_FORMAT, "sha256: expected 64 hexadecimal digits and a path");
	refuse("linux /vmlinuz\nsignature\n", KEXEC_BAD_FORMAT, "signature: expected require, found \"\"");
	refuse("linux /vmlinuz\non-mismatch\n", KEXEC_BAD_FORMAT, "on-mismatch: expected halt or reset, found \"\"");
	refuse("linux /vmlinuz\ndma\n", KEXEC_BAD_FORMAT, "dma: expected on or off, found \"\"");
	refuse("linux /vmlinuz\nverbose\n", KEXEC_BAD_FORMAT, "verbose: expected yes or no, found \"\"");
	refuse("linux /vmlinuz\narchitecture\n", KEXEC_BAD_FORMAT, "architecture: expected x64, found \"\"");
}

static void value_unknown(void **state)
{
	(void)state;
	refuse("linux /a\nsignature no\n", KEXEC_BAD_FORMAT, "signature: expected require, found \"no\"");
	refuse("linux /a\nsignature required\n", KEXEC_BAD_FORMAT, "expected require, found \"required\"");
	refuse("linux /a\non-mismatch boot\n", KEXEC_BAD_FORMAT, "expected halt or reset, found \"boot\"");
	refuse("linux /a\non-mismatch halt reset\n", KEXEC_BAD_FORMAT, "found \"halt reset\"");
	refuse("linux /a\ndma no\n", KEXEC_BAD_FORMAT, "dma: expected on or off, found \"no\"");
	refuse("linux /a\nmemory-overwrite yes\n", KEXEC_BAD_FORMAT,
	       "memory-overwrite: expected on or off, found \"yes\"");
	refuse("linux /a\ndma OFF\n", KEXEC_BAD_FORMAT, "dma: expected on or off, found \"OFF\"");
	refuse("linux /a\nverbose true\n", KEXEC_BAD_FORMAT, "verbose: expected yes or no, found \"true\"");
}

#define DIGITS_30 "123456789012345678901234567890"
#define DIGITS_120 DIGITS_30 DIGITS_30 DIGITS_30 DIGITS_30

static void long_value_is_quoted_in_part(void **state)
{
	(void)state;
	refuse("linux /a\nverbose " DIGITS_120 "123\n", KEXEC_BAD_FORMAT, "found \"" DIGITS_120 "\"");
}

static void error_in_the_last_line(void **state)
{
	(void)state;
	refuse("linux /a\ninitrd /b\nverbose maybe", KEXEC_BAD_FORMAT, "verbose: expected yes or no, found \"maybe\"");
}

/* --- architecture --- */

static void architecture_ours(void **state)
{
	(void)state;
	expect_ok(parse("architecture x64\nlinux /a\n"));
	expect_ok(parse("architecture X64\nlinux /a\n"));
}

static void architecture_other(void **state)
{
	(void)state;
	refuse("architecture aa64\nlinux /a\n", KEXEC_BAD_FORMAT, "architecture: expected x64, found \"aa64\"");
	refuse("architecture ia32\nlinux /a\n", KEXEC_BAD_FORMAT, "architecture: expected x64, found \"ia32\"");
}

/* --- options --- */

static void options_joined_by_one_space(void **state)
{
	(void)state;
	expect_ok(parse("options root=/dev/vda1  ro\nlinux /a\noptions\tquiet \noptions \"a b\"\n"));
	expect_command_line("root=/dev/vda1  ro quiet \"a b\"");
}

static void options_empty(void **state)
{
	(void)state;
	expect_ok(parse("linux /a\noptions\n"));
	expect_command_line("");
	expect_ok(parse("linux /a\noptions\noptions a\noptions \t\noptions b\noptions"));
	expect_command_line("a b");
}

static void options_none(void **state)
{
	(void)state;
	expect_ok(parse("linux /a\n"));
	assert_int_equal(entry_command_line_size(&entry), 0);
	expect_command_line("");
}

static void options_many(void **state)
{
	char text[8192] = "linux /a\n";
	char expected[8192] = "";

	(void)state;
	for (int i = 0; i < 500; i++) {
		char number[4] = { (char)('0' + i / 100), (char)('0' + i / 10 % 10), (char)('0' + i % 10) };

		strcat(strcat(strcat(text, "options "), number), "\n");
		strcat(strcat(expected, i ? " " : ""), number);
	}
	expect_ok(parse_bytes(text, strlen(text)));
	expect_command_line(expected);
}

/* --- digests --- */

static void expect_digest(struct text path)
{
	uint8_t digest[SHA256_DIGEST_SIZE] = { 0 };

	assert_true(entry_digest(&entry, path, digest));
	assert_memory_equal(digest, digest_of_hex, sizeof(digest));
}

static void digest_of_each_file(void **state)
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	(void)state;
	expect_ok(parse("linux /vmlinuz\ninitrd /one\ninitrd /two\n"
			"sha256 " HEX "  /vmlinuz\n"
			"sha256 abcd2233445566778899aabbccddeeff0123456789ABCDEFfedcba9876543210 /two\n"));
	expect_digest(TEXT("/vmlinuz"));
	assert_false(entry_digest(&entry, TEXT("/one"), digest));
	assert_false(entry_digest(&entry, TEXT("/vmlinu"), digest));
	assert_false(entry_digest(&entry, TEXT(""), digest));
	assert_true(entry_digest(&entry, TEXT("/two"), digest));
	assert_int_equal(digest[0], 0xab);
	assert_int_equal(digest[1], 0xcd);
	assert_memory_equal(digest + 2, digest_of_hex + 2, SHA256_DIGEST_SIZE - 2);
}

static void digest_none(void **state)
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	(void)state;
	expect_ok(parse("linux /vmlinuz\n"));
	assert_false(entry_digest(&entry, TEXT("/vmlinuz"), digest));
}

static void digest_paths_with_either_slash(void **state)
{
	(void)state;
	expect_ok(parse("linux /EFI\\a/b\ninitrd \\initrd\nsha256 " HEX " \\EFI/a\\b\nsha256 " HEX " /initrd\n"));
	expect_digest(TEXT("/EFI\\a/b"));
	expect_digest(TEXT("/EFI/a/b"));
	expect_digest(TEXT("\\EFI\\a\\b"));
	expect_digest(TEXT("\\initrd"));
}

static void digest_path_of_another_case(void **state)
{
	(void)state;
	refuse("linux /VMLINUZ\nsha256 " HEX " /vmlinuz\n", KEXEC_BAD_FORMAT,
	       "a.conf: sha256: expected the path of a linux or initrd line, found \"/vmlinuz\"");
}

static void digest_in_binary_mode(void **state)
{
	(void)state;
	expect_ok(parse("linux /vmlinuz\nsha256 " HEX " */vmlinuz\n"));
	expect_digest(TEXT("/vmlinuz"));
	expect_ok(parse("linux a\nsha256 " HEX " *a\n"));
	expect_digest(TEXT("a"));
}

static void digest_path_of_a_star(void **state)
{
	(void)state;
	expect_ok(parse("linux *\nsha256 " HEX " *\n"));
	expect_digest(TEXT("*"));
}

static void digest_path_with_blanks(void **state)
{
	(void)state;
	expect_ok(parse("linux /a  b\nsha256 " HEX "\t /a  b \r\n"));
	expect_digest(TEXT("/a  b"));
}

static void digest_for_file_not_loaded(void **state)
{
	(void)state;
	refuse("linux /vmlinuz\ninitrd /initrd\nsha256 " HEX " /initrd2\n", KEXEC_BAD_FORMAT,
	       "a.conf: sha256: expected the path of a linux or initrd line, found \"/initrd2\"");
	refuse("linux /vmlinuz\nsha256 " HEX " /vmlinux\n", KEXEC_BAD_FORMAT, "found \"/vmlinux\"");
	refuse("linux /vmlinuz\nsha256 " HEX " vmlinuz\n", KEXEC_BAD_FORMAT, "found \"vmlinuz\"");
	refuse("linux /vmlinuz\nsha256 " HEX " xvmlinuz\n", KEXEC_BAD_FORMAT, "found \"xvmlinuz\"");
	refuse("linux /a/b\nsha256 " HEX " /axb\n", KEXEC_BAD_FORMAT, "found \"/axb\"");
	refuse("linux axb\nsha256 " HEX " a\\b\n", KEXEC_BAD_FORMAT, "found \"a\\b\"");
	refuse("linux /vmlinuz\nsha256 " HEX " /vmlinuz\nsha256 " HEX " /x\n", KEXEC_BAD_FORMAT, "found \"/x\"");
}

static void digest_with_63_digits(void **state)
{
	(void)state;
	refuse("linux /a\nsha256 0112233445566778899aabbccddeeff0123456789ABCDEFfedcba9876543210 /a\n",
	       KEXEC_BAD_FORMAT, "sha256: expected 64 hexadecimal digits and a path, found \"0112233");
}

static void digest_with_65_digits(void **state)
{
	(void)state;
	refuse("linux /a\nsha256 " HEX "0 /a\n", KEXEC_BAD_FORMAT, "expected 64 hexadecimal digits and a path");
}

static void digest_with_other_letters(void **state)
{
	static const char wrong[] = "/:@G`gxZ \x80\xb0";

	(void)state;
	for (size_t at = 0; at < 64; at++) {
		for (size_t i = 0; wrong[i]; i++) {
			char text[] = "linux /a\nsha256 " HEX " /a\n";

			text[16 + at] = wrong[i];
			expect_error(parse_bytes(text, sizeof(text) - 1), KEXEC_BAD_FORMAT,
				     "a.conf: sha256: expected 64 hexadecimal digits and a path");
		}
	}
}

static void digest_without_path(void **state)
{
	(void)state;
	refuse("linux /a\nsha256 " HEX "\n", KEXEC_BAD_FORMAT, "expected 64 hexadecimal digits and a path");
	refuse("linux /a\nsha256 " HEX " \t\r\n", KEXEC_BAD_FORMAT, "expected 64 hexadecimal digits and a path");
	refuse("linux /a\nsha256 /a " HEX "\n", KEXEC_BAD_FORMAT, "expected 64 hexadecimal digits and a path");
}

/* --- unknown keys --- */

static void unknown_keys_are_named_in_order(void **state)
{
	(void)state;
	expect_ok(parse("grub_users $x\nlinux /vmlinuz\ndevicetree\nLINUX /b\n# none\n"));
	assert_string_equal(logged(), "");
	entry_print_unknown_keys(&entry);
	assert_string_equal(logged(), "a.conf: unknown key grub_users skipped\n"
				      "a.conf: unknown key devicetree skipped\n"
				      "a.conf: unknown key LINUX skipped\n");
}

static void unknown_keys_are_quiet_without_verbose(void **state)
{
	(void)state;
	expect_ok(parse("linux /vmlinuz\ndevicetree /dtb\n"));
	log_set_verbose(false);
	entry_print_unknown_keys(&entry);
	assert_string_equal(logged(), "");
}

static void two_digests_for_one_file(void **state)
{
	static const char same[] = "linux /k\n"
				   "sha256 " DIGEST_0 " /k\n"
				   "sha256 " DIGEST_0 " \\k\n";
	static const char other[] = "linux /k\n"
				    "sha256 " DIGEST_0 " /k\n"
				    "sha256 " DIGEST_1 " \\k\n";

	(void)state;
	expect_ok(entry_parse("x.conf", (struct text){ same, sizeof(same) - 1 }, &entry));
	expect_error(entry_parse("x.conf", (struct text){ other, sizeof(other) - 1 }, &entry), KEXEC_BAD_FORMAT,
		     "x.conf: sha256: expected one digest for \\k, found two");
}

static void sealed_entry_needs_each_digest(void **state)
{
	static const char text[] = "linux /k\ninitrd /a\ninitrd /b\n"
				   "sha256 " DIGEST_0 " /k\n"
				   "sha256 " DIGEST_0 " /a\n"
				   "sha256 " DIGEST_1 " /b\n";
	size_t without_b = strlen(text) - (64 + strlen("sha256  /b\n"));

	(void)state;
	expect_ok(entry_parse("x", (struct text){ text, sizeof(text) - 1 }, &entry));
	expect_ok(entry_check_sealed(&entry));
	expect_ok(entry_parse("x", (struct text){ text, without_b }, &entry));
	expect_error(entry_check_sealed(&entry), KEXEC_BAD_FORMAT, "x: expected a line \"sha256 HEX /b\", found none");
	expect_ok(entry_parse("x", (struct text){ text, strlen("linux /k\n") }, &entry));
	expect_error(entry_check_sealed(&entry), KEXEC_BAD_FORMAT, "sha256 HEX /k");
}

static void last_policy_of_several_holds(void **state)
{
	static const char text[] = "linux /k\non-mismatch reset\nverbose yes\non-mismatch halt\nverbose no\n";

	(void)state;
	expect_ok(entry_parse("x.conf", (struct text){ text, sizeof(text) - 1 }, &entry));
	assert_int_equal(entry.on_mismatch, ON_MISMATCH_HALT);
	assert_false(entry.verbose);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_keys),
		cmocka_unit_test(defaults),
		cmocka_unit_test(keys_that_say_the_default),
		cmocka_unit_test(comments_and_empty_lines),
		cmocka_unit_test(comment_in_a_value_is_none),
		cmocka_unit_test(lines_end_in_cr_lf),
		cmocka_unit_test(no_newline_at_the_end),
		cmocka_unit_test(tabs_and_many_blanks),
		cmocka_unit_test(byte_order_mark),
		cmocka_unit_test(byte_order_mark_in_half_or_alone),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(nul_byte),
		cmocka_unit_test(longest_text),
		cmocka_unit_test(linux_missing),
		cmocka_unit_test(linux_twice),
		cmocka_unit_test(value_missing),
		cmocka_unit_test(value_unknown),
		cmocka_unit_test(long_value_is_quoted_in_part),
		cmocka_unit_test(error_in_the_last_line),
		cmocka_unit_test(architecture_ours),
		cmocka_unit_test(architecture_other),
		cmocka_unit_test(options_joined_by_one_space),
		cmocka_unit_test(options_empty),
		cmocka_unit_test(options_none),
		cmocka_unit_test(options_many),
		cmocka_unit_test(digest_of_each_file),
		cmocka_unit_test(digest_none),
		cmocka_unit_test(digest_paths_with_either_slash),
		cmocka_unit_test(digest_path_of_another_case),
		cmocka_unit_test(digest_in_binary_mode),
		cmocka_unit_test(digest_path_of_a_star),
		cmocka_unit_test(digest_path_with_blanks),
		cmocka_unit_test(digest_for_file_not_loaded),
		cmocka_unit_test(digest_with_63_digits),
		cmocka_unit_test(digest_with_65_digits),
		cmocka_unit_test(digest_with_other_letters),
		cmocka_unit_test(digest_without_path),
		cmocka_unit_test(unknown_keys_are_named_in_order),
		cmocka_unit_test(unknown_keys_are_quiet_without_verbose),
		cmocka_unit_test(two_digests_for_one_file),
		cmocka_unit_test(sealed_entry_needs_each_digest),
		cmocka_unit_test(last_policy_of_several_holds),
	};

	return run_named_tests(tests);
}
