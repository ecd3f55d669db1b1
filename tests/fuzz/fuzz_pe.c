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
static bool expected_section(const uint8_t *bytes, size_t size, const char *name, struct text *ret_content)
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
		uint32_t place[2]; /* size, address */

		if (memcmp(header, padded, 8) != 0)
			continue;
		memcpy(place, header + 8, sizeof(place));
		if ((uint64_t)place[0] + place[1] > size)
			memset(place, 0, sizeof(place));
		*ret_content = (struct text){ .start = (const char *)bytes + place[1], .length = place[0] };
		return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const names[] = { ".entry", ".linux", ".initrd", ".cmdline", ".text", ".rodata" };

	for (uint64_t offset = 0; offset < size;) {
		uint64_t end = pe_signed_until(bytes, size, offset);

		assert(end >= offset && end <= size);
		offset = end + 1 + size / 64;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct text content = { 0 };
		struct text expected = { 0 };

		assert(pe_find_section(bytes, size, names[i], &content) ==
		       expected_section(bytes, size, names[i], &expected));
		assert(content.start == expected.start && content.length == expected.length);
	}
	return 0;
}
