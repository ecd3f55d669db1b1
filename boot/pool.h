// SPDX-License-Identifier: BSD-2-Clause
/*
 * The core's seam to small memory: lists and texts that only the loader uses. efi/services/pool.c implements it with
 * the firmware's AllocatePool, programs on the host with malloc. Memory that Linux or the purgatory will read is in
 * pages instead (boot/memory.h).
 */
#pragma once

#include <stddef.h>

#include "boot/status.h"

/*
 * Allocates `size` bytes, at least 1, aligned for any type, with undefined contents. The caller frees them with
 * pool_free. If there is no memory, the message names them by `what`.
 */
enum kexec_status pool_alloc(size_t size, const char *what, void **ret_memory);

/* Frees memory that pool_alloc returned. Ignores NULL. */
void pool_free(void *memory);
