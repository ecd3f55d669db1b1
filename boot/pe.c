// SPDX-License-Identifier: BSD-2-Clause
/* Finds sections in a loaded PE image. */
#include "boot/pe.h"

#include "common/string.h"

enum {
	DOS_PE_OFFSET = 0x3c,

	/* COFF header, from the signature "PE\0\0" on */
	COFF_SECTION_COUNT = 6,
	COFF_OPTIONAL_HEADER_SIZE = 20,
	COFF_SIZE = 24,

	SECTION_NAME_SIZE = 8,
	SECTION_VIRTUAL_SIZE = 8,
	SECTION_VIRTUAL_ADDRESS = 12,
	SECTION_HEADER_SIZE = 40,
};

struct image {
	const uint8_t *bytes;
	size_t size;
};

static bool lies_within(const struct image *image, uint64_t offset, uint64_t length)
{
	return offset <= image->size && length <= image->size - offset;
}

static uint32_t read_16(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8;
}

static uint32_t read_32(const uint8_t *bytes)
{
	return read_16(bytes) | read_16(bytes + 2) << 16;
}

/* The table of section headers, whole within the image. */
static bool find_table(const struct image *image, const uint8_t **ret_table, uint32_t *ret_count)
{
	const uint8_t *coff;
	uint64_t table;

	if (!lies_within(image, 0, DOS_PE_OFFSET + 4) || image->bytes[0] != 'M' || image->bytes[1] != 'Z')
		return false;
	table = read_32(image->bytes + DOS_PE_OFFSET);
	if (!lies_within(image, table, COFF_SIZE))
		return false;
	coff = image->bytes + table;
	if (memcmp(coff, "PE\0\0", 4) != 0)
		return false;
	*ret_count = read_16(coff + COFF_SECTION_COUNT);
	table += COFF_SIZE + read_16(coff + COFF_OPTIONAL_HEADER_SIZE);
	if (!lies_within(image, table, (uint64_t)*ret_count * SECTION_HEADER_SIZE))
		return false;
	*ret_table = image->bytes + table;
	return true;
}

bool pe_find_section(const void *image_bytes, size_t size, const char *name, struct text *ret_content)
{
	struct image image = { .bytes = image_bytes, .size = size };
	char padded_name[SECTION_NAME_SIZE] = { 0 };
	const uint8_t *header;
	uint32_t count;

	memcpy(padded_name, name, strlen(name));
	if (!find_table(&image, &header, &count))
		return false;
	for (; count; count--, header += SECTION_HEADER_SIZE) {
		uint32_t content_size = read_32(header + SECTION_VIRTUAL_SIZE);
		uint32_t address = read_32(header + SECTION_VIRTUAL_ADDRESS);

		if (memcmp(header, padded_name, SECTION_NAME_SIZE) != 0)
			continue;
		*ret_content = (struct text){ .start = (const char *)image.bytes };
		if (lies_within(&image, address, content_size)) {
			ret_content->start += address;
			ret_content->length = content_size;
		}
		return true;
	}
	return false;
}
