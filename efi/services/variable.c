// SPDX-License-Identifier: BSD-2-Clause
/* The one place that calls GetVariable. */
#include "efi/services/variable.h"

#include <stdbool.h>

#include "common/format.h"
#include "common/string.h"
#include "efi/services/firmware.h"

/* Larger variables than this do not exist: edk2 stores at most 64 KiB. */
#define LOOKED_AT_MAX ((size_t)1024 * 1024)

/* Calls GetVariable once. Before UEFI 2.7 it need not report the attributes if the buffer is too small. */
static void call(const struct variable *variable, void *ret_value, size_t room, struct variable_reading *ret_reading)
{
	EFI_GUID vendor = variable->vendor;
	UINT32 attributes = 0;
	UINTN size = room;

	ret_reading->status = firmware_runtime_services->GetVariable((CHAR16 *)variable->name, &vendor, &attributes,
								     &size, ret_value);
	ret_reading->attributes = attributes;
	ret_reading->size = size;
}

static bool has_attributes(const struct variable *variable, uint32_t attributes)
{
	return (attributes & variable->required) == variable->required && !(attributes & variable->forbidden);
}

/* Whether the status says that the variable exists. */
static bool is_answer(EFI_STATUS status)
{
	return status == EFI_SUCCESS || status == EFI_BUFFER_TOO_SMALL;
}

/* Each variable has at least one attribute, so 0 means that the attributes are unknown. */
static enum variable_state judge(const struct variable *variable, size_t room, const struct variable_reading *reading)
{
	if (reading->status == EFI_NOT_FOUND)
		return VARIABLE_ABSENT;
	if (!is_answer(reading->status))
		return VARIABLE_UNREADABLE;
	if ((reading->attributes || reading->status == EFI_SUCCESS) && !has_attributes(variable, reading->attributes))
		return VARIABLE_WRONG_ATTRIBUTES;
	if (reading->status != EFI_SUCCESS || reading->size > room || reading->size < variable->size_min)
		return VARIABLE_WRONG_SIZE;
	return VARIABLE_FOUND;
}

enum variable_state variable_read(const struct variable *variable, void *ret_value,
				  struct variable_reading *ret_reading)
{
	enum variable_state state;

	memset(ret_value, 0, variable->size_max);
	call(variable, ret_value, variable->size_max, ret_reading);
	state = judge(variable, variable->size_max, ret_reading);
	if (state != VARIABLE_FOUND)
		memset(ret_value, 0, variable->size_max);
	return state;
}

/* Reads a variable that is larger than expected again, for its attributes. */
static void call_with_room(const struct variable *variable, struct variable_reading *reading)
{
	size_t room = reading->size;
	void *value;

	if (!room || room > LOOKED_AT_MAX)
		return;
	if (EFI_ERROR(firmware_boot_services->AllocatePool(EfiLoaderData, room, &value)))
		return;
	call(variable, value, room, reading);
	firmware_boot_services->FreePool(value);
}

enum variable_state variable_look(const struct variable *variable, struct variable_reading *ret_reading)
{
	uint8_t value[256];

	call(variable, value, sizeof(value), ret_reading);
	if (ret_reading->status == EFI_BUFFER_TOO_SMALL && !ret_reading->attributes)
		call_with_room(variable, ret_reading);
	if (ret_reading->status == EFI_NOT_FOUND)
		return VARIABLE_ABSENT;
	if (!is_answer(ret_reading->status) || !ret_reading->attributes)
		return VARIABLE_UNREADABLE;
	return has_attributes(variable, ret_reading->attributes) ? VARIABLE_FOUND : VARIABLE_WRONG_ATTRIBUTES;
}

EFI_STATUS variable_delete(const struct variable *variable)
{
	struct variable_reading reading;
	EFI_GUID vendor = variable->vendor;
	EFI_STATUS status;

	status = firmware_runtime_services->SetVariable((CHAR16 *)variable->name, &vendor, 0, 0, NULL);
	if (status == EFI_NOT_FOUND)
		return EFI_SUCCESS;
	/* After reporting success, firmware may still have it. Or there were two of that name, one of them volatile. */
	if (status == EFI_SUCCESS && variable_look(variable, &reading) != VARIABLE_ABSENT)
		return EFI_WRITE_PROTECTED;
	return status;
}

static void explain_size(const struct variable *variable, size_t size, char ret_text[VARIABLE_EXPLANATION_SIZE])
{
	size_t expected = size < variable->size_min ? variable->size_min : variable->size_max;
	const char *bound = "";

	if (variable->size_min != variable->size_max)
		bound = size < variable->size_min ? "at least " : "at most ";
	format_text(ret_text, VARIABLE_EXPLANATION_SIZE, "expected %s%zu bytes, found %zu", bound, expected, size);
}

static void explain_attributes(const struct variable *variable, uint32_t found,
			       char ret_text[VARIABLE_EXPLANATION_SIZE])
{
	/* If all others are forbidden, the required ones say everything. */
	if (!variable->forbidden || variable->forbidden == ~variable->required)
		format_text(ret_text, VARIABLE_EXPLANATION_SIZE, "expected attributes 0x%x, found 0x%x",
			    variable->required, found);
	else
		format_text(ret_text, VARIABLE_EXPLANATION_SIZE,
			    "expected attributes 0x%x and none of 0x%x, found 0x%x", variable->required,
			    variable->forbidden, found);
}

void variable_explain(const struct variable *variable, enum variable_state state,
		      const struct variable_reading *reading, char ret_text[VARIABLE_EXPLANATION_SIZE])
{
	if (state == VARIABLE_WRONG_ATTRIBUTES)
		explain_attributes(variable, reading->attributes, ret_text);
	else if (state == VARIABLE_WRONG_SIZE)
		explain_size(variable, reading->size, ret_text);
	else
		format_text(ret_text, VARIABLE_EXPLANATION_SIZE, "expected a value, found %s",
			    efi_status_name(reading->status));
}
