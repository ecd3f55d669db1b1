// SPDX-License-Identifier: BSD-2-Clause
/* Lines on the firmware's console, and in the log that is kept. This tests the core's real log seam, not the fake. */
#include "efi/console/console.h"

#include <stdio.h>

#include "boot/log.h"
#include "efi/services/firmware.h"
#include "tests/unit/fake_firmware.h"
#include "tests/unit/support.h"

const char *logged(void)
{
	return fake_firmware.console;
}

void log_clear(void)
{
	fake_firmware.console[0] = '\0';
}

static void start(void)
{
	fake_firmware_start(NULL, 0);
	log_set_verbose(false);
}

/* The kept log as text. */
static const char *kept(void)
{
	static char text[8192];
	UINTN size;
	const CHAR16 *log = console_log(&size);

	assert_int_equal(size % 2, 0);
	assert_in_range(size / 2, 0, sizeof(text) - 1);
	for (size_t i = 0; i < size / 2; i++)
		text[i] = (char)log[i];
	text[size / 2] = '\0';
	return text;
}

/* --- levels --- */

static void each_level_has_its_form(void **state)
{
	(void)state;
	start();
	assert_int_equal(log_error(KEXEC_IO, "%s: expected %u", "a", 1u), KEXEC_IO);
	log_warning("b: %u", 2u);
	log_info("c: %u", 3u);
	log_verbose("d: %u", 4u);
	assert_string_equal(logged(), "kexec: a: expected 1\r\nkexec: warning: b: 2\r\nkexec: c: 3\r\n");
	assert_string_equal(kept(), "kexec: a: expected 1\nkexec: warning: b: 2\nkexec: c: 3\nkexec: d: 4\n");
	assert_string_equal(console_last_error(), "a: expected 1");
}

static void verbose_shows_all(void **state)
{
	(void)state;
	start();
	log_set_verbose(true);
	log_verbose("shown");
	log_warning("shown");
	log_set_verbose(false);
	log_verbose("kept");
	assert_string_equal(logged(), "kexec: shown\r\nkexec: warning: shown\r\n");
	assert_string_equal(kept(), "kexec: shown\nkexec: warning: shown\nkexec: kept\n");
}

/* --- addresses --- */

static void addresses_are_not_kept(void **state)
{
	(void)state;
	start();
	log_verbose("segment kernel mem 0x0000000001000000 bufsz 0x00000000007d9000");
	log_info("at 0x10000, 0xABCDEF012 and 0x1234");
	log_warning("0x0000000000000007 0x 0xg 00x12345678");
	assert_string_equal(logged(), "kexec: at 0x10000, 0xABCDEF012 and 0x1234\r\n"
				      "kexec: warning: 0x0000000000000007 0x 0xg 00x12345678\r\n");
	assert_string_equal(kept(), "kexec: segment kernel mem 0x**************** bufsz 0x****************\n"
				    "kexec: at 0x*****, 0x********* and 0x1234\n"
				    "kexec: warning: 0x0000000000000007 0x 0xg 00x********\n");
}

static void addresses_are_kept_for_verbose(void **state)
{
	(void)state;
	start();
	log_set_verbose(true);
	log_verbose("segment kernel mem 0x0000000001000000");
	assert_string_equal(kept(), "kexec: segment kernel mem 0x0000000001000000\n");
}

/* --- lines --- */

static void what_no_console_can_show(void **state)
{
	(void)state;
	start();
	log_info("a\tb\x1b[2J\xc3\xa4\x7f~");
	assert_string_equal(logged(), "kexec: a?b?[2J???~\r\n");
}

static void long_lines_are_cut(void **state)
{
	char text[1000];
	char expected[1100];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	start();
	log_info("%s", text);
	snprintf(expected, sizeof(expected), "kexec: %.*s\r\n", 799, text);
	assert_string_equal(logged(), expected);
	log_clear();
	log_warning("%s", text);
	snprintf(expected, sizeof(expected), "kexec: warning: %.*s\r\n", (int)(799 - strlen("warning: ")), text);
	assert_string_equal(logged(), expected);
}

/* The kept log ends with as many of the last lines as fit, each of them complete. */
static void log_that_is_full_drops_its_first_lines(void **state)
{
	(void)state;
	start();
	for (unsigned i = 0; i < 1000; i++) {
		char last[64];
		size_t length;

		log_verbose("line %u", i);
		length = strlen(kept());
		snprintf(last, sizeof(last), "kexec: line %u\nkexec: line %u\n", i - 1, i);
		if (i)
			assert_string_equal(kept() + length - strlen(last), last);
		assert_int_equal(strncmp(kept(), "kexec: line ", 12), 0);
		/* No line here is longer. */
		assert_in_range(length, i < 200 ? 12 * i : 3072 - 16, 3072);
	}
	assert_string_equal(logged(), "");
}

/* Each long line drops several others, and stays until its own room is needed. */
static void long_lines_make_room_for_themselves(void **state)
{
	char text[1000];
	char line[1100];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	start();
	snprintf(line, sizeof(line), "kexec: %.*s\n", 799, text);
	for (unsigned i = 0; i < 20; i++) {
		const char *rest;
		size_t lines = 0;

		log_verbose("%s", text);
		for (rest = kept(); strncmp(rest, line, strlen(line)) == 0; rest += strlen(line))
			lines++;
		assert_string_equal(rest, "");
		assert_int_equal(lines, i < 3 ? i + 1 : 3);
	}
	log_verbose("short");
	assert_non_null(strstr(kept(), "x\nkexec: short\n"));
}

static void without_a_console(void **state)
{
	(void)state;
	start();
	firmware_system_table->ConOut = NULL;
	log_info("kept");
	console_progress("/a", 1, 2);
	assert_string_equal(logged(), "");
	assert_string_equal(kept(), "kexec: kept\n");
}

/* --- progress --- */

static void progress_overwrites_itself(void **state)
{
	(void)state;
	start();
	console_progress("/vmlinuz", 7, 30);
	console_progress("/vmlinuz", 93, 31);
	console_progress_done("/vmlinuz", 32);
	assert_string_equal(logged(), "kexec: /vmlinuz:   7 %, 30 MB/s   \rkexec: /vmlinuz:  93 %, 31 MB/s   \r"
				      "kexec: /vmlinuz: 100 %, 32 MB/s   \rkexec: /vmlinuz: 100 %, 32 MB/s\r\n");
	assert_string_equal(kept(), "kexec: /vmlinuz: 100 %, 32 MB/s\n");
}

static void progress_that_nobody_has_seen(void **state)
{
	(void)state;
	start();
	console_progress_done("/vmlinuz", 32);
	assert_string_equal(logged(), "");
	assert_string_equal(kept(), "kexec: /vmlinuz: 100 %, 32 MB/s\n");
}

static void other_lines_end_progress(void **state)
{
	(void)state;
	start();
	console_progress("/a", 50, 1);
	log_verbose("not shown");
	log_warning("shown");
	log_warning("again");
	assert_string_equal(logged(),
			    "kexec: /a:  50 %, 1 MB/s   \r\r\nkexec: warning: shown\r\nkexec: warning: again\r\n");
}

/* --- keys --- */

static unsigned resets;
static unsigned polls;
static unsigned key_at_poll; /* 0: never */
static UINTN stalled_usec;

static EFI_STATUS EFIAPI reset_keyboard(SIMPLE_INPUT_INTERFACE *keyboard, BOOLEAN extended)
{
	(void)keyboard;
	(void)extended;
	assert_int_equal(polls, 0);
	resets++;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI read_key(SIMPLE_INPUT_INTERFACE *keyboard, EFI_INPUT_KEY *ret_key)
{
	(void)keyboard;
	*ret_key = (EFI_INPUT_KEY){ 0 };
	return ++polls == key_at_poll ? EFI_SUCCESS : EFI_NOT_READY;
}

static EFI_STATUS EFIAPI stall(UINTN usec)
{
	stalled_usec += usec;
	return EFI_SUCCESS;
}

static void waits_for_a_key_or_for_the_end(void **state)
{
	static SIMPLE_INPUT_INTERFACE keyboard = { .Reset = reset_keyboard, .ReadKeyStroke = read_key };

	(void)state;
	start();
	firmware_boot_services->Stall = stall;
	console_wait_for_key(5);
	assert_int_equal(stalled_usec, 0);
	firmware_system_table->ConIn = &keyboard;
	console_wait_for_key(5);
	assert_int_equal(resets, 1);
	assert_int_equal(stalled_usec, 5000000);
	key_at_poll = 3;
	polls = 0;
	stalled_usec = 0;
	console_wait_for_key(5);
	assert_int_equal(polls, 3);
	assert_int_equal(stalled_usec, 200000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_level_has_its_form),
		cmocka_unit_test(verbose_shows_all),
		cmocka_unit_test(addresses_are_not_kept),
		cmocka_unit_test(addresses_are_kept_for_verbose),
		cmocka_unit_test(what_no_console_can_show),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(log_that_is_full_drops_its_first_lines),
		cmocka_unit_test(long_lines_make_room_for_themselves),
		cmocka_unit_test(without_a_console),
		cmocka_unit_test(progress_overwrites_itself),
		cmocka_unit_test(progress_that_nobody_has_seen),
		cmocka_unit_test(other_lines_end_progress),
		cmocka_unit_test(waits_for_a_key_or_for_the_end),
	};

	return run_named_tests(tests);
}
