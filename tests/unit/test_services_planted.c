// SPDX-License-Identifier: BSD-2-Clause
/* Planted variables among others, and firmware that keeps them or cannot list its variables. */
#include "efi/trust/planted.h"

#include <stdio.h>

#include "common/align.h"
#include "common/vendor.h"
#include "efi/services/firmware.h"
#include "efi/trust/shim.h"
#include "tests/unit/fake_firmware.h"
#include "tests/unit/support.h"

#define A_LOADERS 6
#define PLANTED 7
#define AUTHENTICATED 0x27

static const EFI_GUID loader = LOADER_VENDOR_GUID;
static const EFI_GUID own = KEXEC_VENDOR_GUID;
static const EFI_GUID other = { 1, 2, 3, { 4 } };

/* Every name that a loader or a stub has ever set, and two unknown names. */
static const CHAR16 reports[][26] = {
	L"LoaderBootCountPath",
	L"LoaderDeviceIdentifier",
	L"LoaderDevicePartUUID",
	L"LoaderDeviceURL",
	L"LoaderEntries",
	L"LoaderEntrySelected",
	L"LoaderFeatures",
	L"LoaderFirmwareInfo",
	L"LoaderFirmwareType",
	L"LoaderImageIdentifier",
	L"LoaderInfo",
	L"LoaderKeyboardLayout",
	L"LoaderRandomSeed",
	L"LoaderSysFailReason",
	L"LoaderTimeExecUSec",
	L"LoaderTimeInitUSec",
	L"LoaderTimeMenuUSec",
	L"LoaderTpm2ActivePcrBanks",
	L"StubDevicePartUUID",
	L"StubDeviceURL",
	L"StubFeatures",
	L"StubImageIdentifier",
	L"StubInfo",
	L"StubPcrInitRDConfExts",
	L"StubPcrInitRDSysExts",
	L"StubPcrKernelImage",
	L"StubPcrKernelParameters",
	L"StubProfile",
	L"LoaderOfTomorrow",
	L"StubOfTomorrow",
};

#define KNOWN_COUNT (ARRAY_SIZE(reports) - 2)

/* Variables that belong to the operating system. */
static const CHAR16 settings[][27] = {
	L"LoaderConfigConsoleMode", L"LoaderConfigTimeout",   L"LoaderConfigTimeoutOneShot",
	L"LoaderEntryDefault",	    L"LoaderEntryLastBooted", L"LoaderEntryOneShot",
	L"LoaderEntryPreferred",    L"LoaderEntrySysFail",    L"LoaderSystemToken",
};

static void leave(const CHAR16 *name, uint32_t attributes)
{
	fake_variable_leave_text(name, &loader, attributes, "planted");
}

static bool is_there(const CHAR16 *name)
{
	return fake_variable_find(name, &loader) != NULL;
}

static void leave_all(uint32_t attributes)
{
	for (size_t i = 0; i < ARRAY_SIZE(reports); i++)
		leave(reports[i], attributes);
	fake_variable_leave_text(KEXEC_LOG_NAME, &own, attributes, "planted");
}

static size_t count_reports(void)
{
	size_t count = fake_variable_find(KEXEC_LOG_NAME, &own) ? 1 : 0;

	for (size_t i = 0; i < ARRAY_SIZE(reports); i++)
		count += is_there(reports[i]);
	return count;
}

static void leave_what_stays(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		leave(settings[i], PLANTED);
	fake_variable_leave_text(L"LoaderInfo", &other, PLANTED, "another vendor's");
	fake_variable_leave_text(L"KexecLogs", &own, PLANTED, "another name");
	fake_variable_leave_text(L"KexecMismatch", &own, PLANTED, "the purgatory's");
	fake_variable_leave_text(L"BootOrder", &other, PLANTED, "the firmware's");
}

#define STAYS_COUNT (ARRAY_SIZE(settings) + 4)

/* Each form that no loader uses, at each place in the list. */
static void all_are_deleted_and_nothing_else(void **state)
{
	static const uint32_t forms[] = { 1, 2, 3, 4, 5, 7, 0xe, 0x46 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		fake_firmware_start(NULL, 0);
		log_clear();
		if (i % 2)
			leave_what_stays();
		leave_all(forms[i]);
		if (!(i % 2))
			leave_what_stays();
		planted_delete();
		assert_int_equal(count_reports(), 0);
		assert_int_equal(fake_firmware.variable_count, STAYS_COUNT);
		assert_int_equal(fake_firmware.pool_held, 0);
	}
}

static void what_a_loader_has_set_stays(void **state)
{
	(void)state;
	fake_firmware_start(NULL, 0);
	leave_all(A_LOADERS);
	leave_what_stays();
	planted_delete();
	assert_int_equal(count_reports(), ARRAY_SIZE(reports) + 1);
	assert_int_equal(fake_firmware.set_calls, 0);
	assert_string_equal(logged(), "");
}

static void what_is_deleted_is_named(void **state)
{
	(void)state;
	fake_firmware_start(NULL, 0);
	leave(L"LoaderDevicePartUUID", PLANTED);
	leave(L"LoaderInfo", A_LOADERS);
	leave(L"Stub\x1b[2J", 2);
	planted_delete();
	assert_string_equal(logged(), "warning: boot loader interface: expected attributes 0x6, found "
				      "LoaderDevicePartUUID 0x7, Stub?[2J 0x2: deleted\n");
}

/* The message is cut if there are many. */
static void message_is_cut(void **state)
{
	(void)state;
	fake_firmware_start(NULL, 0);
	leave_all(PLANTED);
	planted_delete();
	assert_int_equal(count_reports(), 0);
	assert_in_range(strlen(logged()), 400, 520);
	assert_non_null(strstr(logged(), " 0x7 and more: deleted\n"));
}

static const struct boot_plan unsealed = { .said_by = "entry" };
static const struct boot_plan sealed = { .said_by = "entry", .kernel = { .trust = TRUST_IMAGE } };
static const struct boot_plan sealed_by_digest = {
	.said_by = "entry", .kernel = { .trust = TRUST_DIGEST, .fsverity = { .is_known = true } }
};
static const struct boot_plan signature_required = { .said_by = "entry", .require_signature = true };

#define KEPT "found LoaderInfo 0x27"

static void expect_refusal(const struct boot_plan *plan, const char *part)
{
	log_clear();
	expect_error(planted_check(plan), KEXEC_DENIED, part);
}

static void one_that_stays_ends_the_boots_that_rely_on_trust(void **state)
{
	(void)state;
	fake_firmware_start(NULL, 0);
	leave(L"LoaderEntries", PLANTED);
	leave(L"LoaderInfo", AUTHENTICATED);
	leave(L"StubInfo", PLANTED);
	planted_delete();
	assert_int_equal(count_reports(), 1);
	assert_string_equal(logged(), "warning: boot loader interface: expected attributes 0x6, found LoaderEntries "
				      "0x7, StubInfo 0x7: deleted\n"
				      "warning: boot loader interface: expected attributes 0x6, " KEPT
				      ": the firmware keeps them: SECURITY_VIOLATION\n");
	expect_ok(planted_check(&unsealed));
	expect_refusal(&sealed, KEPT);
	expect_refusal(&sealed_by_digest, KEPT);
	expect_refusal(&signature_required, KEPT);
}

static void expect_all_plans_boot(void)
{
	expect_ok(planted_check(&unsealed));
	expect_ok(planted_check(&sealed));
	expect_ok(planted_check(&sealed_by_digest));
	expect_ok(planted_check(&signature_required));
}

static void what_was_deleted_is_no_reason(void **state)
{
	(void)state;
	fake_firmware_start(NULL, 0);
	expect_all_plans_boot();
	leave(L"LoaderInfo", PLANTED);
	planted_delete();
	expect_all_plans_boot();
}

/* Linux does not see it. */
static void one_that_stays_for_boot_services_alone(void **state)
{
	(void)state;
	fake_firmware_start(NULL, 0);
	leave(L"LoaderInfo", AUTHENTICATED & ~EFI_VARIABLE_RUNTIME_ACCESS);
	planted_delete();
	assert_int_equal(count_reports(), 1);
	assert_string_equal(logged(), "");
	expect_all_plans_boot();
}

/* Its attributes cannot be read, so it does not count as a loader's. */
static void one_that_cannot_be_read(void **state)
{
	(void)state;
	fake_firmware_start(NULL, 0);
	leave(L"LoaderInfo", A_LOADERS);
	fake_variable_find(L"LoaderInfo", &loader)->read_status = EFI_DEVICE_ERROR;
	fake_firmware.keeps_variables = true;
	planted_delete();
	expect_refusal(&sealed, "found LoaderInfo 0x0");
	fake_firmware_start(NULL, 0);
	leave(L"LoaderInfo", A_LOADERS);
	fake_variable_find(L"LoaderInfo", &loader)->read_status = EFI_DEVICE_ERROR;
	planted_delete();
	assert_int_equal(count_reports(), 0);
}

/* --- firmware that does not list its variables --- */

/* The loader asks for the known names, and for the log. It cannot find other variables, which stay. */
static void expect_known_deleted(void)
{
	size_t before = fake_firmware.variable_count;

	planted_delete();
	assert_int_equal(count_reports(), 2);
	assert_int_equal(fake_firmware.variable_count, before - KNOWN_COUNT - 1);
	assert_int_equal(fake_firmware.pool_held, 0);
}

static void start_with_what_is_not_listed(void)
{
	fake_firmware_start(NULL, 0);
	leave_what_stays();
	leave_all(PLANTED);
}

static void list_that_fails(void **state)
{
	(void)state;
	start_with_what_is_not_listed();
	fake_firmware.list_status = EFI_DEVICE_ERROR;
	fake_firmware.list_fails_at = 3;
	expect_known_deleted();
	start_with_what_is_not_listed();
	fake_firmware.list_status = EFI_UNSUPPORTED;
	fake_firmware.list_fails_at = 1;
	expect_known_deleted();
}

static void list_without_memory(void **state)
{
	(void)state;
	start_with_what_is_not_listed();
	fake_firmware.pool_fails_at = 1;
	expect_known_deleted();
}

static void name_that_never_ends(void **state)
{
	(void)state;
	start_with_what_is_not_listed();
	fake_firmware.lists_without_a_nul = true;
	expect_known_deleted();
}

static void list_that_never_ends(void **state)
{
	(void)state;
	fake_firmware_start(NULL, 0);
	leave_what_stays();
	leave(L"LoaderInfo", PLANTED);
	fake_firmware.lists_for_ever = true;
	planted_delete();
	assert_int_equal(count_reports(), 0);
	assert_in_range(fake_firmware.list_calls, 1000, 10000);
}

/* It must not hide the variables that are listed behind it. */
static void long_name_of_any_vendor(void **state)
{
	static CHAR16 name[FAKE_NAME_UNITS];

	(void)state;
	fake_firmware_start(NULL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(name) - 1; i++)
		name[i] = 'x';
	leave(L"LoaderInfo", PLANTED);
	fake_variable_leave_text(name, &other, PLANTED, "long");
	leave(L"LoaderOfTomorrow", PLANTED);
	planted_delete();
	assert_int_equal(count_reports(), 0);
	assert_int_equal(fake_firmware.variable_count, 1);
	assert_int_equal(fake_firmware.pool_calls, 2);
	assert_int_equal(fake_firmware.pool_held, 0);
}

static void long_name_and_no_memory(void **state)
{
	static CHAR16 name[FAKE_NAME_UNITS];

	(void)state;
	fake_firmware_start(NULL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(name) - 1; i++)
		name[i] = 'x';
	fake_variable_leave_text(name, &other, PLANTED, "long");
	leave_all(PLANTED);
	fake_firmware.pool_fails_at = 2;
	expect_known_deleted();
}

/* Shim's own variables stay, and those in which the machine's owner keeps settings for shim. */
static void keys_that_are_not_from_shim(void **state)
{
	static const CHAR16 planted[][18] = { L"MokListRT", L"MokListRT1", L"MokListXRT23", L"MokIgnoreDB",
					      L"MokSBStateRT" };
	static const CHAR16 kept[][18] = { L"MokList", L"MokSBState", L"MokListRTx", L"MokNew", L"SbatLevel" };
	static const EFI_GUID shim = SHIM_LOCK_GUID;

	(void)state;
	for (int lists = 0; lists < 2; lists++) {
		fake_firmware_start(NULL, 0);
		if (!lists)
			fake_firmware.list_status = EFI_DEVICE_ERROR;
		fake_firmware.list_fails_at = !lists;
		for (size_t i = 0; i < ARRAY_SIZE(planted); i++)
			fake_variable_leave_text(planted[i], &shim, PLANTED, "a key");
		for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
			fake_variable_leave_text(kept[i], &shim, PLANTED, "a setting");
		fake_variable_leave_text(L"SbatLevelRT", &shim, A_LOADERS, "shim's");
		planted_delete();
		/* Names with a number are found only by listing. */
		for (size_t i = 0; i < ARRAY_SIZE(planted); i++)
			assert_int_equal(fake_variable_find(planted[i], &shim) != NULL, !lists && (i == 1 || i == 2));
		for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
			assert_non_null(fake_variable_find(kept[i], &shim));
		assert_non_null(fake_variable_find(L"SbatLevelRT", &shim));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_deleted_and_nothing_else),
		cmocka_unit_test(what_a_loader_has_set_stays),
		cmocka_unit_test(what_is_deleted_is_named),
		cmocka_unit_test(keys_that_are_not_from_shim),
		cmocka_unit_test(message_is_cut),
		cmocka_unit_test(one_that_stays_ends_the_boots_that_rely_on_trust),
		cmocka_unit_test(what_was_deleted_is_no_reason),
		cmocka_unit_test(one_that_stays_for_boot_services_alone),
		cmocka_unit_test(one_that_cannot_be_read),
		cmocka_unit_test(list_that_fails),
		cmocka_unit_test(list_without_memory),
		cmocka_unit_test(name_that_never_ends),
		cmocka_unit_test(list_that_never_ends),
		cmocka_unit_test(long_name_of_any_vendor),
		cmocka_unit_test(long_name_and_no_memory),
	};

	return run_named_tests(tests);
}
