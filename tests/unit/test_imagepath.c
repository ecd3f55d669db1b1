// SPDX-License-Identifier: BSD-2-Clause
/* The image's path, from valid and damaged device paths. */
#include "boot/imagepath.h"

#include <stdio.h>

#include "tests/unit/support.h"

#define CAPACITY 64

static uint8_t nodes[8192];
static size_t nodes_size;
static char path[CAPACITY];

static void begin(void)
{
	nodes_size = 0;
	memset(path, 'x', sizeof(path));
}

static void add_node(uint8_t type, uint8_t subtype, size_t length)
{
	nodes[nodes_size] = type;
	nodes[nodes_size + 1] = subtype;
	nodes[nodes_size + 2] = (uint8_t)length;
	nodes[nodes_size + 3] = (uint8_t)(length >> 8);
	nodes_size += 4;
}

/* A file path node of exactly these UTF-16 bytes. */
static void add_file_bytes(const void *bytes, size_t size)
{
	add_node(4, 4, 4 + size);
	if (size)
		memcpy(nodes + nodes_size, bytes, size);
	nodes_size += size;
}

/* A file path node as firmware writes it: UTF-16 with a NUL. */
static void add_file(const char *ascii)
{
	uint8_t bytes[512] = { 0 };
	size_t length = strlen(ascii);

	for (size_t i = 0; i < length; i++)
		bytes[2 * i] = (uint8_t)ascii[i];
	add_file_bytes(bytes, 2 * length + 2);
}

static void add_end(void)
{
	add_node(0x7f, 0xff, 4);
}

/* Reads a copy of exactly the nodes' size, so that a sanitizer detects reads behind them. */
static enum kexec_status conf(size_t capacity)
{
	uint8_t *copy = malloc(nodes_size ? nodes_size : 1);
	char *result = malloc(capacity ? capacity : 1);
	enum kexec_status status;

	memcpy(copy, nodes, nodes_size);
	status = image_path_conf(copy, nodes_size, result, capacity);
	if (status == KEXEC_OK) {
		assert_non_null(memchr(result, '\0', capacity));
		memcpy(path, result, strlen(result) + 1);
	}
	free(copy);
	free(result);
	return status;
}

#define expect_conf(expected)                                                                                          \
	do {                                                                                                           \
		expect_ok(conf(CAPACITY));                                                                             \
		assert_string_equal(path, expected);                                                                   \
	} while (0)

static void expect_conf_of(const char *file, const char *expected)
{
	begin();
	add_file(file);
	add_end();
	expect_conf(expected);
}

static void suffix_in_any_case(void **state)
{
	(void)state;
	expect_conf_of("\\EFI\\BOOT\\BOOTX64.EFI", "\\EFI\\BOOT\\BOOTX64.conf");
	expect_conf_of("\\EFI\\kexec\\kexecx64.efi", "\\EFI\\kexec\\kexecx64.conf");
	expect_conf_of("\\a.eFi", "\\a.conf");
	expect_conf_of("\\a.EfI", "\\a.conf");
}

static void suffix_other(void **state)
{
	(void)state;
	expect_conf_of("\\a.bin", "\\a.bin.conf");
	expect_conf_of("\\a", "\\a.conf");
	expect_conf_of("\\aefi", "\\aefi.conf");
	expect_conf_of("\\a.efi2", "\\a.efi2.conf");
	expect_conf_of("\\a.efx", "\\a.efx.conf");
	expect_conf_of("\\a.exi", "\\a.exi.conf");
	expect_conf_of("\\a.dfi", "\\a.dfi.conf");
	expect_conf_of("\\a.egi", "\\a.egi.conf");
	expect_conf_of("\\a.efh", "\\a.efh.conf");
	expect_conf_of("\\a.efi.efi", "\\a.efi.conf");
	expect_conf_of("efi", "efi.conf");
	expect_conf_of("\\.efi", "\\.conf");
	expect_conf_of(".efi", ".conf");
}

static void no_leading_separator(void **state)
{
	(void)state;
	expect_conf_of("EFI\\a.efi", "EFI\\a.conf");
}

static void several_nodes_without_separators(void **state)
{
	(void)state;
	begin();
	add_file("\\EFI");
	add_file("BOOT");
	add_file("a.efi");
	add_end();
	expect_conf("\\EFI\\BOOT\\a.conf");
}

static void several_nodes_with_separators_in_front(void **state)
{
	(void)state;
	begin();
	add_file("\\EFI");
	add_file("\\BOOT");
	add_file("\\a.efi");
	add_end();
	expect_conf("\\EFI\\BOOT\\a.conf");
}

static void several_nodes_with_separators_behind(void **state)
{
	(void)state;
	begin();
	add_file("\\EFI\\");
	add_file("BOOT\\");
	add_file("a.efi");
	add_end();
	expect_conf("\\EFI\\BOOT\\a.conf");
}

static void several_nodes_with_double_separators(void **state)
{
	(void)state;
	begin();
	add_file("\\");
	add_file("\\EFI\\");
	add_file("\\BOOT\\");
	add_file("\\a.efi");
	add_end();
	expect_conf("\\EFI\\BOOT\\a.conf");
}

static void empty_node_first(void **state)
{
	(void)state;
	begin();
	add_file_bytes("", 0);
	add_file("");
	add_file("\\a.efi");
	add_end();
	expect_conf("\\a.conf");
}

static void empty_node_in_the_middle(void **state)
{
	(void)state;
	begin();
	add_file("\\EFI");
	add_file_bytes("", 0);
	add_file("a.efi");
	add_end();
	expect_conf("\\EFI\\a.conf");
}

static void empty_node_last(void **state)
{
	(void)state;
	begin();
	add_file("\\a.efi");
	add_file("");
	add_end();
	expect_conf("\\a.conf");
}

static void text_without_nul_ends_with_its_node(void **state)
{
	(void)state;
	begin();
	add_file_bytes("\\\0a\0.\0e\0f\0i\0", 12);
	add_end();
	expect_conf("\\a.conf");
}

static void nodes_of_one_character_without_nul(void **state)
{
	(void)state;
	begin();
	add_file_bytes("\\\0", 2);
	add_file_bytes("\\\0", 2);
	add_file_bytes("a\0", 2);
	add_file_bytes("\\\0", 2);
	add_file_bytes("b\0", 2);
	add_end();
	expect_conf("\\a\\b.conf");
}

static void text_with_odd_last_byte(void **state)
{
	(void)state;
	begin();
	add_file_bytes("\\\0a\0.\0e\0f\0i\0z", 13);
	add_end();
	expect_conf("\\a.conf");
}

static void text_after_nul_is_ignored(void **state)
{
	(void)state;
	begin();
	add_file_bytes("\\\0a\0\0\0b\0", 8);
	add_end();
	expect_conf("\\a.conf");
}

static void text_not_ascii(void **state)
{
	(void)state;
	begin();
	/* ä, the Euro sign, a penguin; and 0x5c00, which looks like a backslash if its halves are swapped */
	add_file_bytes("\\\0\xe4\0\xac\x20\x3d\xd8\x27\xdc", 10);
	add_file_bytes("\0\x5c.\0E\0F\0I\0", 10);
	add_end();
	expect_conf("\\\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7\\\xe5\xb0\x80.conf");
}

static void character_that_begins_like_a_separator(void **state)
{
	(void)state;
	begin();
	add_file("\\EFI\\");
	add_file_bytes("\\\x01.\0e\0f\0i\0", 10);
	add_end();
	expect_conf("\\EFI\\\xc5\x9c.conf");
}

static void suffix_across_nodes_is_none(void **state)
{
	(void)state;
	begin();
	add_file("\\a.");
	add_file("efi");
	add_end();
	expect_conf("\\a.\\efi.conf");
}

static void other_nodes_are_passed_over(void **state)
{
	(void)state;
	begin();
	add_node(1, 1, 6);
	memcpy(nodes + nodes_size, "\x7f\xff", 2);
	nodes_size += 2;
	add_node(4, 1, 4);
	add_node(3, 4, 8);
	memcpy(nodes + nodes_size, "x\0\0\0", 4);
	nodes_size += 4;
	add_file("\\a.efi");
	add_node(4, 3, 4);
	add_end();
	add_file("behind the end");
	expect_conf("\\a.conf");
}

static void end_of_instance_and_old_end_end(void **state)
{
	(void)state;
	begin();
	add_file("\\a.efi");
	add_node(0x7f, 0x01, 4);
	add_file("b");
	expect_conf("\\a.conf");
	begin();
	add_file("\\a.efi");
	add_node(0xff, 0xff, 4);
	add_file("b");
	expect_conf("\\a.conf");
}

static void no_end_node(void **state)
{
	(void)state;
	begin();
	add_file("\\a.efi");
	expect_conf("\\a.conf");
	/* Not even one unit fits. */
	memset(nodes + nodes_size, 4, 3);
	nodes_size += 3;
	expect_conf("\\a.conf");
}

static void node_shorter_than_its_header(void **state)
{
	(void)state;
	for (size_t length = 0; length < 4; length++) {
		char message[64];

		begin();
		add_file("\\a.efi");
		add_node(4, 4, length);
		add_end();
		snprintf(message, sizeof(message), " bytes, found %zu", length);
		expect_error(conf(CAPACITY), KEXEC_BAD_FORMAT, message);
	}
}

static void node_past_the_end(void **state)
{
	(void)state;
	begin();
	add_file("\\a.efi");
	nodes_size -= 1;
	expect_error(conf(CAPACITY), KEXEC_BAD_FORMAT, "found 18");
	begin();
	add_node(1, 1, 0xffff);
	expect_error(conf(CAPACITY), KEXEC_BAD_FORMAT, "found 65535");
	begin();
	add_file("\\a.efi");
	add_node(4, 4, 5);
	expect_error(conf(CAPACITY), KEXEC_BAD_FORMAT, "found 5");
}

static void no_file_node(void **state)
{
	(void)state;
	begin();
	expect_error(conf(CAPACITY), KEXEC_NOT_FOUND, "expected to be started from a file");
	add_node(4, 1, 4);
	add_node(2, 4, 4);
	add_end();
	expect_error(conf(CAPACITY), KEXEC_NOT_FOUND, "expected to be started from a file");
	begin();
	add_file("");
	add_end();
	expect_error(conf(CAPACITY), KEXEC_NOT_FOUND, "expected to be started from a file");
	begin();
	nodes_size = 3;
	expect_error(conf(CAPACITY), KEXEC_NOT_FOUND, "expected to be started from a file");
}

static void longest_path_that_fits(void **state)
{
	(void)state;
	begin();
	add_file("\\abc.efi");
	add_end();
	/* "\abc.conf" and its NUL */
	expect_ok(conf(10));
	assert_string_equal(path, "\\abc.conf");
	for (size_t capacity = 0; capacity < 10; capacity++)
		expect_error(conf(capacity), KEXEC_TOO_LARGE, "own path: expected at most ");
	expect_error(conf(9), KEXEC_TOO_LARGE, "expected at most 9 bytes");
}

static void separator_does_not_fit(void **state)
{
	(void)state;
	begin();
	add_file("\\abc");
	add_file("d");
	add_end();
	expect_error(conf(4), KEXEC_TOO_LARGE, "expected at most 4 bytes");
	expect_ok(conf(12));
	assert_string_equal(path, "\\abc\\d.conf");
}

static void character_of_several_bytes_does_not_fit(void **state)
{
	(void)state;
	begin();
	add_file_bytes("\\\0\xac\x20", 4);
	add_end();
	expect_error(conf(3), KEXEC_TOO_LARGE, "expected at most 3 bytes");
}

static void own_path_as_it_is(void **state)
{
	(void)state;
	begin();
	add_file("\\EFI");
	add_file("a.efi");
	add_end();
	assert_true(image_path(nodes, nodes_size, path, sizeof(path)));
	assert_string_equal(path, "\\EFI\\a.efi");
	assert_true(image_path(nodes, nodes_size, path, 11));
}

static void no_own_path_is_no_error(void **state)
{
	(void)state;
	begin();
	add_file("\\EFI");
	add_file("a.efi");
	add_end();
	assert_false(image_path(nodes, nodes_size, path, 10));
	nodes[2] = 1;
	assert_false(image_path(nodes, nodes_size, path, sizeof(path)));
	begin();
	add_end();
	assert_false(image_path(nodes, nodes_size, path, sizeof(path)));
	assert_string_equal(logged(), "");
}

static void image_by_its_name(void **state)
{
	(void)state;
	assert_true(image_is_named(TEXT("kexec"), TEXT("\\kexec")));
	assert_true(image_is_named(TEXT("KEXEC.efi"), TEXT("kexec.EFI")));
	assert_true(image_is_named(TEXT("fs0:\\a/kexec"), TEXT("\\EFI\\kexec.efi")));
	assert_true(image_is_named(TEXT("k\xc3\xa4"), TEXT("\\K\xc3\xa4.efi")));
	assert_false(image_is_named(TEXT("kexec"), TEXT("\\kexecx64.efi")));
	assert_false(image_is_named(TEXT("kexecx64"), TEXT("\\kexec.efi")));
	assert_false(image_is_named(TEXT("a.kexec"), TEXT("\\kexec.efi")));
	assert_false(image_is_named(TEXT("kexec.efi.efi"), TEXT("\\kexec.efi")));
	/* @ and ` differ by the same bit as upper and lower case letters. */
	assert_false(image_is_named(TEXT("@"), TEXT("\\`")));
}

static void no_name_names_nothing(void **state)
{
	(void)state;
	assert_false(image_is_named(TEXT(""), TEXT("")));
	assert_false(image_is_named(TEXT(".efi"), TEXT("\\.efi")));
	assert_false(image_is_named(TEXT("\\EFI\\"), TEXT("\\EFI\\")));
	assert_false(image_is_named(TEXT("fs0:"), TEXT("fs0:")));
}

static void add_vendor(const char *guid, size_t length)
{
	add_node(4, 3, length);
	memcpy(nodes + nodes_size, guid, length - 4);
	nodes_size += length - 4;
}

#define QEMU_GUID "\x72\xf7\x28\x14\x4a\xb6\x1e\x44\xb8\xc3\x9e\xbd\xd7\xf8\x93\xc7"

static void volume_of_qemu(void **state)
{
	(void)state;
	begin();
	add_vendor(QEMU_GUID, 20);
	add_end();
	assert_true(image_is_on_qemu_volume(nodes, nodes_size));
	/* The path ends too early. */
	assert_false(image_is_on_qemu_volume(nodes, 19));
	assert_false(image_is_on_qemu_volume(nodes, 0));
	nodes[19]++;
	assert_false(image_is_on_qemu_volume(nodes, nodes_size));
}

static void volume_of_others(void **state)
{
	(void)state;
	begin();
	add_vendor(QEMU_GUID, 19);
	add_end();
	assert_false(image_is_on_qemu_volume(nodes, nodes_size));
	begin();
	add_file("\\kernel");
	add_vendor(QEMU_GUID, 20);
	add_end();
	assert_false(image_is_on_qemu_volume(nodes, nodes_size));
	begin();
	add_end();
	assert_false(image_is_on_qemu_volume(nodes, nodes_size));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suffix_in_any_case),
		cmocka_unit_test(suffix_other),
		cmocka_unit_test(no_leading_separator),
		cmocka_unit_test(several_nodes_without_separators),
		cmocka_unit_test(several_nodes_with_separators_in_front),
		cmocka_unit_test(several_nodes_with_separators_behind),
		cmocka_unit_test(several_nodes_with_double_separators),
		cmocka_unit_test(empty_node_first),
		cmocka_unit_test(empty_node_in_the_middle),
		cmocka_unit_test(empty_node_last),
		cmocka_unit_test(text_without_nul_ends_with_its_node),
		cmocka_unit_test(nodes_of_one_character_without_nul),
		cmocka_unit_test(text_with_odd_last_byte),
		cmocka_unit_test(text_after_nul_is_ignored),
		cmocka_unit_test(text_not_ascii),
		cmocka_unit_test(character_that_begins_like_a_separator),
		cmocka_unit_test(suffix_across_nodes_is_none),
		cmocka_unit_test(other_nodes_are_passed_over),
		cmocka_unit_test(end_of_instance_and_old_end_end),
		cmocka_unit_test(no_end_node),
		cmocka_unit_test(node_shorter_than_its_header),
		cmocka_unit_test(node_past_the_end),
		cmocka_unit_test(no_file_node),
		cmocka_unit_test(longest_path_that_fits),
		cmocka_unit_test(separator_does_not_fit),
		cmocka_unit_test(character_of_several_bytes_does_not_fit),
		cmocka_unit_test(own_path_as_it_is),
		cmocka_unit_test(no_own_path_is_no_error),
		cmocka_unit_test(image_by_its_name),
		cmocka_unit_test(no_name_names_nothing),
		cmocka_unit_test(volume_of_qemu),
		cmocka_unit_test(volume_of_others),
	};

	return run_named_tests(tests);
}
