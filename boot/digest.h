// SPDX-License-Identifier: BSD-2-Clause
/*
 * The digest that the purgatory compares with: SHA-256 over every segment but the purgatory, in place. The large
 * segments are hashed early, while a watchdog can still be fed and a key still be pressed; the few pages that are
 * final only after the last GetMemoryMap are appended to a copy of that state, as often as the map changes.
 */
#pragma once

#include "boot/image.h"
#include "boot/purgatory.h"
#include "common/sha256.h"

struct digest {
	struct sha256 early_state;
	size_t early_count;
	size_t region_count;
	struct sha_region regions[KEXEC_SEGMENT_MAX]; /* the early ones first */

	/* Where the results go: symbols of the purgatory, looked up beforehand because later nothing may fail. */
	uint8_t (*running)[SHA256_DIGEST_SIZE];
	uint8_t *total;
};

/*
 * Lists the image's segments in the purgatory's sha_regions and hashes those of stage DIGEST_EARLY, which must be
 * final, as must be the places of all others. The zero tails are written first (image_seal).
 */
enum kexec_status digest_start(const struct kexec_image *image, const struct purgatory *purgatory,
			       struct digest *ret_digest);

/*
 * Hashes the segments of stage DIGEST_LATE and leaves the digests in the purgatory. May be called again after they
 * have changed. Cannot fail, allocates and prints nothing.
 */
void digest_finish(const struct digest *digest);
