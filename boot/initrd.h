// SPDX-License-Identifier: BSD-2-Clause
/*
 * Several initrds become one: Documentation/driver-api/early-userspace/buffer-format.rst allows archives to follow
 * each other with zeros between them, each beginning at a multiple of 4.
 */
#pragma once

#include <stdint.h>

#include "boot/status.h"

#define INITRD_ALIGN 4u

/*
 * Finds the offset of the next part, of `part_size` bytes, in an initrd that has *size bytes so far, and adds the part
 * to *size. The bytes between the old *size and the offset are padding.
 */
enum kexec_status initrd_append(const char *path, uint64_t part_size, uint64_t *size, uint64_t *ret_offset);
