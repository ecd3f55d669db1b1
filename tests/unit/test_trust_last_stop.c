// SPDX-License-Identifier: BSD-2-Clause
/* The note of the last stop: a genuine one, a forged one, and one that the firmware does not delete. */
#include "efi/notes/last_stop.h"

#include "common/stop_note.h"
#include "common/vendor.h"
#include "efi/services/firmware.h"
#include "tests/unit/elf_builder.h"
#include "tests/unit/fake_firmware.h"
#include "tests/unit/support.h"

static const CHAR16 name[] = STOP_NOTE_NAME;
static const EFI_GUID vendor = KEXEC_VENDOR_GUID;

static struct stop_note mismatch(void)
{
	struct stop_note note = { .kind = STOP_MISMATCH, .on_mismatch = ON_MISMATCH_RESET, .region = "initrd" };

	memset(note.digests.expected, 0xab, sizeof(note.digests.expected));
	memset(note.digests.found, 0xcd, sizeof(note.digests.found));
	return note;
}

static struct last_stop report(const struct stop_note *note, uint32_t attributes)
{
	fake_firmware_start(NULL, 0);
	log_clear();
	fake_variable_leave(name, &vendor, attributes, note, sizeof(*note));
	return last_stop_report();
}

static bool is_gone(void)
{
	return !fake_variable_find(name, &vendor);
}

static void expect_nothing_follows(struct last_stop last)
{
	assert_false(last.was_stopped);
	assert_false(last.was_reset);
	assert_false(last.at_the_exit);
}

static void nothing_was_left(void **state)
{
	(void)state;
	fake_firmware_start(NULL, 0);
	expect_nothing_follows(last_stop_report());
	assert_string_equal(logged(), "");
	assert_int_equal(fake_firmware.set_calls, 0);
}

static void each_kind_is_told(void **state)
{
	struct stop_note note = mismatch();
	struct last_stop last = report(&note, STOP_NOTE_ATTRIBUTES);

	(void)state;
	assert_true(last.was_stopped && last.was_reset && !last.at_the_exit && is_gone());
	assert_string_equal(last.what, "digest mismatch in initrd");
	assert_non_null(strstr(logged(), "warning: the purgatory stopped the last start: digest mismatch in initrd: "
					 "expected abababab"));

	note.digests.pages = (struct page_findings){
		.differing = 5,
		.first = { { .address = 0x7000, .change = PAGE_ONE_BIT },
			   { .address = 0x140000000, .change = PAGE_ZEROED },
			   { .address = 0x9000, .change = PAGE_OTHER },
			   { .address = 0xa000, .change = 77 } },
	};
	report(&note, STOP_NOTE_ATTRIBUTES);
	assert_non_null(strstr(logged(),
			       "warning: pages that had changed: 5\n"
			       "warning: a page that had changed: one bit differed; memmap=4K$28K spares it\n"
			       "warning: a page that had changed: it was all zeros; memmap=4K$5242880K spares "
			       "it\n"
			       "warning: a page that had changed: more than one bit differed; memmap=4K$36K "
			       "spares it\n"));
	assert_null(strstr(logged(), "$40K"));

	note = (struct stop_note){ .kind = STOP_EXCEPTION, .exception = { .vector = 6, .rip = 0x1000 } };
	last = report(&note, STOP_NOTE_ATTRIBUTES);
	assert_true(last.was_stopped && !last.was_reset && !last.at_the_exit && is_gone());
	assert_string_equal(last.what, "an exception");
	assert_string_equal(logged(), "warning: an exception stopped the last start: invalid opcode (6) at 0x1000\n");

	/* The boot went on, so the note has no effect, whatever else it contains. */
	note = (struct stop_note){ .kind = STOP_NMI, .on_mismatch = ON_MISMATCH_RESET, .exception = { .vector = 2 } };
	expect_nothing_follows(report(&note, STOP_NOTE_ATTRIBUTES));
	assert_true(is_gone());
	assert_string_equal(logged(), "warning: the last start went on after an exception: NMI (2) at 0x0\n");

	note = (struct stop_note){ .kind = STOP_EXIT,
				   .on_mismatch = ON_MISMATCH_RESET,
				   .exit = { .attempts = 64, .status = EFI_INVALID_PARAMETER } };
	last = report(&note, STOP_NOTE_ATTRIBUTES);
	assert_true(last.was_stopped && last.was_reset && last.at_the_exit && is_gone());
	assert_string_equal(last.what, "ExitBootServices refused");
	assert_non_null(strstr(logged(), "the firmware stopped the last start: ExitBootServices: refused 64 times: "
					 "INVALID_PARAMETER"));
}

/* The loader deletes it nevertheless, because nobody needs its content. */
static void not_as_we_write_it(void **state)
{
	static const uint32_t attributes[] = { 0x2, 0x3, 0x6, 0x5 };
	struct stop_note note = mismatch();

	(void)state;
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		expect_nothing_follows(report(&note, attributes[i]));
		assert_string_equal(logged(), "");
	}
	for (uint32_t kind = 0; kind < 300; kind = kind < 8 ? kind + 1 : kind * 2) {
		if (kind >= STOP_MISMATCH && kind <= STOP_EXIT)
			continue;
		note.kind = kind;
		expect_nothing_follows(report(&note, STOP_NOTE_ATTRIBUTES));
		assert_string_equal(logged(), "");
		assert_true(is_gone());
	}
	fake_firmware_start(NULL, 0);
	fake_variable_leave(name, &vendor, STOP_NOTE_ATTRIBUTES, &note, sizeof(note) - 1);
	expect_nothing_follows(last_stop_report());
	assert_string_equal(logged(), "");
}

static void region_that_is_no_name(void **state)
{
	struct stop_note note = mismatch();

	(void)state;
	memcpy(note.region, "a\033[31m", 7);
	report(&note, STOP_NOTE_ATTRIBUTES);
	assert_non_null(strstr(logged(), "digest mismatch in a: expected"));
	memset(note.region, 'x', sizeof(note.region));
	report(&note, STOP_NOTE_ATTRIBUTES);
	assert_non_null(strstr(logged(), "digest mismatch in xxxxxxxxxxxxxxxx: expected"));
}

/* A note that cannot be deleted must not prevent all boots. */
static void note_that_cannot_be_deleted(void **state)
{
	struct stop_note note = mismatch();
	struct last_stop last;

	(void)state;
	fake_firmware_start(NULL, 0);
	fake_variable_leave(name, &vendor, STOP_NOTE_ATTRIBUTES, &note, sizeof(note));
	fake_firmware.set_status = EFI_WRITE_PROTECTED;
	expect_nothing_follows(last_stop_report());
	assert_non_null(strstr(logged(), "the firmware does not delete the note of it; going on"));
	/* If the firmware keeps refusing the exit, resets must not repeat for ever. */
	note = (struct stop_note){ .kind = STOP_EXIT, .on_mismatch = ON_MISMATCH_RESET };
	fake_firmware_start(NULL, 0);
	fake_variable_leave(name, &vendor, STOP_NOTE_ATTRIBUTES, &note, sizeof(note));
	fake_firmware.set_status = EFI_WRITE_PROTECTED;
	last = last_stop_report();
	assert_true(!last.was_stopped && !last.was_reset && last.at_the_exit);
}

/* --- the stopped entry, and its consequences --- */

static const struct started_entry only = { .is_first = true };
static const struct started_entry first = { .is_first = true, .has_next = true };
static const struct started_entry between = { .has_next = true };
static const struct started_entry last_one = { 0 };

static struct boot_plan plan_of(const char *text, enum on_mismatch on_mismatch)
{
	return (struct boot_plan){ .said_by = text, .text = text_of_string(text), .on_mismatch = on_mismatch };
}

static void policy_is_the_entrys(void **state)
{
	const struct boot_plan halt = plan_of("a", ON_MISMATCH_HALT);
	const struct boot_plan reset = plan_of("b", ON_MISMATCH_RESET);

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct last_stop last = { .was_stopped = i & 1, .was_reset = i & 1, .at_the_exit = i & 2 };

		expect_ok(last_stop_check(&last, &halt, &only));
		if (last.was_reset)
			expect_error(last_stop_check(&last, &reset, &only), KEXEC_MISMATCH,
				     "not trying again at once (on-mismatch reset); the next start will");
		else
			expect_ok(last_stop_check(&last, &reset, &only));
		assert_int_equal(last_stop_policy(&last, &reset, &only).on_mismatch, ON_MISMATCH_RESET);
		assert_int_equal(last_stop_policy(&last, &halt, &only).on_mismatch, ON_MISMATCH_HALT);
		assert_int_equal(last_stop_policy(&last, &reset, &only).at_the_exit, ON_MISMATCH_RESET);
		assert_int_equal(last_stop_policy(&last, &halt, &only).at_the_exit,
				 last.at_the_exit ? ON_MISMATCH_HALT : ON_MISMATCH_RESET);
		/* If there is only one entry, the note names none. */
		assert_int_equal(last_stop_policy(&last, &reset, &only).entries.list[0], 0);
	}
}

/* The note that the next start finds, after a stop with this policy. */
static struct last_stop stopped_with(struct stop_policy policy)
{
	struct stop_note note = mismatch();
	struct last_stop last;

	note.on_mismatch = policy.on_mismatch;
	note.entries = policy.entries;
	last = report(&note, STOP_NOTE_ATTRIBUTES);
	log_clear();
	return last;
}

#define NOT_TRIED(name) name ": not tried: its last start was stopped: digest mismatch in initrd"

/* Each start is stopped with a reset. After the last entry the loader returns to the firmware. */
static void starts_that_are_all_stopped_come_to_an_end(void **state)
{
	const struct boot_plan a = plan_of("a", ON_MISMATCH_RESET);
	const struct boot_plan b = plan_of("b", ON_MISMATCH_RESET);
	const struct boot_plan c = plan_of("c", ON_MISMATCH_RESET);
	struct last_stop last = { 0 };

	(void)state;
	expect_ok(last_stop_check(&last, &a, &first));
	last = stopped_with(last_stop_policy(&last, &a, &first));
	expect_error(last_stop_check(&last, &a, &first), KEXEC_MISMATCH, NOT_TRIED("a"));
	expect_ok(last_stop_check(&last, &b, &between));
	last = stopped_with(last_stop_policy(&last, &b, &between));
	expect_error(last_stop_check(&last, &a, &first), KEXEC_MISMATCH, NOT_TRIED("a"));
	expect_error(last_stop_check(&last, &b, &between), KEXEC_MISMATCH, NOT_TRIED("b"));
	expect_ok(last_stop_check(&last, &c, &last_one));
	last = stopped_with(last_stop_policy(&last, &c, &last_one));
	expect_error(last_stop_check(&last, &a, &first), KEXEC_MISMATCH, NOT_TRIED("a"));
	expect_error(last_stop_check(&last, &b, &between), KEXEC_MISMATCH, NOT_TRIED("b"));
	expect_error(last_stop_check(&last, &c, &last_one), KEXEC_MISMATCH, "not trying again at once");
	/* The note is gone, so the next start tries all entries again. */
	last = last_stop_report();
	expect_ok(last_stop_check(&last, &a, &first));
}

/* A person who has reset the machine would see it halt again: the last entry is retried. */
static void last_entry_that_halts_is_tried_again(void **state)
{
	const struct boot_plan a = plan_of("a", ON_MISMATCH_HALT);
	const struct boot_plan b = plan_of("b", ON_MISMATCH_HALT);
	struct last_stop last = { 0 };

	(void)state;
	last = stopped_with(last_stop_policy(&last, &a, &first));
	expect_error(last_stop_check(&last, &a, &first), KEXEC_MISMATCH, NOT_TRIED("a"));
	expect_ok(last_stop_check(&last, &b, &last_one));
	last = stopped_with(last_stop_policy(&last, &b, &last_one));
	expect_error(last_stop_check(&last, &a, &first), KEXEC_MISMATCH, NOT_TRIED("a"));
	expect_ok(last_stop_check(&last, &b, &last_one));
}

/* Entries that the note does not name have not been stopped: those of another boot entry, or repaired ones. */
static void other_entries_are_tried(void **state)
{
	const struct boot_plan a = plan_of("a", ON_MISMATCH_RESET);
	const struct boot_plan mended = plan_of("a ", ON_MISMATCH_RESET);
	struct last_stop last = { 0 };

	(void)state;
	last = stopped_with(last_stop_policy(&last, &a, &first));
	expect_ok(last_stop_check(&last, &mended, &first));
	expect_ok(last_stop_check(&last, &mended, &only));
	assert_int_equal(last.passed.list[0], 0);
}

/* A note of an earlier version, or of a start with only one entry, is about the first entry tried. */
static void note_without_entries(void **state)
{
	const struct boot_plan a = plan_of("a", ON_MISMATCH_RESET);
	const struct boot_plan b = plan_of("b", ON_MISMATCH_RESET);
	const struct stop_note note = mismatch();
	struct last_stop last;

	(void)state;
	fake_firmware_start(NULL, 0);
	fake_variable_leave(name, &vendor, STOP_NOTE_ATTRIBUTES, &note, STOP_NOTE_SIZE_MIN);
	last = last_stop_report();
	log_clear();
	expect_error(last_stop_check(&last, &a, &first), KEXEC_MISMATCH, NOT_TRIED("a"));
	expect_ok(last_stop_check(&last, &b, &last_one));
}

/* A forged note makes the loader skip each entry at most once. */
static void note_of_too_many_entries(void **state)
{
	const struct boot_plan a = plan_of("a", ON_MISMATCH_HALT);
	struct stop_note note = mismatch();
	struct last_stop last;
	struct stop_policy policy;

	(void)state;
	memset(&note.entries, 0xff, sizeof(note.entries));
	last = report(&note, STOP_NOTE_ATTRIBUTES);
	expect_ok(last_stop_check(&last, &a, &first));
	memset(&last.passed, 0xff, sizeof(last.passed));
	policy = last_stop_policy(&last, &a, &last_one);
	assert_memory_equal(&policy.entries, &last.passed, sizeof(policy.entries));
}

static void notes_are_as_long_as_they_say(void **state)
{
	struct stop_note note = mismatch();

	(void)state;
	assert_int_equal(stop_note_size(&note), STOP_NOTE_SIZE_MIN);
	note.digests.pages.differing = 1;
	assert_int_equal(stop_note_size(&note), STOP_NOTE_SIZE_MIN + sizeof(note.digests.pages));
	note.entries.list[0] = 1;
	assert_int_equal(stop_note_size(&note), sizeof(note));
	note.digests.pages.differing = 0;
	assert_int_equal(stop_note_size(&note), sizeof(note));
}

/* A minimal purgatory that accepts a policy, which *ret_policy receives. */
static struct purgatory small_purgatory(struct kexec_segment *segment, struct purgatory_policy *ret_policy)
{
	static const struct purgatory_policy nothing;
	static struct elf_builder builder;
	struct purgatory purgatory = { .segment = segment };
	unsigned data;

	elf_builder_init(&builder);
	data = elf_builder_section(&builder, 1, SHF_ALLOC, 16, &nothing, sizeof(nothing));
	elf_builder_symbol(&builder, "purgatory_policy", (uint16_t)data, 0, sizeof(nothing));
	elf_builder_finish(&builder);
	expect_ok(elf_rel_parse("purgatory", builder.bytes, builder.size, &purgatory.object));
	segment->mem = (uintptr_t)ret_policy;
	return purgatory;
}

/* The log after the policy was set, with firmware of these properties; NULL: firmware without the table. */
static const char *policy_told(enum on_mismatch on_mismatch, void *properties, struct purgatory_policy *ret_policy)
{
	EFI_CONFIGURATION_TABLE table = {
		.VendorGuid = { 0xeb66918a, 0x7eef, 0x402a, { 0x84, 0x2e, 0x93, 0x1d, 0x21, 0xc3, 0x8a, 0xe9 } },
		.VendorTable = properties,
	};
	const struct stop_policy wanted = { .on_mismatch = on_mismatch, .entries = { { 7, 8 } } };
	struct kexec_segment segment = { 0 };
	struct purgatory purgatory = small_purgatory(&segment, ret_policy);

	fake_firmware_start(NULL, 0);
	firmware_system_table->ConfigurationTable = &table;
	firmware_system_table->NumberOfTableEntries = properties ? 1 : 0;
	log_clear();
	expect_ok(last_stop_set_policy(&purgatory, &wanted));
	return logged();
}

#define TABLE(length, supported) ((uint16_t[]){ 1, (length), (supported), 0 })

static void reset_that_no_note_would_remember(void **state)
{
	struct purgatory_policy policy;
	uint16_t *all = TABLE(8, 0x3fff);
	uint16_t *not_set_variable = TABLE(8, 0x3fbf);

	(void)state;
	assert_string_equal(policy_told(ON_MISMATCH_RESET, not_set_variable, &policy),
			    "warning: on-mismatch reset: this firmware stores no note after ExitBootServices; "
			    "the machine will halt instead\n");
	assert_int_equal(policy.on_mismatch, ON_MISMATCH_RESET);
	assert_int_equal(policy.runtime_services, (uintptr_t)firmware_runtime_services);
	assert_int_equal(policy.entries.list[1], 8);
	assert_string_equal(policy_told(ON_MISMATCH_HALT, not_set_variable, &policy), "");
	assert_int_equal(policy.on_mismatch, ON_MISMATCH_HALT);
	assert_string_equal(policy_told(ON_MISMATCH_RESET, all, &policy), "");
	/* The table is missing, or ends before the field. */
	assert_string_equal(policy_told(ON_MISMATCH_RESET, NULL, &policy), "");
	assert_string_equal(policy_told(ON_MISMATCH_RESET, TABLE(7, 0), &policy), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_was_left),
		cmocka_unit_test(each_kind_is_told),
		cmocka_unit_test(not_as_we_write_it),
		cmocka_unit_test(region_that_is_no_name),
		cmocka_unit_test(note_that_cannot_be_deleted),
		cmocka_unit_test(policy_is_the_entrys),
		cmocka_unit_test(starts_that_are_all_stopped_come_to_an_end),
		cmocka_unit_test(last_entry_that_halts_is_tried_again),
		cmocka_unit_test(other_entries_are_tried),
		cmocka_unit_test(note_without_entries),
		cmocka_unit_test(note_of_too_many_entries),
		cmocka_unit_test(notes_are_as_long_as_they_say),
		cmocka_unit_test(reset_that_no_note_would_remember),
	};

	return run_named_tests(tests);
}
