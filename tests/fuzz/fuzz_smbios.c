// SPDX-License-Identifier: BSD-2-Clause
/* Feeds a prefix, = and a table to boot/smbios.c, and the whole input as an entry point. */
#include "boot/smbios.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	char *prefix = take_string(&input, '=');
	struct text rest = { 0 };
	struct smbios_table table;

	if (smbios_find_string(input.bytes, input.size, text_of_string(prefix), &rest)) {
		size_t front = (size_t)((const uint8_t *)rest.start - input.bytes);

		/* The found string, its prefix and its NUL are in the table. */
		assert(front >= strlen(prefix) && front <= input.size && rest.length < input.size - front);
		assert(memcmp(rest.start - strlen(prefix), prefix, strlen(prefix)) == 0);
		assert(rest.start[rest.length] == '\0' && strlen(rest.start) == rest.length);
	}
	smbios_entry_point(bytes, size, &table);
	free(prefix);
	return 0;
}
