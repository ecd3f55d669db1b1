// SPDX-License-Identifier: BSD-2-Clause
/* The firmware's memory map, for those who look at all of it. Pages are allocated through boot/memory.h. */
#pragma once

#include <efi.h>
#include <stdbool.h>
#include <stdint.h>

#include "boot/memmap.h"
#include "boot/status.h"

/*
 * One GetMemoryMap into `capacity` bytes at `addr`, as the firmware answers it: *ret_map is unchecked. After
 * EFI_BUFFER_TOO_SMALL its size is what would be needed.
 */
EFI_STATUS memory_map_get(uint64_t addr, uint64_t capacity, struct memory_map *ret_map, UINTN *ret_key);

/* Reads the map into pool memory, which the caller frees with memory_map_free. */
enum kexec_status memory_map_read(struct memory_map *ret_map);
void memory_map_free(struct memory_map *map);

/* The same for what no boot depends on: returns false, with a warning, where it fails. */
bool memory_map_read_or_warn(struct memory_map *ret_map);

/* memmap_readable_size by the map of this moment: 0, with a warning, where that cannot be read. */
uint64_t memory_readable_size(uint64_t addr);
