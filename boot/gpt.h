// SPDX-License-Identifier: BSD-2-Clause
/*
 * GUID partition tables (UEFI specification 5.3): finds the partitions of a type. The tables are untrusted: anybody who
 * can write to the disk can write anything into them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "boot/partuuid.h"

/* The first header is in block 1 of the disk, the second in its last block. */
#define GPT_FIRST_LBA 1

/* Upper limit of the array of entries, in bytes; tools make 16384. A power of two. */
#define GPT_ENTRIES_SIZE_MAX (1u << 20)

#define GPT_GUID_SIZE 16

/* The types of an EFI system partition (5.3.3) and of XBOOTLDR (Discoverable Partitions Specification). */
extern const uint8_t gpt_type_esp[GPT_GUID_SIZE];
extern const uint8_t gpt_type_xbootldr[GPT_GUID_SIZE];

/* The place of the entries. */
struct gpt {
	uint64_t entries_lba;
	uint32_t entry_count;
	uint32_t entry_size;   /* in bytes */
	uint32_t entries_size; /* in bytes, of all of them */
	uint32_t entries_crc;
};

/*
 * Reads the header in the block `lba` of a disk whose last block is `last_lba`. Blocks have `block_size` bytes, a power
 * of two from 512 to GPT_ENTRIES_SIZE_MAX. Returns NULL, or a description of the error.
 */
const char *gpt_read_header(const uint8_t *block, uint32_t block_size, uint64_t lba, uint64_t last_lba,
			    struct gpt *ret_gpt);

/* Checks the entries, gpt->entries_size bytes. Returns NULL, or a description of the error. */
const char *gpt_check_entries(const struct gpt *gpt, const uint8_t *entries);

/*
 * Returns the number of partitions of a type, and the PARTUUID of the first. If `preferred` is one of them, it counts
 * as the only one; "" means no preference.
 */
size_t gpt_find(const struct gpt *gpt, const uint8_t *entries, const uint8_t type[GPT_GUID_SIZE], const char *preferred,
		char ret_partuuid[PARTUUID_SIZE]);
