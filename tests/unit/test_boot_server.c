// SPDX-License-Identifier: BSD-2-Clause
/* DHCP packets, valid and damaged ones. */
#include "boot/boot_server.h"

#include "tests/unit/support.h"

static uint8_t packet[1472];
static size_t size;
static struct boot_server server;

/* --- DHCPv4 --- */

static void begin(const char *siaddr, const char *file)
{
	memset(packet, 0, sizeof(packet));
	memcpy(packet + 20, siaddr, 4);
	memcpy(packet + 108, file, strlen(file));
	memcpy(packet + 236, "\x63\x82\x53\x63", 4);
	size = 240;
}

static void add_bytes(uint8_t code, const char *bytes, uint8_t length)
{
	packet[size++] = code;
	packet[size++] = length;
	memcpy(packet + size, bytes, length);
	size += length;
}

static void add(uint8_t code, const char *text)
{
	add_bytes(code, text, (uint8_t)strlen(text));
}

/* Reads the packet in memory of exactly its size, so that a sanitizer detects reads behind it. */
static bool read_packet(bool (*read)(const uint8_t *, size_t, struct boot_server *))
{
	uint8_t *copy = malloc(size ? size : 1);
	bool found;

	memcpy(copy, packet, size);
	memset(&server, 0xaa, sizeof(server));
	found = read(copy, size, &server);
	free(copy);
	return found;
}

static void expect4(const char *address, const char *file)
{
	assert_true(read_packet(boot_server_of_dhcp4));
	assert_memory_equal(server.address, address, 4);
	assert_string_equal(server.file, file);
}

static void expect_none4(void)
{
	assert_false(read_packet(boot_server_of_dhcp4));
	assert_int_equal(server.file[0], (char)0xaa);
}

static void fields_of_bootp(void **state)
{
	(void)state;
	begin("\x0a\0\2\2", "dir/kexecx64.efi");
	packet[size++] = 255;
	expect4("\x0a\0\2\2", "dir/kexecx64.efi");
}

static void options_count_before_fields(void **state)
{
	(void)state;
	begin("\x0a\0\2\2", "field");
	packet[size++] = 0;
	add(67, "option");
	add(66, "1.2.3.4");
	expect4("\x0a\0\2\2", "option");
	begin("\0\0\0\0", "");
	add(66, "192.168.0.255");
	add(54, "\1\2\3\4");
	add_bytes(67, "file\0junk", 9);
	expect4("\xc0\xa8\0\xff", "file");
}

static void server_by_its_identifier(void **state)
{
	(void)state;
	begin("\0\0\0\0", "file");
	add(66, "tftp.example");
	add(54, "\1\2\3\4");
	expect4("\1\2\3\4", "file");
	begin("\0\0\0\0", "file");
	add(66, "0.0.0.0");
	expect_none4();
	begin("\0\0\0\0", "file");
	add_bytes(54, "\0\0\0\0", 4);
	expect_none4();
	begin("\0\0\0\0", "file");
	add_bytes(54, "\1\2\3", 3);
	expect_none4();
	begin("\0\0\0\0", "file");
	expect_none4();
}

static void addresses_that_are_none(void **state)
{
	static const char *const texts[] = { "1.2.3",  "1.2.3.256", "1.2.3.4.5", "1.2.3.",
					     ".1.2.3", "1..2.3",    "",		 "1.2.3.4 " };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		begin("\0\0\0\0", "file");
		add(66, texts[i]);
		expect_none4();
	}
}

static void options_in_the_fields(void **state)
{
	(void)state;
	begin("\x0a\0\2\2", "\x43\4file\xff");
	add(52, "\1");
	expect4("\x0a\0\2\2", "file");
	begin("\0\0\0\0", "\x43\4file\xff");
	memcpy(packet + 44,
	       "\x42\7"
	       "1.2.3.4",
	       9);
	add(52, "\3");
	expect4("\1\2\3\4", "file");
	/* With option overload the field is not a name. */
	begin("\x0a\0\2\2", "no option");
	add(52, "\1");
	expect_none4();
}

static void file_that_is_none(void **state)
{
	(void)state;
	begin("\x0a\0\2\2", "");
	expect_none4();
	add(67, "a\nb");
	expect_none4();
	begin("\x0a\0\2\2", "a\x7f");
	expect_none4();
	/* A name without a NUL fills the field. */
	begin("\x0a\0\2\2", "");
	memset(packet + 108, 'x', 128);
	assert_true(read_packet(boot_server_of_dhcp4));
	assert_int_equal(strlen(server.file), 128);
}

static void option_that_does_not_fit(void **state)
{
	(void)state;
	begin("\x0a\0\2\2", "field");
	add(67, "option");
	size--;
	expect4("\x0a\0\2\2", "field");
	begin("\x0a\0\2\2", "field");
	packet[size++] = 67;
	expect4("\x0a\0\2\2", "field");
	begin("\x0a\0\2\2", "field");
	packet[size++] = 255;
	add(67, "option");
	expect4("\x0a\0\2\2", "field");
}

static void packet_that_is_none(void **state)
{
	(void)state;
	begin("\x0a\0\2\2", "file");
	size = 239;
	expect_none4();
	begin("\x0a\0\2\2", "file");
	packet[239] ^= 1;
	expect_none4();
}

/* --- DHCPv6 --- */

static void begin6(void)
{
	memset(packet, 0, sizeof(packet));
	size = 4;
}

static void add6(uint16_t code, const char *text)
{
	packet[size++] = (uint8_t)(code >> 8);
	packet[size++] = (uint8_t)code;
	packet[size++] = 0;
	packet[size++] = (uint8_t)strlen(text);
	memcpy(packet + size, text, strlen(text));
	size += strlen(text);
}

static void expect6(const char *url, const char *address, const char *file)
{
	begin6();
	add6(1, "other");
	add6(59, url);
	assert_true(read_packet(boot_server_of_dhcp6));
	assert_memory_equal(server.address, address, 16);
	assert_string_equal(server.file, file);
}

static void expect_none6(const char *url)
{
	begin6();
	add6(59, url);
	assert_false(read_packet(boot_server_of_dhcp6));
}

static void addresses_of_ipv6(void **state)
{
	(void)state;
	expect6("tftp://[fec0::2]/a/b.efi", "\xfe\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\2", "a/b.efi");
	expect6("tftp://[1:2:3:4:5:6:7:89AB]/b", "\0\1\0\2\0\3\0\4\0\5\0\6\0\7\x89\xab", "b");
	expect6("tftp://[::]/b", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "b");
	expect6("tftp://[::1:2]/b", "\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\2", "b");
	expect6("tftp://[1::]/b", "\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "b");
	expect6("tftp://[1:2:3:4:5:6:7::]/b", "\0\1\0\2\0\3\0\4\0\5\0\6\0\7\0\0", "b");
	expect6("tftp://[::2:3:4:5:6:7:8]/b", "\0\0\0\2\0\3\0\4\0\5\0\6\0\7\0\x8", "b");
}

static void urls_that_are_none(void **state)
{
	static const char *const urls[] = {
		"",
		"tftp://[",
		"tftp://[fec0::2",
		"tftp://[fec0::2]",
		"tftp://[fec0::2]/",
		"tftp://fec0::2/a",
		"http://[fec0::2]/a",
		"tftp://[fec0::2::1]/a",
		"tftp://[1:2:3:4:5:6:7]/a",
		"tftp://[1:2:3:4:5:6:7:8:9]/a",
		"tftp://[1:2:3:4:5:6:7:8::]/a",
		"tftp://[12345::]/a",
		"tftp://[1:]/a",
		"tftp://[:1]/a",
		"tftp://[1:::2]/a",
		"tftp://[::1:2:3:4:5:6:7:8]/a",
		"tftp://[g::]/a",
		"tftp://[]/a",
		"[::]/a",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		expect_none6(urls[i]);
}

static void options_of_dhcp6_that_do_not_fit(void **state)
{
	(void)state;
	begin6();
	add6(59, "tftp://[::1]/a");
	size--;
	assert_false(read_packet(boot_server_of_dhcp6));
	size = 7;
	assert_false(read_packet(boot_server_of_dhcp6));
	size = 3;
	assert_false(read_packet(boot_server_of_dhcp6));
	size = 0;
	assert_false(read_packet(boot_server_of_dhcp6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_of_bootp),
		cmocka_unit_test(options_count_before_fields),
		cmocka_unit_test(server_by_its_identifier),
		cmocka_unit_test(addresses_that_are_none),
		cmocka_unit_test(options_in_the_fields),
		cmocka_unit_test(file_that_is_none),
		cmocka_unit_test(option_that_does_not_fit),
		cmocka_unit_test(packet_that_is_none),
		cmocka_unit_test(addresses_of_ipv6),
		cmocka_unit_test(urls_that_are_none),
		cmocka_unit_test(options_of_dhcp6_that_do_not_fit),
	};

	return run_named_tests(tests);
}
