// SPDX-License-Identifier: BSD-2-Clause
/* A disk as the firmware reads it, block by block (EFI_BLOCK_IO_PROTOCOL: UEFI specification 13.9). */
#pragma once

#include <efi.h>

#include "boot/gpt.h"
#include "boot/status.h"

/*
 * Finds the partitions of a type in the GPT of a disk, with gpt_find. *ret_count is their number. If the first table is
 * damaged it falls back to the second, as the firmware does. `wanted` names the volume in messages.
 */
enum kexec_status disk_find_partition(EFI_BLOCK_IO *disk, const char *wanted, const uint8_t type[GPT_GUID_SIZE],
				      const char *preferred, char ret_partuuid[PARTUUID_SIZE], size_t *ret_count);
