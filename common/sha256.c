// SPDX-License-Identifier: BSD-2-Clause
/* The only file that knows mbedTLS (3.6, include/mbedtls/sha256.h). */
#include "common/sha256.h"

#include "common/string.h"
#include "mbedtls/sha256.h"

_Static_assert(sizeof(mbedtls_sha256_context) <= sizeof(struct sha256), "the façade is too small");
_Static_assert(_Alignof(mbedtls_sha256_context) <= _Alignof(struct sha256), "the façade is misaligned");

static mbedtls_sha256_context *context(struct sha256 *state)
{
	return (mbedtls_sha256_context *)state->opaque;
}

void sha256_start(struct sha256 *state)
{
	mbedtls_sha256_init(context(state));
	/* mbedTLS's own C returns an error only for an unknown is224, so the results here and below are 0. */
	mbedtls_sha256_starts(context(state), 0);
}

void sha256_update(struct sha256 *state, const void *bytes, size_t size)
{
	mbedtls_sha256_update(context(state), bytes, size);
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
