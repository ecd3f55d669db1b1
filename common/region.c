// SPDX-License-Identifier: BSD-2-Clause
/* Hashes regions. */
#include "common/region.h"

#include "common/align.h"

/* The zeros behind a region lie in its last block, so that they are hashed where fs-verity has zeros. */
_Static_assert(FSVERITY_BLOCK_SIZE % REGION_ALIGN == 0, "no block ends within the zeros");

uint64_t region_covered(uint64_t len)
{
	return align_up(len, REGION_ALIGN);
}

void region_digest(struct fsverity *state, const struct sha_region *region, uint8_t ret_digest[SHA256_DIGEST_SIZE])
{
	fsverity_start(state);
	fsverity_update(state, phys_to_ptr(region->start), region_covered(region->len));
	fsverity_finish(state, region->len, ret_digest);
}

void region_list_digest(const struct sha_region regions[REGION_MAX], uint8_t digests[REGION_MAX][SHA256_DIGEST_SIZE],
			uint8_t ret_digest[SHA256_DIGEST_SIZE])
{
	struct sha256 hash;

	sha256_start(&hash);
	for (size_t i = 0; i < REGION_MAX; i++) {
		if (regions[i].len)
			sha256_update(&hash, digests[i], SHA256_DIGEST_SIZE);
	}
	sha256_digest(&hash, ret_digest);
}
