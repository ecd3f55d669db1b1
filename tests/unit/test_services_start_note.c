// SPDX-License-Identifier: BSD-2-Clause
/* The note of starts: its lines, and the starts that must not write one. */
#include "efi/notes/start_note.h"

#include "common/vendor.h"
#include "efi/console/console.h"
#include "efi/services/firmware.h"
#include "efi/services/variable.h"
#include "tests/unit/fake_firmware.h"
#include "tests/unit/support.h"

/* --- replacement of the console --- */

static CHAR16 log_text[2048];
static size_t log_units;

const CHAR16 *console_log(UINTN *ret_size)
{
	*ret_size = log_units * sizeof(log_text[0]);
	return log_text;
}

static void say(const char *line)
{
	for (; *line; line++)
		log_text[log_units++] = (CHAR16)*line;
}

/* --- the machine --- */

static const CHAR16 note_name[] = L"KexecStarts";
static const EFI_GUID own = KEXEC_VENDOR_GUID;
static const EFI_GUID global = EFI_GLOBAL_VARIABLE;

#define STORED (VARIABLE_BOOT_RUNTIME | VARIABLE_STORED)

/* The path of \a.efi. */
static uint8_t file_path[] = { 4, 4, 18, 0, '\\', 0, 'a', 0, '.', 0, 'e', 0, 'f', 0, 'i', 0, 0, 0, 0x7f, 0xff, 4, 0 };
static EFI_LOADED_IMAGE image;

static void start(void)
{
	fake_firmware_start(NULL, 0);
	log_units = 0;
	image = (EFI_LOADED_IMAGE){ .FilePath = (EFI_DEVICE_PATH *)file_path };
	say("kexec: an earlier line\n");
	start_note_begin(&image);
}

/* The firmware has started this entry; the boot order is 1, 2. */
static void start_entry(uint16_t number)
{
	static const uint16_t order[] = { 1, 2 };

	start();
	fake_variable_leave(L"BootCurrent", &global, VARIABLE_BOOT_RUNTIME, &number, sizeof(number));
	fake_variable_leave(L"BootOrder", &global, STORED, order, sizeof(order));
}

static const char *noted(void)
{
	static char text[START_NOTE_SIZE + 1];
	const struct fake_variable *found = fake_variable_find(note_name, &own);

	if (!found)
		return "";
	assert_int_equal(found->attributes, STORED);
	assert_in_range(found->size, 1, START_NOTE_SIZE);
	memcpy(text, found->value, found->size);
	text[found->size] = '\0';
	return text;
}

/* --- lines of the note --- */

static void boot_in_the_order_notes_nothing(void **state)
{
	(void)state;
	start_entry(2);
	start_note_stopped();
	start_note_started();
	assert_string_equal(noted(), "");
	assert_int_equal(fake_firmware.set_calls, 0);
}

static void trial_notes_that_it_has_started(void **state)
{
	(void)state;
	start_entry(3);
	start_note_stopped();
	start_note_started();
	assert_string_equal(noted(), "started\t\\a.efi\t\t2026-01-02 03:04\n");
}

static void firmware_without_an_order(void **state)
{
	static const uint16_t number = 3;

	(void)state;
	start();
	start_note_started();
	assert_string_equal(noted(), "");
	fake_variable_leave(L"BootCurrent", &global, VARIABLE_BOOT_RUNTIME, &number, sizeof(number));
	start_note_started();
	assert_string_equal(noted(), "started\t\\a.efi\t\t2026-01-02 03:04\n");
}

/* An operating system may have left it. */
static void current_that_is_stored(void **state)
{
	static const uint16_t number = 3;

	(void)state;
	start();
	fake_variable_leave(L"BootCurrent", &global, STORED, &number, sizeof(number));
	start_note_started();
	assert_string_equal(noted(), "");
}

static void order_that_is_too_long(void **state)
{
	static const uint16_t order[257];

	(void)state;
	start_entry(3);
	fake_variable_leave(L"BootOrder", &global, STORED, order, sizeof(order));
	start_note_started();
	assert_string_equal(noted(), "");
}

static void refusal_notes_the_last_line(void **state)
{
	(void)state;
	start_entry(2);
	say("kexec: kexec-efi 0.1\nkexec: /vmlinuz: truncated:\texpected 2, found 1\n");
	start_note_refused();
	assert_string_equal(noted(), "refused\t\\a.efi\t/vmlinuz: truncated:?expected 2, found 1\t2026-01-02 03:04\n");
}

static void stop_notes_the_first_line_of_it(void **state)
{
	(void)state;
	start_entry(2);
	say("kexec: warning: digest mismatch in initrd\nkexec: warning: pages that had changed: 1\n");
	start_note_stopped();
	assert_string_equal(noted(), "stopped\t\twarning: digest mismatch in initrd\t2026-01-02 03:04\n");
}

static void stop_of_a_trial_is_told_from_our_own(void **state)
{
	static const struct {
		const char *note;
		bool is_of_another;
	} cases[] = {
		{ "started\t\\b.efi\t\t\n", true },
		{ "refused\t\\b.efi\tx\t\nstarted\t\\b.efi\t\t\n", true },
		{ "started\t\\a.efi\t\t\n", false },
		{ "started\t\\b.efi\t\t\nstopped\t\tx\t\n", false },
		{ "refused\t\\b.efi\tx\t\n", false },
		{ "started\t\\a.efi2\t\t\n", true },
		{ "started\t\\b.efi\t\t", false },
		{ "s", false },
		{ "\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start_entry(2);
		fake_variable_leave(note_name, &own, STORED, cases[i].note, strlen(cases[i].note));
		/* No start was stopped. */
		assert_false(start_note_stopped());
		say("kexec: warning: y\n");
		assert_int_equal(start_note_stopped(), cases[i].is_of_another);
		/* A stop that was noted before is not new. */
		assert_false(start_note_stopped());
	}
	start_entry(2);
	say("kexec: warning: y\n");
	assert_false(start_note_stopped());
}

static void nobody_knows_who_we_are(void **state)
{
	(void)state;
	fake_firmware_start(NULL, 0);
	start_note_begin(NULL);
	start_note_stopped();
	start_note_started();
	start_note_refused();
	assert_string_equal(noted(), "");

	start();
	image.FilePath = NULL;
	say("kexec: x\n");
	start_note_refused();
	assert_string_equal(noted(), "refused\t\tx\t2026-01-02 03:04\n");
}

static void log_that_says_nothing(void **state)
{
	(void)state;
	start();
	log_units = 0;
	start_note_stopped();
	start_note_refused();
	assert_string_equal(noted(), "refused\t\\a.efi\t\t2026-01-02 03:04\n");
}

static void firmware_without_a_clock(void **state)
{
	(void)state;
	start_entry(3);
	fake_firmware.time_status = EFI_DEVICE_ERROR;
	start_note_started();
	assert_string_equal(noted(), "started\t\\a.efi\t\t\n");
}

/* --- flash memory wears out --- */

static void same_is_not_written_again(void **state)
{
	(void)state;
	start();
	say("kexec: x\n");
	start_note_refused();
	say("kexec: y\n");
	start_note_refused();
	assert_int_equal(fake_firmware.set_calls, 2);
	start_note_refused();
	say("kexec: x\n");
	start_note_refused();
	assert_int_equal(fake_firmware.set_calls, 2);
	assert_string_equal(noted(), "refused\t\\a.efi\tx\t2026-01-02 03:04\nrefused\t\\a.efi\ty\t2026-01-02 03:04\n");
}

static void note_has_a_bound(void **state)
{
	char line[600];

	(void)state;
	start();
	memset(line, 'x', sizeof(line));
	memcpy(line, "kexec: ", 7);
	memcpy(line + sizeof(line) - 2, "\n", 2);
	for (char c = 'a'; c < 'z'; c++) {
		line[7] = c;
		log_units = 0;
		say(line);
		start_note_refused();
		assert_in_range(strlen(noted()), 340, START_NOTE_SIZE);
		/* The newest line is always there. */
		assert_non_null(strchr(noted(), c));
	}
}

static void long_path_is_no_path(void **state)
{
	static uint8_t path[4 + 2 * 400 + 4] = { 4, 4 };

	(void)state;
	start();
	path[2] = (4 + 2 * 400) & 0xff;
	path[3] = (4 + 2 * 400) >> 8;
	for (size_t i = 0; i < 399; i++)
		path[4 + 2 * i] = 'x';
	memcpy(path + 4 + 2 * 400, (uint8_t[]){ 0x7f, 0xff, 4, 0 }, 4);
	image.FilePath = (EFI_DEVICE_PATH *)path;
	say("kexec: y\n");
	start_note_refused();
	assert_string_equal(noted(), "refused\t\ty\t2026-01-02 03:04\n");
}

/* --- notes of others, and firmware that stores nothing --- */

static void variable_of_somebody_else(void **state)
{
	static const uint32_t attributes[] = { 0x2, 0x3, 0x6 };

	(void)state;
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		start();
		fake_variable_leave(note_name, &own, attributes[i], "rubbish", 7);
		say("kexec: x\n");
		start_note_refused();
		assert_string_equal(noted(), "refused\t\\a.efi\tx\t2026-01-02 03:04\n");
	}
	/* A note that is too large is replaced. A note without a line end is continued. */
	start();
	fake_variable_leave(note_name, &own, STORED, log_text, START_NOTE_SIZE + 1);
	start_note_refused();
	assert_string_equal(noted(), "refused\t\\a.efi\tan earlier line\t2026-01-02 03:04\n");
}

static void firmware_that_takes_no_note(void **state)
{
	(void)state;
	start_entry(3);
	log_clear();
	fake_firmware.set_status = EFI_OUT_OF_RESOURCES;
	start_note_started();
	assert_string_equal(logged(), "the firmware takes no note of this start: OUT_OF_RESOURCES\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boot_in_the_order_notes_nothing),
		cmocka_unit_test(trial_notes_that_it_has_started),
		cmocka_unit_test(firmware_without_an_order),
		cmocka_unit_test(current_that_is_stored),
		cmocka_unit_test(order_that_is_too_long),
		cmocka_unit_test(refusal_notes_the_last_line),
		cmocka_unit_test(stop_notes_the_first_line_of_it),
		cmocka_unit_test(stop_of_a_trial_is_told_from_our_own),
		cmocka_unit_test(nobody_knows_who_we_are),
		cmocka_unit_test(log_that_says_nothing),
		cmocka_unit_test(firmware_without_a_clock),
		cmocka_unit_test(same_is_not_written_again),
		cmocka_unit_test(note_has_a_bound),
		cmocka_unit_test(long_path_is_no_path),
		cmocka_unit_test(variable_of_somebody_else),
		cmocka_unit_test(firmware_that_takes_no_note),
	};

	return run_named_tests(tests);
}
