// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every code for SHA-256 blocks that this CPU can run, in the loader and in the relocated purgatory, compared with each
 * other and with NIST's vectors. Sanitizers do not check assembly, so pages without access surround the data.
 */
#define _GNU_SOURCE /* memfd_create */
#include "common/sha256.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boot/purgatory.h"
#include "common/align.h"
#include "tests/unit/support.h"

#define BLOCK_SIZE 64u
#define MESSAGE_SIZE 8192u

/* The same functions of loader or purgatory. */
struct hasher {
	void (*start_with)(struct sha256 *state, enum sha256_code code);
	void (*update)(struct sha256 *state, const void *bytes, size_t size);
	void (*digest)(const struct sha256 *state, uint8_t *ret_digest);
	enum sha256_code code;
};

static struct hasher hashers[2 * SHA256_CODES];
static size_t hasher_count;
static uint8_t message[MESSAGE_SIZE];

static struct kexec_image image;
static struct purgatory purgatory;

static void *purgatory_function(const char *name)
{
	struct elf_rel_symbol symbol;

	expect_ok(elf_rel_find_symbol(&purgatory.object, name, &symbol));
	return phys_to_ptr(purgatory.segment->mem + symbol.offset);
}

/* The first one is mbedTLS's C in the loader. All others are compared with it. */
static void collect_hashers(void)
{
	struct hasher loaders = { sha256_start_with, sha256_update, sha256_digest, SHA256_C };
	struct hasher purgatorys;
	const uint8_t *object;
	size_t size;

	object = map_file(PURGATORY_RO, &size);
	expect_ok(purgatory_load(&image, object, size, &purgatory));
	*(void **)&purgatorys.start_with = purgatory_function("sha256_start_with");
	*(void **)&purgatorys.update = purgatory_function("sha256_update");
	*(void **)&purgatorys.digest = purgatory_function("sha256_digest");

	for (enum sha256_code code = SHA256_C; code < SHA256_CODES; code++) {
		if (!sha256_has_code(code))
			continue;
		loaders.code = code;
		purgatorys.code = code;
		hashers[hasher_count++] = loaders;
		hashers[hasher_count++] = purgatorys;
	}
	srand(20240229);
	for (size_t i = 0; i < MESSAGE_SIZE; i++)
		message[i] = (uint8_t)rand();
}

static void hash(const struct hasher *hasher, const void *bytes, size_t size, uint8_t *ret_digest)
{
	struct sha256 state;

	hasher->start_with(&state, hasher->code);
	hasher->update(&state, bytes, size);
	hasher->digest(&state, ret_digest);
}

/* All give the same digest as the first, for the bytes in one piece. */
static void expect_agreement(const void *bytes, size_t size)
{
	uint8_t expected[SHA256_DIGEST_SIZE];
	uint8_t found[SHA256_DIGEST_SIZE];

	hash(&hashers[0], bytes, size, expected);
	for (size_t i = 1; i < hasher_count; i++) {
		hash(&hashers[i], bytes, size, found);
		assert_memory_equal(found, expected, sizeof(expected));
	}
}

/* Linux lists AVX2 only if it has enabled the registers. */
static void codes_are_what_linux_sees_too(void **state)
{
	bool has_code[SHA256_CODES] = { [SHA256_C] = true };
	enum sha256_code best = SHA256_C;
	char line[8192];
	FILE *cpuinfo = fopen("/proc/cpuinfo", "r");

	(void)state;
	assert_non_null(cpuinfo);
	while (fgets(line, sizeof(line), cpuinfo)) {
		if (strncmp(line, "flags", 5) != 0)
			continue;
		has_code[SHA256_SSSE3] = strstr(line, " ssse3 ");
		has_code[SHA256_AVX2] = strstr(line, " avx2 ");
		has_code[SHA256_NI] = strstr(line, " sha_ni ");
	}
	fclose(cpuinfo);
	for (enum sha256_code code = SHA256_C; code < SHA256_CODES; code++) {
		assert_int_equal(sha256_has_code(code), has_code[code]);
		if (has_code[code])
			best = code;
	}
	assert_int_equal(sha256_best_code(), best);
}

static void codes_know_the_vectors(void **state)
{
	/* FIPS 180-4's examples, including the million letters; the longest as 15 625 blocks in one call. */
	static const struct {
		const char *text;
		size_t repeat;
		const char *digest;
	} vectors[] = {
		{ "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
		{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
		  "mnopqrstnopqrstu",
		  1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
		{ "a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
	};
	static char bytes[1000000];
	uint8_t digest[SHA256_DIGEST_SIZE];
	char text[2 * SHA256_DIGEST_SIZE + 1];

	(void)state;
	collect_hashers();
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		size_t length = strlen(vectors[i].text);

		for (size_t k = 0; k < vectors[i].repeat; k++)
			memcpy(bytes + k * length, vectors[i].text, length);
		for (size_t k = 0; k < hasher_count; k++) {
			hash(&hashers[k], bytes, length * vectors[i].repeat, digest);
			for (size_t at = 0; at < SHA256_DIGEST_SIZE; at++)
				snprintf(text + 2 * at, 3, "%02x", digest[at]);
			assert_string_equal(text, vectors[i].digest);
		}
	}
}

static void codes_agree_on_every_length(void **state)
{
	(void)state;
	collect_hashers();
	for (size_t size = 0; size <= 10 * BLOCK_SIZE + 1; size++)
		expect_agreement(message, size);
	expect_agreement(message, MESSAGE_SIZE);
}

static void codes_agree_at_every_alignment(void **state)
{
	(void)state;
	collect_hashers();
	for (size_t shift = 0; shift < BLOCK_SIZE; shift++) {
		for (size_t size = 3 * BLOCK_SIZE - 1; size <= 3 * BLOCK_SIZE + 1; size++)
			expect_agreement(message + shift, size);
	}
}

static void codes_agree_on_every_two_parts(void **state)
{
	uint8_t expected[SHA256_DIGEST_SIZE];
	uint8_t found[SHA256_DIGEST_SIZE];
	size_t size = 5 * BLOCK_SIZE + 7;
	struct sha256 sha256;

	(void)state;
	collect_hashers();
	hash(&hashers[0], message, size, expected);
	for (size_t i = 0; i < hasher_count; i++) {
		for (size_t first = 0; first <= size; first++) {
			hashers[i].start_with(&sha256, hashers[i].code);
			hashers[i].update(&sha256, message, first);
			hashers[i].update(&sha256, message + first, size - first);
			hashers[i].digest(&sha256, found);
			assert_memory_equal(found, expected, sizeof(expected));
		}
	}
}

/* One code makes a state and the next one continues it: the result must not depend on the code. */
static void codes_go_on_with_each_others_states(void **state)
{
	uint8_t expected[SHA256_DIGEST_SIZE];
	uint8_t found[SHA256_DIGEST_SIZE];
	struct sha256 sha256;
	size_t size = 0;

	(void)state;
	collect_hashers();
	hashers[0].start_with(&sha256, hashers[0].code);
	for (size_t round = 0; round < 10; round++) {
		for (size_t i = 0; i < hasher_count; i++) {
			sha256.code = hashers[i].code;
			hashers[i].update(&sha256, message + size, BLOCK_SIZE + i);
			size += BLOCK_SIZE + i;
		}
	}
	assert_true(size <= MESSAGE_SIZE);
	hashers[0].digest(&sha256, found);
	hash(&hashers[0], message, size, expected);
	assert_memory_equal(found, expected, sizeof(expected));
}

/* Pages that fault surround the bytes. */
static void codes_touch_nothing_but_the_bytes(void **state)
{
	uint8_t *pages = mmap(NULL, 3 * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *middle = pages + PAGE_SIZE;

	(void)state;
	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_return_code(mprotect(middle, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	collect_hashers();
	memcpy(middle, message, PAGE_SIZE);
	assert_return_code(mprotect(middle, PAGE_SIZE, PROT_READ), 0);
	for (size_t size = 1; size <= 4 * BLOCK_SIZE + 1; size++) {
		expect_agreement(middle, size);
		expect_agreement(middle + PAGE_SIZE - size, size);
	}
	assert_memory_equal(middle, message, PAGE_SIZE);
}

/*
 * More than 2^32 bytes in one call, which mbedTLS's own update would miscount. A few pages are mapped repeatedly: 4 GiB
 * and 65537 letters `a`. The expected digest is sha256sum's.
 */
static void more_than_4_gib_at_once(void **state)
{
	const size_t size = (1ull << 32) + 65537;
	const size_t piece = 1 << 20;
	const size_t pieces = size / piece + 1;
	int file = memfd_create("letters", 0);
	uint8_t *bytes = mmap(NULL, pieces * piece, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t digest[SHA256_DIGEST_SIZE];
	char text[2 * SHA256_DIGEST_SIZE + 1];

	(void)state;
	assert_return_code(file, 0);
	assert_return_code(ftruncate(file, (off_t)piece), 0);
	assert_ptr_not_equal(bytes, MAP_FAILED);
	for (size_t i = 0; i < pieces; i++)
		assert_ptr_equal(mmap(bytes + i * piece, piece, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file,
				      0),
				 bytes + i * piece);
	memset(bytes, 'a', piece);
	sha256_of(bytes, size, digest);
	for (size_t at = 0; at < SHA256_DIGEST_SIZE; at++)
		snprintf(text + 2 * at, 3, "%02x", digest[at]);
	assert_string_equal(text, "18d2f28703b970d01802aad2320ba5b4d0ac64ce2137cedbf112387706420e51");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_what_linux_sees_too),
		cmocka_unit_test(codes_know_the_vectors),
		cmocka_unit_test(codes_agree_on_every_length),
		cmocka_unit_test(codes_agree_at_every_alignment),
		cmocka_unit_test(codes_agree_on_every_two_parts),
		cmocka_unit_test(codes_go_on_with_each_others_states),
		cmocka_unit_test(codes_touch_nothing_but_the_bytes),
		cmocka_unit_test(more_than_4_gib_at_once),
	};

	return run_named_tests(tests);
}
