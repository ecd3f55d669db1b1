// SPDX-License-Identifier: BSD-2-Clause
/* Reads from a network device's path where an image came from (UEFI specification 10.3.4). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/text.h"

struct network_nodes {
	struct text url; /* of the URI node that HTTP boot adds; points into the nodes. Empty without one */
	bool is_ipv6;
	uint8_t address[16]; /* ours, in network order; of IPv4 the first 4 bytes. Zeros if the path has none */
	uint8_t subnet[4];   /* of IPv4 */
};

/* Reads `size` bytes of device path nodes, up to the end node or a node that does not fit. */
struct network_nodes network_nodes_read(const void *nodes, size_t size);
