// SPDX-License-Identifier: BSD-2-Clause
/*
 * Chooses how much of a file to read at once. Each read has a cost, most of all if the firmware's FAT driver searches
 * the file's place on the disk again, so large reads are faster. But progress must be shown in between. So once a disk
 * has delivered a piece quickly, it is read in large pieces. There are only two sizes, and the limit between them is
 * far from the speed of real disks, so two boots of one machine read alike.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* All firmware can read a piece of this size, and it still fits the CPU's cache when it is hashed. */
#define READ_SIZE_PIECE (1u << 20)

#define READ_SIZE_LARGE (16u << 20)

/* The knowledge about a disk. A zeroed one is empty. */
struct read_size {
	bool is_fast;
};

/* Returns the number of bytes to read next, of `left`. `large`: it may exceed READ_SIZE_PIECE. */
uint64_t read_size_next(const struct read_size *state, uint64_t left, bool large);

/* Records that `size` bytes came in `usec` microseconds. */
void read_size_learn(struct read_size *state, uint64_t size, uint64_t usec);
