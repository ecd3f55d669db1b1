// SPDX-License-Identifier: BSD-2-Clause
/*
 * A firmware for the host: the services of UEFI that efi/services calls, which fail, grow and lie as the test wants. It
 * gives addresses, not memory: allocated pages must not be touched.
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
	EFI_STATUS read_status; /* what reading it returns instead of EFI_SUCCESS */
	UINTN size_lie;		/* the size that a read reports; 0: the real one */
};

struct fake_firmware {
	/* The memory map: its content, and the number of descriptors that it gains with each call except the first. */
	struct efi_descriptor map[FAKE_DESCRIPTORS_MAX];
	size_t map_count;
	size_t map_growth;
	EFI_STATUS map_status;	   /* what GetMemoryMap returns instead of EFI_SUCCESS */
	UINTN map_size_lie;	   /* what it says of the size of a map that fits, unless it is 0, */
	UINTN descriptor_size_lie; /* and of its descriptors' */
	unsigned map_calls;

	/* The pool: the Nth allocation fails, counted from 1; 0: none. */
	unsigned pool_fails_at;
	unsigned pool_calls;
	unsigned pool_held;

	/* Pages: how many requests for an address are refused, and the requested addresses. */
	unsigned places_refused;
	unsigned places_count;
	uint64_t places[FAKE_PLACES_MAX];
	/* The result of AllocateMaxAddress, and its limit. */
	EFI_STATUS highest_status;
	uint64_t highest_addr;
	uint64_t highest_limit;
	EFI_MEMORY_TYPE type; /* of the last allocation */
	uint64_t pages_held;

	/* The exit: how often it is refused. */
	unsigned exits_refused;
	unsigned exit_calls;
	bool has_exited;
	struct takeover takeover; /* what the CPU was given then */

	/* Variables, in the order in which they are listed. */
	struct fake_variable variables[FAKE_VARIABLES_MAX];
	size_t variable_count;
	bool hides_attributes; /* of what does not fit in the caller's buffer, as before UEFI 2.7 */
	bool keeps_variables;  /* it calls a deletion a success that was none */
	EFI_STATUS set_status; /* what SetVariable returns instead of EFI_SUCCESS */
	unsigned set_calls;
	EFI_STATUS list_status; /* what listing returns instead of EFI_NOT_FOUND, or at the place list_fails_at, */
	unsigned list_fails_at; /* counted from 1; 0: at the end */
	bool lists_for_ever;
	bool lists_without_a_nul;
	unsigned list_calls;

	EFI_STATUS time_status; /* what GetTime returns */

	/* The output on the serial line, and on the console. */
	char serial[512];
	char console[8192];

	/* Where a reset goes: it does not return. */
	jmp_buf reset;
	bool was_reset;
};

extern struct fake_firmware fake_firmware;

/* Sets a variable that existed before the test. Its value is bytes, or text that becomes UTF-16 with a NUL. */
struct fake_variable *fake_variable_leave(const CHAR16 *name, const EFI_GUID *vendor, uint32_t attributes,
					  const void *value, size_t size);
struct fake_variable *fake_variable_leave_text(const CHAR16 *name, const EFI_GUID *vendor, uint32_t attributes,
					       const char *text);

/* NULL where there is none. */
struct fake_variable *fake_variable_find(const CHAR16 *name, const EFI_GUID *vendor);

/*
 * Starts with firmware that fulfils all requests and has `count` descriptors in its map, and tells the services under
 * test of it.
 */
void fake_firmware_start(const struct efi_descriptor *map, size_t count);
