// SPDX-License-Identifier: BSD-2-Clause
/* Reads a part of a plan from its source, hashes it on the way, and compares its digest with the one in the plan. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/digest.h"
#include "boot/plan.h"
#include "boot/status.h"
#include "common/sha256.h"
#include "efi/source/sources.h"
#include "efi/source/stream.h"

/* A zeroed one is closed. */
struct part_reader {
	struct sink sink;
	const struct boot_part *part;
	struct stream stream;
	struct digest *digest; /* for the purgatory; NULL: the bytes are not at their final place yet */
	struct sha256 hash;    /* for the plan, if it has a digest for the part */
};

/* Opens the part. `part` must outlive the reader, which part_close closes. */
enum kexec_status part_open(struct sources *sources, const struct boot_part *part, struct part_reader *ret_reader);

/* Its size in bytes, as the source says. */
uint64_t part_size(const struct part_reader *reader);

/* Reads the next `size` bytes to `addr`. `digest` is NULL if they are not at their final place there. */
enum kexec_status part_read(struct part_reader *reader, uint64_t addr, uint64_t size, struct digest *digest);

/* The part was read: nothing may follow, and it must be the one that the plan wants. */
enum kexec_status part_finish(struct part_reader *reader);

void part_close(struct part_reader *reader);
