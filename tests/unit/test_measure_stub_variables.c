// SPDX-License-Identifier: BSD-2-Clause
/*
 * The variables that tell systemd about the registers: for complete groups, and with firmware that stores no variables.
 */
#include "efi/measure/stub_variables.h"

#include "common/vendor.h"
#include "efi/measure/events.h"
#include "tests/unit/fake_firmware.h"
#include "tests/unit/support.h"

#define ATTRIBUTES (EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)

static const EFI_GUID loader = LOADER_VENDOR_GUID;
static bool complete[EVENT_GROUPS];

/* Replaces events.c. */
bool events_are_complete(enum event_group group)
{
	return complete[group];
}

static void start(bool image, bool parameters, bool sysexts, bool confexts)
{
	fake_firmware_start(NULL, 0);
	log_clear();
	complete[EVENTS_OF_IMAGE] = image;
	complete[EVENTS_OF_PARAMETERS] = parameters;
	complete[EVENTS_OF_SYSEXTS] = sysexts;
	complete[EVENTS_OF_CONFEXTS] = confexts;
}

/* `value` is decimal. It is compared in UTF-16 with a NUL. NULL: the variable must not exist. */
static void expect(const CHAR16 *name, const char *value)
{
	const struct fake_variable *variable = fake_variable_find(name, &loader);

	if (!value) {
		assert_null(variable);
		return;
	}
	assert_non_null(variable);
	assert_int_equal(variable->attributes, ATTRIBUTES);
	assert_int_equal(variable->size, 6);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(variable->value[2 * i], value[i]);
		assert_int_equal(variable->value[2 * i + 1], 0);
	}
}

static void all_groups(void **state)
{
	(void)state;
	start(true, true, true, true);
	stub_variables_set();
	expect(L"StubPcrKernelImage", "11");
	expect(L"StubPcrKernelParameters", "12");
	expect(L"StubPcrInitRDSysExts", "13");
	expect(L"StubPcrInitRDConfExts", "12");
	stub_variables_delete();
	assert_int_equal(fake_firmware.variable_count, 0);
	assert_string_equal(logged(), "");
}

/* Variables that an earlier boot has left since power-on are wrong for this one. */
static void groups_that_are_not_complete(void **state)
{
	(void)state;
	start(true, false, false, false);
	fake_variable_leave_text(L"StubPcrKernelParameters", &loader, ATTRIBUTES, "12");
	fake_variable_leave_text(L"StubPcrKernelImage", &loader, ATTRIBUTES, "99");
	stub_variables_set();
	expect(L"StubPcrKernelImage", "11");
	expect(L"StubPcrKernelParameters", NULL);
	expect(L"StubPcrInitRDSysExts", NULL);
	assert_string_equal(logged(), "");
}

/* A boot of a plain kernel needs no such variables; for a unified image there is a warning. */
static void firmware_that_takes_no_variables(void **state)
{
	(void)state;
	start(false, false, false, false);
	fake_firmware.set_status = EFI_UNSUPPORTED;
	stub_variables_set();
	assert_int_equal(fake_firmware.set_calls, 0);
	assert_string_equal(logged(), "");
	start(true, false, false, false);
	fake_firmware.set_status = EFI_OUT_OF_RESOURCES;
	stub_variables_set();
	assert_string_equal(logged(), "warning: systemd is not told what was measured: the firmware does not take "
				      "variables: OUT_OF_RESOURCES\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_groups),
		cmocka_unit_test(groups_that_are_not_complete),
		cmocka_unit_test(firmware_that_takes_no_variables),
	};

	return run_named_tests(tests);
}
