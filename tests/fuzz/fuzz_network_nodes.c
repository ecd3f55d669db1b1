// SPDX-License-Identifier: BSD-2-Clause
/* Feeds device paths to boot/network_nodes.c. */
#include "boot/network_nodes.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct network_nodes nodes = network_nodes_read(bytes, size);

	if (nodes.url.length) {
		assert((const uint8_t *)nodes.url.start > bytes + 3);
		assert(nodes.url.length <= size - (size_t)((const uint8_t *)nodes.url.start - bytes));
		assert(!memchr(nodes.url.start, '\0', nodes.url.length));
	}
	return 0;
}
