// SPDX-License-Identifier: BSD-2-Clause
/* Reads a part of a plan from its source, hashes it on the way, and compares its digests with those in the plan. */
#pragma once

#include <stdint.h>

#include "boot/digest.h"
#include "boot/plan.h"
#include "boot/status.h"
#include "boot/unified_hasher.h"
#include "common/sha256.h"
#include "efi/source/sources.h"
#include "efi/source/stream.h"

/* A zeroed one is closed. */
struct part_reader {
	struct sink sink;
	const struct boot_part *part;
	struct stream stream;
	struct digest *digest; /* the digest in which the part is the open region; NULL: not hashed while it is read */
	struct unified_hasher *sections; /* not NULL: hash each section of a unified image instead */
	struct fsverity *whole;		 /* hash of the file as well, if the plan has its digest */
	struct sha256 sha256;		 /* if the plan has a SHA-256 of the part */
};

/* Opens the part. `part` must outlive the reader, which part_close closes. */
enum kexec_status part_open(struct sources *sources, const struct boot_part *part, struct part_reader *ret_reader);

/* The part's size in bytes, according to its source. */
uint64_t part_size(const struct part_reader *reader);

/* Reads the first `size` bytes into a buffer, before the part's place is known. */
enum kexec_status part_probe(struct part_reader *reader, void *buffer, uint64_t size);

/*
 * Reads the part to the physical address `addr`, as the region `region` of `digest`. The probed bytes must already be
 * there. Fails if the part does not have its source's size or the plan's digests.
 */
enum kexec_status part_load(struct part_reader *reader, uint64_t addr, struct digest *digest, const char *region);

/*
 * Begins to read a unified image in pieces, and to hash each of its sections. `probe` is the probed bytes, which are
 * hashed first.
 */
enum kexec_status part_start_sections(struct part_reader *reader, struct unified_hasher *sections, const void *probe);

/* Reads the next `size` bytes to the physical address `addr`. */
enum kexec_status part_read(struct part_reader *reader, uint64_t addr, uint64_t size);

/* Fails if the part does not end here, or does not have the plan's digests. */
enum kexec_status part_finish_sections(struct part_reader *reader);

/* Like part_load, for a part that shares a region: nothing is hashed or compared until part_check. */
enum kexec_status part_load_unhashed(struct part_reader *reader, uint64_t addr);

/* Compares a part at `addr` with the plan's digests. No region of `digest` may be open. */
enum kexec_status part_check(struct part_reader *reader, uint64_t addr, struct digest *digest);

void part_close(struct part_reader *reader);
