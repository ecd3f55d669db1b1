// SPDX-License-Identifier: BSD-2-Clause
/* How a region of memory is hashed, by loader and purgatory alike. No call can fail. */
#pragma once

#include "common/fsverity.h"
#include "common/purgatory_abi.h"

/*
 * Behind a region's end, up to the next multiple of this from its start, lie zeros that belong to it: between initrds
 * Linux reads them.
 */
#define REGION_ALIGN 4u

/* How many bytes of memory the digest of a region of `len` bytes covers. */
uint64_t region_covered(uint64_t len);

/* The fs-verity digest of the region, which is that of the file if it holds one. `state` is scratch memory. */
void region_digest(struct fsverity *state, const struct sha_region *region, uint8_t ret_digest[SHA256_DIGEST_SIZE]);

/* The SHA-256 over the digests of all regions that are in use, in their order. */
void region_list_digest(const struct sha_region regions[REGION_MAX], uint8_t digests[REGION_MAX][SHA256_DIGEST_SIZE],
			uint8_t ret_digest[SHA256_DIGEST_SIZE]);
