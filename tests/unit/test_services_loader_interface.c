// SPDX-License-Identifier: BSD-2-Clause
/* The interface's variables with firmware that has some already, and with firmware that stores none. */
#include "efi/linux/loader_interface.h"

#include "boot/loader_info.h"
#include "common/align.h"
#include "common/vendor.h"
#include "efi/services/clock.h"
#include "efi/console/console.h"
#include "efi/services/firmware.h"
#include "tests/unit/fake_firmware.h"
#include "tests/unit/support.h"

/* --- replacements of clock and console --- */

static uint64_t now_usec;
static unsigned waited_seconds;

uint64_t clock_usec(void)
{
	return now_usec;
}

const CHAR16 *console_log(UINTN *ret_size)
{
	static const CHAR16 log[] = L"the log";

	*ret_size = sizeof(log) - sizeof(log[0]);
	return log;
}

void console_wait_for_key(unsigned seconds)
{
	waited_seconds += seconds;
}

/* --- variables --- */

static const EFI_GUID loader = LOADER_VENDOR_GUID;
static const EFI_GUID own = KEXEC_VENDOR_GUID;

#define VOLATILE_ATTRIBUTES (EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)

static const char *text_of(const struct fake_variable *variable)
{
	static char text[FAKE_VALUE_SIZE];

	if (!variable)
		return NULL;
	for (size_t i = 0; i < variable->size; i += 2)
		text[i / 2] = (char)variable->value[i];
	text[variable->size / 2] = '\0';
	return text;
}

/* The text of a variable, which must be as a loader leaves it. */
static const char *value_of(const CHAR16 *name)
{
	const struct fake_variable *variable = fake_variable_find(name, &loader);

	if (variable)
		assert_int_equal(variable->attributes, VOLATILE_ATTRIBUTES);
	return text_of(variable);
}

static const char *log_left(void)
{
	return text_of(fake_variable_find(L"KexecLog", &own));
}

static void leave(const CHAR16 *name, const char *value)
{
	fake_variable_leave_text(name, &loader, VOLATILE_ATTRIBUTES, value);
}

static void plant(const CHAR16 *name, const char *value)
{
	fake_variable_leave_text(name, &loader, VOLATILE_ATTRIBUTES | EFI_VARIABLE_NON_VOLATILE, value);
}

/* --- the caller --- */

static struct boot_plan plan = { .said_by = "load options" };

static EFI_LOADED_IMAGE parent = { .DeviceHandle = (EFI_HANDLE)3 };
static bool parent_is_on_a_volume;

/* A partition of a GPT, and the file \\k on it. */
static const uint8_t partition[] = {
	4, 1, 42, 0, 1, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, /* number, start, size */
	0, 1, 2,  3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 2, 2, 0x7f, 0xff, 4, 0,
};
static uint8_t file[] = { 4, 4, 10, 0, '\\', 0, 'k', 0, 0, 0, 0x7f, 0xff, 4, 0 };

/* Handle 2 is the parent, 3 the device that the parent came from, 5 a partition. */
static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **ret_interface)
{
	EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
	EFI_GUID volume_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	EFI_GUID path_guid = DEVICE_PATH_PROTOCOL;

	if (handle == (EFI_HANDLE)2 && memcmp(guid, &image_guid, sizeof(*guid)) == 0)
		*ret_interface = &parent;
	else if (handle == (EFI_HANDLE)3 && memcmp(guid, &volume_guid, sizeof(*guid)) == 0 && parent_is_on_a_volume)
		*ret_interface = &parent;
	else if (handle == (EFI_HANDLE)5 && memcmp(guid, &path_guid, sizeof(*guid)) == 0)
		*ret_interface = (VOID *)partition;
	else
		return EFI_UNSUPPORTED;
	return EFI_SUCCESS;
}

static EFI_LOADED_IMAGE image;

/* The firmware has no variables, and the image has no device. */
static void reset(void)
{
	fake_firmware_start(NULL, 0);
	image = (EFI_LOADED_IMAGE){ .ParentHandle = (EFI_HANDLE)2, .DeviceHandle = (EFI_HANDLE)4 };
}

static void come_from_a_partition(void)
{
	image.DeviceHandle = (EFI_HANDLE)5;
	image.FilePath = (EFI_DEVICE_PATH *)file;
}

/* The value of a variable with a number. */
static uint64_t bits_of(const CHAR16 *name)
{
	const struct fake_variable *variable = fake_variable_find(name, &loader);
	uint64_t bits;

	assert_non_null(variable);
	assert_int_equal(variable->attributes, VOLATILE_ATTRIBUTES);
	assert_int_equal(variable->size, sizeof(bits));
	memcpy(&bits, variable->value, sizeof(bits));
	return bits;
}

static void start(void)
{
	static CHAR16 vendor[] = L"Host";

	firmware_system_table->FirmwareVendor = vendor;
	firmware_system_table->FirmwareRevision = 0x00010005;
	firmware_system_table->Hdr.Revision = 0x00020046;
	firmware_boot_services->HandleProtocol = handle_protocol;
	now_usec = 1234;
	loader_interface_start(&image);
}

static void expect_no_stub(void)
{
	for (size_t i = 0; i < fake_firmware.variable_count; i++)
		assert_int_not_equal(fake_firmware.variables[i].name[0], 'S');
}

static void what_the_first_loader_sets(void **state)
{
	(void)state;
	reset();
	start();
	assert_string_equal(value_of(L"LoaderInfo"), "kexec-efi " KEXEC_EFI_VERSION);
	assert_string_equal(value_of(L"LoaderFirmwareInfo"), "Host 1.05");
	assert_string_equal(value_of(L"LoaderFirmwareType"), "UEFI 2.70");
	assert_string_equal(value_of(L"LoaderTimeInitUSec"), "1234");
	assert_true(bits_of(L"LoaderFeatures") == LOADER_FEATURES);
	assert_null(log_left());
	assert_int_equal(fake_variable_find(L"LoaderTimeInitUSec", &loader)->size, 2 * sizeof("1234"));
	now_usec = 5678;
	loader_interface_finish(&plan, false);
	assert_string_equal(value_of(L"LoaderTimeExecUSec"), "5678");
	assert_string_equal(log_left(), "the log");
	assert_string_equal(logged(), "");
	expect_no_stub();
	assert_null(value_of(L"LoaderEntrySelected"));
}

static void entry_of_the_first_loader(void **state)
{
	(void)state;
	reset();
	leave(L"LoaderInfo", "kexec-efi 0.0");
	leave(L"LoaderEntrySelected", "last.conf");
	plan.said_by = "\\EFI\\kexec\\my.conf";
	plan.is_file = true;
	start();
	loader_interface_finish(&plan, false);
	assert_string_equal(value_of(L"LoaderEntrySelected"), "my.conf");
	/* The entry was not booted. */
	loader_interface_take_back();
	assert_null(value_of(L"LoaderEntrySelected"));
	/* The same start boots another entry. */
	plan.said_by = "/other.conf";
	loader_interface_finish(&plan, false);
	assert_string_equal(value_of(L"LoaderEntrySelected"), "other.conf");
	loader_interface_take_back();
	assert_true(loader_interface_failed(EFI_NOT_FOUND) == EFI_NOT_FOUND);
	assert_null(value_of(L"LoaderEntrySelected"));
	assert_string_equal(value_of(L"LoaderInfo"), "kexec-efi " KEXEC_EFI_VERSION);
}

/* The firmware has started us, but another image ran before and failed. */
static void in_place_of_an_images_stub(void **state)
{
	(void)state;
	reset();
	come_from_a_partition();
	leave(L"StubInfo", "systemd-stub 257");
	leave(L"StubFeatures", "x");
	plan.profile = 12;
	start();
	assert_string_equal(value_of(L"StubInfo"), "systemd-stub 257");
	loader_interface_finish(&plan, true);
	assert_string_equal(value_of(L"StubInfo"), "kexec-efi " KEXEC_EFI_VERSION);
	assert_true(bits_of(L"StubFeatures") == STUB_FEATURES);
	assert_string_equal(value_of(L"StubProfile"), "12");
	assert_string_equal(value_of(L"StubImageIdentifier"), "\\k");
	assert_string_equal(value_of(L"StubDevicePartUUID"), "03020100-0504-0706-0809-0a0b0c0d0e0f");
	assert_string_equal(value_of(L"LoaderImageIdentifier"), "\\k");
	loader_interface_take_back();
	assert_true(loader_interface_failed(EFI_NOT_FOUND) == EFI_NOT_FOUND);
	expect_no_stub();
	assert_string_equal(value_of(L"LoaderImageIdentifier"), "\\k");
	assert_string_equal(logged(), "");
}

/* If our own variable cannot be set, the earlier stub's must not stay. */
static void stub_that_came_from_nowhere(void **state)
{
	(void)state;
	reset();
	leave(L"StubImageIdentifier", "\\other");
	leave(L"StubDevicePartUUID", "other");
	leave(L"StubProfile", "1");
	start();
	loader_interface_finish(&plan, true);
	assert_null(value_of(L"StubImageIdentifier"));
	assert_null(value_of(L"StubDevicePartUUID"));
	assert_string_equal(value_of(L"StubProfile"), "0");
}

static void clock_that_does_not_tick(void **state)
{
	(void)state;
	reset();
	start();
	fake_firmware.variable_count = 0;
	now_usec = 0;
	loader_interface_finish(&plan, false);
	assert_null(value_of(L"LoaderTimeExecUSec"));
	assert_string_equal(log_left(), "the log");
}

static void what_another_loader_has_set_stays(void **state)
{
	(void)state;
	reset();
	leave(L"LoaderInfo", "systemd-boot 252");
	leave(L"LoaderTimeInitUSec", "7");
	leave(L"LoaderEntrySelected", "entry0.conf");
	start();
	assert_string_equal(value_of(L"LoaderInfo"), "systemd-boot 252");
	assert_string_equal(value_of(L"LoaderTimeInitUSec"), "7");
	assert_string_equal(value_of(L"LoaderFirmwareInfo"), "Host 1.05");
	assert_null(value_of(L"LoaderFeatures"));
	plan.said_by = "/my.conf";
	plan.is_file = true;
	leave(L"StubProfile", "1");
	loader_interface_finish(&plan, false);
	assert_string_equal(value_of(L"LoaderEntrySelected"), "entry0.conf");
	assert_string_equal(value_of(L"StubInfo"), "kexec-efi " KEXEC_EFI_VERSION);
	assert_true(bits_of(L"StubFeatures") == STUB_FEATURES);
	assert_null(value_of(L"StubProfile"));
	loader_interface_take_back();
	loader_interface_failed(EFI_NOT_FOUND);
	assert_string_equal(value_of(L"LoaderEntrySelected"), "entry0.conf");
}

/* A failed boot deletes only the values that we have set. */
static void entry_of_others_stays_after_a_failure(void **state)
{
	(void)state;
	reset();
	leave(L"LoaderEntrySelected", "entry0.conf");
	plan.said_by = "/my.conf";
	plan.is_file = true;
	start();
	loader_interface_finish(&plan, false);
	assert_string_equal(value_of(L"LoaderEntrySelected"), "entry0.conf");
	loader_interface_take_back();
	assert_string_equal(value_of(L"LoaderEntrySelected"), "entry0.conf");
}

static void what_a_start_of_ours_has_set_is_replaced(void **state)
{
	(void)state;
	reset();
	leave(L"LoaderInfo", "kexec-efi 0.0");
	leave(L"LoaderTimeInitUSec", "7");
	start();
	assert_string_equal(value_of(L"LoaderInfo"), "kexec-efi " KEXEC_EFI_VERSION);
	assert_string_equal(value_of(L"LoaderTimeInitUSec"), "1234");
	assert_null(value_of(L"StubInfo"));
}

/* One warning, however many variables the firmware does not store. */
static void firmware_that_takes_no_variables(void **state)
{
	(void)state;
	reset();
	fake_firmware.set_status = EFI_OUT_OF_RESOURCES;
	start();
	loader_interface_finish(&plan, false);
	assert_true(fake_firmware.set_calls > 4);
	assert_string_equal(logged(),
			    "warning: the firmware does not take variables: OUT_OF_RESOURCES; going on without\n");
}

static void after_a_failure(const char *info, uint32_t attributes, bool on_a_volume, EFI_STATUS expected)
{
	reset();
	waited_seconds = 0;
	log_clear();
	if (info)
		fake_variable_leave_text(L"LoaderInfo", &loader, attributes, info);
	parent_is_on_a_volume = on_a_volume;
	start();
	assert_true(loader_interface_failed(EFI_NOT_FOUND) == expected);
	assert_int_equal(waited_seconds, expected == EFI_SUCCESS ? 10 : 0);
}

/* Only systemd-boot, while it is still there, gets EFI_SUCCESS. */
static void only_a_menu_gets_a_success(void **state)
{
	(void)state;
	after_a_failure("systemd-boot 252", VOLATILE_ATTRIBUTES, true, EFI_SUCCESS);
	assert_string_equal(logged(), "back to the boot menu in 10 seconds, or by a key\n");
	after_a_failure("systemd-boot 252", VOLATILE_ATTRIBUTES, false, EFI_NOT_FOUND);
	after_a_failure("kexec-efi 0.1", VOLATILE_ATTRIBUTES, true, EFI_NOT_FOUND);
	after_a_failure("another", VOLATILE_ATTRIBUTES, true, EFI_NOT_FOUND);
	after_a_failure(NULL, VOLATILE_ATTRIBUTES, true, EFI_NOT_FOUND);
}

/* In any form, whether or not the firmware deletes it. Only a loader of this boot can have set a volatile variable. */
static void planted_menu_gets_no_success(void **state)
{
	static const uint32_t forms[] = { 1, 2, 3, 4, 5, 7, 0x16, 0x17, 0x26, 0x27 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		after_a_failure("systemd-boot 257", forms[i], true, EFI_NOT_FOUND);
		assert_null(strstr(logged(), "back to the boot menu"));
	}
}

static void planted_values_are_replaced(void **state)
{
	(void)state;
	reset();
	plant(L"LoaderInfo", "systemd-boot 257");
	plant(L"LoaderTimeInitUSec", "7");
	plant(L"LoaderTimeExecUSec", "8");
	plant(L"StubInfo", "systemd-stub 257");
	plant(L"LoaderEntrySelected", "planted.conf");
	fake_variable_leave_text(L"KexecLog", &own, VOLATILE_ATTRIBUTES | EFI_VARIABLE_NON_VOLATILE, "planted");
	start();
	assert_string_equal(value_of(L"LoaderInfo"), "kexec-efi " KEXEC_EFI_VERSION);
	assert_string_equal(value_of(L"LoaderTimeInitUSec"), "1234");
	assert_null(value_of(L"LoaderTimeExecUSec"));
	assert_null(value_of(L"StubInfo"));
	assert_null(value_of(L"LoaderEntrySelected"));
	assert_null(log_left());
	loader_interface_finish(&plan, false);
	assert_string_equal(value_of(L"LoaderTimeExecUSec"), "1234");
	assert_string_equal(log_left(), "the log");
}

/* A variable by systemd-boot counts, although another one is planted. */
static void planted_beside_a_loaders(void **state)
{
	(void)state;
	reset();
	leave(L"LoaderInfo", "systemd-boot 257");
	plant(L"LoaderDevicePartUUID", "planted");
	plant(L"LoaderFirmwareInfo", "planted");
	start();
	assert_string_equal(value_of(L"LoaderInfo"), "systemd-boot 257");
	assert_string_equal(value_of(L"LoaderFirmwareInfo"), "Host 1.05");
	assert_null(value_of(L"LoaderDevicePartUUID"));
	loader_interface_finish(&plan, false);
	assert_string_equal(value_of(L"StubInfo"), "kexec-efi " KEXEC_EFI_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_first_loader_sets),
		cmocka_unit_test(entry_of_the_first_loader),
		cmocka_unit_test(in_place_of_an_images_stub),
		cmocka_unit_test(stub_that_came_from_nowhere),
		cmocka_unit_test(clock_that_does_not_tick),
		cmocka_unit_test(what_another_loader_has_set_stays),
		cmocka_unit_test(entry_of_others_stays_after_a_failure),
		cmocka_unit_test(what_a_start_of_ours_has_set_is_replaced),
		cmocka_unit_test(firmware_that_takes_no_variables),
		cmocka_unit_test(only_a_menu_gets_a_success),
		cmocka_unit_test(planted_menu_gets_no_success),
		cmocka_unit_test(planted_values_are_replaced),
		cmocka_unit_test(planted_beside_a_loaders),
	};

	return run_named_tests(tests);
}
