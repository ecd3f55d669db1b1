// SPDX-License-Identifier: BSD-2-Clause
/* Checksums of pages: the changes that they detect, and the report about a changed page. */
#include "common/page_record.h"

#include "common/align.h"
#include "tests/unit/support.h"

static uint64_t page[PAGE_SIZE / sizeof(uint64_t)];

static void fill(void)
{
	srand(1127);
	for (size_t i = 0; i < ARRAY_SIZE(page); i++)
		page[i] = (uint64_t)rand() << 32 ^ (uint64_t)rand();
}

static void page_that_is_the_same(void **state)
{
	uint32_t bit;

	(void)state;
	fill();
	assert_int_equal(page_compare(page, page_sum(page), &bit), PAGE_SAME);
	memset(page, 0, sizeof(page));
	assert_int_equal(page_compare(page, page_sum(page), &bit), PAGE_SAME);
}

static void each_bit_is_found(void **state)
{
	uint8_t *bytes = (uint8_t *)page;
	uint64_t sum;

	(void)state;
	fill();
	sum = page_sum(page);
	for (uint32_t flipped = 0; flipped < 8 * PAGE_SIZE; flipped += 331) {
		uint32_t bit;

		bytes[flipped / 8] ^= (uint8_t)(1u << flipped % 8);
		assert_int_equal(page_compare(page, sum, &bit), PAGE_ONE_BIT);
		assert_int_equal(bit, flipped);
		bytes[flipped / 8] ^= (uint8_t)(1u << flipped % 8);
	}
}

/* A change of one word always changes the sum. */
static void any_change_of_a_word_changes_the_sum(void **state)
{
	uint64_t sum;

	(void)state;
	fill();
	sum = page_sum(page);
	for (size_t i = 0; i < ARRAY_SIZE(page); i++) {
		uint64_t before = page[i];

		for (unsigned bit = 0; bit < 64; bit++) {
			page[i] = before ^ 1ull << bit;
			assert_int_not_equal(page_sum(page), sum);
			page[i] = before ^ ~0ull << bit;
			assert_int_not_equal(page_sum(page), sum);
		}
		page[i] = before;
	}
}

static void changes_of_other_kinds(void **state)
{
	uint64_t sum;
	uint32_t bit;

	(void)state;
	fill();
	sum = page_sum(page);
	page[7] ^= 3;
	assert_int_equal(page_compare(page, sum, &bit), PAGE_OTHER);
	page[7] ^= 3;
	page[0] ^= 1;
	page[511] ^= 1ull << 63;
	assert_int_equal(page_compare(page, sum, &bit), PAGE_OTHER);
	memset(page, 0, sizeof(page));
	assert_int_equal(page_compare(page, sum, &bit), PAGE_ZEROED);
	memset(page, 0xff, sizeof(page));
	assert_int_equal(page_compare(page, sum, &bit), PAGE_OTHER);
}

/* A page of zeros in which one bit was set, and a page whose only bit was cleared. */
static void one_bit_among_zeros(void **state)
{
	uint64_t zeros;
	uint32_t bit;

	(void)state;
	memset(page, 0, sizeof(page));
	zeros = page_sum(page);
	page[100] = 1ull << 63;
	assert_int_equal(page_compare(page, zeros, &bit), PAGE_ONE_BIT);
	assert_int_equal(bit, 100 * 64 + 63);
	zeros = page_sum(page);
	page[100] = 0;
	assert_int_equal(page_compare(page, zeros, &bit), PAGE_ONE_BIT);
	assert_int_equal(bit, 100 * 64 + 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_that_is_the_same),
		cmocka_unit_test(each_bit_is_found),
		cmocka_unit_test(any_change_of_a_word_changes_the_sum),
		cmocka_unit_test(changes_of_other_kinds),
		cmocka_unit_test(one_bit_among_zeros),
	};

	return run_named_tests(tests);
}
