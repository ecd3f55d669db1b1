// SPDX-License-Identifier: BSD-2-Clause
/* Checks and reads GUID partition tables. */
#include "boot/gpt.h"

#include "common/align.h"
#include "common/string.h"

/* GPT header (UEFI specification 5.3.2), little endian. */
struct header {
	char signature[8];
	uint32_t revision;
	uint32_t header_size;
	uint32_t header_crc; /* of the header, with zeros here */
	uint32_t reserved;
	uint64_t my_lba;
	uint64_t alternate_lba;
	uint64_t first_usable_lba;
	uint64_t last_usable_lba;
	uint8_t disk_guid[GPT_GUID_SIZE];
	uint64_t entries_lba;
	uint32_t entry_count;
	uint32_t entry_size;
	uint32_t entries_crc;
	uint32_t padding; /* of this structure */
};

#define HEADER_SIZE offsetof(struct header, padding)

_Static_assert(offsetof(struct header, header_crc) == 16, "layout");
_Static_assert(offsetof(struct header, my_lba) == 24, "layout");
_Static_assert(offsetof(struct header, disk_guid) == 56, "layout");
_Static_assert(offsetof(struct header, entries_lba) == 72, "layout");
_Static_assert(offsetof(struct header, entry_count) == 80, "layout");
_Static_assert(HEADER_SIZE == 92, "layout");

/* GPT partition entry (5.3.3): its type and its own GUID come first. */
enum {
	ENTRY_TYPE = 0,
	ENTRY_GUID = 16,
	ENTRY_SIZE_MIN = 128,
};

/* As on the disk: c12a7328-f81f-11d2-ba4b-00a0c93ec93b and bc13c2ff-59e6-4262-a352-b275fd6f7172. */
const uint8_t gpt_type_esp[GPT_GUID_SIZE] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
					      0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };
const uint8_t gpt_type_xbootldr[GPT_GUID_SIZE] = { 0xff, 0xc2, 0x13, 0xbc, 0xe6, 0x59, 0x62, 0x42,
						   0xa3, 0x52, 0xb2, 0x75, 0xfd, 0x6f, 0x71, 0x72 };

/* CRC-32 of ISO 3309, as the specification requires. About 16 KiB are not worth a table. */
#define CRC32_POLYNOMIAL 0xedb88320u

static uint32_t crc32_update(uint32_t crc, const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < size; i++) {
		crc ^= byte[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
	}
	return crc;
}

static uint32_t header_crc(const uint8_t *block, size_t size)
{
	static const uint8_t zeros[4];
	size_t behind = offsetof(struct header, header_crc) + sizeof(zeros);
	uint32_t crc = UINT32_MAX;

	crc = crc32_update(crc, block, offsetof(struct header, header_crc));
	crc = crc32_update(crc, zeros, sizeof(zeros));
	return ~crc32_update(crc, block + behind, size - behind);
}

/* Whether the entries lie on the disk, and are not more than we read. */
static const char *check_place(const struct header *header, uint32_t block_size, uint64_t last_lba)
{
	uint64_t blocks;

	if (header->entry_size < ENTRY_SIZE_MIN || !is_power_of_two(header->entry_size) ||
	    header->entry_size > GPT_ENTRIES_SIZE_MAX)
		return "entries of another size";
	if (header->entry_count == 0 || header->entry_count > GPT_ENTRIES_SIZE_MAX / header->entry_size)
		return "too many entries, or none";
	blocks = align_up((uint64_t)header->entry_count * header->entry_size, block_size) / block_size;
	if (header->entries_lba == 0 || header->entries_lba > last_lba || blocks - 1 > last_lba - header->entries_lba)
		return "entries outside the disk";
	return NULL;
}

const char *gpt_read_header(const uint8_t *block, uint32_t block_size, uint64_t lba, uint64_t last_lba,
			    struct gpt *ret_gpt)
{
	struct header header;
	const char *wrong;

	memcpy(&header, block, HEADER_SIZE);
	if (memcmp(header.signature, "EFI PART", sizeof(header.signature)) != 0)
		return "no signature";
	if (header.header_size < HEADER_SIZE || header.header_size > block_size)
		return "a header of another size";
	if (header_crc(block, header.header_size) != header.header_crc)
		return "a header with a wrong checksum";
	if (header.my_lba != lba)
		return "a header of another place";
	wrong = check_place(&header, block_size, last_lba);
	if (wrong)
		return wrong;
	*ret_gpt = (struct gpt){
		.entries_lba = header.entries_lba,
		.entry_count = header.entry_count,
		.entry_size = header.entry_size,
		.entries_size = header.entry_count * header.entry_size,
		.entries_crc = header.entries_crc,
	};
	return NULL;
}

const char *gpt_check_entries(const struct gpt *gpt, const uint8_t *entries)
{
	if (~crc32_update(UINT32_MAX, entries, gpt->entries_size) != gpt->entries_crc)
		return "entries with a wrong checksum";
	return NULL;
}

size_t gpt_find(const struct gpt *gpt, const uint8_t *entries, const uint8_t type[GPT_GUID_SIZE], const char *preferred,
		char ret_partuuid[PARTUUID_SIZE])
{
	char partuuid[PARTUUID_SIZE];
	size_t count = 0;

	for (uint32_t i = 0; i < gpt->entry_count; i++) {
		const uint8_t *entry = entries + (size_t)i * gpt->entry_size;
		bool is_preferred;

		if (memcmp(entry + ENTRY_TYPE, type, GPT_GUID_SIZE) != 0)
			continue;
		partuuid_of_gpt(entry + ENTRY_GUID, partuuid);
		is_preferred = strcmp(partuuid, preferred) == 0;
		if (count == 0 || is_preferred)
			memcpy(ret_partuuid, partuuid, sizeof(partuuid));
		count++;
		if (is_preferred)
			return 1;
	}
	return count;
}
