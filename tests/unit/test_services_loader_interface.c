// SPDX-License-Identifier: BSD-2-Clause
/* The interface's variables on firmware that has some already, and on firmware that takes none. */
#include "efi/linux/loader_interface.h"

#include "efi/services/clock.h"
#include "efi/services/console.h"
#include "efi/services/firmware.h"
#include "tests/unit/fake_firmware.h"
#include "tests/unit/support.h"

#define VARIABLES_MAX 16

/* --- in the place of clock and console --- */

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

struct variable {
	char name[64];
	char value[512];
	UINTN size;
	uint32_t vendor; /* its first 32 bits */
};

static struct variable variables[VARIABLES_MAX];
static unsigned variable_count;
static EFI_STATUS set_status;
static unsigned set_calls;

static void narrow(const CHAR16 *wide, UINTN units, char *ret_text)
{
	for (UINTN i = 0; i < units && wide[i]; i++)
		*ret_text++ = (char)wide[i];
	*ret_text = '\0';
}

static struct variable *find(const char *name)
{
	for (unsigned i = 0; i < variable_count; i++) {
		if (strcmp(variables[i].name, name) == 0)
			return &variables[i];
	}
	return NULL;
}

static const char *value_of(const char *name)
{
	const struct variable *variable = find(name);

	return variable ? variable->value : NULL;
}

static EFI_STATUS EFIAPI set_variable(CHAR16 *wide_name, EFI_GUID *vendor, UINT32 attributes, UINTN size, VOID *value)
{
	struct variable *variable;
	char name[64];

	set_calls++;
	assert_int_equal(attributes, EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS);
	if (set_status != EFI_SUCCESS)
		return set_status;
	narrow(wide_name, 63, name);
	variable = find(name);
	if (!variable) {
		assert_in_range(variable_count, 0, VARIABLES_MAX - 1);
		variable = &variables[variable_count++];
	}
	strcpy(variable->name, name);
	narrow(value, size / 2, variable->value);
	variable->size = size;
	variable->vendor = vendor->Data1;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_variable(CHAR16 *wide_name, EFI_GUID *vendor, UINT32 *ret_attributes, UINTN *size,
				      VOID *ret_value)
{
	const struct variable *variable;
	CHAR16 *wide = ret_value;
	UINTN capacity = *size;
	char name[64];

	(void)ret_attributes;
	narrow(wide_name, 63, name);
	variable = find(name);
	if (!variable || variable->vendor != vendor->Data1)
		return EFI_NOT_FOUND;
	*size = variable->size;
	if (capacity < variable->size)
		return EFI_BUFFER_TOO_SMALL;
	for (UINTN i = 0; i < variable->size / 2; i++)
		wide[i] = (CHAR16)variable->value[i];
	return EFI_SUCCESS;
}

static void leave(const char *name, const char *value)
{
	struct variable *variable = &variables[variable_count++];

	strcpy(variable->name, name);
	strcpy(variable->value, value);
	variable->size = 2 * (strlen(value) + 1);
	variable->vendor = 0x4a67b082;
}

/* --- who started us --- */

static EFI_LOADED_IMAGE parent = { .DeviceHandle = (EFI_HANDLE)3 };
static bool parent_is_on_a_volume;

/* Handle 2 is the parent, 3 the device that it came from. */
static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **ret_interface)
{
	EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
	EFI_GUID volume_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;

	if (handle == (EFI_HANDLE)2 && memcmp(guid, &image_guid, sizeof(*guid)) == 0)
		*ret_interface = &parent;
	else if (handle == (EFI_HANDLE)3 && memcmp(guid, &volume_guid, sizeof(*guid)) == 0 && parent_is_on_a_volume)
		*ret_interface = &parent;
	else
		return EFI_UNSUPPORTED;
	return EFI_SUCCESS;
}

static const EFI_LOADED_IMAGE image = { .ParentHandle = (EFI_HANDLE)2, .DeviceHandle = (EFI_HANDLE)4 };

static void start(void)
{
	static CHAR16 vendor[] = L"Host";

	fake_firmware_start(NULL, 0);
	firmware_system_table->FirmwareVendor = vendor;
	firmware_system_table->FirmwareRevision = 0x00010005;
	firmware_system_table->Hdr.Revision = 0x00020046;
	firmware_boot_services->HandleProtocol = handle_protocol;
	firmware_runtime_services->GetVariable = get_variable;
	firmware_runtime_services->SetVariable = set_variable;
	now_usec = 1234;
	loader_interface_start(&image);
}

static void what_the_first_loader_sets(void **state)
{
	(void)state;
	start();
	assert_string_equal(value_of("LoaderInfo"), "kexec-efi " KEXEC_EFI_VERSION);
	assert_string_equal(value_of("LoaderFirmwareInfo"), "Host 1.05");
	assert_string_equal(value_of("LoaderFirmwareType"), "UEFI 2.70");
	assert_string_equal(value_of("LoaderTimeInitUSec"), "1234");
	assert_null(value_of("StubInfo"));
	assert_null(value_of("KexecLog"));
	assert_int_equal(find("LoaderTimeInitUSec")->size, 2 * sizeof("1234"));
	now_usec = 5678;
	loader_interface_finish();
	assert_string_equal(value_of("LoaderTimeExecUSec"), "5678");
	assert_string_equal(value_of("KexecLog"), "the log");
	assert_int_equal(find("KexecLog")->vendor, 0x5f0a6dd6);
	assert_int_equal(find("LoaderInfo")->vendor, 0x4a67b082);
	assert_string_equal(logged(), "");
}

static void clock_that_does_not_tick(void **state)
{
	(void)state;
	start();
	variable_count = 0;
	now_usec = 0;
	loader_interface_finish();
	assert_null(value_of("LoaderTimeExecUSec"));
	assert_string_equal(value_of("KexecLog"), "the log");
}

static void what_another_loader_has_set_stays(void **state)
{
	(void)state;
	leave("LoaderInfo", "systemd-boot 252");
	leave("LoaderTimeInitUSec", "7");
	start();
	assert_string_equal(value_of("LoaderInfo"), "systemd-boot 252");
	assert_string_equal(value_of("LoaderTimeInitUSec"), "7");
	assert_string_equal(value_of("StubInfo"), "kexec-efi " KEXEC_EFI_VERSION);
	assert_string_equal(value_of("LoaderFirmwareInfo"), "Host 1.05");
}

static void what_a_start_of_ours_has_set_is_replaced(void **state)
{
	(void)state;
	leave("LoaderInfo", "kexec-efi 0.0");
	leave("LoaderTimeInitUSec", "7");
	start();
	assert_string_equal(value_of("LoaderInfo"), "kexec-efi " KEXEC_EFI_VERSION);
	assert_string_equal(value_of("LoaderTimeInitUSec"), "1234");
	assert_null(value_of("StubInfo"));
}

/* One warning, however many variables it does not take. */
static void firmware_that_takes_no_variables(void **state)
{
	(void)state;
	set_status = EFI_OUT_OF_RESOURCES;
	start();
	loader_interface_finish();
	assert_true(set_calls > 4);
	assert_string_equal(logged(),
			    "warning: the firmware does not take variables: OUT_OF_RESOURCES; going on without\n");
}

static void after_a_failure(const char *info, bool on_a_volume, EFI_STATUS expected)
{
	variable_count = 0;
	waited_seconds = 0;
	if (info)
		leave("LoaderInfo", info);
	parent_is_on_a_volume = on_a_volume;
	start();
	assert_true(loader_interface_failed(EFI_NOT_FOUND) == expected);
	assert_int_equal(waited_seconds, expected == EFI_SUCCESS ? 10 : 0);
}

/* Nobody but systemd-boot, who is still there, is told that all went well. */
static void only_a_menu_gets_a_success(void **state)
{
	(void)state;
	after_a_failure("systemd-boot 252", true, EFI_SUCCESS);
	assert_string_equal(logged(), "back to the boot menu in 10 seconds, or by a key\n");
	after_a_failure("systemd-boot 252", false, EFI_NOT_FOUND);
	after_a_failure("kexec-efi 0.1", true, EFI_NOT_FOUND);
	after_a_failure("another", true, EFI_NOT_FOUND);
	after_a_failure(NULL, true, EFI_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_first_loader_sets),
		cmocka_unit_test(clock_that_does_not_tick),
		cmocka_unit_test(what_another_loader_has_set_stays),
		cmocka_unit_test(what_a_start_of_ours_has_set_is_replaced),
		cmocka_unit_test(firmware_that_takes_no_variables),
		cmocka_unit_test(only_a_menu_gets_a_success),
	};

	return run_named_tests(tests);
}
