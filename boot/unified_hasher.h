// SPDX-License-Identifier: BSD-2-Clause
/*
 * The digests of a unified image's sections, each as of a region (common/region.h), taken while the file arrives. They
 * are what the purgatory compares with, wherever the sections go meanwhile: so it finds what was changed before they
 * were moved, as well as what is changed later.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/unified_image.h"
#include "common/fsverity.h"

struct unified_hasher {
	const struct unified_image *image;
	struct fsverity *state;				    /* scratch memory */
	uint64_t offset;				    /* of the next byte of the file; begins with 0 */
	uint8_t digests[UNIFIED_PARTS][SHA256_DIGEST_SIZE]; /* each valid once its section's last byte has come */
};

/* The next `size` bytes of the file. */
void unified_hasher_arrived(struct unified_hasher *hasher, const void *bytes, uint64_t size);

/* Whether `bytes`, the content of a section as the file has it, are still those that have come. */
bool unified_hasher_agrees(const struct unified_hasher *hasher, enum unified_part part, const void *bytes);
