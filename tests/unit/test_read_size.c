// SPDX-License-Identifier: BSD-2-Clause
/* How much is read at once. */
#include "boot/read_size.h"

#include "tests/unit/support.h"

#define MIB (1ull << 20)

static struct read_size state;

static void pieces_unless_large_reads_are_borne(void **state_)
{
	(void)state_;
	assert_int_equal(read_size_next(&state, 100 * MIB, false), MIB);
	assert_int_equal(read_size_next(&state, MIB - 1, false), MIB - 1);
	read_size_learn(&state, 2 * MIB, 1000);
	assert_int_equal(read_size_next(&state, 100 * MIB, false), MIB);
}

static void first_large_read_is_of_two_pieces(void **state_)
{
	(void)state_;
	assert_int_equal(read_size_next(&state, 100 * MIB, true), 2 * MIB);
	assert_int_equal(read_size_next(&state, 2 * MIB - 1, true), 2 * MIB - 1);
}

static void as_much_as_comes_in_a_quarter_of_a_second(void **state_)
{
	(void)state_;
	/* 100 MB/s */
	read_size_learn(&state, 2000000, 20000);
	assert_int_equal(read_size_next(&state, 500 * MIB, true), 24 * MIB);
	/* It has become slower: 10 MB/s. */
	read_size_learn(&state, 25000000, 2500000);
	assert_int_equal(read_size_next(&state, 500 * MIB, true), 3 * MIB);
}

static void slow_disk_gets_at_least_a_piece(void **state_)
{
	(void)state_;
	read_size_learn(&state, MIB, UINT64_MAX);
	assert_int_equal(read_size_next(&state, 500 * MIB, true), MIB);
}

static void fast_disk_gets_a_bounded_size(void **state_)
{
	(void)state_;
	/* A clock that does not tick. */
	read_size_learn(&state, 2 * MIB, 0);
	assert_in_range(read_size_next(&state, UINT64_MAX, true), 500 * MIB, 512 * MIB);
	read_size_learn(&state, UINT64_MAX, 1);
	assert_in_range(read_size_next(&state, UINT64_MAX, true), 500 * MIB, 512 * MIB);
}

static void less_than_a_piece_says_nothing(void **state_)
{
	(void)state_;
	read_size_learn(&state, MIB - 1, 1);
	assert_int_equal(read_size_next(&state, 100 * MIB, true), 2 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_unless_large_reads_are_borne),
		cmocka_unit_test(first_large_read_is_of_two_pieces),
		cmocka_unit_test(as_much_as_comes_in_a_quarter_of_a_second),
		cmocka_unit_test(slow_disk_gets_at_least_a_piece),
		cmocka_unit_test(fast_disk_gets_a_bounded_size),
		cmocka_unit_test(less_than_a_piece_says_nothing),
	};

	return run_named_tests(tests);
}
