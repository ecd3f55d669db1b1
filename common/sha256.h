// SPDX-License-Identifier: BSD-2-Clause
/*
 * SHA-256 for loader and purgatory: a façade over mbedTLS, whose headers no other file sees. No call can fail.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/purgatory_abi.h"

/* The state of a hash in progress. It may be copied by assignment, so that one prefix serves several digests. */
struct sha256 {
	uint64_t opaque[14];
};

void sha256_start(struct sha256 *state);
void sha256_update(struct sha256 *state, const void *bytes, size_t size);

/* The digest of what was hashed so far. The state is left as it was: hashing can go on. */
void sha256_digest(const struct sha256 *state, uint8_t ret_digest[SHA256_DIGEST_SIZE]);

/* The digest of one buffer. */
void sha256_of(const void *bytes, size_t size, uint8_t ret_digest[SHA256_DIGEST_SIZE]);

/* Compares whole digests, every byte, whatever the first ones say. */
bool sha256_equal(const uint8_t a[SHA256_DIGEST_SIZE], const uint8_t b[SHA256_DIGEST_SIZE]);
