// SPDX-License-Identifier: BSD-2-Clause
/* Makes disks with a GUID partition table, with checksums of its own. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Blocks of the disk. */
#define GPT_DISK_BLOCKS 64u
#define GPT_BLOCK_SIZE_MAX 4096u

struct gpt_disk {
	uint32_t block_size;
	uint32_t entry_size;
	uint32_t entry_count;
	uint8_t bytes[GPT_DISK_BLOCKS * GPT_BLOCK_SIZE_MAX];
};

/* A disk with both tables, and room for `entry_count` partitions. */
void gpt_disk_start(struct gpt_disk *disk, uint32_t block_size, uint32_t entry_size, uint32_t entry_count);

/* Sets the partition number `index`, in both tables. Its PARTUUID is the digits of `last` with zeros before them. */
void gpt_disk_set(struct gpt_disk *disk, uint32_t index, const uint8_t type[16], uint8_t last);

/* The places of the first or second header and its entries, for tests that damage them. */
uint8_t *gpt_disk_header(struct gpt_disk *disk, int which);
uint8_t *gpt_disk_entries(struct gpt_disk *disk, int which);

/* Corrects the checksum of a header, over as many bytes as its size field says. */
void gpt_disk_sign(struct gpt_disk *disk, int which);
