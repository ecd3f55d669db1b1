// SPDX-License-Identifier: BSD-2-Clause
/* Feeds lists of sizes to boot/initrd.c. */
#include "boot/initrd.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	uint64_t total = 0;

	while (input.size) {
		uint64_t part_size = take_number(&input, 8);
		uint64_t before = total;
		uint64_t offset;

		if (initrd_append("input", part_size, &total, &offset) != KEXEC_OK) {
			assert(total == before);
			continue;
		}
		assert(part_size > 0);
		assert(offset % INITRD_ALIGN == 0);
		assert(offset >= before && offset - before < INITRD_ALIGN);
		assert(total > offset && total - offset == part_size);
	}
	return 0;
}
