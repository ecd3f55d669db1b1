// SPDX-License-Identifier: BSD-2-Clause
/* Measures the speed of a disk. */
#include "boot/read_size.h"

/* At this speed a large read takes at most a quarter of a second, which is the interval of progress messages. */
#define FAST_BYTES_PER_USEC 64u

uint64_t read_size_next(const struct read_size *state, uint64_t left, bool large)
{
	uint64_t most = large && state->is_fast ? READ_SIZE_LARGE : READ_SIZE_PIECE;

	return left < most ? left : most;
}

void read_size_learn(struct read_size *state, uint64_t size, uint64_t usec)
{
	/* A read of less than a piece is not meaningful. */
	if (size >= READ_SIZE_PIECE)
		state->is_fast = usec <= size / FAST_BYTES_PER_USEC;
}
