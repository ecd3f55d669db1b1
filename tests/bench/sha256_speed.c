// SPDX-License-Identifier: BSD-2-Clause
/*
 * Hashes on command for tests/bench/sha256, which runs one process for each implementation and compares them. Loader
 * and purgatory use the code of the build, with prefixed symbols.
 *
 * Usage: sha256 IMPLEMENTATION. Prints the digest of the buffer, or a digest of its leaves' digests. Then each line of
 * input is a count: hashes the buffer that many times, and prints the CPU time in seconds.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/align.h"
#include "common/sha256.h"
#include "tests/bench/cpu_seconds.h"

#define BUFFER_SIZE (16u << 20)
#define LEAF_COUNT (BUFFER_SIZE / SHA256_LEAF_SIZE)

#define DECLARE(prefix)                                                                                                \
	extern typeof(sha256_has_code) prefix##_sha256_has_code;                                                       \
	extern typeof(sha256_start_with) prefix##_sha256_start_with;                                                   \
	extern typeof(sha256_update) prefix##_sha256_update;                                                           \
	extern typeof(sha256_digest) prefix##_sha256_digest;                                                           \
	extern typeof(sha256_leaves) prefix##_sha256_leaves

DECLARE(in_loader);
DECLARE(in_purgatory);

/* mbedTLS without this project's wrapper (include/mbedtls/sha256.h). */
int in_loader_mbedtls_sha256(const unsigned char *bytes, size_t size, unsigned char *ret_digest, int is224);

static uint8_t buffer[BUFFER_SIZE];

static void hash_openssl(enum sha256_code code, uint8_t *ret_digest)
{
	(void)code;
	if (!EVP_Digest(buffer, BUFFER_SIZE, ret_digest, NULL, EVP_sha256(), NULL))
		abort();
}

static void hash_mbedtls(enum sha256_code code, uint8_t *ret_digest)
{
	(void)code;
	in_loader_mbedtls_sha256(buffer, BUFFER_SIZE, ret_digest, 0);
}

static void hash_loader(enum sha256_code code, uint8_t *ret_digest)
{
	struct sha256 state;

	in_loader_sha256_start_with(&state, code);
	in_loader_sha256_update(&state, buffer, BUFFER_SIZE);
	in_loader_sha256_digest(&state, ret_digest);
}

static void hash_purgatory(enum sha256_code code, uint8_t *ret_digest)
{
	struct sha256 state;

	in_purgatory_sha256_start_with(&state, code);
	in_purgatory_sha256_update(&state, buffer, BUFFER_SIZE);
	in_purgatory_sha256_digest(&state, ret_digest);
}

static uint8_t leaf_digests[LEAF_COUNT][SHA256_DIGEST_SIZE];

static void fold_leaf_digests(uint8_t *ret_digest)
{
	memset(ret_digest, 0, SHA256_DIGEST_SIZE);
	for (size_t i = 0; i < LEAF_COUNT; i++) {
		for (size_t at = 0; at < SHA256_DIGEST_SIZE; at++)
			ret_digest[at] ^= leaf_digests[i][at];
	}
}

static void hash_loader_leaves(enum sha256_code code, uint8_t *ret_digest)
{
	in_loader_sha256_leaves(code, buffer, LEAF_COUNT, leaf_digests);
	fold_leaf_digests(ret_digest);
}

static void hash_purgatory_leaves(enum sha256_code code, uint8_t *ret_digest)
{
	in_purgatory_sha256_leaves(code, buffer, LEAF_COUNT, leaf_digests);
	fold_leaf_digests(ret_digest);
}

static const struct implementation {
	const char *name;
	void (*hash)(enum sha256_code code, uint8_t *ret_digest);
	enum sha256_code code;
} implementations[] = {
	{ "openssl", hash_openssl, SHA256_C },
	{ "mbedtls", hash_mbedtls, SHA256_C },
	{ "loader-c", hash_loader, SHA256_C },
	{ "loader-ssse3", hash_loader, SHA256_SSSE3 },
	{ "loader-ni", hash_loader, SHA256_NI },
	{ "purgatory-c", hash_purgatory, SHA256_C },
	{ "purgatory-ssse3", hash_purgatory, SHA256_SSSE3 },
	{ "purgatory-ni", hash_purgatory, SHA256_NI },
	{ "loader-leaves-c", hash_loader_leaves, SHA256_C },
	{ "loader-leaves-ssse3", hash_loader_leaves, SHA256_SSSE3 },
	{ "loader-leaves-avx2", hash_loader_leaves, SHA256_AVX2 },
	{ "loader-leaves-ni", hash_loader_leaves, SHA256_NI },
	{ "purgatory-leaves-c", hash_purgatory_leaves, SHA256_C },
	{ "purgatory-leaves-ssse3", hash_purgatory_leaves, SHA256_SSSE3 },
	{ "purgatory-leaves-avx2", hash_purgatory_leaves, SHA256_AVX2 },
	{ "purgatory-leaves-ni", hash_purgatory_leaves, SHA256_NI },
};

static const struct implementation *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(implementations); i++) {
		if (strcmp(implementations[i].name, name) == 0)
			return &implementations[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const struct implementation *implementation = argc == 2 ? find(argv[1]) : NULL;
	uint8_t digest[SHA256_DIGEST_SIZE];
	unsigned count;

	if (!implementation || !in_loader_sha256_has_code(implementation->code)) {
		fprintf(stderr, "usage: sha256 IMPLEMENTATION, of those that this CPU has\n");
		return 2;
	}
	/* Also touches the pages, so that the first measurement is not slower. */
	for (size_t i = 0; i < BUFFER_SIZE; i++)
		buffer[i] = (uint8_t)(i * i >> 8);
	implementation->hash(implementation->code, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		printf("%02x", digest[i]);
	printf(" %u\n", BUFFER_SIZE);
	fflush(stdout);

	while (scanf("%u", &count) == 1) {
		double start = cpu_seconds();

		for (unsigned i = 0; i < count; i++)
			implementation->hash(implementation->code, digest);
		printf("%.9f\n", cpu_seconds() - start);
		fflush(stdout);
	}
	return 0;
}
