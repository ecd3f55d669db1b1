// SPDX-License-Identifier: BSD-2-Clause
/* The size of one read. */
#include "boot/read_size.h"

#include "tests/unit/support.h"

#define MIB (1ull << 20)

static struct read_size state;

static void pieces_unless_large_reads_are_borne(void **state_)
{
	(void)state_;
	assert_int_equal(read_size_next(&state, 100 * MIB, false), MIB);
	assert_int_equal(read_size_next(&state, MIB - 1, false), MIB - 1);
	read_size_learn(&state, MIB, 1000);
	assert_int_equal(read_size_next(&state, 100 * MIB, false), MIB);
}

static void large_reads_from_a_fast_disk(void **state_)
{
	(void)state_;
	assert_int_equal(read_size_next(&state, 100 * MIB, true), MIB);
	read_size_learn(&state, MIB, 16000);
	assert_int_equal(read_size_next(&state, UINT64_MAX, true), 16 * MIB);
	assert_int_equal(read_size_next(&state, 16 * MIB - 1, true), 16 * MIB - 1);
	/* A clock that stands still. */
	read_size_learn(&state, MIB, 0);
	assert_int_equal(read_size_next(&state, 100 * MIB, true), 16 * MIB);
}

static void pieces_from_a_disk_that_has_become_slow(void **state_)
{
	(void)state_;
	read_size_learn(&state, MIB, 1000);
	read_size_learn(&state, 16 * MIB, 270000);
	assert_int_equal(read_size_next(&state, 100 * MIB, true), MIB);
	read_size_learn(&state, MIB, UINT64_MAX);
	assert_int_equal(read_size_next(&state, 100 * MIB, true), MIB);
	read_size_learn(&state, MIB, 10000);
	assert_int_equal(read_size_next(&state, 100 * MIB, true), 16 * MIB);
}

static void less_than_a_piece_says_nothing(void **state_)
{
	(void)state_;
	read_size_learn(&state, MIB - 1, 1);
	assert_int_equal(read_size_next(&state, 100 * MIB, true), MIB);
	read_size_learn(&state, MIB, 1);
	read_size_learn(&state, 1, UINT64_MAX);
	assert_int_equal(read_size_next(&state, 100 * MIB, true), 16 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_unless_large_reads_are_borne),
		cmocka_unit_test(large_reads_from_a_fast_disk),
		cmocka_unit_test(pieces_from_a_disk_that_has_become_slow),
		cmocka_unit_test(less_than_a_piece_says_nothing),
	};

	return run_named_tests(tests);
}
