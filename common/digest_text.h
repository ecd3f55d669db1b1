// SPDX-License-Identifier: BSD-2-Clause
/* Digests as readable text. */
#pragma once

#include "common/format.h"
#include "common/purgatory_abi.h"

#define DIGEST_TEXT_SIZE (2 * SHA256_DIGEST_SIZE + 1)

static inline void format_digest(char ret_text[DIGEST_TEXT_SIZE], const uint8_t digest[SHA256_DIGEST_SIZE])
{
	for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++)
		format_text(ret_text + 2 * i, 3, "%02x", digest[i]);
}
