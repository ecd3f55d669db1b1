// SPDX-License-Identifier: BSD-2-Clause
/*
 * A firmware for the host: the services of UEFI that efi/services calls, which fail, grow and lie as the test wants. It
 * gives addresses, not memory: what is allocated by the page must not be touched.
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

struct fake_firmware {
	/* The memory map: what it holds, and how many descriptors it gains with each call but the first. */
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

	/* Pages: how many places are refused that are asked for by address, and which were asked for. */
	unsigned places_refused;
	unsigned places_count;
	uint64_t places[FAKE_PLACES_MAX];
	/* What AllocateMaxAddress does, and the limit that it was given. */
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

	/* The last variable that was set, unless set_status is an error. */
	EFI_STATUS set_status;
	uint16_t variable_name[32];
	uint32_t variable_attributes;
	uint8_t variable[256];
	size_t variable_size;

	/* What appeared on the serial line, and on the console. */
	char serial[512];
	char console[8192];

	/* Where a reset goes: it does not return. */
	jmp_buf reset;
	bool was_reset;
};

extern struct fake_firmware fake_firmware;

/* Firmware that does all it is asked, with `count` descriptors in its map; the services under test are told of it. */
void fake_firmware_start(const struct efi_descriptor *map, size_t count);
