// SPDX-License-Identifier: BSD-2-Clause
/* The firmware's memory map, for code that needs all of it. Pages are allocated through boot/memory.h. */
#pragma once

#include <efi.h>
#include <stdbool.h>
#include <stdint.h>

#include "boot/memmap.h"
#include "boot/status.h"

/*
 * Calls GetMemoryMap once, with `capacity` bytes at `addr`. *ret_map is not checked. After EFI_BUFFER_TOO_SMALL its
 * size is the size that is needed.
 */
EFI_STATUS memory_map_get(uint64_t addr, uint64_t capacity, struct memory_map *ret_map, UINTN *ret_key);

/* Reads the map into pool memory, which the caller frees with memory_map_free. */
enum kexec_status memory_map_read(struct memory_map *ret_map);
void memory_map_free(struct memory_map *map);

/* Does the same for optional steps: warns and returns false if it fails. */
bool memory_map_read_or_warn(struct memory_map *ret_map);

/* memmap_readable_size by the present map. Returns 0, after a warning, if the map cannot be read. */
uint64_t memory_readable_size(uint64_t addr);
