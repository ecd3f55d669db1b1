// SPDX-License-Identifier: BSD-2-Clause
/* Feeds boot/pe.c loaded images and signed files. */
#include "boot/pe.h"

#include "tests/fuzz/input.h"

static bool read_at(const uint8_t *bytes, size_t size, uint64_t offset, void *ret_value, size_t value_size)
{
	if (offset + value_size > size)
		return false;
	memcpy(ret_value, bytes + offset, value_size);
	return true;
}

/* What pe_find_section must say, with offsets as numbers (PE/COFF specification, sections 3 and 4). */
static bool expected_section(const uint8_t *bytes, size_t size, enum pe_layout layout, const char *name,
			     struct text *ret_content)
{
	char padded[8] = { 0 };
	uint8_t coff[24];
	uint16_t count;
	uint16_t optional_size;
	uint32_t offset;

	memcpy(padded, name, strlen(name));
	if (!read_at(bytes, size, 0x3c, &offset, 4) || !read_at(bytes, size, offset, coff, sizeof(coff)) ||
	    memcmp(bytes, "MZ", 2) != 0 || memcmp(coff, "PE\0\0", 4) != 0)
		return false;
	memcpy(&count, coff + 6, 2);
	memcpy(&optional_size, coff + 20, 2);
	if ((uint64_t)offset + 24 + optional_size + count * 40ull > size)
		return false;
	for (const uint8_t *header = bytes + offset + 24 + optional_size; count; count--, header += 40) {
		uint32_t place[4]; /* size and offset in memory, then in the file */
		uint32_t start;
		uint32_t length;

		if (memcmp(header, padded, 8) != 0)
			continue;
		memcpy(place, header + 8, sizeof(place));
		start = layout == PE_LOADED ? place[1] : place[3];
		length = layout == PE_LOADED || place[0] < place[2] ? place[0] : place[2];
		if ((uint64_t)start + length > size)
			start = length = 0;
		*ret_content = (struct text){ .start = (const char *)bytes + start, .length = length };
		return true;
	}
	return false;
}

static void check_sections(const uint8_t *bytes, size_t size, enum pe_layout layout)
{
	static const char *const names[] = { ".entry", ".linux", ".initrd", ".cmdline", ".text", ".rodata" };
	const struct pe_image image = { .bytes = bytes, .size = size, .layout = layout };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct text content = { 0 };
		struct text expected = { 0 };

		assert(pe_find_section(&image, names[i], &content) ==
		       expected_section(bytes, size, layout, names[i], &expected));
		assert(content.start == expected.start && content.length == expected.length);
	}
}

/* Each byte is covered just if a range has it; sections are in order; nothing lies outside the file. */
static void check_signed_ranges(const uint8_t *bytes, size_t size)
{
	struct pe_signed_ranges ranges;

	pe_signed_ranges(bytes, size, &ranges);
	for (size_t i = 0; i < ranges.count; i++)
		assert(ranges.list[i].start < ranges.list[i].end && ranges.list[i].end <= size);
	for (uint64_t offset = 0; offset < size; offset += 1 + size / 256) {
		bool covered = false;

		for (size_t i = 0; i < ranges.count; i++)
			covered |= ranges.list[i].start <= offset && offset < ranges.list[i].end;
		assert((pe_signed_until(bytes, size, offset) > offset) == covered);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	for (uint64_t offset = 0; offset < size;) {
		uint64_t end = pe_signed_until(bytes, size, offset);

		assert(end >= offset && end <= size);
		offset = end + 1 + size / 64;
	}
	check_signed_ranges(bytes, size);
	check_sections(bytes, size, PE_LOADED);
	check_sections(bytes, size, PE_FILE);
	return 0;
}
