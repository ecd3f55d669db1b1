// SPDX-License-Identifier: BSD-2-Clause
/* Entries, valid ones, and each kind of invalid one. */
#include "boot/entry.h"

#include "boot/log.h"
#include "boot/pool.h"
#include "tests/unit/support.h"

#define DIGEST_0 "0000000000000000000000000000000000000000000000000000000000000000"
#define DIGEST_1 "0000000000000000000000000000000000000000000000000000000000000001"

#define HEX "00112233445566778899aabbccddeeff0123456789ABCDEFfedcba9876543210"

static const uint8_t digest_of_hex[SHA256_DIGEST_SIZE] = {
	0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
	0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10,
};

static struct boot_plan plan;

/* The last text parsed, in memory of exactly its size, so that a sanitizer detects reads behind it. */
static char *copy;

/* The memory of the last plan. A test may overwrite the plan itself. */
static void *plan_memory;

static enum kexec_status parse_bytes(const char *bytes, size_t size)
{
	enum kexec_status status;

	free(copy);
	copy = malloc(size ? size : 1);
	assert_non_null(copy);
	memcpy(copy, bytes, size);
	pool_free(plan_memory);
	plan_memory = NULL;
	status = entry_to_plan("a.conf", (struct text){ .start = copy, .length = size }, ENTRY_OUTSIDE, &plan);
	if (!status)
		plan_memory = plan.memory;
	return status;
}

#define parse(literal) parse_bytes((literal), sizeof(literal) - 1)

/* Parses an invalid text. Asserts that the caller's plan does not change, and that all memory is freed. */
#define refuse(literal, status, part)                                                                                  \
	do {                                                                                                           \
		unsigned outstanding_ = fake_pool_outstanding() - (plan_memory != NULL);                               \
		struct boot_plan before_;                                                                              \
                                                                                                                       \
		memset(&plan, 0x5a, sizeof(plan));                                                                     \
		before_ = plan;                                                                                        \
		expect_error(parse(literal), status, part);                                                            \
		assert_memory_equal(&plan, &before_, sizeof(plan));                                                    \
		assert_int_equal(fake_pool_outstanding(), outstanding_);                                               \
	} while (0)

static void expect_command_line(const char *expected)
{
	assert_string_equal(plan.command_line.start, expected);
	assert_int_equal(plan.command_line.length, strlen(expected));
}

/* The initrds of the plan, each followed by a semicolon. */
static void expect_initrds(const char *expected)
{
	char found[256] = "";

	for (size_t i = 0; i < plan.initrd_count; i++)
		strcat(strcat(found, plan.initrds[i].name), ";");
	assert_string_equal(found, expected);
}

static void expect_plain(void)
{
	assert_string_equal(plan.kernel.name, "/vmlinuz");
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
			"fsverity " HEX " /vmlinuz\n"
			"sha256 " HEX " /vmlinuz\n"
			"signature require\n"
			"measure require\n"
			"on-mismatch reset\n"
			"dma off\n"
			"memory-overwrite off\n"
			"verbose yes\n"));
	assert_string_equal(plan.said_by, "a.conf");
	assert_string_equal(plan.kernel.name, "/vmlinuz");
	expect_initrds("/microcode;/initrd;");
	expect_command_line("root=/dev/vda1");
	assert_true(plan.require_signature);
	assert_true(plan.require_measurement);
	assert_true(plan.verbose);
	assert_int_equal(plan.on_mismatch, ON_MISMATCH_RESET);
	assert_true(plan.dma_off);
	assert_true(plan.overwrite_off);
	boot_plan_print_unknown_keys(&plan);
	assert_string_equal(logged(), "");
}

static void defaults(void **state)
{
	(void)state;
	memset(&plan, 0xff, sizeof(plan));
	expect_ok(parse("linux /vmlinuz\n"));
	assert_false(plan.require_signature);
	assert_false(plan.require_measurement);
	assert_false(plan.verbose);
	assert_int_equal(plan.on_mismatch, ON_MISMATCH_HALT);
	assert_false(plan.dma_off);
	assert_false(plan.overwrite_off);
	expect_initrds("");
	expect_command_line("");
}

static void keys_that_say_the_default(void **state)
{
	(void)state;
	expect_ok(parse("linux /vmlinuz\non-mismatch halt\ndma on\nmemory-overwrite on\nverbose no\n"));
	assert_false(plan.verbose);
	assert_false(plan.dma_off);
	assert_false(plan.overwrite_off);
	assert_int_equal(plan.on_mismatch, ON_MISMATCH_HALT);
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
	assert_string_equal(plan.kernel.name, "/vmlinuz#1");
	expect_command_line("a # b");
}

static void lines_end_in_cr_lf(void **state)
{
	(void)state;
	expect_ok(parse("# comment\r\n\r\nlinux /vmlinuz\r\ninitrd /initrd\r\noptions quiet\r\nverbose yes\r\n"));
	expect_plain();
	assert_true(plan.verbose);
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
	boot_plan_print_unknown_keys(&plan);
	assert_string_equal(logged(), "");
}

static void byte_order_mark_in_half_or_alone(void **state)
{
	(void)state;
	refuse("\xef\xbb", KEXEC_NOT_FOUND, "expected a line \"linux PATH\"");
	refuse("\xef\xbb\xbf", KEXEC_NOT_FOUND, "expected a line \"linux PATH\"");
	refuse("\xef\xbblinux /vmlinuz", KEXEC_BAD_FORMAT, "linux: expected linux, set off by plain blanks");
}

static void order_does_not_matter(void **state)
{
	(void)state;
	expect_ok(parse("sha256 " HEX " /initrd\noptions quiet\ninitrd /initrd\nlinux /vmlinuz\n"));
	expect_plain();
	assert_true(plan.initrds[0].sha256.is_known);
	assert_false(boot_part_has_digest(&plan.kernel));
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
	refuse("lin /vmlinuz\nkernel-6 /a\n", KEXEC_NOT_FOUND,
	       "a.conf: expected a line \"linux PATH\", found none but unknown keys: lin, kernel-6\n");
	refuse("kernel /vmlinuz\nmenu x\nappend quiet\n", KEXEC_NOT_FOUND,
	       "found none but unknown keys: kernel (expected linux), menu, append (expected options)\n");
}

static void linux_twice(void **state)
{
	(void)state;
	refuse("linux /one\nlinux /two\n", KEXEC_BAD_FORMAT,
	       "a.conf: line 2: linux: expected one kernel only, found \"/two\"");
	refuse("linux /one\nlinux /one\n", KEXEC_BAD_FORMAT,
	       "a.conf: line 2: linux: expected one kernel only, found \"/one\"");
}

static void value_missing(void **state)
{
	(void)state;
	refuse("linux\n", KEXEC_BAD_FORMAT, "a.conf: line 1: linux: expected a path, found \"\"");
	refuse("linux /vmlinuz\nlinux \t\r\n", KEXEC_BAD_FORMAT, "linux: expected a path, found \"\"");
	refuse("linux /vmlinuz\ninitrd\n", KEXEC_BAD_FORMAT, "a.conf: line 2: initrd: expected a path, found \"\"");
	refuse("linux /vmlinuz\ninitrd", KEXEC_BAD_FORMAT, "a.conf: line 2: initrd: expected a path, found \"\"");
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

static void expect_bytes(const struct part_digest *digest)
{
	assert_true(digest->is_known);
	assert_memory_equal(digest->bytes, digest_of_hex, sizeof(digest_of_hex));
}

static void expect_sha256(const struct boot_part *part)
{
	expect_bytes(&part->sha256);
	assert_false(part->fsverity.is_known);
}

static void expect_fsverity(const struct boot_part *part)
{
	expect_bytes(&part->fsverity);
	assert_false(part->sha256.is_known);
}

static void digest_of_each_file(void **state)
{
	(void)state;
	expect_ok(parse("linux /vmlinuz\ninitrd /one\ninitrd /two\n"
			"sha256 " HEX "  /vmlinuz\n"
			"sha256 abcd2233445566778899aabbccddeeff0123456789ABCDEFfedcba9876543210 /two\n"));
	expect_sha256(&plan.kernel);
	assert_false(boot_part_has_digest(&plan.initrds[0]));
	assert_true(plan.initrds[1].sha256.is_known);
	assert_int_equal(plan.initrds[1].sha256.bytes[0], 0xab);
	assert_int_equal(plan.initrds[1].sha256.bytes[1], 0xcd);
	assert_memory_equal(plan.initrds[1].sha256.bytes + 2, digest_of_hex + 2, SHA256_DIGEST_SIZE - 2);
}

static void digest_of_fsverity_of_each_file(void **state)
{
	(void)state;
	expect_ok(parse("linux /vmlinuz\ninitrd \\one\ninitrd /two\n"
			"fsverity " HEX " /vmlinuz\n"
			"fsverity sha256:" HEX "\t/one\n"));
	expect_fsverity(&plan.kernel);
	expect_fsverity(&plan.initrds[0]);
	assert_false(boot_part_has_digest(&plan.initrds[1]));
}

static void both_digests_of_one_file(void **state)
{
	(void)state;
	expect_ok(parse("linux /a\nsha256 " DIGEST_1 " /a\nfsverity " HEX " /a\n"));
	expect_bytes(&plan.kernel.fsverity);
	assert_true(plan.kernel.sha256.is_known);
	assert_int_equal(plan.kernel.sha256.bytes[0], 0);
	assert_int_equal(plan.kernel.sha256.bytes[31], 1);
}

static void digest_of_a_file_that_is_loaded_more_than_once(void **state)
{
	(void)state;
	expect_ok(parse("linux /a\ninitrd /a\ninitrd /b\ninitrd \\a\nsha256 " HEX " /a\n"));
	expect_sha256(&plan.kernel);
	expect_sha256(&plan.initrds[0]);
	assert_false(boot_part_has_digest(&plan.initrds[1]));
	expect_sha256(&plan.initrds[2]);
}

static void digest_none(void **state)
{
	(void)state;
	expect_ok(parse("linux /vmlinuz\n"));
	assert_false(boot_part_has_digest(&plan.kernel));
}

static void digest_paths_with_either_slash(void **state)
{
	(void)state;
	expect_ok(parse("linux /EFI\\a/b\ninitrd \\initrd\nsha256 " HEX " \\EFI/a\\b\nsha256 " HEX " /initrd\n"));
	expect_sha256(&plan.kernel);
	expect_sha256(&plan.initrds[0]);
}

/* By the Boot Loader Specification, and on our volumes, all paths begin at the root. */
static void digest_path_spelled_otherwise(void **state)
{
	(void)state;
	expect_ok(parse("linux //a/vmlinuz\ninitrd /x/../initrd\nsha256 " HEX " a\\\\./vmlinuz\nsha256 " HEX
			" initrd\n"));
	expect_sha256(&plan.kernel);
	expect_sha256(&plan.initrds[0]);
	/* Messages name a part as it was written. */
	assert_string_equal(plan.kernel.name, "//a/vmlinuz");
	assert_string_equal(plan.initrds[0].name, "/x/../initrd");
}

static void digest_path_of_another_case(void **state)
{
	(void)state;
	refuse("linux /VMLINUZ\nsha256 " HEX " /vmlinuz\n", KEXEC_BAD_FORMAT,
	       "a.conf: line 2: sha256: expected the path of a linux or initrd line, found \"/vmlinuz\"");
}

static void digest_in_binary_mode(void **state)
{
	(void)state;
	expect_ok(parse("linux /vmlinuz\nsha256 " HEX " */vmlinuz\n"));
	expect_sha256(&plan.kernel);
	expect_ok(parse("linux a\nsha256 " HEX " *a\n"));
	expect_sha256(&plan.kernel);
}

static void digest_path_of_a_star(void **state)
{
	(void)state;
	expect_ok(parse("linux *\nsha256 " HEX " *\n"));
	expect_sha256(&plan.kernel);
}

static void digest_path_with_blanks(void **state)
{
	(void)state;
	expect_ok(parse("linux /a  b\nsha256 " HEX "\t /a  b \r\n"));
	expect_sha256(&plan.kernel);
}

static void digest_for_file_not_loaded(void **state)
{
	(void)state;
	refuse("linux /vmlinuz\ninitrd /initrd\nsha256 " HEX " /initrd2\n", KEXEC_BAD_FORMAT,
	       "a.conf: line 3: sha256: expected the path of a linux or initrd line, found \"/initrd2\"");
	refuse("linux /vmlinuz\nsha256 " HEX " /vmlinux\n", KEXEC_BAD_FORMAT, "found \"/vmlinux\"");
	refuse("linux /vmlinuz\nsha256 " HEX " xvmlinuz\n", KEXEC_BAD_FORMAT, "found \"xvmlinuz\"");
	refuse("linux /a/b\nsha256 " HEX " /axb\n", KEXEC_BAD_FORMAT, "found \"/axb\"");
	refuse("linux axb\nsha256 " HEX " a\\b\n", KEXEC_BAD_FORMAT, "found \"a\\b\"");
	refuse("linux /vmlinuz\nsha256 " HEX " /vmlinuz\nsha256 " HEX " /x\n", KEXEC_BAD_FORMAT, "found \"/x\"");
	refuse("linux /vmlinuz\nfsverity " HEX " */vmlinuz\n", KEXEC_BAD_FORMAT,
	       "a.conf: line 2: fsverity: expected the path of a linux or initrd line, found \"*/vmlinuz\"");
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
				     "a.conf: line 2: sha256: expected 64 hexadecimal digits and a path");
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

static void digest_by_another_algorithm(void **state)
{
	(void)state;
	refuse("linux /a\nfsverity sha512:" HEX HEX " /a\n", KEXEC_BAD_FORMAT,
	       "a.conf: line 2: fsverity: expected 64 hexadecimal digits, of SHA-256, and a path, found "
	       "\"sha512:001122");
}

/* --- unknown keys --- */

static void unknown_keys_are_named_in_order(void **state)
{
	(void)state;
	expect_ok(parse("grub_users $x\nlinux /vmlinuz\nid a\n# none\n\ntries 3\n"));
	assert_string_equal(logged(), "");
	boot_plan_print_unknown_keys(&plan);
	assert_string_equal(logged(), "a.conf: line 1: unknown key grub_users skipped\n"
				      "a.conf: line 3: unknown key id skipped\n"
				      "a.conf: line 6: unknown key tries skipped\n");
}

static void unknown_keys_are_quiet_without_verbose(void **state)
{
	(void)state;
	expect_ok(parse("linux /vmlinuz\ngrub_class debian\n"));
	log_set_verbose(false);
	boot_plan_print_unknown_keys(&plan);
	assert_string_equal(logged(), "");
}

static void what_is_lost_with_unknown_keys_is_said_to_all(void **state)
{
	(void)state;
	expect_ok(parse("linux /vmlinuz\r\nappend root=/dev/x\r\ndevicetree /a.dtb\r\nverify-kernel yes\r\n"));
	log_set_verbose(false);
	boot_plan_print_unknown_keys(&plan);
	assert_string_equal(
		logged(),
		"warning: a.conf: line 2: unknown key append skipped: expected options\n"
		"warning: a.conf: line 3: unknown key devicetree skipped: it has no effect\n"
		"warning: a.conf: line 4: unknown key verify-kernel skipped: it has no effect\n");
}

/* A text without a known key cannot be skipped. */
static void misspelled_keys_are_refused(void **state)
{
	(void)state;
	refuse("linux /vmlinuz\nInitrd /initrd\n", KEXEC_BAD_FORMAT, "a.conf: line 2: Initrd: expected initrd\n");
	refuse("linux /vmlinuz\n\ninitrd=/initrd\n", KEXEC_BAD_FORMAT,
	       "a.conf: line 3: initrd=/initrd: expected initrd, set off by plain blanks\n");
	refuse("linux /f\nsha-256 " HEX " /f\n", KEXEC_BAD_FORMAT, "a.conf: line 2: sha-256: expected sha256\n");
	refuse("linux:/vmlinuz\n", KEXEC_BAD_FORMAT, "line 1: linux:/vmlinuz: expected linux, set off");
	refuse("linux\xc2\xa0/vmlinuz\n", KEXEC_BAD_FORMAT, ": expected linux, set off by plain blanks\n");
	refuse("linux /a\nOptions: quiet\n", KEXEC_BAD_FORMAT, "line 2: Options:: expected options, set off");
	refuse("linux /a\ninitramfs /b\n", KEXEC_BAD_FORMAT, "a.conf: line 2: initramfs: expected initrd\n");
}

static void equals_sign_between_blanks(void **state)
{
	(void)state;
	refuse("linux = /vmlinuz\n", KEXEC_BAD_FORMAT,
	       "a.conf: line 1: linux: expected nothing but blanks between key and value, found \"= /vmlinuz\"");
	refuse("linux /a\noptions : quiet\n", KEXEC_BAD_FORMAT, "line 2: options: expected nothing but blanks");
	refuse("linux /a\noptions\t=\n", KEXEC_BAD_FORMAT, "line 2: options: expected nothing but blanks");
	expect_ok(parse("linux =\\vmlinuz\ntitle :)\noptions ==\n"));
	assert_string_equal(plan.kernel.name, "=\\vmlinuz");
	assert_string_equal(plan.command_line.start, "==");
}

/* Otherwise the next line would be lost. */
static void backslash_at_the_end(void **state)
{
	(void)state;
	refuse("linux /a\noptions root=/dev/x \\\n quiet\n", KEXEC_BAD_FORMAT,
	       "a.conf: line 2: options: expected the whole line, without a \\ at its end, found \"root=/dev/x \\\"");
	refuse("linux /a\noptions \\\n", KEXEC_BAD_FORMAT, "without a \\ at its end, found \"\\\"");
	refuse("linux /a\noptions a\t\\\r\n", KEXEC_BAD_FORMAT, "without a \\ at its end");
	expect_ok(entry_to_plan("x", TEXT("linux /a\noptions = x \\"), ENTRY_OF_LOAD_OPTIONS, &plan));
	assert_string_equal(plan.command_line.start, "= x \\");
	boot_plan_free(&plan);
	expect_ok(parse("linux /a\noptions a=\\EFI\\\noptions \\ b\\\\\n"));
	assert_string_equal(plan.command_line.start, "a=\\EFI\\ \\ b\\\\");
}

/* Load options become lines that nobody sees, so their messages have no line numbers. */
static void lines_are_counted_where_there_are_lines(void **state)
{
	static const char text[] = "linux /vmlinuz\nmeasure on\nverify x\n";
	static const char plain[] = "linux /vmlinuz\nverify x\n";

	(void)state;
	expect_error(entry_to_plan("load options", TEXT(text), ENTRY_OF_LOAD_OPTIONS, &plan), KEXEC_BAD_FORMAT,
		     "load options: measure: expected require or uki, found \"on\"\n");
	expect_error(entry_to_plan("x", TEXT(text), ENTRY_SEALED, &plan), KEXEC_BAD_FORMAT, "x: line 2: measure: ");
	expect_ok(entry_to_plan("load options", TEXT(plain), ENTRY_OF_LOAD_OPTIONS, &plan));
	boot_plan_print_unknown_keys(&plan);
	assert_string_equal(logged(),
			    "warning: load options: unknown key verify skipped: it has no effect\n");
	boot_plan_free(&plan);
}

static void two_digests_for_one_file(void **state)
{
	(void)state;
	expect_ok(parse("linux /k\nsha256 " DIGEST_0 " /k\nsha256 " DIGEST_0 " \\k\n"));
	refuse("linux /k\nsha256 " DIGEST_0 " /k\nsha256 " DIGEST_1 " \\k\n", KEXEC_BAD_FORMAT,
	       "a.conf: line 3: sha256: expected one digest for \\k, found two");
	expect_ok(parse("linux /k\nfsverity " DIGEST_0 " /k\nfsverity sha256:" DIGEST_0 " \\k\n"));
	refuse("linux /k\nfsverity " DIGEST_0 " /k\nfsverity " DIGEST_1 " \\k\n", KEXEC_BAD_FORMAT,
	       "a.conf: line 3: fsverity: expected one digest for \\k, found two");
}

/* They are parts like all others: they have digests, and follow the initrds. */
static void signed_values_of_a_register(void **state)
{
	(void)state;
	expect_ok(parse("linux /k\ninitrd /i\nmeasure uki\npcrsig /s\npcrpkey /p\nsha256 " HEX " /s\n"));
	assert_true(plan.measured_as_image);
	assert_string_equal(boot_plan_part(&plan, 0)->name, "/k");
	assert_string_equal(boot_plan_part(&plan, 1)->name, "/i");
	assert_string_equal(boot_plan_part(&plan, 2)->name, "/s");
	assert_string_equal(boot_plan_part(&plan, 3)->name, "/p");
	assert_null(boot_plan_part(&plan, 4));
	assert_true(plan.pcr_signature.sha256.is_known);
	assert_int_equal(plan.pcr_key.trust, TRUST_NOBODY);
	expect_ok(parse("linux /k\nmeasure uki\npcrpkey /p\n"));
	assert_string_equal(boot_plan_part(&plan, 1)->name, "/p");
	assert_null(boot_plan_part(&plan, 2));
	refuse("linux /k\npcrsig /s\n", KEXEC_BAD_FORMAT,
	       "a.conf: pcrsig: expected a line \"measure uki\" beside it, found none");
	refuse("linux /k\nmeasure require\npcrpkey /p\n", KEXEC_BAD_FORMAT,
	       "a.conf: pcrpkey: expected a line \"measure uki\" beside it, found none");
	refuse("linux /k\nmeasure uki\npcrsig /s\npcrsig /s\n", KEXEC_BAD_FORMAT,
	       "pcrsig: expected one path only, found \"/s\"");
	expect_error(entry_to_plan("x", TEXT("linux /k\nsha256 " HEX " /k\nmeasure uki\npcrsig /s\n"), ENTRY_SEALED,
				   &plan),
		     KEXEC_BAD_FORMAT, "x: expected a line \"fsverity HEX /s\" (or sha256), found none");
}

static void sealed_entry_needs_each_digest(void **state)
{
	static const char text[] = "linux /k\ninitrd /a\ninitrd /b\n"
				   "sha256 " DIGEST_0 " /k\n"
				   "sha256 " DIGEST_0 " /a\n"
				   "fsverity " DIGEST_0 " /a\n"
				   "fsverity " DIGEST_1 " /b\n";
	size_t without_b = strlen(text) - (64 + strlen("fsverity  /b\n"));

	(void)state;
	expect_ok(entry_to_plan("x", (struct text){ text, sizeof(text) - 1 }, ENTRY_SEALED, &plan));
	boot_plan_free(&plan);
	expect_ok(entry_to_plan("x", (struct text){ text, without_b }, ENTRY_OUTSIDE, &plan));
	boot_plan_free(&plan);
	expect_error(entry_to_plan("x", (struct text){ text, without_b }, ENTRY_SEALED, &plan), KEXEC_BAD_FORMAT,
		     "x: expected a line \"fsverity HEX /b\" (or sha256), found none");
	expect_error(entry_to_plan("x", (struct text){ text, strlen("linux /k\n") }, ENTRY_SEALED, &plan),
		     KEXEC_BAD_FORMAT, "\"fsverity HEX /k\" (or sha256)");
}

static void expect_trust(enum entry_place place, enum trust kernel, enum trust initrds)
{
	static const char text[] =
		"linux /k\ninitrd /a\nsha256 " DIGEST_0 " /k\nsha256 " DIGEST_0 " /a\nsignature require\n";

	expect_ok(entry_to_plan("x", (struct text){ text, sizeof(text) - 1 }, place, &plan));
	assert_int_equal(plan.kernel.trust, kernel);
	assert_int_equal(plan.initrds[0].trust, initrds);
	assert_int_equal(plan.kernel.source, PART_ON_VOLUME);
	assert_int_equal(plan.initrds[0].source, PART_ON_VOLUME);
	boot_plan_free(&plan);
}

/* A digest that anybody could have written vouches for nothing. */
static void trust_is_of_the_place_not_of_the_text(void **state)
{
	(void)state;
	expect_trust(ENTRY_OUTSIDE, TRUST_PLATFORM, TRUST_NOBODY);
	expect_trust(ENTRY_OF_LOAD_OPTIONS, TRUST_PLATFORM, TRUST_NOBODY);
	expect_trust(ENTRY_SEALED, TRUST_DIGEST, TRUST_DIGEST);
}

/* The measured text equals the parsed text, and the plan owns everything that it points to. */
static void plan_outlives_the_text(void **state)
{
	static const char text[] = "\xef\xbb\xbf# c\nlinux /k\r\ninitrd /a\noptions x\nfoo\n";
	char source[] = "a.conf";
	char *bytes = malloc(sizeof(text) - 1);

	(void)state;
	memcpy(bytes, text, sizeof(text) - 1);
	expect_ok(entry_to_plan(source, (struct text){ bytes, sizeof(text) - 1 }, ENTRY_OUTSIDE, &plan));
	free(bytes);
	memset(source, 'x', sizeof(source) - 1);
	assert_string_equal(plan.said_by, "a.conf");
	assert_int_equal(plan.text.length, sizeof(text) - 1 - 3);
	assert_memory_equal(plan.text.start, text + 3, sizeof(text) - 1 - 3);
	assert_string_equal(plan.kernel.name, "/k");
	expect_initrds("/a;");
	expect_command_line("x");
	assert_int_equal(plan.unknown_key_count, 1);
	assert_int_equal(fake_pool_outstanding(), 1);
	boot_plan_free(&plan);
	assert_int_equal(fake_pool_outstanding(), 0);
	boot_plan_free(&plan);
}

static void no_memory_for_the_plan(void **state)
{
	(void)state;
	fake_pool_fail_at(1);
	refuse("linux /vmlinuz\n", KEXEC_NO_MEMORY, "a.conf: out of memory");
}

/* Each line adds as much as a line can, so a sanitizer detects a list or a string that is too short. */
static void fullest_texts(void **state)
{
	static const char *const lines[] = {
		"initrd x\n", "x\n", "options x\n", "sha256 " DIGEST_0 " y\n", "fsverity " DIGEST_0 " y\n", "\n"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t length = strlen("linux y\n");
		char *text = malloc(ENTRY_SIZE_MAX);

		memcpy(text, "linux y\n", length);
		while (ENTRY_SIZE_MAX - length >= strlen(lines[i])) {
			memcpy(text + length, lines[i], strlen(lines[i]));
			length += strlen(lines[i]);
		}
		expect_ok(parse_bytes(text, length - 1));
		free(text);
	}
}

static void last_policy_of_several_holds(void **state)
{
	static const char text[] = "linux /k\non-mismatch reset\nverbose yes\non-mismatch halt\nverbose no\n";

	(void)state;
	expect_ok(entry_to_plan("x.conf", (struct text){ text, sizeof(text) - 1 }, ENTRY_OUTSIDE, &plan));
	assert_int_equal(plan.on_mismatch, ON_MISMATCH_HALT);
	assert_false(plan.verbose);
	boot_plan_free(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_sign_between_blanks),
		cmocka_unit_test(backslash_at_the_end),
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
		cmocka_unit_test(digest_of_fsverity_of_each_file),
		cmocka_unit_test(both_digests_of_one_file),
		cmocka_unit_test(digest_of_a_file_that_is_loaded_more_than_once),
		cmocka_unit_test(digest_none),
		cmocka_unit_test(digest_paths_with_either_slash),
		cmocka_unit_test(digest_path_spelled_otherwise),
		cmocka_unit_test(digest_path_of_another_case),
		cmocka_unit_test(digest_in_binary_mode),
		cmocka_unit_test(digest_path_of_a_star),
		cmocka_unit_test(digest_path_with_blanks),
		cmocka_unit_test(digest_for_file_not_loaded),
		cmocka_unit_test(digest_with_63_digits),
		cmocka_unit_test(digest_with_65_digits),
		cmocka_unit_test(digest_with_other_letters),
		cmocka_unit_test(digest_without_path),
		cmocka_unit_test(digest_by_another_algorithm),
		cmocka_unit_test(unknown_keys_are_named_in_order),
		cmocka_unit_test(unknown_keys_are_quiet_without_verbose),
		cmocka_unit_test(what_is_lost_with_unknown_keys_is_said_to_all),
		cmocka_unit_test(misspelled_keys_are_refused),
		cmocka_unit_test(lines_are_counted_where_there_are_lines),
		cmocka_unit_test(two_digests_for_one_file),
		cmocka_unit_test(signed_values_of_a_register),
		cmocka_unit_test(sealed_entry_needs_each_digest),
		cmocka_unit_test(trust_is_of_the_place_not_of_the_text),
		cmocka_unit_test(plan_outlives_the_text),
		cmocka_unit_test(no_memory_for_the_plan),
		cmocka_unit_test(fullest_texts),
		cmocka_unit_test(last_policy_of_several_holds),
	};

	return run_named_tests(tests);
}
