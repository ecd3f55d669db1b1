// SPDX-License-Identifier: BSD-2-Clause
/*
 * The state of Secure Boot for loader and Linux: each state of the variables is a row, with all its consequences. Then
 * the program that the loader asks about a kernel, and the plans that boot.
 */
#include "efi/trust/secureboot.h"

#include "common/align.h"
#include "efi/services/firmware.h"
#include "efi/trust/shim.h"
#include "efi/trust/verify.h"
#include "tests/unit/fake_firmware.h"
#include "tests/unit/support.h"

static const EFI_GUID global = EFI_GLOBAL_VARIABLE;
static const EFI_GUID shim = SHIM_LOCK_GUID;

/* --- firmware and shim, and their answers --- */

enum asked { NOBODY, FIRMWARE, SHIM };

static bool has_shim;
static bool has_old_shim;
static EFI_STATUS answer;
static enum asked asked;

static EFI_STATUS EFIAPI load_image(BOOLEAN policy, EFI_HANDLE parent, EFI_DEVICE_PATH *path, VOID *source, UINTN size,
				    EFI_HANDLE *ret_handle)
{
	(void)policy;
	(void)parent;
	(void)path;
	(void)source;
	(void)size;
	(void)ret_handle;
	asked = FIRMWARE;
	return answer;
}

static EFI_STATUS EFIAPI shim_load_image(BOOLEAN policy, EFI_HANDLE parent, EFI_DEVICE_PATH *path, VOID *source,
					 UINTN size, EFI_HANDLE *ret_handle)
{
	load_image(policy, parent, path, source, size, ret_handle);
	asked = SHIM;
	return answer;
}

static EFI_STATUS verify(const void *bytes, uint32_t size)
{
	(void)bytes;
	(void)size;
	asked = SHIM;
	return answer;
}

static EFI_STATUS EFIAPI locate_protocol(EFI_GUID *guid, VOID *registration, VOID **ret_interface)
{
	static struct shim_image_loader loader = { .load = shim_load_image };
	static struct shim_lock lock = { .verify = verify };
	EFI_GUID loader_guid = SHIM_IMAGE_LOADER_GUID;

	(void)registration;
	if (has_shim && memcmp(guid, &loader_guid, sizeof(*guid)) == 0)
		*ret_interface = &loader;
	else if (has_old_shim && memcmp(guid, &shim, sizeof(*guid)) == 0)
		*ret_interface = &lock;
	else
		return EFI_NOT_FOUND;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_watchdog_timer(UINTN seconds, UINT64 code, UINTN size, CHAR16 *text)
{
	(void)seconds;
	(void)code;
	(void)size;
	(void)text;
	return EFI_SUCCESS;
}

static void start(void)
{
	fake_firmware_start(NULL, 0);
	firmware_boot_services->LocateProtocol = locate_protocol;
	firmware_boot_services->LoadImage = load_image;
	firmware_boot_services->SetWatchdogTimer = set_watchdog_timer;
	has_shim = false;
	has_old_shim = false;
	answer = EFI_SUCCESS;
	asked = NOBODY;
	log_clear();
}

/* --- variables --- */

#define FIRMWARES 6 /* BS, RT: the firmware's own */
#define PLANTED 7   /* and NV: written by an operating system */

/* A variable of one or two bytes. Without attributes it does not exist. */
struct cell {
	uint32_t attributes;
	size_t size;
	uint8_t value[2];
	EFI_STATUS read_status;
};

#define ABSENT                                                                                                         \
	{                                                                                                              \
		0                                                                                                      \
	}
#define BYTE(attributes_, value_)                                                                                      \
	{                                                                                                              \
		.attributes = (attributes_), .size = 1, .value = {(value_) }                                           \
	}
#define TWO_ZEROS(attributes_)                                                                                         \
	{                                                                                                              \
		.attributes = (attributes_), .size = 2                                                                 \
	}
#define UNREADABLE                                                                                                     \
	{                                                                                                              \
		.attributes = FIRMWARES, .size = 1, .read_status = EFI_DEVICE_ERROR                                    \
	}

static void leave(const CHAR16 *name, const EFI_GUID *vendor, const struct cell *cell)
{
	if (cell->attributes)
		fake_variable_leave(name, vendor, cell->attributes, cell->value, cell->size)->read_status =
			cell->read_status;
}

/* The firmware's two variables, and the consequences. */
struct row {
	struct cell secure_boot;
	struct cell setup_mode;
	bool may_be_on;
	bool is_on;
	enum secure_boot_mode mode;
};

#define OFF false, false, SECURE_BOOT_DISABLED
#define ON true, true, SECURE_BOOT_ENABLED
#define IS_UNKNOWN true, false, SECURE_BOOT_UNKNOWN

static const struct row rows[] = {
	{ ABSENT, ABSENT, OFF },
	{ ABSENT, BYTE(FIRMWARES, 0), OFF },
	{ ABSENT, BYTE(PLANTED, 0), OFF },
	{ BYTE(FIRMWARES, 0), BYTE(FIRMWARES, 0), OFF },
	{ BYTE(FIRMWARES, 0), BYTE(FIRMWARES, 1), OFF },
	{ BYTE(FIRMWARES, 1), BYTE(FIRMWARES, 1), OFF },
	{ BYTE(FIRMWARES, 1), BYTE(FIRMWARES, 0), ON },
	/* Authenticated, and volatile like the firmware's own: no operating system can have written it. */
	{ BYTE(FIRMWARES | 0x20, 1), BYTE(FIRMWARES | 0x10, 0), ON },
	/* Planted: either variable, either value. */
	{ BYTE(PLANTED, 1), BYTE(PLANTED, 0), IS_UNKNOWN },
	{ BYTE(PLANTED, 1), ABSENT, IS_UNKNOWN },
	{ BYTE(PLANTED, 0), BYTE(PLANTED, 0), IS_UNKNOWN },
	{ BYTE(PLANTED, 0), BYTE(FIRMWARES, 0), IS_UNKNOWN },
	{ BYTE(PLANTED, 0), BYTE(FIRMWARES, 1), IS_UNKNOWN },
	{ BYTE(PLANTED, 1), BYTE(FIRMWARES, 0), IS_UNKNOWN },
	{ BYTE(FIRMWARES, 1), BYTE(PLANTED, 0), IS_UNKNOWN },
	{ BYTE(FIRMWARES, 1), BYTE(PLANTED, 1), IS_UNKNOWN },
	{ BYTE(PLANTED | 0x20, 1), BYTE(PLANTED | 0x20, 0), IS_UNKNOWN },
	{ BYTE(2, 1), BYTE(2, 0), IS_UNKNOWN },
	{ BYTE(4, 1), BYTE(FIRMWARES, 0), IS_UNKNOWN },
	{ BYTE(3, 1), BYTE(FIRMWARES, 0), IS_UNKNOWN },
	/* A wrong size. */
	{ TWO_ZEROS(FIRMWARES), BYTE(FIRMWARES, 0), IS_UNKNOWN },
	{ TWO_ZEROS(PLANTED), ABSENT, IS_UNKNOWN },
	{ BYTE(FIRMWARES, 1), TWO_ZEROS(FIRMWARES), IS_UNKNOWN },
	{ BYTE(FIRMWARES, 0), TWO_ZEROS(FIRMWARES), IS_UNKNOWN },
	/* Reserved values. */
	{ BYTE(FIRMWARES, 2), BYTE(FIRMWARES, 0), IS_UNKNOWN },
	{ BYTE(FIRMWARES, 255), BYTE(FIRMWARES, 0), IS_UNKNOWN },
	{ BYTE(FIRMWARES, 1), BYTE(FIRMWARES, 2), IS_UNKNOWN },
	/* Unreadable. */
	{ UNREADABLE, BYTE(FIRMWARES, 0), IS_UNKNOWN },
	{ BYTE(FIRMWARES, 1), UNREADABLE, IS_UNKNOWN },
	{ BYTE(FIRMWARES, 0), UNREADABLE, IS_UNKNOWN },
	{ BYTE(FIRMWARES, 1), ABSENT, IS_UNKNOWN },
	{ BYTE(FIRMWARES, 0), ABSENT, IS_UNKNOWN },
};

static void leave_row(const struct row *row)
{
	leave(L"SecureBoot", &global, &row->secure_boot);
	leave(L"SetupMode", &global, &row->setup_mode);
}

static void each_state(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start();
		leave_row(&rows[i]);
		if (secure_boot_may_be_on() != rows[i].may_be_on || secure_boot_is_on() != rows[i].is_on ||
		    secure_boot_mode() != rows[i].mode)
			fail_msg("row %zu: found %d %d %d", i, secure_boot_may_be_on(), secure_boot_is_on(),
				 secure_boot_mode());
	}
}

static const char *explained(const struct cell *secure_boot, const struct cell *setup_mode)
{
	static char text[SECURE_BOOT_EXPLANATION_SIZE];

	start();
	leave(L"SecureBoot", &global, secure_boot);
	leave(L"SetupMode", &global, setup_mode);
	secure_boot_explain(text);
	return text;
}

static void explanations(void **state)
{
	static const struct cell absent;
	static const struct cell on = BYTE(FIRMWARES, 1);
	static const struct cell off = BYTE(FIRMWARES, 0);
	static const struct cell planted = BYTE(PLANTED, 1);
	static const struct cell two = TWO_ZEROS(FIRMWARES);
	static const struct cell reserved = BYTE(FIRMWARES, 2);
	static const struct cell unreadable = UNREADABLE;

	(void)state;
	assert_string_equal(explained(&on, &reserved), "found it unknown: SetupMode: expected 0 or 1, found 2");
	assert_string_equal(explained(&absent, &absent), "found it off");
	assert_string_equal(explained(&on, &off), "found it on");
	assert_string_equal(explained(&planted, &absent),
			    "found it unknown: SecureBoot: expected attributes 0x6 and none "
			    "of 0x1, found 0x7");
	assert_string_equal(explained(&two, &off), "found it unknown: SecureBoot: expected 1 bytes, found 2");
	assert_string_equal(explained(&on, &absent), "found it unknown: SetupMode: expected a value, found NOT_FOUND");
	assert_string_equal(explained(&unreadable, &off),
			    "found it unknown: SecureBoot: expected a value, found DEVICE_ERROR");
	assert_string_equal(explained(&reserved, &off), "found it unknown: SecureBoot: expected 0 or 1, found 2");
}

/* --- shim --- */

/* Shim's two variables with Secure Boot on, and the consequences if an old shim is present. */
static const struct {
	struct cell copy;
	struct cell own;
	bool judges;
	enum secure_boot_mode mode;
} shim_rows[] = {
	{ ABSENT, ABSENT, true, SECURE_BOOT_ENABLED },
	{ BYTE(6, 0), ABSENT, true, SECURE_BOOT_ENABLED },
	{ BYTE(6, 1), ABSENT, false, SECURE_BOOT_DISABLED },
	/* A copy counts if there is one. */
	{ BYTE(6, 0), BYTE(3, 1), true, SECURE_BOOT_ENABLED },
	{ BYTE(6, 1), BYTE(3, 0), false, SECURE_BOOT_DISABLED },
	/* Without a copy by shim, shim's own variable counts. */
	{ ABSENT, BYTE(3, 1), false, SECURE_BOOT_DISABLED },
	{ ABSENT, BYTE(3, 0), true, SECURE_BOOT_ENABLED },
	{ BYTE(7, 1), ABSENT, true, SECURE_BOOT_ENABLED },
	{ BYTE(7, 0), BYTE(3, 1), false, SECURE_BOOT_DISABLED },
	{ BYTE(2, 1), ABSENT, true, SECURE_BOOT_ENABLED },
	/* Do not count: an operating system could have written them, or they are not stored. */
	{ ABSENT, BYTE(7, 1), true, SECURE_BOOT_ENABLED },
	{ ABSENT, BYTE(6, 1), true, SECURE_BOOT_ENABLED },
	{ ABSENT, BYTE(2, 1), true, SECURE_BOOT_ENABLED },
	{ ABSENT, BYTE(0x27, 1), true, SECURE_BOOT_ENABLED },
	/* Unknown: the loader does not rely on shim, and does not tell Linux that Secure Boot is off. */
	{ UNREADABLE, ABSENT, false, SECURE_BOOT_ENABLED },
	{ TWO_ZEROS(6), ABSENT, false, SECURE_BOOT_ENABLED },
	{ BYTE(6, 2), ABSENT, false, SECURE_BOOT_ENABLED },
	{ ABSENT, TWO_ZEROS(3), false, SECURE_BOOT_ENABLED },
	{ ABSENT, BYTE(3, 255), false, SECURE_BOOT_ENABLED },
};

static void leave_on(void)
{
	static const struct cell on = BYTE(FIRMWARES, 1);
	static const struct cell off = BYTE(FIRMWARES, 0);

	leave(L"SecureBoot", &global, &on);
	leave(L"SetupMode", &global, &off);
}

static void shims_validation(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shim_rows); i++) {
		start();
		has_old_shim = true;
		leave_on();
		leave(L"MokSBStateRT", &shim, &shim_rows[i].copy);
		leave(L"MokSBState", &shim, &shim_rows[i].own);
		if (secure_boot_shim_judges() != shim_rows[i].judges || secure_boot_mode() != shim_rows[i].mode)
			fail_msg("row %zu: found %d %d", i, secure_boot_shim_judges(), secure_boot_mode());
		assert_true(secure_boot_may_be_on());
		assert_true(secure_boot_is_on());
	}
}

/* Without shim, its variables do not count. */
static void state_without_a_shim(void **state)
{
	static const struct cell off = BYTE(3, 1);

	(void)state;
	start();
	leave_on();
	leave(L"MokSBState", &shim, &off);
	assert_int_equal(secure_boot_mode(), SECURE_BOOT_ENABLED);
	has_shim = true;
	assert_int_equal(secure_boot_mode(), SECURE_BOOT_DISABLED);
}

/* Shim considers only the values. */
static void shim_that_believes_it_on_or_off(void **state)
{
	static const struct {
		struct cell secure_boot;
		struct cell setup_mode;
		bool judges;
	} cases[] = {
		{ BYTE(PLANTED, 1), ABSENT, true },
		{ BYTE(PLANTED, 1), BYTE(PLANTED, 1), false },
		{ BYTE(PLANTED, 0), ABSENT, false },
		{ TWO_ZEROS(PLANTED), ABSENT, false },
		{ UNREADABLE, BYTE(FIRMWARES, 0), false },
		{ BYTE(FIRMWARES, 2), BYTE(FIRMWARES, 0), false },
		{ BYTE(FIRMWARES, 1), UNREADABLE, true },
		{ BYTE(FIRMWARES, 1), BYTE(FIRMWARES, 1), false },
		{ BYTE(FIRMWARES, 0), BYTE(FIRMWARES, 0), false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		start();
		has_old_shim = true;
		leave(L"SecureBoot", &global, &cases[i].secure_boot);
		leave(L"SetupMode", &global, &cases[i].setup_mode);
		assert_int_equal(secure_boot_shim_judges(), cases[i].judges);
	}
}

/* --- kernels --- */

static size_t nothing_to_cover(const struct kernel_plan *plan, struct file_range ret_ranges[KERNEL_SIGNED_RANGES_MAX])
{
	(void)plan;
	(void)ret_ranges;
	return 0;
}

static const struct kernel_format format = { .signed_ranges = nothing_to_cover };
static const uint8_t file[64];

static enum kexec_status check(enum trust trust, bool require, bool *ret_was_shown)
{
	struct boot_plan plan = { .said_by = "entry", .require_signature = require };
	struct kernel kernel = {
		.part = &plan.kernel, .plan = { .format = &format }, .file = file, .file_size = sizeof(file)
	};

	plan.kernel = (struct boot_part){ .name = "/vmlinuz", .trust = trust };
	asked = NOBODY;
	log_clear();
	return verify_kernel(&plan, &kernel, ret_was_shown);
}

#define REQUIRED "/vmlinuz: signature: required by entry: expected Secure Boot on, found it "

/* For each state: the plans that boot, and the result of a plan with `signature require`. */
static void plans_in_each_state(void **state)
{
	bool was_shown;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start();
		leave_row(&rows[i]);
		expect_ok(check(TRUST_PLATFORM, false, &was_shown));
		assert_int_equal(asked, rows[i].may_be_on ? FIRMWARE : NOBODY);
		assert_int_equal(was_shown, rows[i].may_be_on);
		assert_int_equal(strstr(logged(), "taken for on") != NULL, rows[i].may_be_on && !rows[i].is_on);
		expect_ok(check(TRUST_IMAGE, false, &was_shown));
		assert_int_equal(asked, NOBODY);
		if (rows[i].is_on) {
			expect_ok(check(TRUST_PLATFORM, true, &was_shown));
			expect_ok(check(TRUST_IMAGE, true, &was_shown));
			assert_int_equal(asked, FIRMWARE);
		} else {
			expect_error(check(TRUST_PLATFORM, true, &was_shown), KEXEC_DENIED, REQUIRED);
			expect_error(check(TRUST_IMAGE, true, &was_shown), KEXEC_DENIED, REQUIRED);
			assert_int_equal(asked, NOBODY);
		}
	}
}

/* In each state in which Secure Boot may be on, a kernel that nobody vouches for is refused. */
static void unsigned_kernel_in_each_state(void **state)
{
	bool was_shown;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum kexec_status expected = rows[i].may_be_on ? KEXEC_DENIED : KEXEC_OK;

		start();
		leave_row(&rows[i]);
		answer = EFI_SECURITY_VIOLATION;
		assert_int_equal(check(TRUST_PLATFORM, false, &was_shown), expected);
		assert_int_equal(check(TRUST_PLATFORM, true, &was_shown), KEXEC_DENIED);
		expect_ok(check(TRUST_IMAGE, false, &was_shown));
	}
}

static void who_is_asked(void **state)
{
	static const struct cell copy_off = BYTE(6, 1);
	static const struct cell own_off = BYTE(3, 1);
	bool was_shown;

	(void)state;
	start();
	leave_on();
	has_old_shim = true;
	expect_ok(check(TRUST_PLATFORM, false, &was_shown));
	assert_int_equal(asked, SHIM);
	has_shim = true;
	expect_ok(check(TRUST_PLATFORM, false, &was_shown));
	assert_int_equal(asked, SHIM);
	/* Shim would accept anything, because its validation is off. */
	leave(L"MokSBState", &shim, &own_off);
	expect_ok(check(TRUST_PLATFORM, false, &was_shown));
	assert_int_equal(asked, FIRMWARE);
	start();
	leave_on();
	has_old_shim = true;
	leave(L"MokSBStateRT", &shim, &copy_off);
	expect_ok(check(TRUST_PLATFORM, false, &was_shown));
	assert_int_equal(asked, FIRMWARE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state),
		cmocka_unit_test(explanations),
		cmocka_unit_test(shims_validation),
		cmocka_unit_test(state_without_a_shim),
		cmocka_unit_test(shim_that_believes_it_on_or_off),
		cmocka_unit_test(plans_in_each_state),
		cmocka_unit_test(unsigned_kernel_in_each_state),
		cmocka_unit_test(who_is_asked),
	};

	return run_named_tests(tests);
}
