// SPDX-License-Identifier: BSD-2-Clause
/*
 * Kernels that run at one address only. Where that place is free, the file is read to it, as any other. Where the
 * firmware or the loader still lives there, or there is no room for the setup sectors right below it, the file is read
 * to somewhere else, and the purgatory moves the kernel to its destination, when all else is done.
 *
 * So the destination, which is the kernel's place and its working space, must be RAM that nobody owns after
 * ExitBootServices: conventional memory, and that of boot services and loaders (UEFI specification 7.2, "Memory Type
 * Usage after ExitBootServices()"). Segments keep clear of it (boot/kexec_image.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/kernel_format.h"
#include "boot/memmap.h"
#include "boot/memory.h"
#include "boot/status.h"

/*
 * Where the file of a kernel goes: what to ask for, and the destination, of size 0 where the kernel runs where it is
 * read to. Refuses a destination that is not free after the exit. `name` is the file's, for messages.
 */
enum kexec_status destination_choose(const char *name, const struct kernel_plan *plan, const struct memory_map *map,
				     struct memory_request *ret_request, struct memory_pages *ret_destination);

/* Whether the whole destination is free after the exit, if `map` is the final one. One of size 0 is. Logs nothing. */
bool destination_is_free(const struct memory_pages *destination, const struct memory_map *map);

/* The same, and logs who has the first part that is not free. */
enum kexec_status destination_check(const char *name, const struct memory_pages *destination,
				    const struct memory_map *map);
