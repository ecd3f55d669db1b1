// SPDX-License-Identifier: BSD-2-Clause
/*
 * Kernels that run at one address only. If that place is free, the loader reads the file to it, like any other. If the
 * firmware or the loader still uses it, or there is no room for the setup sectors right below it, the loader reads the
 * file to another place, and the purgatory moves the kernel to its destination as its last act.
 *
 * So the destination, which is the kernel's place and its working space, must be RAM that is free after
 * ExitBootServices: conventional memory, and memory of boot services and loaders (UEFI specification 7.2, "Memory Type
 * Usage after ExitBootServices()"). Segments must not overlap it (boot/kexec_image.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/kernel_format.h"
#include "boot/memmap.h"
#include "boot/memory.h"
#include "boot/status.h"

/*
 * Chooses the place of a kernel's file: the memory request, and the destination, which has size 0 if the kernel runs
 * where it is read to. Refuses a destination that is not free after the exit. `name` is the file's, for messages.
 */
enum kexec_status destination_choose(const char *name, const struct kernel_plan *plan, const struct memory_map *map,
				     struct memory_request *ret_request, struct memory_pages *ret_destination);

/*
 * Whether the whole destination is free after the exit, if `map` is the final one. One of size 0 is free. Logs nothing.
 */
bool destination_is_free(const struct memory_pages *destination, const struct memory_map *map);

/* Does the same, and logs the owner of the first part that is not free. */
enum kexec_status destination_check(const char *name, const struct memory_pages *destination,
				    const struct memory_map *map);
