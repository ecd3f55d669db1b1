// SPDX-License-Identifier: BSD-2-Clause
/*
 * The only file that includes mbedTLS (3.6, include/mbedtls/sha256.h). mbedTLS keeps the state and the bytes of a
 * partial block, and does the padding. Whole blocks bypass its update function, which would pass on one block at a time
 * (MBEDTLS_SHA256_PROCESS_ALT): that would cost a tenth of the SHA extensions' speed, and the function miscounts 4 GiB
 * or more in one call.
 */
#include "common/sha256.h"

#include "common/cpu.h"
#include "common/string.h"
#include "common/vector_unit.h"
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include "mbedtls/sha256.h"

#define BLOCK_SIZE 64u
#define STATE_WORDS (SHA256_DIGEST_SIZE / sizeof(uint32_t))
#define LANES_MAX 8u

/* Leaves to hash with interrupts off, where AVX has to be turned on for them. They take less than a millisecond. */
#define LEAVES_A_TURN 128u

/* Intel SDM volume 2, CPUID */
#define CPUID_1_ECX_SSSE3 (1u << 9)
#define CPUID_7_EBX_AVX2 (1u << 5)
#define CPUID_7_EBX_SHA (1u << 29)

_Static_assert(sizeof(mbedtls_sha256_context) <= sizeof(((struct sha256 *)0)->opaque), "the façade is too small");
_Static_assert(_Alignof(mbedtls_sha256_context) <= _Alignof(struct sha256), "the façade is misaligned");

#pragma GCC visibility push(hidden)
void sha256_blocks_ni(uint32_t state[8], const void *blocks, size_t count);
void sha256_blocks_ssse3(uint32_t state[8], const void *blocks, size_t count);

/* The state holds, for each of its words, the values of all lanes together. */
void sha256_lanes_ni(uint32_t *state, const void *const *blocks, size_t count);
void sha256_lanes_avx2(uint32_t *state, const void *const *blocks, size_t count);
void sha256_lanes_ssse3(uint32_t *state, const void *const *blocks, size_t count);
#pragma GCC visibility pop

/* A leaf's last block. The leaf's length in bits, big endian, is 0x8000. */
static const uint8_t padding[BLOCK_SIZE] = { [0] = 0x80, [BLOCK_SIZE - 2] = 0x80 };
_Static_assert(SHA256_LEAF_SIZE * 8 == 0x8000, "the padding is of other leaves");

bool sha256_has_code(enum sha256_code code)
{
	bool has_ssse3 = cpu_cpuid(CPUID_FEATURES).ecx & CPUID_1_ECX_SSSE3;

	switch (code) {
	case SHA256_C:
		return true;
	case SHA256_SSSE3:
		return has_ssse3;
	case SHA256_AVX2:
		return has_ssse3 && cpu_cpuid(7).ebx & CPUID_7_EBX_AVX2 && vector_unit_has_avx();
	case SHA256_NI:
		return has_ssse3 && cpu_cpuid(7).ebx & CPUID_7_EBX_SHA;
	case SHA256_CODES:
		break;
	}
	return false;
}

enum sha256_code sha256_best_code(void)
{
	/* The enumeration is sorted by speed. */
	for (enum sha256_code code = SHA256_CODES - 1; code > SHA256_C; code--) {
		if (sha256_has_code(code))
			return code;
	}
	return SHA256_C;
}

/*
 * `count`: leaves that a code hashes at once. `worth`: from how many leaves on that is faster than one after the other.
 * On Zen 4 SSSE3's four lanes take as long as 2.2 of its streams, and so do AVX2's eight; the SHA extensions' two take
 * as long as 1.1.
 */
static const struct {
	size_t count;
	size_t worth;
} lanes_of[SHA256_CODES] = {
	[SHA256_C] = { 1, SIZE_MAX },
	[SHA256_SSSE3] = { 4, 3 },
	[SHA256_AVX2] = { LANES_MAX, 3 },
	[SHA256_NI] = { 2, 2 },
};

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

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
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
		size_t lead = smaller(size, BLOCK_SIZE - buffered);

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

static void hash_lane_blocks(enum sha256_code code, uint32_t *state, const void *const *blocks, size_t count)
{
	switch (code) {
	case SHA256_NI:
		sha256_lanes_ni(state, blocks, count);
		break;
	case SHA256_AVX2:
		sha256_lanes_avx2(state, blocks, count);
		break;
	case SHA256_SSSE3:
		sha256_lanes_ssse3(state, blocks, count);
		break;
	case SHA256_C:
	case SHA256_CODES:
		break;
	}
}

/* FIPS 180-4, 5.3.3. */
static const uint32_t initial_state[STATE_WORDS] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* With SHA-NI, this and store_digest run for every second leaf, so they avoid a call for each word. */
static void start_lanes(size_t lanes, uint32_t *ret_state)
{
	for (size_t word = 0; word < STATE_WORDS; word++) {
		for (size_t lane = 0; lane < lanes; lane++)
			*ret_state++ = initial_state[word];
	}
}

static void store_digest(const uint32_t *state, size_t lanes, uint8_t ret_digest[SHA256_DIGEST_SIZE])
{
	for (size_t word = 0; word < STATE_WORDS; word++) {
		uint32_t big_endian = __builtin_bswap32(state[word * lanes]);

		/* In freestanding code memcpy would be a call. */
		__builtin_memcpy(ret_digest + word * sizeof(big_endian), &big_endian, sizeof(big_endian));
	}
}

/* If there are fewer leaves than lanes, the remaining lanes hash the first leaf again. */
static void point_to_leaves(size_t lanes, const uint8_t *leaves, size_t count, const void **ret_blocks)
{
	for (size_t lane = 0; lane < lanes; lane++)
		ret_blocks[lane] = leaves + (lane < count ? lane : 0) * SHA256_LEAF_SIZE;
}

static void point_to_padding(size_t lanes, const void **ret_blocks)
{
	for (size_t lane = 0; lane < lanes; lane++)
		ret_blocks[lane] = padding;
}

/* Hashes at most one leaf per lane. */
static void hash_in_lanes(enum sha256_code code, const uint8_t *leaves, size_t count,
			  uint8_t (*ret_digests)[SHA256_DIGEST_SIZE])
{
	size_t lanes = lanes_of[code].count;
	uint32_t state[STATE_WORDS * LANES_MAX];
	const void *blocks[LANES_MAX];

	start_lanes(lanes, state);
	point_to_leaves(lanes, leaves, count, blocks);
	hash_lane_blocks(code, state, blocks, SHA256_LEAF_SIZE / BLOCK_SIZE);
	point_to_padding(lanes, blocks);
	hash_lane_blocks(code, state, blocks, 1);
	for (size_t lane = 0; lane < count; lane++)
		store_digest(state + lane, lanes, ret_digests[lane]);
}

static void hash_leaf(enum sha256_code code, const uint8_t *leaf, uint8_t *ret_digest)
{
	struct sha256 state;

	sha256_start_with(&state, code);
	sha256_update(&state, leaf, SHA256_LEAF_SIZE);
	sha256_digest(&state, ret_digest);
}

static void hash_turn(enum sha256_code code, const uint8_t *leaves, size_t count,
		      uint8_t (*ret_digests)[SHA256_DIGEST_SIZE])
{
	bool uses_avx = code == SHA256_AVX2 && count >= lanes_of[code].worth;
	struct vector_unit before;
	size_t done = 0;

	if (uses_avx)
		vector_unit_avx_on(&before);
	while (count - done >= lanes_of[code].worth) {
		size_t now = smaller(count - done, lanes_of[code].count);

		hash_in_lanes(code, leaves + done * SHA256_LEAF_SIZE, now, ret_digests + done);
		done += now;
	}
	if (uses_avx)
		vector_unit_avx_off(&before);
	for (; done < count; done++)
		hash_leaf(code, leaves + done * SHA256_LEAF_SIZE, ret_digests[done]);
}

void sha256_leaves(enum sha256_code code, const void *leaves, size_t count, uint8_t (*ret_digests)[SHA256_DIGEST_SIZE])
{
	size_t now;

	for (size_t done = 0; done < count; done += now) {
		now = smaller(count - done, LEAVES_A_TURN);
		hash_turn(code, (const uint8_t *)leaves + done * SHA256_LEAF_SIZE, now, ret_digests + done);
	}
}

bool sha256_equal(const uint8_t a[SHA256_DIGEST_SIZE], const uint8_t b[SHA256_DIGEST_SIZE])
{
	uint8_t difference = 0;

	for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

/* Nothing hashed here is secret, so the compiler may optimize this away. */
void mbedtls_platform_zeroize(void *bytes, size_t size);

void mbedtls_platform_zeroize(void *bytes, size_t size)
{
	memset(bytes, 0, size);
}
