// SPDX-License-Identifier: BSD-2-Clause
/* The note of the last stop, as it is left, as somebody else may have written it, and on firmware that keeps it. */
#include "efi/trust/last_stop.h"

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
	assert_true(last.was_reset && !last.at_the_exit && is_gone());
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
	assert_true(!last.was_reset && !last.at_the_exit && is_gone());
	assert_string_equal(logged(), "warning: an exception stopped the last start: invalid opcode (6) at 0x1000\n");

	/* The boot went on: nothing follows, whatever else it says. */
	note = (struct stop_note){ .kind = STOP_NMI, .on_mismatch = ON_MISMATCH_RESET, .exception = { .vector = 2 } };
	expect_nothing_follows(report(&note, STOP_NOTE_ATTRIBUTES));
	assert_true(is_gone());
	assert_string_equal(logged(), "warning: the last start went on after an exception: NMI (2) at 0x0\n");

	note = (struct stop_note){ .kind = STOP_EXIT,
				   .on_mismatch = ON_MISMATCH_RESET,
				   .exit = { .attempts = 64, .status = EFI_INVALID_PARAMETER } };
	last = report(&note, STOP_NOTE_ATTRIBUTES);
	assert_true(last.was_reset && last.at_the_exit && is_gone());
	assert_non_null(strstr(logged(), "the firmware stopped the last start: ExitBootServices: refused 64 times: "
					 "INVALID_PARAMETER"));
}

/* It is deleted all the same: what it holds is nobody's. */
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

/* One that stays must not keep the machine from booting for ever. */
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
	/* But where the firmware refuses the exit again and again, it must not reset the machine for ever. */
	note = (struct stop_note){ .kind = STOP_EXIT, .on_mismatch = ON_MISMATCH_RESET };
	fake_firmware_start(NULL, 0);
	fake_variable_leave(name, &vendor, STOP_NOTE_ATTRIBUTES, &note, sizeof(note));
	fake_firmware.set_status = EFI_WRITE_PROTECTED;
	last = last_stop_report();
	assert_true(!last.was_reset && last.at_the_exit);
}

static void policy_is_the_entrys(void **state)
{
	const struct boot_plan halt = { .on_mismatch = ON_MISMATCH_HALT };
	const struct boot_plan reset = { .on_mismatch = ON_MISMATCH_RESET };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct last_stop last = { .was_reset = i & 1, .at_the_exit = i & 2 };

		expect_ok(last_stop_is_repeated(&last, &halt));
		if (last.was_reset)
			expect_error(last_stop_is_repeated(&last, &reset), KEXEC_MISMATCH,
				     "not trying again at once (on-mismatch reset); the next start will");
		else
			expect_ok(last_stop_is_repeated(&last, &reset));
		assert_int_equal(last_stop_policy_at_exit(&last, &reset), ON_MISMATCH_RESET);
		assert_int_equal(last_stop_policy_at_exit(&last, &halt),
				 last.at_the_exit ? ON_MISMATCH_HALT : ON_MISMATCH_RESET);
	}
}

/* As much of a purgatory as can be told the policy, which *ret_policy is then. */
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

/* What is logged when the purgatory is told of a firmware with these properties, NULL for one that has no table. */
static const char *policy_told(enum on_mismatch on_mismatch, void *properties, struct purgatory_policy *ret_policy)
{
	EFI_CONFIGURATION_TABLE table = {
		.VendorGuid = { 0xeb66918a, 0x7eef, 0x402a, { 0x84, 0x2e, 0x93, 0x1d, 0x21, 0xc3, 0x8a, 0xe9 } },
		.VendorTable = properties,
	};
	const struct boot_plan plan = { .on_mismatch = on_mismatch };
	struct kexec_segment segment = { 0 };
	struct purgatory purgatory = small_purgatory(&segment, ret_policy);

	fake_firmware_start(NULL, 0);
	firmware_system_table->ConfigurationTable = &table;
	firmware_system_table->NumberOfTableEntries = properties ? 1 : 0;
	log_clear();
	expect_ok(last_stop_set_policy(&purgatory, &plan));
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
	assert_string_equal(policy_told(ON_MISMATCH_HALT, not_set_variable, &policy), "");
	assert_int_equal(policy.on_mismatch, ON_MISMATCH_HALT);
	assert_string_equal(policy_told(ON_MISMATCH_RESET, all, &policy), "");
	/* A table that is not there, or too short to say it. */
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
		cmocka_unit_test(reset_that_no_note_would_remember),
	};

	return run_named_tests(tests);
}
