// SPDX-License-Identifier: BSD-2-Clause
/*
 * The purgatory's reference digests: one for each region (common/region.h), and one of the list of these. A file is a
 * region. It is hashed in pieces as it arrives, so a change right afterwards is noticed. Segments of stage DIGEST_EARLY
 * are hashed when they are final, and then the purgatory, except the digests and the data that it writes. Segments of
 * stage DIGEST_LATE are hashed after the last GetMemoryMap, again if the map changes.
 */
#pragma once

#include "boot/kexec_image.h"
#include "boot/purgatory.h"
#include "common/region.h"

/*
 * Regions left for the initrds. Each initrd has its own; the last region holds all the rest. The kernel's file takes
 * one region, the zeros behind kernel and initrds two, and each other segment one.
 */
#define INITRD_REGIONS_MAX (REGION_MAX - 3 - (KEXEC_SEGMENT_MAX - 2))

/* The regions in the layout of the purgatory's symbols. */
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
	struct fsverity *hash; /* of the region that is open or being hashed; pool memory */
	uint64_t next;	       /* address of the next byte of the open region */

	/* The purgatory's symbols for the results, looked up in advance because nothing may fail later. */
	uint8_t (*expected)[SHA256_DIGEST_SIZE];
	uint8_t *total;
};

/* Begins without regions. Allocates memory that digest_free frees. digest_free is harmless on a zeroed digest. */
enum kexec_status digest_start(struct digest *ret_digest);

void digest_free(struct digest *digest);

/* Opens the region `name`, whose content will arrive from the physical address `start` on. Only one may be open. */
void digest_open(struct digest *digest, const char *name, uint64_t start);

/* Call this when the next `size` bytes of the open region are in memory. */
void digest_arrived(struct digest *digest, uint64_t size);

/*
 * Closes the open region, writes the zeros behind it (REGION_ALIGN), and returns its digest, which stays valid. A
 * file's digest is its fs-verity digest.
 */
const uint8_t *digest_close(struct digest *digest);

/* Hashes the region [start, end), and writes the zeros behind it. */
void digest_add(struct digest *digest, const char *name, uint64_t start, uint64_t end);

/*
 * Adds the region for `size` bytes whose digest was taken before they were copied there, and writes the zeros behind
 * them. The purgatory verifies that they are still the same.
 */
void digest_add_known(struct digest *digest, const char *name, uint64_t start, uint64_t size,
		      const uint8_t known[SHA256_DIGEST_SIZE]);

/* Zeroes the rest of the segment, from `start` on, and makes it a region. A no-op if nothing is left. */
void digest_add_zeros(struct digest *digest, const struct kexec_segment *segment, uint64_t start);

/* The fs-verity digest of a file in memory, without making it a region. No region may be open. */
void digest_of_file(struct digest *digest, uint64_t start, uint64_t size, uint8_t ret_digest[SHA256_DIGEST_SIZE]);

/*
 * Hashes the segments of stage DIGEST_EARLY. They must be final, and so must the places of all others and every symbol
 * of the purgatory that is PURGATORY_DATA. Lists all regions in the purgatory's sha_regions, and hashes the purgatory
 * itself. A purgatory that was changed cannot be trusted to notice it, but mostly it will.
 */
enum kexec_status digest_prepare(const struct kexec_image *kexec_image, const struct purgatory *purgatory,
				 struct digest *digest);

/*
 * Hashes the segments of stage DIGEST_LATE, and writes all digests to the purgatory. The caller may call it again after
 * these segments have changed. It cannot fail, and neither allocates nor prints.
 */
void digest_finish(struct digest *digest);
