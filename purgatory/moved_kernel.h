// SPDX-License-Identifier: BSD-2-Clause
/*
 * A kernel with a fixed address (struct kernel_move): verified where it was read to, moved last, and verified again by
 * the same digests. These are of whole files, of which only a part is moved: a region is then read in pieces, each
 * from where it lies.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/fsverity.h"
#include "common/purgatory_abi.h"

/* Copies the kernel to its place. What was there is lost. */
void move_kernel(void);

/* Where the byte lies that the loader left at `addr`. */
uint64_t place_now(uint64_t addr);

/* Whether a byte of the region belongs to what is moved, or will be. */
bool region_is_moved(const struct sha_region *region);

/* region_digest (common/region.h) of what belongs to the region, wherever it lies. */
void region_digest_now(struct fsverity *state, const struct sha_region *region, uint8_t ret_digest[SHA256_DIGEST_SIZE]);
