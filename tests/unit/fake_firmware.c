// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/fake_firmware.h"

#include "common/align.h"
#include "common/serial.h"
#include "efi/services/firmware.h"
#include "tests/unit/support.h"

/* The descriptor size of current firmware: larger than the structure. */
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

/* Refuses the key of an older map, and the first exits that the test wants refused. */
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

/* Replaces take_over.asm. */
EFI_STATUS exit_and_take_over(EFI_EXIT_BOOT_SERVICES exit, EFI_HANDLE image, UINTN key, const struct takeover *takeover)
{
	EFI_STATUS status = exit(image, key);

	if (!EFI_ERROR(status))
		fake_firmware.takeover = *takeover;
	return status;
}

/* Never returns, although GNU-EFI declares a status. */
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

/* --- variables, as edk2 keeps them (MdeModulePkg/Universal/Variable/RuntimeDxe/Variable.c) --- */

#define AUTHENTICATED (EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS | EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS)

static size_t name_length(const CHAR16 *name)
{
	size_t length = 0;

	while (name[length])
		length++;
	assert_in_range(length, 0, FAKE_NAME_UNITS - 1);
	return length;
}

struct fake_variable *fake_variable_find(const CHAR16 *name, const EFI_GUID *vendor)
{
	size_t size = 2 * (name_length(name) + 1);

	for (size_t i = 0; i < fake_firmware.variable_count; i++) {
		struct fake_variable *variable = &fake_firmware.variables[i];

		if (memcmp(variable->name, name, size) == 0 && memcmp(&variable->vendor, vendor, sizeof(*vendor)) == 0)
			return variable;
	}
	return NULL;
}

struct fake_variable *fake_variable_leave(const CHAR16 *name, const EFI_GUID *vendor, uint32_t attributes,
					  const void *value, size_t size)
{
	struct fake_variable *variable = fake_variable_find(name, vendor);

	if (!variable) {
		assert_true(fake_firmware.variable_count < FAKE_VARIABLES_MAX);
		variable = &fake_firmware.variables[fake_firmware.variable_count++];
	}
	assert_true(size <= FAKE_VALUE_SIZE);
	*variable = (struct fake_variable){ .vendor = *vendor, .attributes = attributes, .size = size };
	memcpy(variable->name, name, 2 * name_length(name));
	memcpy(variable->value, value, size);
	return variable;
}

struct fake_variable *fake_variable_leave_text(const CHAR16 *name, const EFI_GUID *vendor, uint32_t attributes,
					       const char *text)
{
	CHAR16 wide[FAKE_VALUE_SIZE / 2];
	size_t length = strlen(text);

	assert_true(length < ARRAY_SIZE(wide));
	for (size_t i = 0; i <= length; i++)
		wide[i] = (CHAR16)(unsigned char)text[i];
	return fake_variable_leave(name, vendor, attributes, wide, 2 * (length + 1));
}

static EFI_STATUS EFIAPI get_variable(CHAR16 *name, EFI_GUID *vendor, UINT32 *ret_attributes, UINTN *size, VOID *value)
{
	const struct fake_variable *variable = fake_variable_find(name, vendor);
	UINTN room = *size;

	if (!variable)
		return EFI_NOT_FOUND;
	if (variable->read_status != EFI_SUCCESS)
		return variable->read_status;
	*size = variable->size;
	if (ret_attributes && (room >= variable->size || !fake_firmware.hides_attributes))
		*ret_attributes = variable->attributes;
	if (room < variable->size)
		return EFI_BUFFER_TOO_SMALL;
	memcpy(value, variable->value, variable->size);
	if (variable->size_lie)
		*size = variable->size_lie;
	return EFI_SUCCESS;
}

static void remove_variable(struct fake_variable *variable)
{
	size_t behind = fake_firmware.variable_count - (size_t)(variable - fake_firmware.variables) - 1;

	memmove(variable, variable + 1, behind * sizeof(*variable));
	fake_firmware.variable_count--;
}

static EFI_STATUS EFIAPI set_variable(CHAR16 *name, EFI_GUID *vendor, UINT32 attributes, UINTN size, VOID *value)
{
	struct fake_variable *variable = fake_variable_find(name, vendor);

	fake_firmware.set_calls++;
	if (fake_firmware.set_status != EFI_SUCCESS)
		return fake_firmware.set_status;
	if (variable && (variable->attributes & AUTHENTICATED))
		return EFI_SECURITY_VIOLATION;
	if (!size) {
		if (variable && !fake_firmware.keeps_variables)
			remove_variable(variable);
		return variable ? EFI_SUCCESS : EFI_NOT_FOUND;
	}
	if (variable && variable->attributes != attributes)
		return EFI_INVALID_PARAMETER;
	fake_variable_leave(name, vendor, attributes, value, size);
	return EFI_SUCCESS;
}

static EFI_STATUS list(UINTN *size, CHAR16 *name, EFI_GUID *vendor)
{
	const struct fake_variable *variable = fake_firmware.variables;
	UINTN room = *size;

	if (name[0]) {
		variable = fake_variable_find(name, vendor);
		if (!variable)
			return EFI_INVALID_PARAMETER;
		variable++;
	}
	if (fake_firmware.lists_for_ever && variable == fake_firmware.variables + fake_firmware.variable_count)
		variable = fake_firmware.variables;
	if (variable == fake_firmware.variables + fake_firmware.variable_count)
		return fake_firmware.list_status != EFI_SUCCESS ? fake_firmware.list_status : EFI_NOT_FOUND;
	*size = 2 * (name_length(variable->name) + 1);
	if (room < *size)
		return EFI_BUFFER_TOO_SMALL;
	memcpy(name, variable->name, *size);
	*vendor = variable->vendor;
	if (fake_firmware.lists_without_a_nul)
		memset(name, 'x', room);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_next_variable_name(UINTN *size, CHAR16 *name, EFI_GUID *vendor)
{
	if (++fake_firmware.list_calls == fake_firmware.list_fails_at)
		return fake_firmware.list_status;
	return list(size, name, vendor);
}

static EFI_STATUS EFIAPI get_time(EFI_TIME *time, EFI_TIME_CAPABILITIES *capabilities)
{
	(void)capabilities;
	*time = (EFI_TIME){ .Year = 2026, .Month = 1, .Day = 2, .Hour = 3, .Minute = 4 };
	return fake_firmware.time_status;
}

/* Replaces common/serial.c, because a program on the host cannot use ports. */
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
		.GetTime = get_time,
		.ResetSystem = reset_system,
		.GetVariable = get_variable,
		.SetVariable = set_variable,
		.GetNextVariableName = get_next_variable_name,
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
