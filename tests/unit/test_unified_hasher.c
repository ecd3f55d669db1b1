// SPDX-License-Identifier: BSD-2-Clause
/* Sections that arrive in pieces have the same digests as files with the same content. */
#include "boot/unified_hasher.h"

#include "tests/unit/support.h"

#define FILE_SIZE 20000u

static uint8_t file[FILE_SIZE];
static struct fsverity state_of_hasher;
static struct fsverity state_of_file;

/* Adjacent sections, gaps before and behind, another order, and zeros behind two of them. */
static const struct unified_image
	image = { .sections = {
			  [UNIFIED_KERNEL] = { .offset = 9001, .file_size = 8200, .size = 8200 },
			  [UNIFIED_MICROCODE] = { .offset = 8999, .file_size = 2, .size = 9000 },
			  [UNIFIED_INITRD] = { .offset = 17201, .file_size = 1, .size = 300 },
			  [UNIFIED_COMMAND_LINE] = { .offset = 600, .file_size = 4096, .size = 4096 },
		  } };

static void expect_digests(const struct unified_hasher *hasher)
{
	for (unsigned i = 0; i < UNIFIED_PARTS; i++) {
		const struct unified_section *section = &image.sections[i];
		uint8_t digest[SHA256_DIGEST_SIZE];
		uint8_t *content;

		if (!section->size)
			continue;
		content = calloc(1, section->size);
		memcpy(content, file + section->offset, section->file_size);
		fsverity_start(&state_of_file);
		fsverity_update(&state_of_file, content, section->size);
		fsverity_finish(&state_of_file, section->size, digest);
		assert_memory_equal(hasher->digests[i], digest, sizeof(digest));
		free(content);
	}
}

static struct unified_hasher start(void)
{
	for (size_t i = 0; i < FILE_SIZE; i++)
		file[i] = (uint8_t)(i * i >> 3);
	return (struct unified_hasher){ .image = &image, .state = &state_of_hasher };
}

static void pieces_of_any_size(void **state)
{
	static const size_t sizes[] = { FILE_SIZE, 1, 2, 599, 600, 601, 4096, 4097, 8999, 9001 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct unified_hasher hasher = start();

		for (size_t offset = 0; offset < FILE_SIZE; offset += sizes[i]) {
			size_t left = FILE_SIZE - offset;

			unified_hasher_arrived(&hasher, file + offset, sizes[i] < left ? sizes[i] : left);
		}
		assert_int_equal(hasher.offset, FILE_SIZE);
		expect_digests(&hasher);
	}
}

static void content_that_was_changed_later(void **state)
{
	struct unified_hasher hasher = start();

	(void)state;
	unified_hasher_arrived(&hasher, file, FILE_SIZE);
	for (unsigned i = 0; i < UNIFIED_PARTS; i++) {
		const struct unified_section *section = &image.sections[i];
		uint8_t *last = file + section->offset + section->file_size - 1;

		if (!section->size)
			continue;
		assert_true(unified_hasher_agrees(&hasher, (enum unified_part)i, file + section->offset));
		*last ^= 1;
		assert_false(unified_hasher_agrees(&hasher, (enum unified_part)i, file + section->offset));
		*last ^= 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_of_any_size),
		cmocka_unit_test(content_that_was_changed_later),
	};

	return run_named_tests(tests);
}
