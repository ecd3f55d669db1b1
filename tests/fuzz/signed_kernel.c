// SPDX-License-Identifier: BSD-2-Clause
/* Makes kernels as a signing tool would, and damages them. */
#include "tests/fuzz/signed_kernel.h"

#include <string.h>

#include "common/align.h"

#define SECTIONS_MAX 5u
#define DOS_HEADER_SIZE 0x40u
#define PE_HEADERS_SIZE (24u + 112 + 6 * 8) /* of an image with 6 data directories, like a kernel's */
#define SECTION_HEADER_SIZE 40u

/* Offsets: of the boot protocol's fields; of PE's fields, from the PE signature; of a section header's fields. */
enum { SETUP_SECTS = 0x1f1, SYSSIZE = 0x1f4, JUMP = 0x201, INIT_SIZE = 0x260 };
enum { SECTION_COUNT = 6, OPTIONAL_SIZE = 20, IMAGE_SIZE = 80, HEADERS_SIZE = 84, DIRECTORIES = 132, SECURITY = 168 };
enum { SECTION_VSIZE = 8, SECTION_ADDRESS = 12, SECTION_SIZE = 16, SECTION_OFFSET = 20, SECTION_FLAGS = 36 };

uint32_t dice_roll(struct dice *dice, uint32_t count)
{
	/* Constants of MMIX, by Knuth */
	dice->state = dice->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(dice->state >> 33) % count;
}

static void put(uint8_t *bytes, size_t offset, uint32_t value, size_t width)
{
	memcpy(bytes + offset, &value, width);
}

static uint32_t get(const uint8_t *bytes, size_t offset, size_t width)
{
	uint32_t value = 0;

	memcpy(&value, bytes + offset, width);
	return value;
}

static void put_setup_header(uint8_t *bytes, uint32_t setup_sects, uint32_t syssize)
{
	put(bytes, SETUP_SECTS, setup_sects, 1);
	put(bytes, SYSSIZE, syssize, 4);
	put(bytes, 0x1fe, 0xaa55, 2);
	put(bytes, 0x200, 0x6aeb, 2);
	memcpy(bytes + 0x202, "HdrS", 4);
	put(bytes, 0x206, 0x020f, 2);
	put(bytes, 0x211, 0x01, 1);
	put(bytes, 0x22c, 0x7fffffff, 4);
	put(bytes, 0x230, 0x200000, 4);
	put(bytes, 0x234, 0x01, 1);
	put(bytes, 0x236, 0x7f, 2);
	put(bytes, 0x238, 2047, 4);
	put(bytes, 0x258, 0x1000000, 4);
	put(bytes, INIT_SIZE, 0x100000, 4);
}

static void put_section(uint8_t *header, uint32_t start, uint32_t end)
{
	put(header, SECTION_VSIZE, end - start, 4);
	put(header, SECTION_ADDRESS, start, 4);
	put(header, SECTION_SIZE, end - start, 4);
	put(header, SECTION_OFFSET, start, 4);
}

/* Adjacent sections from `start` to `end`, in any order in their table; occasionally with a gap. */
static void put_sections(struct dice *dice, uint8_t *table, uint32_t count, uint32_t start, uint32_t end)
{
	uint32_t first = dice_roll(dice, count);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t next = i + 1 == count ? end : start + dice_roll(dice, end - start);
		uint32_t gap = dice_roll(dice, 16) ? 0 : dice_roll(dice, next - start + 1);

		put_section(table + (size_t)((first + i) % count) * SECTION_HEADER_SIZE, start + gap, next);
		start = next;
	}
}

size_t signed_kernel_make(struct dice *dice, uint8_t *bytes)
{
	static const uint32_t places[] = { 0x40, 0x40, 0x40, 0x80, 0x2a0 };
	uint32_t pe = places[dice_roll(dice, ARRAY_SIZE(places))];
	uint32_t setup_sects = (pe > 0x80 ? 2 : 1) + dice_roll(dice, 2);
	uint32_t setup_size = (setup_sects + 1) * 512;
	uint32_t syssize = 33 + dice_roll(dice, 32);
	uint32_t end = setup_size + syssize * 16;
	uint32_t section_count = 1 + dice_roll(dice, pe == 0x80 ? 4 : SECTIONS_MAX);
	uint32_t table_end = pe + PE_HEADERS_SIZE + section_count * SECTION_HEADER_SIZE;
	uint32_t certificates = dice_roll(dice, 4) * 16;
	uint32_t rest = dice_roll(dice, 2) ? 0 : dice_roll(dice, 64);
	uint32_t headers_size = dice_roll(dice, 2) ? setup_size : table_end + dice_roll(dice, setup_size - table_end);

	memset(bytes, 0, SIGNED_KERNEL_SIZE_MAX);
	put_setup_header(bytes, setup_sects, syssize);
	memcpy(bytes, "MZ", 2);
	put(bytes, 0x3c, pe, 4);
	memcpy(bytes + pe, "PE\0\0\x64\x86", 6);
	put(bytes, pe + SECTION_COUNT, section_count, 2);
	put(bytes, pe + OPTIONAL_SIZE, PE_HEADERS_SIZE - 24, 2);
	put(bytes, pe + 24, 0x20b, 2);
	put(bytes, pe + IMAGE_SIZE, 0x10000, 4);
	put(bytes, pe + HEADERS_SIZE, headers_size, 4);
	put(bytes, pe + DIRECTORIES, 6, 4);
	put(bytes, pe + SECURITY, certificates ? end + rest : 0, 4);
	put(bytes, pe + SECURITY + 4, certificates, 4);
	put_sections(dice, bytes + pe + PE_HEADERS_SIZE, section_count, headers_size, end);
	return end + rest + certificates;
}

struct field {
	size_t offset;
	size_t width;
};

/* The fields whose change may have an effect. */
struct fields {
	struct field list[16 + 5 * SECTIONS_MAX];
	size_t count;
};

static void add_field(struct fields *fields, size_t start, struct field field, size_t size)
{
	field.offset += start;
	if (field.offset + sizeof(uint32_t) <= size)
		fields->list[fields->count++] = field;
}

static struct fields find_fields(const uint8_t *bytes, size_t size)
{
	static const struct field setup[] = {
		{ 0x3c, 4 }, { SETUP_SECTS, 1 }, { SYSSIZE, 4 }, { JUMP, 1 }, { INIT_SIZE, 4 },
	};
	static const struct field pe[] = {
		{ SECTION_COUNT, 2 }, { OPTIONAL_SIZE, 2 }, { IMAGE_SIZE, 4 },	 { HEADERS_SIZE, 4 },
		{ DIRECTORIES, 4 },   { SECURITY, 4 },	    { SECURITY + 4, 4 },
	};
	static const struct field section[] = {
		{ SECTION_VSIZE, 4 },  { SECTION_ADDRESS, 4 }, { SECTION_SIZE, 4 },
		{ SECTION_OFFSET, 4 }, { SECTION_FLAGS, 4 },
	};
	struct fields fields = { .count = 0 };
	size_t start = size >= DOS_HEADER_SIZE ? get(bytes, 0x3c, 4) : size;

	for (size_t i = 0; i < ARRAY_SIZE(setup); i++)
		add_field(&fields, 0, setup[i], size);
	if (start > size)
		return fields;
	for (size_t i = 0; i < ARRAY_SIZE(pe); i++)
		add_field(&fields, start, pe[i], size);
	start += PE_HEADERS_SIZE;
	for (size_t i = 0; i < SECTIONS_MAX * ARRAY_SIZE(section); i++)
		add_field(&fields, start + i / ARRAY_SIZE(section) * SECTION_HEADER_SIZE,
			  section[i % ARRAY_SIZE(section)], size);
	return fields;
}

static uint32_t field_value(const uint8_t *bytes, const struct field *field)
{
	return get(bytes, field->offset, field->width);
}

/* A value near the old one, or one derived from another field or the size. */
static uint32_t changed(struct dice *dice, uint32_t value, uint32_t other, uint32_t size)
{
	static const uint32_t steps[] = { 1, 2, 4, 8, 16, 40, 64, 0x200, 0x80000000 };
	uint32_t step = steps[dice_roll(dice, ARRAY_SIZE(steps))];

	switch (dice_roll(dice, 8)) {
	case 0:
		return value + step;
	case 1:
		return value - step;
	case 2:
		return other;
	case 3:
		return value + other;
	case 4:
		return value - other;
	case 5:
		return size - other;
	case 6:
		return size;
	default:
		return 0;
	}
}

static size_t changed_size(struct dice *dice, uint8_t *bytes, size_t size, size_t capacity)
{
	size_t by = dice_roll(dice, 65);

	if (dice_roll(dice, 2) || by > capacity - size)
		return by < size ? size - by : size;
	memset(bytes + size, 0, by);
	return size + by;
}

size_t signed_kernel_damage(struct dice *dice, uint8_t *bytes, size_t size, size_t capacity)
{
	struct fields fields = find_fields(bytes, size);
	const struct field *other;
	struct field *field;

	if (fields.count == 0 || dice_roll(dice, 8) == 0)
		return changed_size(dice, bytes, size, capacity);
	field = &fields.list[dice_roll(dice, (uint32_t)fields.count)];
	other = &fields.list[dice_roll(dice, (uint32_t)fields.count)];
	put(bytes, field->offset, changed(dice, field_value(bytes, field), field_value(bytes, other), (uint32_t)size),
	    field->width);
	return size;
}
