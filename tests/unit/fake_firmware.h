// SPDX-License-Identifier: BSD-2-Clause
/*
 * A firmware for the host: the UEFI services that efi/services calls. They fail, grow and lie as the test says. The
 * firmware gives addresses, not memory: tests must not touch allocated pages.
 */
#pragma once

#include <efi.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/memmap.h"
#include "efi/services/exit.h"

#define FAKE_DESCRIPTORS_MAX 512
#define FAKE_PLACES_MAX 128
#define FAKE_VARIABLES_MAX 64
#define FAKE_NAME_UNITS 800
#define FAKE_VALUE_SIZE 2048

struct fake_variable {
	CHAR16 name[FAKE_NAME_UNITS];
	EFI_GUID vendor;
	uint32_t attributes;
	UINTN size;
	uint8_t value[FAKE_VALUE_SIZE];
	EFI_STATUS read_status; /* the result of reading it, instead of EFI_SUCCESS */
	UINTN size_lie;		/* the size that a read reports; 0: the real one */
};

struct fake_firmware {
	/* The memory map, and the number of descriptors that it gains with each call except the first. */
	struct efi_descriptor map[FAKE_DESCRIPTORS_MAX];
	size_t map_count;
	size_t map_growth;
	EFI_STATUS map_status;	   /* the result of GetMemoryMap, instead of EFI_SUCCESS */
	UINTN map_size_lie;	   /* unless 0, the size that it reports for a map that fits, */
	UINTN descriptor_size_lie; /* and the size of a descriptor */
	unsigned map_calls;

	/* The pool. The Nth allocation fails, counted from 1; 0: none. */
	unsigned pool_fails_at;
	unsigned pool_calls;
	unsigned pool_held;

	/* Pages: the number of refused requests for an address, and the requested addresses. */
	unsigned places_refused;
	unsigned places_count;
	uint64_t places[FAKE_PLACES_MAX];
	/* The result of AllocateMaxAddress, and its limit. */
	EFI_STATUS highest_status;
	uint64_t highest_addr;
	uint64_t highest_limit;
	EFI_MEMORY_TYPE type; /* of the last allocation */
	uint64_t pages_held;

	/* The exit: how many attempts are refused. */
	unsigned exits_refused;
	unsigned exit_calls;
	bool has_exited;
	struct takeover takeover; /* the argument of exit_and_take_over */

	/* Variables, in the order in which they are listed. */
	struct fake_variable variables[FAKE_VARIABLES_MAX];
	size_t variable_count;
	bool hides_attributes; /* does not report those of a value that does not fit, as before UEFI 2.7 */
	bool keeps_variables;  /* reports success for a deletion, and deletes nothing */
	EFI_STATUS set_status; /* the result of SetVariable, instead of EFI_SUCCESS */
	unsigned set_calls;
	EFI_STATUS list_status; /* the result of listing at list_fails_at, or instead of EFI_NOT_FOUND */
	unsigned list_fails_at; /* counted from 1; 0: at the end */
	bool lists_for_ever;
	bool lists_without_a_nul;
	unsigned list_calls;

	EFI_STATUS time_status; /* the result of GetTime */

	/* The output on the serial port, and on the console. */
	char serial[512];
	char console[8192];

	/* A reset jumps here, because it must not return. */
	jmp_buf reset;
	bool was_reset;
};

extern struct fake_firmware fake_firmware;

/* Sets a variable that existed before the test. Its value is bytes, or text that becomes UTF-16 with a NUL. */
struct fake_variable *fake_variable_leave(const CHAR16 *name, const EFI_GUID *vendor, uint32_t attributes,
					  const void *value, size_t size);
struct fake_variable *fake_variable_leave_text(const CHAR16 *name, const EFI_GUID *vendor, uint32_t attributes,
					       const char *text);

/* NULL if it does not exist. */
struct fake_variable *fake_variable_find(const CHAR16 *name, const EFI_GUID *vendor);

/*
 * Starts a firmware that fulfils all requests, with a map of `count` descriptors, and passes it to the services under
 * test.
 */
void fake_firmware_start(const struct efi_descriptor *map, size_t count);
