// SPDX-License-Identifier: BSD-2-Clause
/*
 * Feeds disks to boot/gpt.c. The input is the size of a block as a power of two, the last block, and the disk from its
 * header on. The target corrects the checksums, because hardly any input would get past them.
 */
#include "boot/gpt.h"
#include "tests/fuzz/input.h"

/* Larger headers would take too long. */
#define SIGNED_SIZE_MAX 2048

static uint32_t crc32(const uint8_t *bytes, size_t size)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < size * 8; i++)
		crc = crc >> 1 ^ (((bytes[i / 8] >> i % 8) ^ crc) & 1 ? 0xedb88320 : 0);
	return ~crc;
}

static void put(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static uint32_t get(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* Sets the header's checksums, unless its stated size is invalid. */
static void sign(uint8_t *block, uint32_t block_size, uint32_t entries_crc)
{
	uint32_t size = get(block + 12);

	put(block + 88, entries_crc);
	put(block + 16, 0);
	if (size <= block_size)
		put(block + 16, crc32(block, size));
}

static void check_count(const struct gpt *gpt, const uint8_t *entries, const uint8_t *type)
{
	char partuuid[PARTUUID_SIZE];
	char preferred[PARTUUID_SIZE];
	size_t count = 0;
	size_t found;

	for (uint32_t i = 0; i < gpt->entry_count; i++)
		count += memcmp(entries + (size_t)i * gpt->entry_size, type, 16) == 0;
	found = gpt_find(gpt, entries, type, "", partuuid);
	assert(found == count);
	if (!count)
		return;
	assert(strlen(partuuid) == PARTUUID_SIZE - 1);
	assert(gpt_find(gpt, entries, type, partuuid, preferred) == 1);
	assert(strcmp(partuuid, preferred) == 0);
}

static void check_signed(uint8_t *block, uint32_t block_size, uint64_t last_lba, uint8_t *entries, struct gpt *gpt)
{
	sign(block, block_size, crc32(entries, gpt->entries_size));
	assert(!gpt_read_header(block, block_size, 1, last_lba, gpt));
	assert(!gpt_check_entries(gpt, entries));
	entries[gpt->entries_size - 1] ^= 1;
	assert(gpt_check_entries(gpt, entries));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	uint32_t block_size = 512u << take_number(&input, 1) % 4;
	uint64_t last_lba = take_number(&input, 8);
	size_t header_size = input.size < block_size ? input.size : block_size;
	uint8_t *block = calloc(1, block_size);
	uint8_t *entries;
	struct gpt gpt;

	memcpy(block, input.bytes, header_size);
	sign(block, block_size, 0);
	if (!gpt_read_header(block, block_size, 1, last_lba, &gpt)) {
		assert(gpt.entries_size && gpt.entries_size <= GPT_ENTRIES_SIZE_MAX);
		assert(gpt.entries_lba <= last_lba);
		assert((gpt.entries_size - 1) / block_size <= last_lba - gpt.entries_lba);
		entries = calloc(1, gpt.entries_size);
		memcpy(entries, input.bytes + header_size,
		       input.size - header_size < gpt.entries_size ? input.size - header_size : gpt.entries_size);
		check_count(&gpt, entries, gpt_type_esp);
		check_count(&gpt, entries, entries);
		if (gpt.entries_size <= SIGNED_SIZE_MAX)
			check_signed(block, block_size, last_lba, entries, &gpt);
		free(entries);
	}
	free(block);
	return 0;
}
