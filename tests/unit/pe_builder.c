// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/pe_builder.h"

#include "tests/unit/support.h"

#define PE 0x40u
#define SECTIONS (PE + 24 + 0xf0)
#define OTHER_LAYOUT 0x10000u
#define HEADERS_SIZE (SECTIONS + 40 * PE_BUILDER_SECTIONS_MAX)

static void put(uint8_t *bytes, size_t offset, uint32_t value, size_t width)
{
	memcpy(bytes + offset, &value, width);
}

/* A section in a file may be padded, or may lack the zeros at its end. */
static uint32_t size_here(const struct sample_section *section, enum pe_layout layout)
{
	return layout == PE_FILE && section->file_size ? section->file_size : section->size;
}

static uint32_t content_size(const struct sample_section *section, enum pe_layout layout)
{
	uint32_t here = size_here(section, layout);

	return here < section->size ? here : section->size;
}

struct pe_image pe_build(enum pe_layout layout, const struct sample_section *sections, size_t count)
{
	uint32_t size = HEADERS_SIZE;
	uint32_t place = HEADERS_SIZE;
	uint8_t *bytes;

	assert_true(count <= PE_BUILDER_SECTIONS_MAX);
	for (size_t i = 0; i < count; i++)
		size += size_here(&sections[i], layout);
	bytes = calloc(1, size);
	assert_non_null(bytes);
	memcpy(bytes, "MZ", 2);
	put(bytes, 0x3c, PE, 4);
	memcpy(bytes + PE, "PE\0\0", 4);
	put(bytes, PE + 6, (uint32_t)count, 2);
	put(bytes, PE + 20, 0xf0, 2);
	put(bytes, PE + 24, 0x20b, 2);
	/* In the other layout, sections have other offsets: see below. */
	put(bytes, PE + 24 + 56, layout == PE_FILE ? size + 2 * OTHER_LAYOUT : size, 4);
	put(bytes, PE + 24 + 60, HEADERS_SIZE, 4);
	for (size_t i = 0; i < count; i++) {
		const struct sample_section *section = &sections[i];
		uint32_t header = SECTIONS + 40 * (uint32_t)i;
		uint32_t there = section->wrong_place ? section->wrong_place : place;

		strncpy((char *)bytes + header, section->name, 8);
		put(bytes, header + 8, section->size, 4);
		put(bytes, header + 12, layout == PE_LOADED ? there : there + OTHER_LAYOUT, 4);
		put(bytes, header + 16, section->file_size ? section->file_size : section->size, 4);
		put(bytes, header + 20, layout == PE_FILE ? there : there + OTHER_LAYOUT, 4);
		if (section->content)
			memcpy(bytes + place, section->content, content_size(section, layout));
		place += size_here(section, layout);
	}
	return (struct pe_image){ .bytes = bytes, .size = size, .layout = layout };
}
