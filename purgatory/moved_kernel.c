// SPDX-License-Identifier: BSD-2-Clause
/* Moves the kernel, and translates addresses afterwards. */
#include "purgatory/moved_kernel.h"

#include "common/align.h"
#include "common/region.h"
#include "common/string.h"

PURGATORY_DATA struct kernel_move purgatory_kernel_move;

static bool has_moved;

void move_kernel(void)
{
	const struct kernel_move *move = &purgatory_kernel_move;

	memcpy(phys_to_ptr(move->to), phys_to_ptr(move->from), move->size);
	has_moved = true;
}

uint64_t place_now(uint64_t addr)
{
	const struct kernel_move *move = &purgatory_kernel_move;

	return has_moved && addr - move->from < move->size ? move->to + (addr - move->from) : addr;
}

bool region_is_moved(const struct sha_region *region)
{
	const struct kernel_move *move = &purgatory_kernel_move;

	return region->start < move->from + move->size && move->from < region->start + region->len;
}

/* Splits [addr, end) at the start and the end of the moved range. Returns the end of the first piece. */
static uint64_t end_of_piece(uint64_t addr, uint64_t end)
{
	uint64_t first = purgatory_kernel_move.from;
	uint64_t behind = first + purgatory_kernel_move.size;

	if (addr < first && first < end)
		return first;
	if (addr < behind && behind < end)
		return behind;
	return end;
}

void region_digest_now(struct fsverity *state, const struct sha_region *region, uint8_t ret_digest[SHA256_DIGEST_SIZE])
{
	uint64_t end = region->start + region_covered(region->len);
	uint64_t addr = region->start;

	fsverity_start(state);
	while (addr < end) {
		uint64_t next = end_of_piece(addr, end);

		fsverity_update(state, phys_to_ptr(place_now(addr)), next - addr);
		addr = next;
	}
	fsverity_finish(state, region->len, ret_digest);
}
