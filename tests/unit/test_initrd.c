// SPDX-License-Identifier: BSD-2-Clause
/* How several initrds are laid out as one. */
#include "boot/initrd.h"

#include "tests/unit/support.h"

static uint64_t size;
static uint64_t offset;

static enum kexec_status append(uint64_t part_size)
{
	return initrd_append("/initrd", part_size, &size, &offset);
}

static void first_part_begins_at_zero(void **state)
{
	(void)state;
	expect_ok(append(1));
	assert_int_equal(offset, 0);
	assert_int_equal(size, 1);
}

static void parts_begin_at_multiples_of_four(void **state)
{
	(void)state;
	for (uint64_t before = 1; before <= 9; before++) {
		size = before;
		expect_ok(append(7));
		assert_int_equal(offset, (before + 3) / 4 * 4);
		assert_int_equal(size, offset + 7);
	}
}

static void last_part_is_not_padded(void **state)
{
	(void)state;
	expect_ok(append(4));
	expect_ok(append(5));
	expect_ok(append(6));
	assert_int_equal(offset, 12);
	assert_int_equal(size, 18);
}

static void part_above_4_gib(void **state)
{
	(void)state;
	expect_ok(append(0x123456789a));
	expect_ok(append(0x100000001));
	assert_int_equal(offset, 0x123456789c);
	assert_int_equal(size, 0x133456789d);
}

static void part_empty(void **state)
{
	(void)state;
	size = 5;
	offset = 77;
	expect_error(append(0), KEXEC_TRUNCATED, "/initrd: empty: expected an initrd of at least 1 byte, found 0");
	assert_int_equal(size, 5);
	assert_int_equal(offset, 77);
}

static void part_too_large(void **state)
{
	(void)state;
	size = 5;
	offset = 77;
	expect_error(append(UINT64_MAX), KEXEC_TOO_LARGE, "found 0xffffffffffffffff");
	expect_error(append(UINT64_MAX / 2), KEXEC_TOO_LARGE, "/initrd: expected at most 0x3ffffffffffffff");
	expect_error(append(UINT64_MAX / 4), KEXEC_TOO_LARGE, "/initrd: expected at most 0x3ffffffffffffff");
	assert_int_equal(size, 5);
	assert_int_equal(offset, 77);
}

static void largest_part_is_what_the_message_says(void **state)
{
	const char *limit;
	uint64_t largest;

	(void)state;
	size = 5;
	assert_int_equal(append(UINT64_MAX), KEXEC_TOO_LARGE);
	limit = strstr(logged(), "at most 0x");
	assert_non_null(limit);
	largest = strtoull(limit + strlen("at most "), NULL, 16);
	log_clear();
	expect_error(append(largest + 1), KEXEC_TOO_LARGE, "expected at most 0x");
	expect_ok(append(largest));
	assert_int_equal(offset, 8);
	assert_int_equal(size, 8 + largest);
}

/* Once the sum has reached the limit, no other part fits, and the sum never wraps. */
static void part_after_the_largest(void **state)
{
	uint64_t largest = UINT64_MAX / 4;

	(void)state;
	/* The limit is at a quarter of the address space, or a little below. */
	while (append(largest) != KEXEC_OK)
		largest--;
	assert_true(largest > UINT64_MAX / 4 - 16);
	log_clear();
	expect_error(append(1), KEXEC_TOO_LARGE, "found 0x1");
	expect_error(append(UINT64_MAX), KEXEC_TOO_LARGE, "found 0xffffffffffffffff");
	assert_int_equal(size, largest);
	assert_int_equal(offset, 0);
}

static void parts_never_overlap(void **state)
{
	(void)state;
	srand(4);
	for (int round = 0; round < 1000; round++) {
		uint64_t before = size;
		uint64_t part = (uint64_t)rand() % 100000 + 1;

		expect_ok(append(part));
		assert_true(offset >= before && offset - before < INITRD_ALIGN && offset % INITRD_ALIGN == 0);
		assert_int_equal(size, offset + part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_part_begins_at_zero),
		cmocka_unit_test(parts_begin_at_multiples_of_four),
		cmocka_unit_test(last_part_is_not_padded),
		cmocka_unit_test(part_above_4_gib),
		cmocka_unit_test(part_empty),
		cmocka_unit_test(part_too_large),
		cmocka_unit_test(largest_part_is_what_the_message_says),
		cmocka_unit_test(part_after_the_largest),
		cmocka_unit_test(parts_never_overlap),
	};

	return run_named_tests(tests);
}
