// SPDX-License-Identifier: BSD-2-Clause
/* Builds the tree from the leaves up. For each level it keeps only the block that is not full yet. */
#include "common/fsverity.h"

#include <stdbool.h>

#include "common/string.h"

/* struct fsverity_descriptor, as the kernel hashes it: without a signature or a salt. */
struct descriptor {
	uint8_t version;
	uint8_t hash_algorithm;
	uint8_t log_block_size;
	uint8_t salt_size;
	uint32_t signature_size;
	uint64_t data_size;
	uint8_t root_hash[64];
	uint8_t salt[32];
	uint8_t reserved[144];
};

_Static_assert(sizeof(struct descriptor) == 256, "fsverity.rst, \"fs-verity descriptor\"");

enum {
	DESCRIPTOR_VERSION = 1,
	HASH_ALGORITHM_SHA256 = 1, /* FS_VERITY_HASH_ALG_SHA256, include/uapi/linux/fsverity.h */
	LOG_BLOCK_SIZE = 12,
};

_Static_assert(FSVERITY_BLOCK_SIZE == 1u << LOG_BLOCK_SIZE, "the descriptor says so");

void fsverity_start_with(struct fsverity *state, enum sha256_code code)
{
	state->code = code;
	state->pending_size = 0;
	for (size_t i = 0; i < FSVERITY_LEVELS; i++)
		state->levels[i].count = 0;
}

void fsverity_start(struct fsverity *state)
{
	fsverity_start_with(state, sha256_best_code());
}

/* The level's block, with zeros behind its digests, becomes a digest of the next level. */
static void close_block(struct fsverity *state, struct fsverity_level *level)
{
	struct fsverity_level *next = level + 1;

	memset(level->digests[level->count], 0, (FSVERITY_BLOCK_DIGESTS - level->count) * SHA256_DIGEST_SIZE);
	sha256_leaves(state->code, level->digests, 1, &next->digests[next->count]);
	next->count++;
	level->count = 0;
}

/* The top level never fills: it has one digest at most. */
static void close_full_blocks(struct fsverity *state)
{
	for (struct fsverity_level *level = state->levels; level->count == FSVERITY_BLOCK_DIGESTS; level++)
		close_block(state, level);
}

static void add_leaves(struct fsverity *state, const uint8_t *leaves, size_t count)
{
	struct fsverity_level *bottom = &state->levels[0];

	while (count) {
		size_t room = FSVERITY_BLOCK_DIGESTS - bottom->count;
		size_t part = count < room ? count : room;

		sha256_leaves(state->code, leaves, part, &bottom->digests[bottom->count]);
		bottom->count += part;
		close_full_blocks(state);
		leaves += part * FSVERITY_BLOCK_SIZE;
		count -= part;
	}
}

static void collect(struct fsverity *state, const uint8_t *bytes, size_t size)
{
	memcpy(state->pending + state->pending_size, bytes, size);
	state->pending_size += size;
	if (state->pending_size == sizeof(state->pending)) {
		add_leaves(state, state->pending, FSVERITY_BATCH);
		state->pending_size = 0;
	}
}

void fsverity_update(struct fsverity *state, const void *bytes, size_t size)
{
	const uint8_t *next = bytes;
	size_t batches;

	if (state->pending_size) {
		size_t room = sizeof(state->pending) - state->pending_size;
		size_t lead = size < room ? size : room;

		collect(state, next, lead);
		next += lead;
		size -= lead;
	}
	/* Hash in place. Here either no bytes remain or `pending` is empty. */
	batches = size / sizeof(state->pending);
	add_leaves(state, next, batches * FSVERITY_BATCH);
	collect(state, next + batches * sizeof(state->pending), size % sizeof(state->pending));
}

static void add_pending(struct fsverity *state)
{
	size_t count = (state->pending_size + FSVERITY_BLOCK_SIZE - 1) / FSVERITY_BLOCK_SIZE;

	memset(state->pending + state->pending_size, 0, count * FSVERITY_BLOCK_SIZE - state->pending_size);
	add_leaves(state, state->pending, count);
	state->pending_size = 0;
}

static bool is_highest(const struct fsverity *state, const struct fsverity_level *level)
{
	while (++level < state->levels + FSVERITY_LEVELS) {
		if (level->count)
			return false;
	}
	return true;
}

/*
 * Closes every block below the root, which is the only digest of the highest level. Returns NULL if there is no block.
 */
static const uint8_t *find_root(struct fsverity *state)
{
	for (struct fsverity_level *level = state->levels; level < state->levels + FSVERITY_LEVELS; level++) {
		if (!level->count)
			continue;
		if (level->count == 1 && is_highest(state, level))
			return level->digests[0];
		close_block(state, level);
	}
	return NULL;
}

void fsverity_finish(struct fsverity *state, uint64_t file_size, uint8_t ret_digest[SHA256_DIGEST_SIZE])
{
	struct descriptor descriptor = {
		.version = DESCRIPTOR_VERSION,
		.hash_algorithm = HASH_ALGORITHM_SHA256,
		.log_block_size = LOG_BLOCK_SIZE,
		.data_size = file_size,
	};
	struct sha256 hash;
	const uint8_t *root;

	add_pending(state);
	root = find_root(state);
	if (root)
		memcpy(descriptor.root_hash, root, SHA256_DIGEST_SIZE);
	sha256_start_with(&hash, state->code);
	sha256_update(&hash, &descriptor, sizeof(descriptor));
	sha256_digest(&hash, ret_digest);
}
