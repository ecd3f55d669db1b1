// SPDX-License-Identifier: BSD-2-Clause
/*
 * The digests of a unified image's sections, each as of a region (common/region.h), taken while the file arrives. The
 * purgatory compares with them after the sections have moved. So it also finds changes from before the move.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/unified_image.h"
#include "common/fsverity.h"

struct unified_hasher {
	const struct unified_image *image;
	struct fsverity *state;				    /* scratch memory */
	uint64_t offset;				    /* of the next byte of the file; initially 0 */
	uint8_t digests[UNIFIED_PARTS][SHA256_DIGEST_SIZE]; /* each valid once its section has arrived */
};

/* Adds the next `size` bytes of the file. */
void unified_hasher_arrived(struct unified_hasher *hasher, const void *bytes, uint64_t size);

/* Whether `bytes`, a section's content as in the file, are the bytes that arrived. */
bool unified_hasher_agrees(const struct unified_hasher *hasher, enum unified_part part, const void *bytes);
