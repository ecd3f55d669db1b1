// SPDX-License-Identifier: BSD-2-Clause
/* Hashes sections one by one, which works because they do not overlap. */
#include "boot/unified_hasher.h"

#include "common/sha256.h"

/* The part that contains the byte at `offset`, or else the next one. UNIFIED_PARTS if there is none. */
static unsigned find_part(const struct unified_image *image, uint64_t offset)
{
	unsigned next = UNIFIED_PARTS;

	for (unsigned i = 0; i < UNIFIED_PARTS; i++) {
		const struct unified_section *section = &image->sections[i];

		if (!section->size || offset >= section->offset + section->file_size)
			continue;
		if (next == UNIFIED_PARTS || section->offset < image->sections[next].offset)
			next = i;
	}
	return next;
}

static void add_zeros(struct fsverity *state, uint64_t size)
{
	static const uint8_t zeros[256];

	while (size) {
		uint64_t part = size < sizeof(zeros) ? size : sizeof(zeros);

		fsverity_update(state, zeros, part);
		size -= part;
	}
}

static void finish(struct fsverity *state, const struct unified_section *section,
		   uint8_t ret_digest[SHA256_DIGEST_SIZE])
{
	add_zeros(state, section->size - section->file_size);
	fsverity_finish(state, section->size, ret_digest);
}

/* Hashes some of the bytes, from the beginning, and returns how many. */
static uint64_t take_some(struct unified_hasher *hasher, const void *bytes, uint64_t size)
{
	unsigned part = find_part(hasher->image, hasher->offset);
	const struct unified_section *section = &hasher->image->sections[part];
	uint64_t left;

	if (part == UNIFIED_PARTS)
		return size;
	if (hasher->offset < section->offset) {
		left = section->offset - hasher->offset;
		return size < left ? size : left;
	}
	if (hasher->offset == section->offset)
		fsverity_start(hasher->state);
	left = section->offset + section->file_size - hasher->offset;
	if (size < left) {
		fsverity_update(hasher->state, bytes, size);
		return size;
	}
	fsverity_update(hasher->state, bytes, left);
	finish(hasher->state, section, hasher->digests[part]);
	return left;
}

void unified_hasher_arrived(struct unified_hasher *hasher, const void *bytes, uint64_t size)
{
	const uint8_t *next = bytes;

	while (size) {
		uint64_t taken = take_some(hasher, next, size);

		hasher->offset += taken;
		next += taken;
		size -= taken;
	}
}

bool unified_hasher_agrees(const struct unified_hasher *hasher, enum unified_part part, const void *bytes)
{
	const struct unified_section *section = &hasher->image->sections[part];
	uint8_t digest[SHA256_DIGEST_SIZE];

	fsverity_start(hasher->state);
	fsverity_update(hasher->state, bytes, section->file_size);
	finish(hasher->state, section, digest);
	return sha256_equal(digest, hasher->digests[part]);
}
