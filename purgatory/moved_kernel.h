// SPDX-License-Identifier: BSD-2-Clause
/*
 * A kernel with a fixed address (struct kernel_move). The purgatory verifies it where the loader read it to, moves it
 * after all else, and verifies it again by the same digests. A digest covers a whole file, but only a part of the file
 * moves. So a region is then read in pieces, each from its place.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/fsverity.h"
#include "common/purgatory_abi.h"

/* Copies the kernel to its place, over the old content. */
void move_kernel(void);

/* The present address of the byte that the loader left at `addr`. */
uint64_t place_now(uint64_t addr);

/* Whether some byte of the region belongs to the moved range. */
bool region_is_moved(const struct sha_region *region);

/* region_digest (common/region.h) of the region's bytes at their present places. */
void region_digest_now(struct fsverity *state, const struct sha_region *region, uint8_t ret_digest[SHA256_DIGEST_SIZE]);
