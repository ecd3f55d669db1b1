// SPDX-License-Identifier: BSD-2-Clause
/* Device paths of partitions and of other devices, valid and broken. */
#include "boot/device_path.h"

#include "tests/unit/support.h"

static uint8_t nodes[1024];
static size_t nodes_size;

static uint8_t *add_node(uint8_t type, uint8_t subtype, size_t length)
{
	uint8_t *node = nodes + nodes_size;

	memset(node, 0xee, length);
	node[0] = type;
	node[1] = subtype;
	node[2] = (uint8_t)length;
	node[3] = (uint8_t)(length >> 8);
	nodes_size += length;
	return node;
}

/* Partition 3, whose signature is the bytes 0 to 15. */
static void add_hard_drive(size_t length, uint8_t signature_type)
{
	uint8_t *node = add_node(4, 1, length);

	memset(node + 4, 0, 4);
	node[4] = 3;
	for (uint8_t i = 0; i < 16; i++)
		node[24 + i] = i;
	node[41] = signature_type;
}

/* Begins with an ACPI node and a PCI node. */
static void begin(void)
{
	nodes_size = 0;
	add_node(2, 1, 12);
	add_node(1, 1, 6);
}

static void add_end(void)
{
	add_node(0x7f, 0xff, 4);
}

/* Reads a copy of exactly the nodes' size, so that a sanitizer detects reads behind them. */
static bool partition(struct partition_path *ret_path)
{
	uint8_t *copy = malloc(nodes_size ? nodes_size : 1);
	bool result;

	memcpy(copy, nodes, nodes_size);
	result = device_path_partition(copy, nodes_size, ret_path);
	free(copy);
	return result;
}

static void expect_partition(const char *partuuid, bool is_gpt)
{
	struct partition_path path;

	assert_true(partition(&path));
	assert_string_equal(path.partuuid, partuuid);
	assert_int_equal(path.is_gpt, is_gpt);
	assert_int_equal(path.disk_size, 18);
}

static void expect_no_partition(void)
{
	struct partition_path path;

	assert_false(partition(&path));
}

static void partitions(void **state)
{
	(void)state;
	begin();
	add_hard_drive(42, 2);
	expect_partition("03020100-0504-0706-0809-0a0b0c0d0e0f", true);
	add_end();
	expect_partition("03020100-0504-0706-0809-0a0b0c0d0e0f", true);
	begin();
	add_hard_drive(50, 1);
	add_end();
	expect_partition("03020100-03", false);
}

static void no_partitions(void **state)
{
	(void)state;
	nodes_size = 0;
	expect_no_partition();
	begin();
	add_end();
	expect_no_partition();
	/* An unknown type of signature. */
	begin();
	add_hard_drive(42, 0);
	add_end();
	expect_no_partition();
	/* A node that is too short, and a file on the partition. */
	begin();
	add_hard_drive(42, 2);
	nodes[18 + 2] = 41;
	nodes_size--;
	add_end();
	expect_no_partition();
	begin();
	add_hard_drive(42, 2);
	add_node(4, 4, 10);
	add_end();
	expect_no_partition();
}

static void broken_paths(void **state)
{
	(void)state;
	begin();
	add_hard_drive(42, 2);
	for (size_t cut = 1; cut < 42; cut++) {
		nodes_size--;
		expect_no_partition();
	}
	begin();
	add_hard_drive(42, 2);
	add_node(1, 1, 8)[2] = 3;
	expect_no_partition();
}

static void expect_text(const char *expected, size_t capacity)
{
	char text[64];

	device_path_text(nodes, nodes_size, text, capacity);
	assert_string_equal(text, expected);
}

static void text(void **state)
{
	(void)state;
	begin();
	add_node(4, 2, 24);
	add_end();
	expect_text("Path(2,1)/Path(1,1)/Path(4,2)", 64);
	expect_text("Path(2,1)/P", 12);
	expect_text("", 1);
	nodes[2] = 3;
	expect_text("", 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(partitions),
		cmocka_unit_test(no_partitions),
		cmocka_unit_test(broken_paths),
		cmocka_unit_test(text),
	};

	return run_named_tests(tests);
}
