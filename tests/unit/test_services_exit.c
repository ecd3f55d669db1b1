// SPDX-License-Identifier: BSD-2-Clause
/* The exit from firmware whose map changes, and that refuses, fails and lies. */
#include "efi/services/exit.h"

#include <signal.h>

#include "common/align.h"
#include "common/stop_note.h"
#include "common/vendor.h"
#include "tests/unit/fake_firmware.h"
#include "tests/unit/support.h"

static const struct efi_descriptor descriptors[] = {
	DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0, 0x100000),
	DESCRIPTOR(EFI_MEMTYPE_LOADER_DATA, 0x100000, 0x200000),
};

static uint8_t room[16 * PAGE_SIZE];

/* What the sink received. */
static unsigned maps;
static struct memory_map last_map;

/* The number of the map that the sink refuses; 0: none. */
static unsigned refused_map;

static enum kexec_status take_map(void *context, const struct memory_map *map, bool has_begun)
{
	assert_ptr_equal(context, room);
	assert_true(memmap_valid(map));
	assert_false(fake_firmware.has_exited);
	assert_int_equal(has_begun, maps != 0);
	maps++;
	last_map = *map;
	return maps == refused_map ? KEXEC_NO_MEMORY : KEXEC_OK;
}

static struct exit_request request = {
	.map_addr = (uintptr_t)room,
	.sink = take_map,
	.context = room,
	.takeover = { .idt = { 1, 2 }, .gdt = { 3, 4 }, .cr4_bits = 5 },
};

static enum kexec_status leave(uint64_t capacity)
{
	request.map_capacity = capacity;
	return exit_boot_services(&request);
}

/* From the first attempt on, nothing may be allocated. */
static void expect_nothing_allocated(void)
{
	assert_int_equal(fake_firmware.pool_calls, 0);
	assert_int_equal(fake_firmware.places_count, 0);
}

static void expect_exit(unsigned attempts)
{
	assert_true(fake_firmware.has_exited);
	assert_memory_equal(&fake_firmware.takeover, &request.takeover, sizeof(request.takeover));
	assert_int_equal(maps, attempts);
	assert_int_equal(fake_firmware.exit_calls, attempts);
	assert_int_equal(fake_firmware.map_calls, attempts);
	assert_ptr_equal(last_map.bytes, room);
	assert_int_equal(last_map.size, fake_firmware.map_count * 48);
	assert_int_equal(last_map.descriptor_size, 48);
	assert_int_equal(last_map.descriptor_version, 1);
	assert_string_equal(logged(), "");
	expect_nothing_allocated();
}

static void at_once(void **state)
{
	(void)state;
	fake_firmware_start(descriptors, 2);
	expect_ok(leave(sizeof(room)));
	expect_exit(1);
}

/* The sink received the map with which ExitBootServices succeeded. */
static void refused_while_the_map_grows(void **state)
{
	static const unsigned refusals[] = { 1, 2, 20, 63 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		maps = 0;
		fake_firmware_start(descriptors, 2);
		fake_firmware.exits_refused = refusals[i];
		fake_firmware.map_growth = 3;
		expect_ok(leave(sizeof(room)));
		expect_exit(refusals[i] + 1);
		assert_int_equal(fake_firmware.map_count, 2 + 3 * refusals[i]);
	}
}

static void map_fits_exactly(void **state)
{
	(void)state;
	fake_firmware_start(descriptors, 2);
	expect_ok(leave(2 * 48));
	expect_exit(1);
}

/* --- before the first attempt: an error --- */

static void expect_refusal_before(uint64_t capacity, enum kexec_status status, const char *message)
{
	expect_error(leave(capacity), status, message);
	assert_int_equal(fake_firmware.exit_calls, 0);
	assert_int_equal(maps, 0);
	expect_nothing_allocated();
}

static void map_larger_than_the_room(void **state)
{
	(void)state;
	fake_firmware_start(descriptors, 2);
	expect_refusal_before(2 * 48 - 1, KEXEC_IO,
			      "memory map: BUFFER_TOO_SMALL: there is room for 0x5f bytes, it says 0x60");
}

static void map_that_cannot_be_read(void **state)
{
	(void)state;
	fake_firmware_start(descriptors, 2);
	fake_firmware.map_status = EFI_INVALID_PARAMETER;
	expect_refusal_before(PAGE_SIZE, KEXEC_IO,
			      "memory map: INVALID_PARAMETER: there is room for 0x1000 bytes, it says 0x1000");
}

static void map_that_lies(void **state)
{
	(void)state;
	fake_firmware_start(descriptors, 2);
	fake_firmware.map_size_lie = PAGE_SIZE + 32;
	expect_refusal_before(PAGE_SIZE, KEXEC_IO,
			      "memory map: ABORTED: there is room for 0x1000 bytes, it says 0x1020");
	fake_firmware.map_size_lie = 0;
	fake_firmware.descriptor_size_lie = 32;
	expect_refusal_before(PAGE_SIZE, KEXEC_IO, "memory map: ABORTED: there is room for 0x1000 bytes, it says 0x60");
}

/* The sink has logged the reason. */
static void map_that_the_sink_refuses(void **state)
{
	(void)state;
	fake_firmware_start(descriptors, 2);
	refused_map = 1;
	assert_int_equal(leave(sizeof(room)), KEXEC_NO_MEMORY);
	assert_int_equal(fake_firmware.exit_calls, 0);
	assert_string_equal(logged(), "");
	expect_nothing_allocated();
}

/* --- after it: a note, and a reset or a halt --- */

/* Asserts the note that the next start will read. */
static void expect_note(uint64_t attempts, EFI_STATUS status, uint64_t map_size)
{
	static const uint16_t name[] = STOP_NOTE_NAME;
	static const EFI_GUID vendor = KEXEC_VENDOR_GUID;
	const struct fake_variable *variable = fake_variable_find(name, &vendor);
	struct stop_note note = { 0 };

	assert_non_null(variable);
	assert_int_equal(variable->size, STOP_NOTE_SIZE_MIN);
	assert_int_equal(variable->attributes, 7);
	memcpy(&note, variable->value, STOP_NOTE_SIZE_MIN);
	assert_int_equal(note.kind, STOP_EXIT);
	assert_int_equal(note.on_mismatch, request.on_failure);
	assert_int_equal(note.exit.attempts, attempts);
	assert_int_equal(note.exit.status, status);
	assert_int_equal(note.exit.map_size, map_size);
	assert_int_equal(note.exit.map_capacity, request.map_capacity);
}

static sigjmp_buf halted;

/* In a process, CLI raises this signal. */
static void on_privileged_instruction(int signal)
{
	(void)signal;
	siglongjmp(halted, 1);
}

/* Calls the exit, and returns when the machine was reset or halted. */
static void leave_for_ever(uint64_t capacity)
{
	struct sigaction action = { .sa_handler = on_privileged_instruction };

	assert_int_equal(sigaction(SIGSEGV, &action, NULL), 0);
	if (!setjmp(fake_firmware.reset) && !sigsetjmp(halted, 1))
		fail_msg("returned %d after the first attempt", leave(capacity));
	assert_false(fake_firmware.has_exited);
	/* The console may be gone, so nothing is logged. */
	assert_string_equal(logged(), "");
	assert_string_equal(fake_firmware.console, "");
	expect_nothing_allocated();
}

#define REFUSED_FOR_EVER "kexec: ExitBootServices: refused 64 times: INVALID_PARAMETER; "

static void refused_for_ever(void **state)
{
	(void)state;
	fake_firmware_start(descriptors, 2);
	fake_firmware.exits_refused = 64;
	leave_for_ever(sizeof(room));
	assert_false(fake_firmware.was_reset);
	assert_string_equal(fake_firmware.serial, REFUSED_FOR_EVER "halted\n");
	assert_int_equal(fake_firmware.exit_calls, 64);
	assert_int_equal(maps, 64);
	expect_note(64, EFI_INVALID_PARAMETER, 96);
}

static void refused_for_ever_where_the_entry_wants_a_reset(void **state)
{
	(void)state;
	fake_firmware_start(descriptors, 2);
	fake_firmware.exits_refused = 64;
	request.on_failure = ON_MISMATCH_RESET;
	leave_for_ever(sizeof(room));
	assert_true(fake_firmware.was_reset);
	assert_string_equal(fake_firmware.serial, REFUSED_FOR_EVER "resetting\n");
	expect_note(64, EFI_INVALID_PARAMETER, 96);
}

/* The note tells the next start which of several entries it was. */
static void note_of_an_entry_among_others(void **state)
{
	static const uint16_t name[] = STOP_NOTE_NAME;
	static const EFI_GUID vendor = KEXEC_VENDOR_GUID;
	const struct fake_variable *variable;

	(void)state;
	fake_firmware_start(descriptors, 2);
	fake_firmware.exits_refused = 64;
	request.entries = (struct stopped_entries){ { 5, 6 } };
	leave_for_ever(sizeof(room));
	variable = fake_variable_find(name, &vendor);
	assert_non_null(variable);
	assert_int_equal(variable->size, sizeof(struct stop_note));
	assert_memory_equal(variable->value + offsetof(struct stop_note, entries), &request.entries,
			    sizeof(request.entries));
}

/* A reset without a note could repeat for ever. */
static void no_reset_without_a_note(void **state)
{
	(void)state;
	fake_firmware_start(descriptors, 2);
	fake_firmware.exits_refused = 64;
	fake_firmware.set_status = EFI_OUT_OF_RESOURCES;
	request.on_failure = ON_MISMATCH_RESET;
	leave_for_ever(sizeof(room));
	assert_false(fake_firmware.was_reset);
	assert_string_equal(fake_firmware.serial,
			    "kexec: the firmware did not take a note of this\n" REFUSED_FOR_EVER "halted\n");
}

static void later_map_that_the_sink_refuses(void **state)
{
	(void)state;
	fake_firmware_start(descriptors, 2);
	fake_firmware.exits_refused = 10;
	refused_map = 3;
	leave_for_ever(sizeof(room));
	assert_string_equal(fake_firmware.serial, "kexec: ExitBootServices: refused 2 times: ABORTED; halted\n");
	assert_int_equal(fake_firmware.exit_calls, 2);
	expect_note(2, EFI_ABORTED, 96);
}

static void map_outgrows_the_room(void **state)
{
	(void)state;
	fake_firmware_start(descriptors, 2);
	fake_firmware.exits_refused = 10;
	fake_firmware.map_growth = 5;
	leave_for_ever(10 * 48);
	assert_string_equal(fake_firmware.serial,
			    "kexec: memory map: expected at most 0x1e0 bytes, found 0x240; halted\n");
	assert_int_equal(fake_firmware.exit_calls, 2);
	expect_note(2, EFI_BUFFER_TOO_SMALL, 0x240);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_once),
		cmocka_unit_test(refused_while_the_map_grows),
		cmocka_unit_test(map_fits_exactly),
		cmocka_unit_test(map_larger_than_the_room),
		cmocka_unit_test(map_that_cannot_be_read),
		cmocka_unit_test(map_that_lies),
		cmocka_unit_test(map_that_the_sink_refuses),
		cmocka_unit_test(later_map_that_the_sink_refuses),
		cmocka_unit_test(refused_for_ever),
		cmocka_unit_test(refused_for_ever_where_the_entry_wants_a_reset),
		cmocka_unit_test(note_of_an_entry_among_others),
		cmocka_unit_test(no_reset_without_a_note),
		cmocka_unit_test(map_outgrows_the_room),
	};

	return run_named_tests(tests);
}
