// SPDX-License-Identifier: BSD-2-Clause
/* Feeds boot/pe.c loaded images and signed files. */
#include "boot/pe.h"

#include "tests/fuzz/support.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const names[] = { ".entry", ".linux", ".initrd", ".cmdline", ".text", ".rodata" };

	for (uint64_t offset = 0; offset < size;) {
		uint64_t end = pe_signed_until(bytes, size, offset);

		assert(end >= offset && end <= size);
		offset = end + 1 + size / 64;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint8_t sum = 0;
		struct text content;

		if (!pe_find_section(bytes, size, names[i], &content))
			continue;
		/* All of it can be read. */
		for (size_t at = 0; at < content.length; at++)
			sum ^= (uint8_t)content.start[at];
		assert(content.length <= size && (sum == 0 || content.length > 0));
	}
	return 0;
}
