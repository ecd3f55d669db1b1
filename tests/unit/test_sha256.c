// SPDX-License-Identifier: BSD-2-Clause
/* SHA-256: the vectors of FIPS 180-4 and of NIST's CAVP, and every way to cut a message, compared with one call. */
#include "common/sha256.h"

#include <stdio.h>

#include "tests/unit/support.h"

#define BLOCK_SIZE 64
#define MESSAGE_SIZE 1024

static uint8_t message[MESSAGE_SIZE];

/* Fills the message with the same bytes each time. */
static void fill_message(void)
{
	uint32_t value = 1;

	for (size_t i = 0; i < MESSAGE_SIZE; i++) {
		value = value * 1664525 + 1013904223;
		message[i] = (uint8_t)(value >> 24);
	}
}

static const char *hex(const uint8_t digest[SHA256_DIGEST_SIZE])
{
	static char text[2 * SHA256_DIGEST_SIZE + 1];

	for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}

static const char *digest_of(const void *bytes, size_t size)
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_of(bytes, size, digest);
	return hex(digest);
}

/* The digest of the current state must be that of the message's first `size` bytes. */
static void expect_prefix(const struct sha256 *sha256, size_t size)
{
	uint8_t expected[SHA256_DIGEST_SIZE];
	uint8_t found[SHA256_DIGEST_SIZE];

	sha256_of(message, size, expected);
	sha256_digest(sha256, found);
	assert_memory_equal(found, expected, SHA256_DIGEST_SIZE);
}

static void vector_empty(void **state)
{
	struct sha256 sha256;
	uint8_t digest[SHA256_DIGEST_SIZE];

	(void)state;
	assert_string_equal(digest_of("", 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256_start(&sha256);
	sha256_digest(&sha256, digest);
	assert_string_equal(hex(digest), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void vector_abc(void **state)
{
	(void)state;
	assert_string_equal(digest_of("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void vector_448_bits(void **state)
{
	const char *text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

	(void)state;
	assert_string_equal(digest_of(text, strlen(text)),
			    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void vector_896_bits(void **state)
{
	const char *text = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
			   "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";

	(void)state;
	assert_string_equal(digest_of(text, strlen(text)),
			    "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

static void vector_million_letters(void **state)
{
	struct sha256 sha256;
	uint8_t digest[SHA256_DIGEST_SIZE];
	char letters[1000];

	(void)state;
	memset(letters, 'a', sizeof(letters));
	sha256_start(&sha256);
	for (int i = 0; i < 1000; i++)
		sha256_update(&sha256, letters, sizeof(letters));
	sha256_digest(&sha256, digest);
	assert_string_equal(hex(digest), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* CAVP, SHA256ShortMsg.rsp: Len = 8 and Len = 512. */
static void vector_short_messages(void **state)
{
	static const uint8_t one_block[BLOCK_SIZE] = {
		0x5a, 0x86, 0xb7, 0x37, 0xea, 0xea, 0x8e, 0xe9, 0x76, 0xa0, 0xa2, 0x4d, 0xa6, 0x3e, 0x7e, 0xd7,
		0xee, 0xfa, 0xd1, 0x8a, 0x10, 0x1c, 0x12, 0x11, 0xe2, 0xb3, 0x65, 0x0c, 0x51, 0x87, 0xc2, 0xa8,
		0xa6, 0x50, 0x54, 0x72, 0x08, 0x25, 0x1f, 0x6d, 0x42, 0x37, 0xe6, 0x61, 0xc7, 0xbf, 0x4c, 0x77,
		0xf3, 0x35, 0x39, 0x03, 0x94, 0xc3, 0x7f, 0xa1, 0xa9, 0xf9, 0xbe, 0x83, 0x6a, 0xc2, 0x85, 0x09,
	};

	(void)state;
	assert_string_equal(digest_of("\xd3", 1), "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1");
	assert_string_equal(digest_of(one_block, sizeof(one_block)),
			    "42e61e174fbb3897d6dd6cef3dd2802fe67b331953b06114a65c772859dfc1aa");
}

static void two_parts_at_every_border(void **state)
{
	struct sha256 sha256;

	(void)state;
	fill_message();
	for (size_t size = 0; size <= 200; size++) {
		for (size_t first = 0; first <= size; first++) {
			sha256_start(&sha256);
			sha256_update(&sha256, message, first);
			sha256_update(&sha256, message + first, size - first);
			expect_prefix(&sha256, size);
		}
	}
}

static void byte_by_byte_with_a_digest_after_each(void **state)
{
	struct sha256 sha256;

	(void)state;
	fill_message();
	sha256_start(&sha256);
	for (size_t size = 0; size <= 200; size++) {
		expect_prefix(&sha256, size);
		expect_prefix(&sha256, size);
		sha256_update(&sha256, message + size, 1);
	}
}

static void random_splits(void **state)
{
	(void)state;
	fill_message();
	srand(20240229);
	for (int round = 0; round < 2000; round++) {
		size_t size = (size_t)rand() % (MESSAGE_SIZE + 1);
		struct sha256 sha256;
		size_t at = 0;

		sha256_start(&sha256);
		while (at < size) {
			size_t part = (size_t)rand() % (size - at + 1);

			if (rand() % 2)
				part %= 2 * BLOCK_SIZE + 1;
			sha256_update(&sha256, message + at, part);
			at += part;
		}
		expect_prefix(&sha256, size);
	}
}

static void every_alignment(void **state)
{
	static uint8_t shifted[MESSAGE_SIZE + 16];
	uint8_t expected[SHA256_DIGEST_SIZE];
	uint8_t found[SHA256_DIGEST_SIZE];

	(void)state;
	fill_message();
	sha256_of(message, MESSAGE_SIZE, expected);
	for (size_t shift = 0; shift < 16; shift++) {
		memcpy(shifted + shift, message, MESSAGE_SIZE);
		sha256_of(shifted + shift, MESSAGE_SIZE, found);
		assert_memory_equal(found, expected, SHA256_DIGEST_SIZE);
	}
}

static void digest_leaves_the_state_alone(void **state)
{
	struct sha256 sha256;
	struct sha256 before;
	uint8_t digest[SHA256_DIGEST_SIZE];

	(void)state;
	fill_message();
	memset(&sha256, 0, sizeof(sha256));
	sha256_start(&sha256);
	sha256_update(&sha256, message, 100);
	before = sha256;
	sha256_digest(&sha256, digest);
	assert_memory_equal(&sha256, &before, sizeof(sha256));
}

static void copies_go_their_own_ways(void **state)
{
	struct sha256 prefix;
	struct sha256 copy;
	uint8_t other[SHA256_DIGEST_SIZE];
	uint8_t expected[SHA256_DIGEST_SIZE];
	uint8_t text[130];

	(void)state;
	fill_message();
	for (size_t size = 0; size <= 128; size++) {
		sha256_start(&prefix);
		sha256_update(&prefix, message, size);
		copy = prefix;
		sha256_update(&copy, "!?", 2);
		/* Original and copy do not affect each other. */
		expect_prefix(&prefix, size);
		sha256_update(&prefix, message + size, 70);
		expect_prefix(&prefix, size + 70);

		memcpy(text, message, size);
		memcpy(text + size, "!?", 2);
		sha256_of(text, size + 2, expected);
		sha256_digest(&copy, other);
		assert_memory_equal(other, expected, SHA256_DIGEST_SIZE);
	}
}

static void start_forgets_what_was_hashed(void **state)
{
	struct sha256 sha256;

	(void)state;
	fill_message();
	memset(&sha256, 0xa5, sizeof(sha256));
	sha256_start(&sha256);
	sha256_update(&sha256, "something else", 14);
	sha256_start(&sha256);
	sha256_update(&sha256, message, 90);
	expect_prefix(&sha256, 90);
}

static void every_bit_counts(void **state)
{
	uint8_t expected[SHA256_DIGEST_SIZE];
	uint8_t found[SHA256_DIGEST_SIZE];

	(void)state;
	fill_message();
	sha256_of(message, 130, expected);
	for (size_t bit = 0; bit < 130 * 8; bit++) {
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		sha256_of(message, 130, found);
		assert_memory_not_equal(found, expected, SHA256_DIGEST_SIZE);
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void digests_are_equal_only_with_every_bit(void **state)
{
	uint8_t a[SHA256_DIGEST_SIZE];
	uint8_t b[SHA256_DIGEST_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(a); i++)
		a[i] = b[i] = (uint8_t)(37 * i);
	assert_true(sha256_equal(a, b));
	for (size_t bit = 0; bit < 8 * sizeof(a); bit++) {
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(sha256_equal(a, b));
		assert_false(sha256_equal(b, a));
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vector_empty),
		cmocka_unit_test(vector_abc),
		cmocka_unit_test(vector_448_bits),
		cmocka_unit_test(vector_896_bits),
		cmocka_unit_test(vector_million_letters),
		cmocka_unit_test(vector_short_messages),
		cmocka_unit_test(two_parts_at_every_border),
		cmocka_unit_test(byte_by_byte_with_a_digest_after_each),
		cmocka_unit_test(random_splits),
		cmocka_unit_test(every_alignment),
		cmocka_unit_test(digest_leaves_the_state_alone),
		cmocka_unit_test(copies_go_their_own_ways),
		cmocka_unit_test(start_forgets_what_was_hashed),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(digests_are_equal_only_with_every_bit),
	};

	return run_named_tests(tests);
}
