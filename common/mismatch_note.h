// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the purgatory leaves for the next start when it refuses: a non-volatile variable of ours, written through the
 * firmware's runtime services, which live on after ExitBootServices (UEFI specification 8.2).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/purgatory_abi.h"

/* L"KexecMismatch", of the vendor in common/vendor.h. */
#define MISMATCH_VARIABLE_NAME                                                                                         \
	{                                                                                                              \
		'K', 'e', 'x', 'e', 'c', 'M', 'i', 's', 'm', 'a', 't', 'c', 'h', 0                                     \
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
