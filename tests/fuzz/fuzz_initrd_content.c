// SPDX-License-Identifier: BSD-2-Clause
/*
 * Feeds initrds to boot/initrd_content.c, each in memory of exactly its size. No byte outside may be read, and each
 * walk must end.
 */
#include "boot/initrd_content.h"
#include "tests/fuzz/input.h"

#define INITRDS_MAX 16u

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	struct initrd_look look = { 0 };
	uint8_t *copies[INITRDS_MAX];
	size_t count = 0;

	while (input.size && count < INITRDS_MAX) {
		uint64_t part = take_number(&input, 2);

		if (part > input.size)
			part = input.size;
		copies[count] = malloc(part ? part : 1);
		memcpy(copies[count], input.bytes, part);
		initrd_look(&look, "initrd", copies[count++], part);
		assert(look.size == part);
		input.bytes += part;
		input.size -= part;
	}
	while (count)
		free(copies[--count]);
	return 0;
}
