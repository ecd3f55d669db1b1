// SPDX-License-Identifier: BSD-2-Clause
/* What the device path of a network device says of an image that came by it (UEFI specification 10.3.4). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/text.h"

struct network_nodes {
	struct text url; /* of the URI node, which HTTP boot leaves there; within the nodes. Empty without one */
	bool is_ipv6;
	uint8_t address[16]; /* ours, in network order; of IPv4 the first 4 bytes. Zeros where the path has none */
	uint8_t subnet[4];   /* of IPv4 */
};

/* Reads `size` bytes of device path nodes, up to the end node or one that does not fit. */
struct network_nodes network_nodes_read(const void *nodes, size_t size);
