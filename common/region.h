// SPDX-License-Identifier: BSD-2-Clause
/* How loader and purgatory hash a region of memory. No call can fail. */
#pragma once

#include "common/fsverity.h"
#include "common/purgatory_abi.h"

/*
 * A region's length rounded up to this multiple includes the zeros behind its end. They belong to the region, because
 * Linux reads them between initrds.
 */
#define REGION_ALIGN 4u

/* How many bytes of memory the digest of a region of `len` bytes covers. */
uint64_t region_covered(uint64_t len);

/* The region's fs-verity digest. If the region holds a file, this is the file's digest. `state` is scratch memory. */
void region_digest(struct fsverity *state, const struct sha_region *region, uint8_t ret_digest[SHA256_DIGEST_SIZE]);

/* The SHA-256 over the digests of all regions that are in use, in their order. */
void region_list_digest(const struct sha_region regions[REGION_MAX], uint8_t digests[REGION_MAX][SHA256_DIGEST_SIZE],
			uint8_t ret_digest[SHA256_DIGEST_SIZE]);
