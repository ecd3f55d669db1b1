// SPDX-License-Identifier: BSD-2-Clause
/* Learns how fast a file can be read. */
#include "boot/read_size.h"

#include "common/align.h"

#define LARGE_SIZE_FIRST (2ull * READ_SIZE_PIECE)
#define LARGE_SIZE_MAX (512ull * READ_SIZE_PIECE)

uint64_t read_size_next(const struct read_size *state, uint64_t left, bool large)
{
	uint64_t most = READ_SIZE_PIECE;

	if (large)
		most = state->large_size ? state->large_size : LARGE_SIZE_FIRST;
	return left < most ? left : most;
}

void read_size_learn(struct read_size *state, uint64_t size, uint64_t usec)
{
	uint64_t bytes_per_usec = size / (usec ? usec : 1);

	/* Less than a piece says nothing. */
	if (size < READ_SIZE_PIECE)
		return;
	if (bytes_per_usec > LARGE_SIZE_MAX / READ_SIZE_USEC)
		bytes_per_usec = LARGE_SIZE_MAX / READ_SIZE_USEC;
	state->large_size = align_up(bytes_per_usec * READ_SIZE_USEC + 1, READ_SIZE_PIECE);
}
