// SPDX-License-Identifier: BSD-2-Clause
/*
 * How much of a file to read at once. Each read costs, most of all where the firmware's FAT driver looks for the file's
 * place on the disk anew, so large reads are faster; but progress must be shown in between. So a disk that brings a
 * piece quickly is read in large pieces from then on. There are two sizes only, and the border between them is far from
 * what disks do, so that two boots of one machine read alike.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* All firmware reads a piece of this size, and it still fits the CPU's cache when it is hashed. */
#define READ_SIZE_PIECE (1u << 20)

#define READ_SIZE_LARGE (16u << 20)

/* What is known of a disk. A zeroed one knows nothing. */
struct read_size {
	bool is_fast;
};

/* How many bytes to ask for where `left` are wanted. `large`: more than READ_SIZE_PIECE may be tried. */
uint64_t read_size_next(const struct read_size *state, uint64_t left, bool large);

/* `size` bytes came in `usec` microseconds. */
void read_size_learn(struct read_size *state, uint64_t size, uint64_t usec);
