// SPDX-License-Identifier: BSD-2-Clause
/*
 * The digest that the purgatory compares with: one SHA-256 over every segment, in place; of the purgatory, all but the
 * digests and what it writes to. Files are
 * hashed piece by piece as they arrive, so that what the digest covers is what came from the disk and a change right
 * after it is noticed. The other early segments follow when they are final; and the few pages that are final only
 * after the last GetMemoryMap are appended to a copy of that state, as often as the map changes.
 */
#pragma once

#include "boot/kexec_image.h"
#include "boot/purgatory.h"
#include "common/sha256.h"

/* The regions and their names as the purgatory's symbols want them, in the order in which they are hashed. */
struct region_table {
	struct sha_region regions[KEXEC_SEGMENT_MAX];
	char names[KEXEC_SEGMENT_MAX][REGION_NAME_SIZE];
	size_t count;
};

struct digest {
	struct sha256 early_state; /* of all that was hashed so far */
	struct region_table table; /* the early ones first */
	size_t early_count;
	uint8_t early_running[KEXEC_SEGMENT_MAX][SHA256_DIGEST_SIZE];

	/* The segment that is being filled: what of it is not hashed yet. */
	uint64_t open_addr;
	uint64_t open_end;

	/* Where the results go: symbols of the purgatory, looked up beforehand because later nothing may fail. */
	uint8_t (*running)[SHA256_DIGEST_SIZE];
	uint8_t *total;
};

void digest_init(struct digest *digest);

/* The content of `segment`, of stage DIGEST_EARLY, is about to arrive. Only one segment is open at a time. */
void digest_open(struct digest *digest, const struct kexec_segment *segment);

/*
 * [addr, addr + size) has arrived: hashes what of it is content of the open segment. A file may hold more than its
 * segment does. Pieces come in order; where no segment is open nothing happens.
 */
void digest_arrived(struct digest *digest, uint64_t addr, uint64_t size);

/* The open segment has all its content: writes the zeros behind it (segment_seal) and hashes them. */
void digest_close(struct digest *digest, const struct kexec_segment *segment);

/*
 * Hashes the segments of stage DIGEST_EARLY that did not arrive in pieces; they must be final, as must be the places of
 * all others and every symbol of the purgatory that is PURGATORY_DATA. Lists all of them in the purgatory's
 * sha_regions, and hashes the purgatory itself. It cannot be trusted to notice that it has itself been changed, but
 * mostly it will.
 */
enum kexec_status digest_prepare(const struct kexec_image *kexec_image, const struct purgatory *purgatory,
				 struct digest *digest);

/*
 * Hashes the segments of stage DIGEST_LATE and leaves the digests in the purgatory. May be called again after they
 * have changed. Cannot fail, allocates and prints nothing.
 */
void digest_finish(const struct digest *digest);
