// SPDX-License-Identifier: BSD-2-Clause
/* The purgatory's check. It needs no privileges, so the unit tests call it in the relocated object. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/purgatory_abi.h"

struct verdict {
	bool match;
	bool is_record;			      /* a recorded digest differs, not its region */
	bool is_copy;			      /* the verdict is on the copy of a moved kernel */
	size_t region;			      /* index of the first region that changed; REGION_MAX if none did */
	uint8_t expected[SHA256_DIGEST_SIZE]; /* of that region, or of the list of all */
	uint8_t found[SHA256_DIGEST_SIZE];
};

/* Hashes the regions that the loader listed, and compares them with its digests. */
void purgatory_verify(struct verdict *ret_verdict);

/* Moves the kernel to the loader's destination, and verifies the copy. Only after purgatory_verify found a match. */
void purgatory_move(struct verdict *ret_verdict);
