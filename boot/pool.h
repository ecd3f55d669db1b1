// SPDX-License-Identifier: BSD-2-Clause
/*
 * The core's seam to small memory: lists and texts that nobody outside the loader looks at. efi/services/pool.c
 * implements it with the firmware's AllocatePool, programs on the host with malloc. What Linux or the purgatory will
 * find lies in pages instead (boot/memory.h).
 */
#pragma once

#include <stddef.h>

#include "boot/status.h"

/*
 * Allocates `size` bytes, at least 1, aligned for any type, with undefined contents. The caller frees them with
 * pool_free. `what` names them in the message when there is no memory.
 */
enum kexec_status pool_alloc(size_t size, const char *what, void **ret_memory);

/* Frees what pool_alloc returned. NULL is ignored. */
void pool_free(void *memory);
