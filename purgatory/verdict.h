// SPDX-License-Identifier: BSD-2-Clause
/* The purgatory's check by itself, which needs no privileges: the unit tests call it in the relocated object. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/purgatory_abi.h"

struct verdict {
	bool match;
	bool is_record; /* a recorded digest differs, not its region */
	bool is_copy;	/* it is of a kernel that was moved, where it was moved to */
	size_t region;	/* index of the first region that changed; REGION_MAX if it is none of them */
	uint8_t expected[SHA256_DIGEST_SIZE]; /* of that region, or of the list of all */
	uint8_t found[SHA256_DIGEST_SIZE];
};

/* Hashes the regions that the loader named and compares with the digests that it left. */
void purgatory_verify(struct verdict *ret_verdict);

/* Moves the kernel as the loader wants it, and verifies what was moved. After purgatory_verify has found a match. */
void purgatory_move(struct verdict *ret_verdict);
