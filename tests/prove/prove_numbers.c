// SPDX-License-Identifier: BSD-2-Clause
/*
 * Small arithmetic: common/align.h, boot/read_size.c, boot/text.c. Assumes of numbers only what the headers require of
 * callers. Assumes texts of at most TEXT_SIZE bytes.
 */
#include "boot/read_size.c"
#include "boot/text.c"
#include "common/align.h"
#include "tests/prove/prove.h"

void prove_align(void)
{
	uint64_t value = any_u64();
	uint64_t align = any_u64();
	uint64_t down;
	uint64_t up;

	prove(is_power_of_two(align) == (align != 0 && (align & (align - 1)) == 0), "a power of two is one");
	assume(is_power_of_two(align));
	down = align_down(value, align);
	prove(down <= value && value - down < align && (down & (align - 1)) == 0,
	      "the next multiple below, or the value");
	assume(value <= UINT64_MAX - (align - 1));
	up = align_up(value, align);
	prove(up >= value && up - value < align && (up & (align - 1)) == 0, "the next multiple above, or the value");
}

void prove_read_size(void)
{
	struct read_size state = { .is_fast = any_u8() & 1 };
	bool large = any_u8() & 1;
	uint64_t left = any_u64();
	uint64_t next;

	if (any_u8() & 1)
		read_size_learn(&state, any_u64(), any_u64());
	next = read_size_next(&state, left, large);
	prove(next <= left && (next != 0 || left == 0), "something is read, and no more than is left");
	prove(next <= (large ? READ_SIZE_LARGE : READ_SIZE_PIECE), "and no more than is borne");
}

void prove_utf16(void)
{
	char bytes[TEXT_SIZE];
	uint16_t units[TEXT_SIZE + 1];
	uint16_t before[TEXT_SIZE + 1];
	struct text text = { .start = bytes, .length = any_u64() };
	size_t capacity = any_u64();
	bool ends = false;

	assume(text.length <= TEXT_SIZE && capacity <= TEXT_SIZE + 1);
	memcpy(units, before, sizeof(units));
	if (text_to_utf16(text, units, capacity)) {
		for (size_t i = 0; i < capacity; i++)
			ends |= units[i] == 0;
		prove(ends, "a NUL lies within the capacity");
	}
	for (size_t i = 0; i < TEXT_SIZE + 1; i++)
		prove(i < capacity || units[i] == before[i], "nothing behind the capacity is written");
}

void prove_utf8(void)
{
	uint8_t bytes[TEXT_SIZE];
	struct utf16_reader reader = { .bytes = bytes, .size = any_u64() };
	size_t size = reader.size;
	char utf8[4];

	assume(size <= TEXT_SIZE);
	prove(utf16_take_utf8(&reader, utf8) <= sizeof(utf8), "a character has at most 4 bytes");
	prove(reader.size <= size && reader.bytes == bytes + (size - reader.size), "the reader stays within its text");
}
