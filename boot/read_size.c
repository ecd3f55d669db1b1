// SPDX-License-Identifier: BSD-2-Clause
/* Learns how fast a disk can be read. */
#include "boot/read_size.h"

/* A large read then takes a quarter of a second at most, which is how often progress is shown. */
#define FAST_BYTES_PER_USEC 64u

uint64_t read_size_next(const struct read_size *state, uint64_t left, bool large)
{
	uint64_t most = large && state->is_fast ? READ_SIZE_LARGE : READ_SIZE_PIECE;

	return left < most ? left : most;
}

void read_size_learn(struct read_size *state, uint64_t size, uint64_t usec)
{
	/* Less than a piece says nothing. */
	if (size >= READ_SIZE_PIECE)
		state->is_fast = usec <= size / FAST_BYTES_PER_USEC;
}
