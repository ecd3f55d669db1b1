// SPDX-License-Identifier: BSD-2-Clause
/*
 * Measures the cost of hashing in a boot for tests/bench/passes: the loader's pass over files that arrive in pieces,
 * and the purgatory's pass over them in memory. Both use the code of the build, with prefixed symbols.
 *
 * Usage: passes MIB. Each line of input, `WAY CODE`, runs one pass; the output is its CPU time in seconds.
 * WAY: `now`, one fs-verity digest in each pass; `sealed-before` and `unsealed-before`, the passes of earlier versions:
 * one SHA-256 over everything in each pass, and in a sealed boot also each file's own SHA-256 in the loader; `openssl`,
 * one stream over the same bytes. CODE: ni, avx2, ssse3 or c.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/read_size.h"
#include "common/align.h"
#include "common/fsverity.h"
#include "tests/bench/cpu_seconds.h"

#define DECLARE(prefix)                                                                                                \
	extern typeof(sha256_has_code) prefix##_sha256_has_code;                                                       \
	extern typeof(sha256_start_with) prefix##_sha256_start_with;                                                   \
	extern typeof(sha256_update) prefix##_sha256_update;                                                           \
	extern typeof(sha256_digest) prefix##_sha256_digest;                                                           \
	extern typeof(fsverity_start_with) prefix##_fsverity_start_with;                                               \
	extern typeof(fsverity_update) prefix##_fsverity_update;                                                       \
	extern typeof(fsverity_finish) prefix##_fsverity_finish

DECLARE(in_loader);
DECLARE(in_purgatory);

static uint8_t *bytes;
static size_t size;

static void expect_equal(const uint8_t *a, const uint8_t *b)
{
	if (memcmp(a, b, SHA256_DIGEST_SIZE) != 0) {
		fprintf(stderr, "passes: loader and purgatory differ\n");
		exit(1);
	}
}

static void now(enum sha256_code code)
{
	static struct fsverity state;
	uint8_t loader[SHA256_DIGEST_SIZE];
	uint8_t purgatory[SHA256_DIGEST_SIZE];

	in_loader_fsverity_start_with(&state, code);
	for (size_t at = 0; at < size; at += READ_SIZE_PIECE)
		in_loader_fsverity_update(&state, bytes + at, READ_SIZE_PIECE);
	in_loader_fsverity_finish(&state, size, loader);
	in_purgatory_fsverity_start_with(&state, code);
	in_purgatory_fsverity_update(&state, bytes, size);
	in_purgatory_fsverity_finish(&state, size, purgatory);
	expect_equal(loader, purgatory);
}

static void before(enum sha256_code code, bool sealed)
{
	struct sha256 running;
	struct sha256 file;
	uint8_t loader[SHA256_DIGEST_SIZE];
	uint8_t purgatory[SHA256_DIGEST_SIZE];

	in_loader_sha256_start_with(&running, code);
	in_loader_sha256_start_with(&file, code);
	for (size_t at = 0; at < size; at += READ_SIZE_PIECE) {
		in_loader_sha256_update(&running, bytes + at, READ_SIZE_PIECE);
		if (sealed)
			in_loader_sha256_update(&file, bytes + at, READ_SIZE_PIECE);
	}
	in_loader_sha256_digest(&running, loader);
	in_purgatory_sha256_start_with(&running, code);
	in_purgatory_sha256_update(&running, bytes, size);
	in_purgatory_sha256_digest(&running, purgatory);
	expect_equal(loader, purgatory);
}

static void sealed_before(enum sha256_code code)
{
	before(code, true);
}

static void unsealed_before(enum sha256_code code)
{
	before(code, false);
}

static void openssl(enum sha256_code code)
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	(void)code;
	if (!EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL))
		abort();
}

static const struct way {
	const char *name;
	void (*run)(enum sha256_code code);
} ways[] = {
	{ "now", now },
	{ "sealed-before", sealed_before },
	{ "unsealed-before", unsealed_before },
	{ "openssl", openssl },
};

static const char *const codes[SHA256_CODES] = {
	[SHA256_C] = "c",
	[SHA256_SSSE3] = "ssse3",
	[SHA256_AVX2] = "avx2",
	[SHA256_NI] = "ni",
};

static const struct way *find_way(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (strcmp(ways[i].name, name) == 0)
			return &ways[i];
	}
	return NULL;
}

static enum sha256_code find_code(const char *name)
{
	unsigned code = 0;

	while (code < SHA256_CODES && strcmp(codes[code], name) != 0)
		code++;
	return (enum sha256_code)code;
}

int main(int argc, char **argv)
{
	char way_name[32];
	char code_name[8];

	size = argc == 2 ? strtoul(argv[1], NULL, 10) << 20 : 0;
	bytes = size ? malloc(size) : NULL;
	if (!bytes) {
		fprintf(stderr, "usage: passes MIB\n");
		return 2;
	}
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * i >> 8);
	while (scanf("%31s %7s", way_name, code_name) == 2) {
		const struct way *way = find_way(way_name);
		enum sha256_code code = find_code(code_name);
		double start;

		if (!way || code == SHA256_CODES || !in_loader_sha256_has_code(code)) {
			fprintf(stderr, "passes: %s %s: expected a way and a code that this CPU has\n", way_name,
				code_name);
			return 1;
		}
		start = cpu_seconds();
		way->run(code);
		printf("%.9f\n", cpu_seconds() - start);
		fflush(stdout);
	}
	return 0;
}
