// SPDX-License-Identifier: BSD-2-Clause
/*
 * fs-verity digests: Linux, Documentation/filesystems/fsverity.rst, "Merkle tree" and "fs-verity descriptor". SHA-256,
 * blocks of 4096 bytes, no salt: what `fsverity digest FILE` prints. Since each block of the file is hashed by itself,
 * several can be hashed at once (common/sha256.h, sha256_leaves). No call can fail.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/sha256.h"

/*
 * Physical addresses have 52 bits at most, so no file in memory has more than 2^40 blocks; each level has 1/128 of the
 * blocks of the one below.
 */
#define FSVERITY_LEVELS 7
#define FSVERITY_BLOCK_SIZE SHA256_LEAF_SIZE
#define FSVERITY_BLOCK_DIGESTS (FSVERITY_BLOCK_SIZE / SHA256_DIGEST_SIZE)

/* Blocks to collect before hashing: enough to fill every lane of every code. */
#define FSVERITY_BATCH 8

/* The last block of a level, filled so far with `count` digests. */
struct fsverity_level {
	uint8_t digests[FSVERITY_BLOCK_DIGESTS][SHA256_DIGEST_SIZE];
	size_t count;
};

/* A digest in progress. It is large: keep it in static memory, not on a stack. */
struct fsverity {
	enum sha256_code code;
	size_t pending_size;
	uint8_t pending[FSVERITY_BATCH * FSVERITY_BLOCK_SIZE]; /* bytes received but not hashed yet */
	struct fsverity_level levels[FSVERITY_LEVELS];	       /* from the leaves up */
};

/* Begins a digest, with the fastest code or with a given code that the CPU has (sha256_has_code). */
void fsverity_start(struct fsverity *state);
void fsverity_start_with(struct fsverity *state, enum sha256_code code);

/* Adds the next `size` bytes of the file. It reads each byte once. Pieces may have any size and alignment. */
void fsverity_update(struct fsverity *state, const void *bytes, size_t size);

/*
 * Ends the digest of a file of `file_size` bytes. The caller may have added more bytes, up to the end of the file's
 * last block. They are hashed where fs-verity has zeros, so the digest is the file's only if they are zeros.
 */
void fsverity_finish(struct fsverity *state, uint64_t file_size, uint8_t ret_digest[SHA256_DIGEST_SIZE]);
