// SPDX-License-Identifier: BSD-2-Clause
/* The firmware's memory map, for those who look at all of it. Pages are allocated through boot/memory.h. */
#pragma once

#include "boot/memmap.h"
#include "boot/status.h"

/* Reads the map into pool memory, which the caller frees with memory_map_free. */
enum kexec_status memory_map_read(struct memory_map *ret_map);
void memory_map_free(struct memory_map *map);

/* memmap_readable_size by the map of this moment: 0 where that cannot be read, with a line. */
uint64_t memory_readable_size(uint64_t addr);
