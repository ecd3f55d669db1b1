// SPDX-License-Identifier: BSD-2-Clause
/* Lays out the parts of the initrd. */
#include "boot/initrd.h"

#include "boot/log.h"
#include "common/align.h"

/* Far more than any memory, and a multiple of INITRD_ALIGN, so rounding an offset up does not exceed it. */
#define INITRD_SIZE_MAX (1ull << 62)

enum kexec_status initrd_append(const char *path, uint64_t part_size, uint64_t *size, uint64_t *ret_offset)
{
	uint64_t offset = align_up(*size, INITRD_ALIGN);

	if (part_size == 0)
		return log_error(KEXEC_TRUNCATED, "%s: empty: expected an initrd of at least 1 byte, found 0", path);
	if (part_size > INITRD_SIZE_MAX - offset)
		return log_error(KEXEC_TOO_LARGE, "%s: expected at most 0x%lx bytes, found 0x%lx", path,
				 (uint64_t)(INITRD_SIZE_MAX - offset), part_size);
	*ret_offset = offset;
	*size = offset + part_size;
	return KEXEC_OK;
}
