// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads EFI variables (UEFI specification 8.2, GetVariable). Any program may create a variable of any name. An
 * operating system can create only variables that are non-volatile and accessible at runtime. A volatile variable was
 * set since the machine started. So a variable counts only with the attributes that its owner gives it.
 */
#pragma once

#include <efi.h>
#include <stddef.h>
#include <stdint.h>

/* The attributes that decide whether an operating system could have written a variable. */
#define VARIABLE_BOOT EFI_VARIABLE_BOOTSERVICE_ACCESS
#define VARIABLE_BOOT_RUNTIME (EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)
#define VARIABLE_STORED EFI_VARIABLE_NON_VOLATILE

/* A variable as its owner writes it. */
struct variable {
	const CHAR16 *name;
	EFI_GUID vendor;
	uint32_t required;  /* attributes that it must have */
	uint32_t forbidden; /* attributes that it must not have */
	size_t size_min;    /* in bytes */
	size_t size_max;
};

enum variable_state {
	VARIABLE_ABSENT,
	VARIABLE_FOUND,		   /* as its owner writes it */
	VARIABLE_WRONG_ATTRIBUTES, /* somebody else's, whatever its size */
	VARIABLE_WRONG_SIZE,
	VARIABLE_UNREADABLE, /* the firmware reports an error, and whether it exists is unknown */
};

/* Details of a variable, for messages and for callers that examine it. */
struct variable_reading {
	EFI_STATUS status;   /* the firmware's */
	uint32_t attributes; /* 0: unknown */
	size_t size;	     /* in bytes */
};

/*
 * Reads a variable to `ret_value`, which has room for its size_max. All that room is zeroed unless the variable is
 * VARIABLE_FOUND. *ret_reading is always written. Logs nothing, because the meaning of a state depends on the caller.
 */
enum variable_state variable_read(const struct variable *variable, void *ret_value,
				  struct variable_reading *ret_reading);

/*
 * Does the same without the value, for a variable of any size. If the firmware reports the attributes only together
 * with the value, and there is no memory for that, the variable is VARIABLE_UNREADABLE.
 */
enum variable_state variable_look(const struct variable *variable, struct variable_reading *ret_reading);

/* Deletes a variable, whatever its attributes. EFI_SUCCESS only if it is gone afterwards, or was not there. */
EFI_STATUS variable_delete(const struct variable *variable);

/* Room for the text of variable_explain. */
#define VARIABLE_EXPLANATION_SIZE 80

/* Writes "expected ..., found ..." for a variable that exists and is not VARIABLE_FOUND. */
void variable_explain(const struct variable *variable, enum variable_state state,
		      const struct variable_reading *reading, char ret_text[VARIABLE_EXPLANATION_SIZE]);
