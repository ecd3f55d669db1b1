// SPDX-License-Identifier: BSD-2-Clause
/* Device paths of network devices. */
#include "boot/network_nodes.h"

#include "tests/unit/support.h"

static uint8_t bytes[512];
static size_t size;

static void add(uint8_t type, uint8_t subtype, const void *content, size_t length)
{
	bytes[size] = type;
	bytes[size + 1] = subtype;
	bytes[size + 2] = (uint8_t)(length + 4);
	bytes[size + 3] = 0;
	memcpy(bytes + size + 4, content, length);
	size += length + 4;
}

/* Reads from memory of exactly that size. The URL points into that memory, so *ret_url is a copy. */
static struct network_nodes read_nodes(char ret_url[64])
{
	uint8_t *copy = malloc(size ? size : 1);
	struct network_nodes nodes;

	memcpy(copy, bytes, size);
	nodes = network_nodes_read(copy, size);
	assert_in_range(nodes.url.length, 0, 63);
	memcpy(ret_url, nodes.url.start, nodes.url.length);
	ret_url[nodes.url.length] = '\0';
	free(copy);
	return nodes;
}

static const uint8_t mac[33] = { 0x52, 0x54 };
static const uint8_t ip4[23] = { 10, 0, 2, 15, [19] = 255, 255, 255, 0 };
static const uint8_t ip6[56] = { 0xfe, 0xc0, [15] = 9 };

static void http_boot_by_ipv4(void **state)
{
	struct network_nodes nodes;
	char url[64];

	(void)state;
	add(2, 1, "12345678", 8);
	add(3, 11, mac, sizeof(mac));
	add(3, 12, ip4, sizeof(ip4));
	add(3, 24, "http://a/b\0", 11);
	add(0x7f, 0xff, "", 0);
	add(3, 24, "http://behind", 13);
	nodes = read_nodes(url);
	assert_string_equal(url, "http://a/b");
	assert_false(nodes.is_ipv6);
	assert_memory_equal(nodes.address, "\x0a\0\2\x0f", 4);
	assert_memory_equal(nodes.subnet, "\xff\xff\xff\0", 4);
}

static void http_boot_by_ipv6(void **state)
{
	struct network_nodes nodes;
	char url[64];

	(void)state;
	add(3, 13, ip6, sizeof(ip6));
	add(3, 24, "http://a/b", 10);
	nodes = read_nodes(url);
	assert_string_equal(url, "http://a/b");
	assert_true(nodes.is_ipv6);
	assert_memory_equal(nodes.address, ip6, 16);
}

static void path_without_a_url(void **state)
{
	struct network_nodes nodes;
	char url[64];

	(void)state;
	add(3, 12, ip4, sizeof(ip4));
	add(3, 24, "", 0);
	add(4, 24, "http://a", 8);
	add(0x7f, 0xff, "", 0);
	nodes = read_nodes(url);
	assert_string_equal(url, "");
	assert_int_equal(nodes.address[0], 10);
	size = 0;
	read_nodes(url);
	assert_string_equal(url, "");
}

static void nodes_that_are_too_short(void **state)
{
	struct network_nodes nodes;
	char url[64];

	(void)state;
	add(3, 12, ip4, sizeof(ip4) - 1);
	add(3, 13, ip6, sizeof(ip6) - 1);
	nodes = read_nodes(url);
	assert_int_equal(nodes.address[0], 0);
	assert_false(nodes.is_ipv6);
	add(3, 24, "http://a", 8);
	size--;
	read_nodes(url);
	assert_string_equal(url, "");
	bytes[2] = 3;
	read_nodes(url);
	size = 3;
	read_nodes(url);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_boot_by_ipv4),
		cmocka_unit_test(http_boot_by_ipv6),
		cmocka_unit_test(path_without_a_url),
		cmocka_unit_test(nodes_that_are_too_short),
	};

	return run_named_tests(tests);
}
