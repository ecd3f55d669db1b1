// SPDX-License-Identifier: BSD-2-Clause
/*
 * fs-verity digests: compared with the output of Debian's `fsverity digest --compact` 1.5, and for every way to cut a
 * file.
 */
#include "common/fsverity.h"

#include <stdio.h>

#include "common/align.h"
#include "tests/unit/support.h"

#define BLOCK FSVERITY_BLOCK_SIZE
#define LARGE_SIZE (128u * 128u * BLOCK + 1)

/* Byte i of the file is the XOR of the bytes of i. */
static const struct {
	uint32_t size;
	const char *digest;
} files[] = {
	{ 0, "3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95" },
	{ 1, "b803429503d95915829b29fdbc8bbad142f3abfd11b1cadf5526582e685c0551" },
	{ 4095, "b5e0a040935b132c68a386dcb754c6b4e2a53d64dddf83b5aac84144c92095e6" },
	{ 4096, "cd96ce54538ae58b0be7b3600cb2d40ac69ab756fa7ab3459a64fd0dcd1885dd" },
	{ 4097, "3d1c69f0981b98a2dccffdb5de64541c6fc843d694a427e6f0c9a7fa2f2174c7" },
	{ 128 * BLOCK - 1, "57b6b71ef123f3ad3174e0d26fea4d40fc0af6f7850d02ab2f4411da5afb916c" },
	{ 128 * BLOCK, "6a9edf075dad647fb11763f73b519a4d62bd89fd0b23bbb6de8819c0b8a654c8" },
	{ 128 * BLOCK + 1, "26e16ededf804263845c46a05e089737cc9127c90292873284486b7bca065d05" },
	{ 129 * BLOCK, "ac2925024f940051a8a10ce01e212e32db1808443977987728fc8f093c43294a" },
	{ 128 * 128 * BLOCK, "c381e8f62435668d4c675474ee53024c0222f88b4d3ae30eeb20052b0e8ed4c9" },
	{ LARGE_SIZE, "62ffa12bf5d7484cc7d917986de9a5e993943bbe99fb5967ed87058056ee720e" },
};

static struct fsverity hash;

static uint8_t *content(void)
{
	static uint8_t *bytes;

	if (!bytes) {
		bytes = malloc(LARGE_SIZE);
		assert_non_null(bytes);
		for (uint32_t i = 0; i < LARGE_SIZE; i++)
			bytes[i] = (uint8_t)(i ^ i >> 8 ^ i >> 16 ^ i >> 24);
	}
	return bytes;
}

static const char *hex(const uint8_t digest[SHA256_DIGEST_SIZE])
{
	static char text[2 * SHA256_DIGEST_SIZE + 1];

	for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}

static const char *finished(uint64_t size)
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	fsverity_finish(&hash, size, digest);
	return hex(digest);
}

static const char *digest_of(const uint8_t *bytes, size_t size)
{
	fsverity_start(&hash);
	fsverity_update(&hash, bytes, size);
	return finished(size);
}

static const char *digest_in_pieces(const uint8_t *bytes, size_t size, size_t piece)
{
	fsverity_start(&hash);
	for (size_t at = 0; at < size; at += piece)
		fsverity_update(&hash, bytes + at, size - at < piece ? size - at : piece);
	return finished(size);
}

static void digests_that_fsverity_prints(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		assert_string_equal(digest_of(content(), files[i].size), files[i].digest);
}

static void each_code_gives_the_same(void **state)
{
	unsigned checked = 0;

	(void)state;
	for (unsigned code = 0; code < SHA256_CODES; code++) {
		if (!sha256_has_code((enum sha256_code)code))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(files) - 2; i++) {
			fsverity_start_with(&hash, (enum sha256_code)code);
			fsverity_update(&hash, content(), files[i].size);
			assert_string_equal(finished(files[i].size), files[i].digest);
		}
		checked++;
	}
	assert_true(checked >= 1);
}

static void any_pieces_give_the_digest_of_the_whole(void **state)
{
	static const size_t pieces[] = { 1, 63, 4095, 4096, 4097, 8 * BLOCK - 1, 8 * BLOCK, 8 * BLOCK + 1, 100000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files) - 2; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(pieces); k++)
			assert_string_equal(digest_in_pieces(content(), files[i].size, pieces[k]), files[i].digest);
	}
}

static void random_pieces_give_the_digest_of_the_whole(void **state)
{
	(void)state;
	srand(20261127);
	for (int round = 0; round < 300; round++) {
		size_t size = files[8].size;
		size_t at = 0;

		fsverity_start(&hash);
		while (at < size) {
			size_t piece = (size_t)rand() % (round % 2 ? 9000 : 200000);

			if (piece > size - at)
				piece = size - at;
			fsverity_update(&hash, content() + at, piece);
			at += piece;
		}
		assert_string_equal(finished(size), files[8].digest);
	}
}

static void any_alignment(void **state)
{
	static uint8_t shifted[4097 + 16];

	(void)state;
	for (size_t shift = 0; shift < 16; shift++) {
		memcpy(shifted + shift, content(), 4097);
		assert_string_equal(digest_of(shifted + shift, 4097), files[4].digest);
	}
}

/* A file of zeros whose size does not fit in 32 bits. */
static void file_above_4_gib(void **state)
{
	static const uint8_t zeros[1 << 20];
	const uint64_t size = (4ull << 30) + 4097;
	uint64_t left = size;

	(void)state;
	fsverity_start(&hash);
	while (left) {
		size_t piece = left < sizeof(zeros) ? left : sizeof(zeros);

		fsverity_update(&hash, zeros, piece);
		left -= piece;
	}
	assert_string_equal(finished(size), "6a7cf75d27068a1667ea3596541e6858e749a476904dc02cd4217dca253d74a0");
}

/* Changes that the tree must not hide: of each block, of the size, of the order. */
static void every_change_changes_the_digest(void **state)
{
	uint8_t *bytes = content();
	char before[2 * SHA256_DIGEST_SIZE + 1];
	size_t size = files[8].size;

	(void)state;
	strcpy(before, digest_of(bytes, size));
	for (size_t block = 0; block < size / BLOCK; block++) {
		bytes[block * BLOCK + block] ^= 0x10;
		assert_string_not_equal(digest_of(bytes, size), before);
		bytes[block * BLOCK + block] ^= 0x10;
	}
	assert_string_not_equal(digest_of(bytes, size - 1), before);
	assert_string_not_equal(digest_of(bytes, size + 1), before);
	/* The digest tells zeros at the end of a file from no zeros. */
	memset(bytes + 4000, 0, 96);
	strcpy(before, digest_of(bytes, 4000));
	assert_string_not_equal(digest_of(bytes, 4096), before);
}

/* The tree pads with zeros, but bytes behind a file are hashed as they are, so a change there shows. */
static void bytes_behind_the_file(void **state)
{
	static uint8_t bytes[4096 + 16];
	char expected[2 * SHA256_DIGEST_SIZE + 1];

	(void)state;
	memset(bytes, 1, 4093);
	strcpy(expected, digest_of(bytes, 4093));
	fsverity_start(&hash);
	fsverity_update(&hash, bytes, 4096);
	assert_string_equal(finished(4093), expected);
	for (size_t i = 4093; i < 4096; i++) {
		bytes[i] = 0x80;
		fsverity_start(&hash);
		fsverity_update(&hash, bytes, 4096);
		assert_string_not_equal(finished(4093), expected);
		bytes[i] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_that_fsverity_prints),
		cmocka_unit_test(each_code_gives_the_same),
		cmocka_unit_test(any_pieces_give_the_digest_of_the_whole),
		cmocka_unit_test(random_pieces_give_the_digest_of_the_whole),
		cmocka_unit_test(any_alignment),
		cmocka_unit_test(file_above_4_gib),
		cmocka_unit_test(every_change_changes_the_digest),
		cmocka_unit_test(bytes_behind_the_file),
	};

	return run_named_tests(tests);
}
