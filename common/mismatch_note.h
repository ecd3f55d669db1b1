// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the purgatory leaves for the next start when it refuses: a non-volatile variable of ours, written through the
 * firmware's runtime services, which live on after ExitBootServices (UEFI specification 8.2).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/purgatory_abi.h"

/* L"KexecMismatch" and its vendor GUID, 5f0a6dd6-9a3e-4c1f-8d46-2c1a1d1b6a10, as the firmware wants to see them. */
#define MISMATCH_VARIABLE_NAME                                                                                         \
	{                                                                                                              \
		'K', 'e', 'x', 'e', 'c', 'M', 'i', 's', 'm', 'a', 't', 'c', 'h', 0                                     \
	}
#define MISMATCH_VARIABLE_GUID                                                                                         \
	{                                                                                                              \
		0xd6, 0x6d, 0x0a, 0x5f, 0x3e, 0x9a, 0x1f, 0x4c, 0x8d, 0x46, 0x2c, 0x1a, 0x1d, 0x1b, 0x6a, 0x10         \
	}

#define MISMATCH_RECORD_VERSION 1

struct mismatch_record {
	uint32_t version;
	uint32_t on_mismatch; /* enum on_mismatch: what the purgatory went on to do */
	char region[REGION_NAME_SIZE];
	uint8_t expected[SHA256_DIGEST_SIZE];
	uint8_t found[SHA256_DIGEST_SIZE];
};

_Static_assert(sizeof(struct mismatch_record) == 8 + 16 + 64, "no padding: it is stored");
