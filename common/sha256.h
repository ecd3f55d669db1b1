// SPDX-License-Identifier: BSD-2-Clause
/*
 * SHA-256 for loader and purgatory: a façade over mbedTLS, whose headers no other file sees, and over faster code for
 * the blocks in between. No call can fail.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/purgatory_abi.h"

/* What hashes whole blocks. The digests are the same. */
enum sha256_code {
	SHA256_C,     /* mbedTLS's C */
	SHA256_SSSE3, /* common/sha256_blocks.asm: vectors for the message schedule */
	SHA256_NI,    /* common/sha256_blocks.asm: the SHA extensions */
};

/* The state of a hash in progress. It may be copied by assignment, so that one prefix serves several digests. */
struct sha256 {
	uint64_t opaque[13];
	uint64_t code; /* enum sha256_code */
};

/* The fastest code that this CPU has, by CPUID. A CPU that has one of the codes has those listed before it as well. */
enum sha256_code sha256_best_code(void);

/*
 * Begins a hash, with the best code or with one that is named and that the CPU has. For all but C, xmm registers must
 * be usable: CR4.OSFXSR set, CR0.EM and CR0.TS clear, as firmware has them (UEFI specification 2.3.4).
 */
void sha256_start(struct sha256 *state);
void sha256_start_with(struct sha256 *state, enum sha256_code code);

void sha256_update(struct sha256 *state, const void *bytes, size_t size);

/* The digest of what was hashed so far. The state is left as it was: hashing can go on. */
void sha256_digest(const struct sha256 *state, uint8_t ret_digest[SHA256_DIGEST_SIZE]);

/* The digest of one buffer. */
void sha256_of(const void *bytes, size_t size, uint8_t ret_digest[SHA256_DIGEST_SIZE]);

/* Compares whole digests, every byte, whatever the first ones say. */
bool sha256_equal(const uint8_t a[SHA256_DIGEST_SIZE], const uint8_t b[SHA256_DIGEST_SIZE]);
