// SPDX-License-Identifier: BSD-2-Clause
/* Makes disks with a GUID partition table. Its checksums do not use the code under test. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The disk's number of blocks. */
#define GPT_DISK_BLOCKS 64u
#define GPT_BLOCK_SIZE_MAX 4096u

struct gpt_disk {
	uint32_t block_size;
	uint32_t entry_size;
	uint32_t entry_count;
	uint8_t bytes[GPT_DISK_BLOCKS * GPT_BLOCK_SIZE_MAX];
};

/* A disk with both tables, each with room for `entry_count` partitions. */
void gpt_disk_start(struct gpt_disk *disk, uint32_t block_size, uint32_t entry_size, uint32_t entry_count);

/* Sets the partition `index` in both tables. Its PARTUUID is `last` in hexadecimal, with zeros before it. */
void gpt_disk_set(struct gpt_disk *disk, uint32_t index, const uint8_t type[16], uint8_t last);

/* The places of the first or second header and its entries, for tests that damage them. */
uint8_t *gpt_disk_header(struct gpt_disk *disk, int which);
uint8_t *gpt_disk_entries(struct gpt_disk *disk, int which);

/* Corrects the checksum of a header, over the size that its size field states. */
void gpt_disk_sign(struct gpt_disk *disk, int which);
