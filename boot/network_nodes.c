// SPDX-License-Identifier: BSD-2-Clause
/* Reads device paths of network devices. */
#include "boot/network_nodes.h"

#include "boot/device_path.h"
#include "common/string.h"

enum {
	NODE_TYPE_MESSAGING = 3,

	/* IPv4: 10.3.4.12 */
	NODE_SUBTYPE_IP4 = 12,
	IP4_LOCAL = 4,
	IP4_SUBNET = 23,
	IP4_SIZE = 27,
	IP4_ADDRESS_SIZE = 4,

	/* IPv6: 10.3.4.13 */
	NODE_SUBTYPE_IP6 = 13,
	IP6_LOCAL = 4,
	IP6_SIZE = 60,
	IP6_ADDRESS_SIZE = 16,

	/* URI: 10.3.4.23. Its text has no NUL, but edk2 writes one. */
	NODE_SUBTYPE_URI = 24,
};

static void read_ip4(const uint8_t *node, struct network_nodes *nodes)
{
	nodes->is_ipv6 = false;
	memset(nodes->address, 0, sizeof(nodes->address));
	memcpy(nodes->address, node + IP4_LOCAL, IP4_ADDRESS_SIZE);
	memcpy(nodes->subnet, node + IP4_SUBNET, IP4_ADDRESS_SIZE);
}

static void read_ip6(const uint8_t *node, struct network_nodes *nodes)
{
	nodes->is_ipv6 = true;
	memcpy(nodes->address, node + IP6_LOCAL, IP6_ADDRESS_SIZE);
}

static void read_uri(const uint8_t *node, size_t length, struct network_nodes *nodes)
{
	const char *start = (const char *)node + DEVICE_PATH_HEADER_SIZE;
	size_t size = 0;

	while (size < length - DEVICE_PATH_HEADER_SIZE && start[size])
		size++;
	nodes->url = (struct text){ .start = start, .length = size };
}

static void read_node(const uint8_t *node, size_t length, struct network_nodes *nodes)
{
	if (node[0] != NODE_TYPE_MESSAGING)
		return;
	if (node[1] == NODE_SUBTYPE_IP4 && length >= IP4_SIZE)
		read_ip4(node, nodes);
	else if (node[1] == NODE_SUBTYPE_IP6 && length >= IP6_SIZE)
		read_ip6(node, nodes);
	else if (node[1] == NODE_SUBTYPE_URI)
		read_uri(node, length, nodes);
}

struct network_nodes network_nodes_read(const void *nodes, size_t size)
{
	struct network_nodes found = { .url = TEXT("") };
	const uint8_t *node;
	size_t length = 0;
	size_t at = 0;
	bool broken;

	while ((node = device_path_next(nodes, size, &at, &length, &broken)) != NULL)
		read_node(node, length, &found);
	return found;
}
