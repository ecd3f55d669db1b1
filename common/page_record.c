// SPDX-License-Identifier: BSD-2-Clause
/* Computes checksums of pages, and finds out how a page changed. */
#include "common/page_record.h"

#include <stdbool.h>
#include <stddef.h>

#include "common/align.h"

/* A multiplication has a long latency, but several run at once. */
#define LANES 4
#define PAGE_WORDS (PAGE_SIZE / sizeof(uint64_t))
#define WORD_BITS 64u

/* FNV-1a's 64-bit prime. It is odd, so each step is reversible and a change of one word always changes the sum. */
#define MULTIPLIER 0x100000001b3ull

struct lanes {
	uint64_t values[LANES];
};

/*
 * A change of a factor's highest bit changes only the product's highest bit. The shift spreads it over two bits, so it
 * cannot look like a single changed bit in the next word.
 */
static uint64_t step(uint64_t value, uint64_t word)
{
	uint64_t product = (value ^ word) * MULTIPLIER;

	return product ^ product >> WORD_BITS / 2;
}

/* Nonzero, so that zero words count. Different, so that it matters in which lane a word is. */
static const struct lanes start = { { 1, 2, 3, 4 } };

/* Lane i takes every word whose index is i modulo LANES. */
static struct lanes sum_lanes(const uint64_t *words)
{
	struct lanes lanes = start;

	for (size_t i = 0; i < PAGE_WORDS; i += LANES) {
		for (size_t lane = 0; lane < LANES; lane++)
			lanes.values[lane] = step(lanes.values[lane], words[i + lane]);
	}
	return lanes;
}

static uint64_t combine(const struct lanes *lanes)
{
	uint64_t sum = 0;

	for (size_t lane = 0; lane < LANES; lane++)
		sum = step(sum, lanes->values[lane]);
	return sum;
}

uint64_t page_sum(const void *page)
{
	struct lanes lanes = sum_lanes(page);

	return combine(&lanes);
}

static bool is_zero(const uint64_t *words)
{
	for (size_t i = 0; i < PAGE_WORDS; i++) {
		if (words[i])
			return false;
	}
	return true;
}

/* The value of the lane if its word number `at` were `word`. `before` is the lane's value before that word. */
static uint64_t lane_with(const uint64_t *words, size_t at, uint64_t word, uint64_t before)
{
	uint64_t value = step(before, word);

	for (size_t i = at + LANES; i < PAGE_WORDS; i += LANES)
		value = step(value, words[i]);
	return value;
}

/* Tries each bit. This takes about two million steps, once a page, and only before a halt. */
static bool find_bit(const uint64_t *words, uint64_t sum, uint32_t *ret_bit)
{
	const struct lanes lanes = sum_lanes(words);
	struct lanes before = start;

	for (size_t i = 0; i < PAGE_WORDS; i++) {
		size_t lane = i % LANES;

		for (uint32_t bit = 0; bit < WORD_BITS; bit++) {
			struct lanes changed = lanes;

			changed.values[lane] = lane_with(words, i, words[i] ^ 1ull << bit, before.values[lane]);
			if (combine(&changed) == sum) {
				*ret_bit = (uint32_t)i * WORD_BITS + bit;
				return true;
			}
		}
		before.values[lane] = step(before.values[lane], words[i]);
	}
	return false;
}

enum page_change page_compare(const void *page, uint64_t sum, uint32_t *ret_bit)
{
	const uint64_t *words = page;

	*ret_bit = 0;
	if (page_sum(words) == sum)
		return PAGE_SAME;
	/*
	 * Test for one bit first: if a page of zeros had a single bit set before, losing that bit is the likelier
	 * cause.
	 */
	if (find_bit(words, sum, ret_bit))
		return PAGE_ONE_BIT;
	return is_zero(words) ? PAGE_ZEROED : PAGE_OTHER;
}
