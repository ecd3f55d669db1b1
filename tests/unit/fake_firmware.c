// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/fake_firmware.h"

#include "common/align.h"
#include "common/serial.h"
#include "common/vendor.h"
#include "efi/services/firmware.h"
#include "tests/unit/support.h"

/* As current firmware has it: larger than the structure. */
#define DESCRIPTOR_SIZE 48

struct fake_firmware fake_firmware;

static void append(char *text, size_t size, const char *more)
{
	size_t length = strlen(text);

	assert_true(strlen(more) < size - length);
	strcpy(text + length, more);
}

static EFI_STATUS EFIAPI get_memory_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *ret_key,
					UINTN *ret_descriptor_size, UINT32 *ret_version)
{
	struct fake_firmware *fake = &fake_firmware;
	UINTN capacity = *size;

	if (fake->map_calls++)
		fake->map_count += fake->map_growth;
	assert_true(fake->map_count <= FAKE_DESCRIPTORS_MAX);
	if (fake->map_status != EFI_SUCCESS)
		return fake->map_status;
	*size = fake->map_count * DESCRIPTOR_SIZE;
	*ret_descriptor_size = fake->descriptor_size_lie ? fake->descriptor_size_lie : DESCRIPTOR_SIZE;
	if (capacity < *size)
		return EFI_BUFFER_TOO_SMALL;
	if (fake->map_size_lie)
		*size = fake->map_size_lie;
	for (size_t i = 0; i < fake->map_count; i++)
		memcpy((uint8_t *)map + i * DESCRIPTOR_SIZE, &fake->map[i], sizeof(fake->map[i]));
	*ret_key = fake->map_calls;
	*ret_version = 1;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI allocate_pool(EFI_MEMORY_TYPE type, UINTN size, void **ret_buffer)
{
	(void)type;
	if (++fake_firmware.pool_calls == fake_firmware.pool_fails_at)
		return EFI_OUT_OF_RESOURCES;
	*ret_buffer = test_malloc(size);
	fake_firmware.pool_held++;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pool(void *buffer)
{
	test_free(buffer);
	fake_firmware.pool_held--;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI allocate_pages(EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type, UINTN count,
					EFI_PHYSICAL_ADDRESS *addr)
{
	struct fake_firmware *fake = &fake_firmware;

	fake->type = type;
	if (how == AllocateMaxAddress) {
		fake->highest_limit = *addr;
		if (fake->highest_status != EFI_SUCCESS)
			return fake->highest_status;
		*addr = fake->highest_addr;
	} else {
		assert_int_equal(how, AllocateAddress);
		assert_in_range(fake->places_count, 0, FAKE_PLACES_MAX - 1);
		fake->places[fake->places_count++] = *addr;
		if (fake->places_count <= fake->places_refused)
			return EFI_NOT_FOUND;
	}
	fake->pages_held += count;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS addr, UINTN count)
{
	(void)addr;
	assert_true(count <= fake_firmware.pages_held);
	fake_firmware.pages_held -= count;
	return EFI_SUCCESS;
}

/* An exit with the key of another map than the last is refused, as is one that the test wants refused. */
static EFI_STATUS EFIAPI exit_boot_services_fake(EFI_HANDLE image, UINTN key)
{
	struct fake_firmware *fake = &fake_firmware;

	(void)image;
	assert_false(fake->has_exited);
	if (++fake->exit_calls <= fake->exits_refused || key != fake->map_calls)
		return EFI_INVALID_PARAMETER;
	fake->has_exited = true;
	return EFI_SUCCESS;
}

/* In the place of jump.asm. */
EFI_STATUS exit_and_take_over(EFI_EXIT_BOOT_SERVICES exit, EFI_HANDLE image, UINTN key, const struct takeover *takeover)
{
	EFI_STATUS status = exit(image, key);

	if (!EFI_ERROR(status))
		fake_firmware.takeover = *takeover;
	return status;
}

static EFI_STATUS EFIAPI set_variable(CHAR16 *name, EFI_GUID *vendor, UINT32 attributes, UINTN size, void *value)
{
	static const EFI_GUID ours = KEXEC_VENDOR_GUID;
	struct fake_firmware *fake = &fake_firmware;

	assert_memory_equal(vendor, &ours, sizeof(ours));
	if (EFI_ERROR(fake->set_status))
		return fake->set_status;
	assert_true(size <= sizeof(fake->variable));
	memcpy(fake->variable, value, size);
	fake->variable_size = size;
	fake->variable_attributes = attributes;
	for (size_t i = 0; i < ARRAY_SIZE(fake->variable_name) && (i == 0 || name[i - 1]); i++)
		fake->variable_name[i] = name[i];
	return EFI_SUCCESS;
}

/* Does not return. GNU-EFI declares it with a status all the same. */
static EFI_STATUS EFIAPI reset_system(EFI_RESET_TYPE type, EFI_STATUS status, UINTN size, CHAR16 *data)
{
	(void)size;
	(void)data;
	assert_int_equal(type, EfiResetCold);
	assert_true(EFI_ERROR(status));
	fake_firmware.was_reset = true;
	longjmp(fake_firmware.reset, 1);
}

static EFI_STATUS EFIAPI output_string(SIMPLE_TEXT_OUTPUT_INTERFACE *console, CHAR16 *text)
{
	char narrow[1024];
	size_t length = 0;

	(void)console;
	while (text[length]) {
		assert_in_range(text[length], 1, 0x7e);
		assert_in_range(length, 0, sizeof(narrow) - 2);
		narrow[length] = (char)text[length];
		length++;
	}
	narrow[length] = '\0';
	append(fake_firmware.console, sizeof(fake_firmware.console), narrow);
	return EFI_SUCCESS;
}

/* In the place of common/serial.c: a host's ports are not ours. */
void serial_write(const char *text)
{
	append(fake_firmware.serial, sizeof(fake_firmware.serial), text);
}

void fake_firmware_start(const struct efi_descriptor *map, size_t count)
{
	static EFI_BOOT_SERVICES boot_services = {
		.GetMemoryMap = get_memory_map,
		.AllocatePool = allocate_pool,
		.FreePool = free_pool,
		.AllocatePages = allocate_pages,
		.FreePages = free_pages,
		.ExitBootServices = exit_boot_services_fake,
	};
	static EFI_RUNTIME_SERVICES runtime_services = {
		.ResetSystem = reset_system,
		.SetVariable = set_variable,
	};
	static SIMPLE_TEXT_OUTPUT_INTERFACE console = { .OutputString = output_string };
	static EFI_SYSTEM_TABLE system_table = {
		.BootServices = &boot_services,
		.RuntimeServices = &runtime_services,
		.ConOut = &console,
	};

	memset(&fake_firmware, 0, sizeof(fake_firmware));
	if (count)
		memcpy(fake_firmware.map, map, count * sizeof(*map));
	fake_firmware.map_count = count;
	firmware_init(NULL, &system_table);
}
