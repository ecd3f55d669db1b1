// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/gpt_builder.h"

#include <string.h>

/* CRC-32 by a table, as in zlib; the code under test uses none. */
static uint32_t crc32(const uint8_t *bytes, size_t size)
{
	uint32_t table[256];
	uint32_t crc = 0xffffffff;

	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] & 1 ? table[i] >> 1 ^ 0xedb88320 : table[i] >> 1;
	}
	for (size_t i = 0; i < size; i++)
		crc = table[(crc ^ bytes[i]) & 0xff] ^ crc >> 8;
	return ~crc;
}

static void put(uint8_t *at, uint64_t value, size_t width)
{
	memcpy(at, &value, width);
}

static uint32_t entries_blocks(const struct gpt_disk *disk)
{
	return (disk->entry_count * disk->entry_size + disk->block_size - 1) / disk->block_size;
}

static uint64_t header_lba(int which)
{
	return which ? GPT_DISK_BLOCKS - 1 : 1;
}

static uint64_t entries_lba(const struct gpt_disk *disk, int which)
{
	return which ? GPT_DISK_BLOCKS - 1 - entries_blocks(disk) : 2;
}

uint8_t *gpt_disk_header(struct gpt_disk *disk, int which)
{
	return disk->bytes + header_lba(which) * disk->block_size;
}

uint8_t *gpt_disk_entries(struct gpt_disk *disk, int which)
{
	return disk->bytes + entries_lba(disk, which) * disk->block_size;
}

void gpt_disk_sign(struct gpt_disk *disk, int which)
{
	uint8_t *header = gpt_disk_header(disk, which);
	uint32_t size;

	memcpy(&size, header + 12, sizeof(size));
	put(header + 16, 0, 4);
	put(header + 16, crc32(header, size < disk->block_size ? size : disk->block_size), 4);
}

static void write_header(struct gpt_disk *disk, int which)
{
	uint8_t *header = gpt_disk_header(disk, which);

	memcpy(header, "EFI PART", 8);
	put(header + 8, 0x10000, 4);
	put(header + 12, 92, 4);
	put(header + 24, header_lba(which), 8);
	put(header + 32, header_lba(!which), 8);
	put(header + 72, entries_lba(disk, which), 8);
	put(header + 80, disk->entry_count, 4);
	put(header + 84, disk->entry_size, 4);
	put(header + 88, crc32(gpt_disk_entries(disk, which), disk->entry_count * disk->entry_size), 4);
	gpt_disk_sign(disk, which);
}

void gpt_disk_start(struct gpt_disk *disk, uint32_t block_size, uint32_t entry_size, uint32_t entry_count)
{
	memset(disk, 0, sizeof(*disk));
	disk->block_size = block_size;
	disk->entry_size = entry_size;
	disk->entry_count = entry_count;
	write_header(disk, 0);
	write_header(disk, 1);
}

void gpt_disk_set(struct gpt_disk *disk, uint32_t index, const uint8_t type[16], uint8_t last)
{
	for (int which = 0; which < 2; which++) {
		uint8_t *entry = gpt_disk_entries(disk, which) + index * disk->entry_size;

		memcpy(entry, type, 16);
		memset(entry + 16, 0, 16);
		entry[31] = last;
		write_header(disk, which);
	}
}
