// SPDX-License-Identifier: BSD-2-Clause
/*
 * SHA-256 for loader and purgatory: a façade over mbedTLS, whose headers no other file includes, and over faster code
 * for whole blocks. No call can fail.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/purgatory_abi.h"

/*
 * The implementations; their digests are the same. A CPU that has one need not have those before it: an Atom has NI,
 * but not AVX2.
 */
enum sha256_code {
	SHA256_C,     /* mbedTLS's C */
	SHA256_SSSE3, /* common/sha256_blocks.asm: vectors for the message schedule */
	SHA256_AVX2,  /* for leaves, common/sha256_lanes.asm; SSSE3's code hashes a single stream */
	SHA256_NI,    /* common/sha256_blocks.asm: the SHA extensions */
	SHA256_CODES,
};

/* A block of fs-verity's tree (Linux, Documentation/filesystems/fsverity.rst). */
#define SHA256_LEAF_SIZE 4096u

/* The state of a hash in progress. Callers may copy it by assignment, so that several digests share one prefix. */
struct sha256 {
	uint64_t opaque[13];
	uint64_t code; /* enum sha256_code */
};

/*
 * Whether this CPU has the code, according to CPUID. For AVX2, its registers must also be on, or it must be possible to
 * turn them on.
 */
bool sha256_has_code(enum sha256_code code);

/* The fastest code that this CPU has. */
enum sha256_code sha256_best_code(void);

/*
 * Begins a hash, with the fastest code or with a given code that the CPU has. Except for C, xmm registers must be
 * usable: CR4.OSFXSR set, CR0.EM and CR0.TS clear, as firmware has them (UEFI specification 2.3.4).
 */
void sha256_start(struct sha256 *state);
void sha256_start_with(struct sha256 *state, enum sha256_code code);

void sha256_update(struct sha256 *state, const void *bytes, size_t size);

/* The digest of the bytes hashed so far. The state does not change, so hashing can go on. */
void sha256_digest(const struct sha256 *state, uint8_t ret_digest[SHA256_DIGEST_SIZE]);

/* The digest of one buffer. */
void sha256_of(const void *bytes, size_t size, uint8_t ret_digest[SHA256_DIGEST_SIZE]);

/*
 * The digests of `count` consecutive leaves, from `leaves` on, at any alignment. Each leaf is hashed by itself, two to
 * eight at once. The CPU must have the code, and xmm registers must be usable as for sha256_start. If AVX is off, this
 * turns it on for AVX2, with interrupts off, for less than a millisecond at a time (common/vector_unit.h).
 */
void sha256_leaves(enum sha256_code code, const void *leaves, size_t count, uint8_t (*ret_digests)[SHA256_DIGEST_SIZE]);

/* Compares all bytes of both digests, even after a difference. */
bool sha256_equal(const uint8_t a[SHA256_DIGEST_SIZE], const uint8_t b[SHA256_DIGEST_SIZE]);
