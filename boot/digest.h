// SPDX-License-Identifier: BSD-2-Clause
/*
 * The digests that the purgatory compares with: one for each region (common/region.h), and one over the list of these.
 * A file is a region, hashed piece by piece as it arrives, so that a change right after it is noticed. Segments of
 * stage DIGEST_EARLY follow when they are final, then the purgatory, except the digests and the data that it writes;
 * those of stage DIGEST_LATE are hashed after the last GetMemoryMap, again if the map changes.
 */
#pragma once

#include "boot/kexec_image.h"
#include "boot/purgatory.h"
#include "common/region.h"

/*
 * Regions left for the initrds, each of which has one of its own, and the last one for all others. The kernel's file
 * takes one, the zeros behind kernel and initrds two, and each other segment one.
 */
#define INITRD_REGIONS_MAX (REGION_MAX - 3 - (KEXEC_SEGMENT_MAX - 2))

/* The regions as the purgatory's symbols want them. */
struct region_table {
	struct sha_region regions[REGION_MAX];
	char names[REGION_MAX][REGION_NAME_SIZE];
	size_t count;
};

/* A zeroed one is not started. */
struct digest {
	struct region_table table; /* the late ones last */
	uint8_t digests[REGION_MAX][SHA256_DIGEST_SIZE];
	size_t early_count;
	struct fsverity *hash; /* of the region that is open or being hashed; of the pool */
	uint64_t next;	       /* where the next byte of the open region arrives */

	/* Where the results go: symbols of the purgatory, looked up beforehand because later nothing may fail. */
	uint8_t (*expected)[SHA256_DIGEST_SIZE];
	uint8_t *total;
};

/* Begins without any region. Allocates memory that digest_free frees, which does no harm to one that is not started. */
enum kexec_status digest_start(struct digest *ret_digest);

void digest_free(struct digest *digest);

/* The content of the region `name` is about to arrive, from the physical address `start` on. One is open at a time. */
void digest_open(struct digest *digest, const char *name, uint64_t start);

/* The next `size` bytes of the open region lie in memory. */
void digest_arrived(struct digest *digest, uint64_t size);

/*
 * Closes the open region, writes the zeros behind it (REGION_ALIGN), and returns its digest, which stays valid. For a
 * file this is its fs-verity digest.
 */
const uint8_t *digest_close(struct digest *digest);

/* Hashes the region [start, end), and writes the zeros behind it. */
void digest_add(struct digest *digest, const char *name, uint64_t start, uint64_t end);

/*
 * The same for `size` bytes whose digest was taken before they were put there, and writes the zeros behind. The
 * purgatory finds whether they are still the same.
 */
void digest_add_known(struct digest *digest, const char *name, uint64_t start, uint64_t size,
		      const uint8_t known[SHA256_DIGEST_SIZE]);

/* Zeroes the rest of the segment, from `start` on, and makes it a region. Without a rest nothing happens. */
void digest_add_zeros(struct digest *digest, const struct kexec_segment *segment, uint64_t start);

/* The fs-verity digest of a file that lies in memory, without making it a region. None may be open. */
void digest_of_file(struct digest *digest, uint64_t start, uint64_t size, uint8_t ret_digest[SHA256_DIGEST_SIZE]);

/*
 * Hashes the segments of stage DIGEST_EARLY; they must be final, as must be the places of all others and every symbol
 * of the purgatory that is PURGATORY_DATA. Lists all regions in the purgatory's sha_regions, and hashes the purgatory
 * itself. It cannot be trusted to notice that it has itself been changed, but mostly it will.
 */
enum kexec_status digest_prepare(const struct kexec_image *kexec_image, const struct purgatory *purgatory,
				 struct digest *digest);

/*
 * Hashes the segments of stage DIGEST_LATE and leaves the digests in the purgatory. May be called again after they
 * have changed. Cannot fail, allocates and prints nothing.
 */
void digest_finish(struct digest *digest);
