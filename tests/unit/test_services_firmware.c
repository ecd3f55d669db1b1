// SPDX-License-Identifier: BSD-2-Clause
/* Status codes in both directions, and fields of the firmware's structures. */
#include "efi/services/firmware.h"

#include "common/align.h"
#include "tests/unit/support.h"

/* --- status codes --- */

static void names_of_the_specification(void **state)
{
	(void)state;
	assert_string_equal(efi_status_name(EFI_SUCCESS), "SUCCESS");
	assert_string_equal(efi_status_name(EFI_LOAD_ERROR), "LOAD_ERROR");
	assert_string_equal(efi_status_name(EFI_INVALID_PARAMETER), "INVALID_PARAMETER");
	assert_string_equal(efi_status_name(EFI_UNSUPPORTED), "UNSUPPORTED");
	assert_string_equal(efi_status_name(EFI_BAD_BUFFER_SIZE), "BAD_BUFFER_SIZE");
	assert_string_equal(efi_status_name(EFI_BUFFER_TOO_SMALL), "BUFFER_TOO_SMALL");
	assert_string_equal(efi_status_name(EFI_NOT_READY), "NOT_READY");
	assert_string_equal(efi_status_name(EFI_DEVICE_ERROR), "DEVICE_ERROR");
	assert_string_equal(efi_status_name(EFI_WRITE_PROTECTED), "WRITE_PROTECTED");
	assert_string_equal(efi_status_name(EFI_OUT_OF_RESOURCES), "OUT_OF_RESOURCES");
	assert_string_equal(efi_status_name(EFI_VOLUME_CORRUPTED), "VOLUME_CORRUPTED");
	assert_string_equal(efi_status_name(EFI_VOLUME_FULL), "VOLUME_FULL");
	assert_string_equal(efi_status_name(EFI_NO_MEDIA), "NO_MEDIA");
	assert_string_equal(efi_status_name(EFI_MEDIA_CHANGED), "MEDIA_CHANGED");
	assert_string_equal(efi_status_name(EFI_NOT_FOUND), "NOT_FOUND");
	assert_string_equal(efi_status_name(EFI_ACCESS_DENIED), "ACCESS_DENIED");
	assert_string_equal(efi_status_name(EFI_NO_RESPONSE), "NO_RESPONSE");
	assert_string_equal(efi_status_name(EFI_NO_MAPPING), "NO_MAPPING");
	assert_string_equal(efi_status_name(EFI_TIMEOUT), "TIMEOUT");
	assert_string_equal(efi_status_name(EFI_NOT_STARTED), "NOT_STARTED");
	assert_string_equal(efi_status_name(EFI_ALREADY_STARTED), "ALREADY_STARTED");
	assert_string_equal(efi_status_name(EFI_ABORTED), "ABORTED");
	assert_string_equal(efi_status_name(EFI_ICMP_ERROR), "ICMP_ERROR");
	assert_string_equal(efi_status_name(EFI_TFTP_ERROR), "TFTP_ERROR");
	assert_string_equal(efi_status_name(EFI_PROTOCOL_ERROR), "PROTOCOL_ERROR");
	assert_string_equal(efi_status_name(EFI_INCOMPATIBLE_VERSION), "INCOMPATIBLE_VERSION");
	assert_string_equal(efi_status_name(EFI_SECURITY_VIOLATION), "SECURITY_VIOLATION");
	assert_string_equal(efi_status_name(EFI_CRC_ERROR), "CRC_ERROR");
	assert_string_equal(efi_status_name(EFI_END_OF_MEDIA), "END_OF_MEDIA");
	assert_string_equal(efi_status_name(EFI_END_OF_FILE), "END_OF_FILE");
	assert_string_equal(efi_status_name(EFI_INVALID_LANGUAGE), "INVALID_LANGUAGE");
	assert_string_equal(efi_status_name(EFI_COMPROMISED_DATA), "COMPROMISED_DATA");
	/* The last codes in GNU-EFI's headers. */
	assert_string_equal(efi_status_name(EFIERR(34)), "IP_ADDRESS_CONFLICT");
	assert_string_equal(efi_status_name(EFIERR(35)), "HTTP_ERROR");
}

static void numbers_without_a_name(void **state)
{
	(void)state;
	assert_string_equal(efi_status_name(EFIERR(0x63)), "EFI_STATUS 0x8000000000000063");
	assert_string_equal(efi_status_name(EFIERR(36)), "EFI_STATUS 0x8000000000000024");
	/* Reserved codes. */
	assert_string_equal(efi_status_name(EFIERR(29)), "EFI_STATUS 0x800000000000001d");
	assert_string_equal(efi_status_name(EFIERR(30)), "EFI_STATUS 0x800000000000001e");
	/* A warning, a vendor's error, and an error without a code. */
	assert_string_equal(efi_status_name(EFI_WARN_WRITE_FAILURE), "EFI_STATUS 0x0000000000000003");
	assert_string_equal(efi_status_name(EFIERR_OEM(1)), "EFI_STATUS 0xc000000000000001");
	assert_string_equal(efi_status_name(UINT64_MAX), "EFI_STATUS 0xffffffffffffffff");
}

static void each_end_of_a_step_has_a_status_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(status_to_efi(KEXEC_OK), EFI_SUCCESS);
	for (enum kexec_status status = KEXEC_OK; status <= KEXEC_IO; status++) {
		assert_int_equal(status_from_efi(status_to_efi(status)), status);
		assert_int_equal(EFI_ERROR(status_to_efi(status)) != 0, status != KEXEC_OK);
	}
}

static void other_failures_are_a_devices(void **state)
{
	(void)state;
	assert_int_equal(status_from_efi(EFI_NO_MEDIA), KEXEC_IO);
	assert_int_equal(status_from_efi(EFI_INVALID_PARAMETER), KEXEC_IO);
	assert_int_equal(status_from_efi(EFIERR(0x63)), KEXEC_IO);
}

/* --- structures --- */

static void device_path_up_to_its_end(void **state)
{
	static const uint8_t path[] = { 1, 1, 6, 0, 0, 0, 4, 4, 5, 0, 7, 0x7f, 0xff, 4, 0, 9 };

	(void)state;
	assert_int_equal(device_path_size((const EFI_DEVICE_PATH *)path), 15);
	assert_int_equal(device_path_size((const EFI_DEVICE_PATH *)(path + 11)), 4);
}

/* A node shorter than its own header would make the walk endless. */
static void device_path_with_a_node_of_no_length(void **state)
{
	static const uint8_t path[] = { 1, 1, 6, 0, 0, 0, 4, 4, 0, 0, 1, 1, 6, 0 };

	(void)state;
	assert_int_equal(device_path_size((const EFI_DEVICE_PATH *)path), 10);
}

static void configuration_tables(void **state)
{
	EFI_CONFIGURATION_TABLE tables[] = {
		{ .VendorGuid = ACPI_TABLE_GUID, .VendorTable = (void *)1 },
		{ .VendorGuid = ACPI_20_TABLE_GUID, .VendorTable = (void *)2 },
	};
	EFI_SYSTEM_TABLE system_table = { .NumberOfTableEntries = ARRAY_SIZE(tables), .ConfigurationTable = tables };
	EFI_GUID acpi_20 = ACPI_20_TABLE_GUID;

	(void)state;
	firmware_init(NULL, &system_table);
	assert_ptr_equal(firmware_config_table(&acpi_20), (void *)2);
	system_table.NumberOfTableEntries = 1;
	assert_null(firmware_config_table(&acpi_20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_the_specification),
		cmocka_unit_test(numbers_without_a_name),
		cmocka_unit_test(each_end_of_a_step_has_a_status_of_its_own),
		cmocka_unit_test(other_failures_are_a_devices),
		cmocka_unit_test(device_path_up_to_its_end),
		cmocka_unit_test(device_path_with_a_node_of_no_length),
		cmocka_unit_test(configuration_tables),
	};

	return run_named_tests(tests);
}
