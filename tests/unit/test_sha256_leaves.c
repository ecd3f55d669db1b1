// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every code for leaves that this CPU can run, in the loader and in the relocated purgatory, compared with mbedTLS's C.
 */
#include "common/sha256.h"

#include <sys/mman.h>

#include "boot/purgatory.h"
#include "common/align.h"
#include "tests/unit/support.h"

#define LEAVES_MAX 129u
#define SHIFT_MAX 17u
#define CANARY 0xa5

typedef void leaves_function(enum sha256_code code, const void *leaves, size_t count,
			     uint8_t (*ret_digests)[SHA256_DIGEST_SIZE]);

/* The same function of loader and purgatory. */
static leaves_function *functions[2] = { sha256_leaves };

static uint8_t bytes[SHIFT_MAX + LEAVES_MAX * SHA256_LEAF_SIZE];

static void find_functions(void)
{
	static struct kexec_image image;
	static struct purgatory purgatory;
	struct elf_rel_symbol symbol;
	const uint8_t *object;
	size_t size;

	object = map_file(PURGATORY_RO, &size);
	expect_ok(purgatory_load(&image, object, size, &purgatory));
	expect_ok(elf_rel_find_symbol(&purgatory.object, "sha256_leaves", &symbol));
	*(void **)&functions[1] = phys_to_ptr(purgatory.segment->mem + symbol.offset);
	srand(20240229);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)rand();
}

static void expect_no_change(const uint8_t *canary)
{
	for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++)
		assert_int_equal(canary[i], CANARY);
}

/* Canaries surround the digests. */
static void expect_digests(enum sha256_code code, const uint8_t *leaves, size_t count,
			   const uint8_t (*expected)[SHA256_DIGEST_SIZE])
{
	static uint8_t found[LEAVES_MAX + 2][SHA256_DIGEST_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		memset(found, CANARY, sizeof(found));
		functions[i](code, leaves, count, &found[1]);
		assert_memory_equal(&found[1], expected, count * SHA256_DIGEST_SIZE);
		expect_no_change(found[0]);
		expect_no_change(found[1 + count]);
	}
}

static void expect_agreement(const uint8_t *leaves, size_t count)
{
	static uint8_t expected[LEAVES_MAX][SHA256_DIGEST_SIZE];

	for (size_t i = 0; i < count; i++) {
		struct sha256 state;

		sha256_start_with(&state, SHA256_C);
		sha256_update(&state, leaves + i * SHA256_LEAF_SIZE, SHA256_LEAF_SIZE);
		sha256_digest(&state, expected[i]);
	}
	for (enum sha256_code code = SHA256_C; code < SHA256_CODES; code++) {
		if (sha256_has_code(code))
			expect_digests(code, leaves, count, expected);
	}
}

static void codes_agree_on_every_count(void **state)
{
	static const size_t large[] = { 127, 128, 129 };

	(void)state;
	find_functions();
	for (size_t count = 0; count <= 20; count++)
		expect_agreement(bytes, count);
	for (size_t i = 0; i < ARRAY_SIZE(large); i++)
		expect_agreement(bytes, large[i]);
}

static void codes_agree_at_every_alignment(void **state)
{
	(void)state;
	find_functions();
	for (size_t shift = 0; shift <= SHIFT_MAX; shift++) {
		for (size_t count = 1; count <= 9; count++)
			expect_agreement(bytes + shift, count);
	}
}

/* A leaf has the size of a page: pages that fault surround the leaves. */
static void codes_touch_nothing_but_the_leaves(void **state)
{
	const size_t count_max = 17;
	uint8_t *pages = mmap(NULL, (count_max + 2) * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	_Static_assert(SHA256_LEAF_SIZE == PAGE_SIZE, "a leaf is not a page");
	assert_ptr_not_equal(pages, MAP_FAILED);
	find_functions();
	for (size_t count = 1; count <= count_max; count++) {
		uint8_t *leaves = pages + PAGE_SIZE;
		size_t size = count * SHA256_LEAF_SIZE;

		assert_return_code(mprotect(leaves, size, PROT_READ | PROT_WRITE), 0);
		memcpy(leaves, bytes, size);
		assert_return_code(mprotect(leaves, size, PROT_READ), 0);
		expect_agreement(leaves, count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_agree_on_every_count),
		cmocka_unit_test(codes_agree_at_every_alignment),
		cmocka_unit_test(codes_touch_nothing_but_the_leaves),
	};

	return run_named_tests(tests);
}
