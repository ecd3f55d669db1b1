// SPDX-License-Identifier: BSD-2-Clause
/* The firmware's consoles: a single one with a path, or several joined ones. */
#include "efi/load/find_console.h"

#include <stdlib.h>

#include "common/align.h"
#include "common/string.h"
#include "efi/services/firmware.h"
#include "tests/unit/fake_firmware.h"
#include "tests/unit/support.h"

enum { JOINED, COM1, COM2, SCREEN, CARD, HANDLES };

/* Each console's path: a PCI device with its number, a PNP0501 with its _UID, or neither; then the end. */
#define PCI(device) 1, 1, 6, 0, 0, (device)
#define PNP0501(uid) 2, 1, 12, 0, 0xd0, 0x41, 1, 5, (uid), 0, 0, 0
#define END 0x7f, 0xff, 4, 0

static const uint8_t com1[] = { PCI(0x1f), PNP0501(0), END };
static const uint8_t com2[] = { PCI(0x1f), PNP0501(1), END };
static const uint8_t screen[] = { PCI(2), END };
static const uint8_t card[] = { PCI(3), 3, 14, 19, 0, 0, 0, 0, 0, 0, 0xc2, 1, 0, 0, 0, 0, 0, 8, 1, 1, END };

static const uint8_t *const paths[HANDLES] = { [COM1] = com1, [COM2] = com2, [SCREEN] = screen, [CARD] = card };

/* The handles that edk2 has marked, and all handles that can write text. Each list ends with JOINED. */
static const int *marked;
static const int *writers;
static bool has_screen;

/* Never 0, which is not a handle. */
static EFI_HANDLE handle_of(int number)
{
	return (EFI_HANDLE)(uintptr_t)(100 + number);
}

static bool is_guid(const EFI_GUID *guid, EFI_GUID other)
{
	return memcmp(guid, &other, sizeof(other)) == 0;
}

/* --- PCI devices --- */

static EFI_STATUS EFIAPI read_config(EFI_PCI_IO_PROTOCOL *io, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT32 offset,
				     UINTN count, VOID *value);

static EFI_PCI_IO_PROTOCOL bridge = { .Pci.Read = read_config };
static EFI_PCI_IO_PROTOCOL other_device = { .Pci.Read = read_config };

static EFI_STATUS EFIAPI read_config(EFI_PCI_IO_PROTOCOL *io, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT32 offset,
				     UINTN count, VOID *value)
{
	uint16_t class = io == &bridge ? 0x0601 : 0x0700;
	uint16_t found = offset == 0x0a ? class : 0x8086;

	assert_int_equal(width, EfiPciIoWidthUint16);
	assert_int_equal(count, 1);
	memcpy(value, &found, sizeof(found));
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI locate_device_path(EFI_GUID *guid, EFI_DEVICE_PATH **path, EFI_HANDLE *ret_device)
{
	const uint8_t *node = (const uint8_t *)*path;

	assert_true(is_guid(guid, (EFI_GUID)EFI_PCI_IO_PROTOCOL_GUID));
	if (node[0] != 1)
		return EFI_NOT_FOUND;
	*ret_device = (EFI_HANDLE)(node[5] == 0x1f ? &bridge : &other_device);
	*path = (EFI_DEVICE_PATH *)(uintptr_t)(node + 6);
	return EFI_SUCCESS;
}

/* --- consoles --- */

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **ret_interface)
{
	int number = (int)(uintptr_t)handle - 100;

	if (is_guid(guid, (EFI_GUID)EFI_PCI_IO_PROTOCOL_GUID)) {
		*ret_interface = handle;
		return EFI_SUCCESS;
	}
	if (number < 0 || number >= HANDLES)
		return EFI_INVALID_PARAMETER;
	if (is_guid(guid, (EFI_GUID)DEVICE_PATH_PROTOCOL))
		*ret_interface = (VOID *)(uintptr_t)paths[number];
	else
		*ret_interface = number == SCREEN ? &has_screen : NULL;
	return *ret_interface ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI locate_protocol(EFI_GUID *guid, VOID *registration, VOID **ret_interface)
{
	(void)registration;
	assert_true(is_guid(guid, (EFI_GUID)EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID));
	*ret_interface = &has_screen;
	return has_screen ? EFI_SUCCESS : EFI_NOT_FOUND;
}

static EFI_HANDLE *handed_out;

static EFI_STATUS EFIAPI locate_handles(EFI_LOCATE_SEARCH_TYPE type, EFI_GUID *guid, VOID *key, UINTN *ret_count,
					EFI_HANDLE **ret_handles)
{
	const int *list = is_guid(guid, (EFI_GUID)SIMPLE_TEXT_OUTPUT_PROTOCOL) ? writers : marked;
	UINTN count = 0;

	(void)key;
	assert_int_equal(type, ByProtocol);
	if (!list)
		return EFI_NOT_FOUND;
	assert_null(handed_out);
	handed_out = test_calloc(HANDLES, sizeof(*handed_out));
	for (; list[count] != JOINED; count++)
		handed_out[count] = handle_of(list[count]);
	/* edk2 marks the joined one as well. */
	handed_out[count++] = handle_of(JOINED);
	*ret_count = count;
	*ret_handles = handed_out;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pool(VOID *memory)
{
	assert_ptr_equal(memory, handed_out);
	test_free(memory);
	handed_out = NULL;
	return EFI_SUCCESS;
}

static void expect_words(int con_out, const char *expected, const char *expected_log)
{
	char words[SERIAL_CONSOLE_SIZE];
	struct text found;

	fake_firmware_start(NULL, 0);
	firmware_boot_services->HandleProtocol = handle_protocol;
	firmware_boot_services->LocateProtocol = locate_protocol;
	firmware_boot_services->LocateHandleBuffer = locate_handles;
	firmware_boot_services->LocateDevicePath = locate_device_path;
	firmware_boot_services->FreePool = free_pool;
	firmware_system_table->ConsoleOutHandle = con_out < 0 ? NULL : handle_of(con_out);
	log_clear();
	found = find_console_words(TEXT("quiet"), words);
	assert_int_equal(found.length, strlen(expected));
	assert_memory_equal(found.start, expected, found.length);
	assert_string_equal(logged(), expected_log);
	assert_null(handed_out);
}

#define ADDED(words) "console: the command line names none: added \"" words "\"\n"

static void one_console(void **state)
{
	(void)state;
	expect_words(COM2, "console=uart,io,0x2f8", ADDED("console=uart,io,0x2f8"));
	expect_words(SCREEN, "", "");
	expect_words(CARD, "", "console: Linux's name for Path(1,1)/Path(3,14) is unknown\n");
	expect_words(-1, "", "");
}

/* Only consoles that edk2 has marked count, not all that can write text. */
static void consoles_that_are_joined(void **state)
{
	static const int both[] = { SCREEN, COM1, JOINED };
	static const int all[] = { COM2, SCREEN, COM1, JOINED };

	(void)state;
	marked = both;
	writers = all;
	has_screen = true;
	expect_words(JOINED, "console=uart,io,0x3f8 console=tty0", ADDED("console=uart,io,0x3f8 console=tty0"));
	has_screen = false;
	expect_words(JOINED, "console=uart,io,0x3f8", ADDED("console=uart,io,0x3f8"));
	marked = all;
	expect_words(JOINED, "", "");
}

static void firmware_without_marks(void **state)
{
	static const int one[] = { COM1, JOINED };

	(void)state;
	expect_words(JOINED, "", "");
	writers = one;
	expect_words(JOINED, "console=uart,io,0x3f8", ADDED("console=uart,io,0x3f8"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_console),
		cmocka_unit_test(consoles_that_are_joined),
		cmocka_unit_test(firmware_without_marks),
	};

	return run_named_tests(tests);
}
