// SPDX-License-Identifier: BSD-2-Clause
/*
 * The only file that knows mbedTLS (3.6, include/mbedtls/sha256.h). mbedTLS keeps the state, the bytes of a block that
 * is not yet full, and pads. What lies between goes around its update function: that would hand on one block at a time
 * (MBEDTLS_SHA256_PROCESS_ALT), which costs a tenth of the SHA extensions' speed, and it miscounts 4 GiB or more at
 * once.
 */
#include "common/sha256.h"

#include "common/cpu.h"
#include "common/string.h"
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include "mbedtls/sha256.h"

#define BLOCK_SIZE 64u

/* Intel SDM volume 2, CPUID */
#define CPUID_1_ECX_SSSE3 (1u << 9)
#define CPUID_1_ECX_OSXSAVE (1u << 27)
#define CPUID_1_ECX_AVX (1u << 28)
#define CPUID_7_EBX_AVX2 (1u << 5)
#define CPUID_7_EBX_SHA (1u << 29)

_Static_assert(sizeof(mbedtls_sha256_context) <= sizeof(((struct sha256 *)0)->opaque), "the façade is too small");
_Static_assert(_Alignof(mbedtls_sha256_context) <= _Alignof(struct sha256), "the façade is misaligned");

#pragma GCC visibility push(hidden)
void sha256_blocks_ni(uint32_t state[8], const void *blocks, size_t count);
void sha256_blocks_ssse3(uint32_t state[8], const void *blocks, size_t count);
#pragma GCC visibility pop

static bool has_avx2(void)
{
	const uint32_t needed = CPUID_1_ECX_SSSE3 | CPUID_1_ECX_OSXSAVE | CPUID_1_ECX_AVX;

	if ((cpu_cpuid(CPUID_FEATURES).ecx & needed) != needed || !(cpu_cpuid(7).ebx & CPUID_7_EBX_AVX2))
		return false;
	return (cpu_xcr0() & XCR0_AVX_STATE) == XCR0_AVX_STATE;
}

bool sha256_has_code(enum sha256_code code)
{
	bool has_ssse3 = cpu_cpuid(CPUID_FEATURES).ecx & CPUID_1_ECX_SSSE3;

	switch (code) {
	case SHA256_C:
		return true;
	case SHA256_SSSE3:
		return has_ssse3;
	case SHA256_AVX2:
		return has_avx2();
	case SHA256_NI:
		return has_ssse3 && cpu_cpuid(7).ebx & CPUID_7_EBX_SHA;
	case SHA256_CODES:
		break;
	}
	return false;
}

enum sha256_code sha256_best_code(void)
{
	/* The enumeration has them by their speed. */
	for (enum sha256_code code = SHA256_CODES - 1; code > SHA256_C; code--) {
		if (sha256_has_code(code))
			return code;
	}
	return SHA256_C;
}

static mbedtls_sha256_context *context(struct sha256 *state)
{
	return (mbedtls_sha256_context *)&state->opaque;
}

void sha256_start_with(struct sha256 *state, enum sha256_code code)
{
	mbedtls_sha256_init(context(state));
	/* mbedTLS's own C returns an error only for an unknown is224, so the results here and below are 0. */
	mbedtls_sha256_starts(context(state), 0);
	state->code = code;
}

void sha256_start(struct sha256 *state)
{
	sha256_start_with(state, sha256_best_code());
}

static void hash_blocks(struct sha256 *state, const uint8_t *blocks, size_t count)
{
	switch ((enum sha256_code)state->code) {
	case SHA256_NI:
		sha256_blocks_ni(context(state)->state, blocks, count);
		break;
	case SHA256_AVX2:
	case SHA256_SSSE3:
		sha256_blocks_ssse3(context(state)->state, blocks, count);
		break;
	case SHA256_C:
	case SHA256_CODES:
		for (size_t i = 0; i < count; i++)
			mbedtls_internal_sha256_process(context(state), blocks + i * BLOCK_SIZE);
		break;
	}
}

void sha256_update(struct sha256 *state, const void *bytes, size_t size)
{
	mbedtls_sha256_context *mbedtls = context(state);
	size_t buffered = mbedtls->total[0] % BLOCK_SIZE;
	const uint8_t *next = bytes;
	uint64_t total;
	size_t count;

	if (buffered) {
		size_t lead = size < BLOCK_SIZE - buffered ? size : BLOCK_SIZE - buffered;

		mbedtls_sha256_update(mbedtls, next, lead);
		next += lead;
		size -= lead;
	}
	count = size / BLOCK_SIZE;
	if (count) {
		hash_blocks(state, next, count);
		total = ((uint64_t)mbedtls->total[1] << 32 | mbedtls->total[0]) + count * BLOCK_SIZE;
		mbedtls->total[0] = (uint32_t)total;
		mbedtls->total[1] = (uint32_t)(total >> 32);
		next += count * BLOCK_SIZE;
	}
	mbedtls_sha256_update(mbedtls, next, size % BLOCK_SIZE);
}

void sha256_digest(const struct sha256 *state, uint8_t ret_digest[SHA256_DIGEST_SIZE])
{
	struct sha256 copy = *state;

	mbedtls_sha256_finish(context(&copy), ret_digest);
}

void sha256_of(const void *bytes, size_t size, uint8_t ret_digest[SHA256_DIGEST_SIZE])
{
	struct sha256 state;

	sha256_start(&state);
	sha256_update(&state, bytes, size);
	sha256_digest(&state, ret_digest);
}

void sha256_leaves(enum sha256_code code, const void *leaves, size_t count, uint8_t (*ret_digests)[SHA256_DIGEST_SIZE])
{
	const uint8_t *leaf = leaves;

	for (size_t i = 0; i < count; i++) {
		struct sha256 state;

		sha256_start_with(&state, code);
		sha256_update(&state, leaf + i * SHA256_LEAF_SIZE, SHA256_LEAF_SIZE);
		sha256_digest(&state, ret_digests[i]);
	}
}

bool sha256_equal(const uint8_t a[SHA256_DIGEST_SIZE], const uint8_t b[SHA256_DIGEST_SIZE])
{
	uint8_t difference = 0;

	for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

/* What is hashed here is no secret, so this need not defend itself against a clever compiler. */
void mbedtls_platform_zeroize(void *bytes, size_t size);

void mbedtls_platform_zeroize(void *bytes, size_t size)
{
	memset(bytes, 0, size);
}
