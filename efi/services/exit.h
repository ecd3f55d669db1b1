// SPDX-License-Identifier: BSD-2-Clause
/* The exit from the firmware (UEFI specification 7.4.6, EFI_BOOT_SERVICES.ExitBootServices). */
#pragma once

#include <stdint.h>

#include "boot/memmap.h"
#include "boot/status.h"

/*
 * The bytes to reserve for the final map, which may be larger than `map`, that of now. Whole pages. They must be
 * reserved before the exit: from the first attempt on nothing can be allocated.
 */
uint64_t exit_map_capacity(const struct memory_map *map);

/* Takes in the map that the firmware calls final, each time it does. Allocates and prints nothing, and cannot fail. */
typedef void exit_map_sink(void *context, const struct memory_map *map);

/*
 * Exits the boot services: reads the map into `capacity` bytes at `map_addr`, hands it to `sink`, and asks for the
 * exit, again while the map changes. An error is returned only from before the first attempt to exit. After it the
 * firmware may be half shut down, so nothing allocates or returns any more: if it keeps refusing the machine is reset.
 */
enum kexec_status exit_boot_services(uint64_t map_addr, uint64_t capacity, exit_map_sink *sink, void *context);
