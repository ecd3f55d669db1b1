// SPDX-License-Identifier: BSD-2-Clause
/* The loader's own memory functions, under other names, compared with the C library's. */
#include "tests/unit/support.h"

/* The C library's headers are already included, so only the project's file sees these names. */
#define memcpy own_memcpy
#define memmove own_memmove
#define memset own_memset
#define memcmp own_memcmp
#define strlen own_strlen
#include "common/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen

#define SPACE_SIZE 64
#define GUARD 0x5a

static uint8_t found[SPACE_SIZE];
static uint8_t expected[SPACE_SIZE];

/* Makes two equal buffers in which all bytes differ. */
static void fill(void)
{
	for (size_t i = 0; i < SPACE_SIZE; i++)
		found[i] = expected[i] = (uint8_t)(i * 7 + 1);
}

/* The direction flag, which must be clear by the ABI. */
static bool direction_is_down(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; pop %0" : "=r"(flags));
	return flags & 1 << 10;
}

static void copies_every_size(void **state)
{
	static uint8_t source[SPACE_SIZE];

	(void)state;
	for (size_t i = 0; i < SPACE_SIZE; i++)
		source[i] = (uint8_t)(200 - i);
	for (size_t size = 0; size <= SPACE_SIZE - 5; size++) {
		fill();
		memcpy(expected + 2, source + 3, size);
		assert_ptr_equal(own_memcpy(found + 2, source + 3, size), found + 2);
		assert_memory_equal(found, expected, SPACE_SIZE);
	}
}

static void moves_every_overlap(void **state)
{
	(void)state;
	for (size_t to = 0; to < 24; to++) {
		for (size_t from = 0; from < 24; from++) {
			for (size_t size = 0; size <= 32; size++) {
				fill();
				memmove(expected + to, expected + from, size);
				assert_ptr_equal(own_memmove(found + to, found + from, size), found + to);
				assert_memory_equal(found, expected, SPACE_SIZE);
				assert_false(direction_is_down());
			}
		}
	}
}

static void moves_nothing_to_anywhere(void **state)
{
	(void)state;
	assert_ptr_equal(own_memmove((void *)16, (void *)8, 0), (void *)16);
	assert_ptr_equal(own_memmove((void *)8, (void *)16, 0), (void *)8);
	assert_ptr_equal(own_memcpy((void *)8, (void *)16, 0), (void *)8);
	assert_ptr_equal(own_memset((void *)8, 1, 0), (void *)8);
	assert_int_equal(own_memcmp((void *)8, (void *)16, 0), 0);
}

static void fills_every_size(void **state)
{
	(void)state;
	for (size_t size = 0; size <= SPACE_SIZE - 4; size++) {
		fill();
		memset(expected + 3, GUARD, size);
		assert_ptr_equal(own_memset(found + 3, GUARD, size), found + 3);
		assert_memory_equal(found, expected, SPACE_SIZE);
	}
}

static void fills_with_the_low_byte_of_the_value(void **state)
{
	(void)state;
	fill();
	own_memset(found, 0x12345680, 3);
	assert_int_equal(found[0], 0x80);
	assert_int_equal(found[2], 0x80);
	assert_int_equal(found[3], expected[3]);
	own_memset(found, -1, 1);
	assert_int_equal(found[0], 0xff);
}

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

static void compares_bytes_as_unsigned(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			uint8_t x = (uint8_t)a;
			uint8_t y = (uint8_t)b;

			assert_int_equal(sign(own_memcmp(&x, &y, 1)), sign((int)a - (int)b));
		}
	}
}

static void compares_first_difference_at_every_place(void **state)
{
	(void)state;
	for (size_t at = 0; at < SPACE_SIZE; at++) {
		fill();
		found[at] = 0xf0;
		expected[at] = 0x0f;
		/* The bytes behind the first difference compare the other way. */
		if (at + 1 < SPACE_SIZE) {
			found[at + 1] = 0;
			expected[at + 1] = 0xff;
		}
		assert_true(own_memcmp(found, expected, SPACE_SIZE) > 0);
		assert_true(own_memcmp(expected, found, SPACE_SIZE) < 0);
		assert_true(own_memcmp(found, expected, at + 1) > 0);
		assert_int_equal(own_memcmp(found, expected, at), 0);
	}
	fill();
	assert_int_equal(own_memcmp(found, expected, SPACE_SIZE), 0);
	assert_int_equal(own_memcmp(found, found, SPACE_SIZE), 0);
}

static void measures_every_length(void **state)
{
	char text[SPACE_SIZE];

	(void)state;
	for (size_t length = 0; length < SPACE_SIZE; length++) {
		memset(text, 0xff, sizeof(text));
		text[length] = '\0';
		assert_int_equal(own_strlen(text), length);
	}
	assert_int_equal(own_strlen("one\0two"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_every_size),
		cmocka_unit_test(moves_every_overlap),
		cmocka_unit_test(moves_nothing_to_anywhere),
		cmocka_unit_test(fills_every_size),
		cmocka_unit_test(fills_with_the_low_byte_of_the_value),
		cmocka_unit_test(compares_bytes_as_unsigned),
		cmocka_unit_test(compares_first_difference_at_every_place),
		cmocka_unit_test(measures_every_length),
	};

	return run_named_tests(tests);
}
