// SPDX-License-Identifier: BSD-2-Clause
/* Reads DHCP packets. */
#include "boot/boot_server.h"

#include "common/string.h"

/* RFC 2131, 2 */
enum {
	DHCP4_SIADDR = 20,
	DHCP4_SNAME = 44,
	DHCP4_SNAME_SIZE = 64,
	DHCP4_FILE = 108,
	DHCP4_FILE_SIZE = 128,
	DHCP4_OPTIONS = 240, /* behind the cookie */
	DHCP4_ADDRESS_SIZE = 4,
};

/* RFC 2132 */
enum {
	OPTION_PAD = 0,
	OPTION_OVERLOAD = 52, /* 9.3: options go on in `file` (bit 0) and `sname` (bit 1) */
	OPTION_SERVER_ID = 54,
	OPTION_TFTP_SERVER = 66,
	OPTION_BOOT_FILE = 67,
	OPTION_END = 255,
	OVERLOAD_FILE = 1,
	OVERLOAD_SNAME = 2,
};

/* RFC 8415, 8 and 21.1: the options are behind type and transaction. Each has its code and length in two bytes. */
enum {
	DHCP6_OPTIONS = 4,
	DHCP6_OPTION_HEADER = 4,
	DHCP6_BOOT_FILE_URL = 59,
};

static const uint8_t dhcp4_cookie[] = { 99, 130, 83, 99 };

/* Finds an option in [bytes, bytes + size). An option that does not fit ends the search. */
static bool find_in(const uint8_t *bytes, size_t size, uint8_t code, struct text *ret_value)
{
	size_t at = 0;

	while (at < size && bytes[at] != OPTION_END) {
		if (bytes[at] == OPTION_PAD) {
			at++;
			continue;
		}
		if (size - at < 2 || bytes[at + 1] > size - at - 2)
			return false;
		if (bytes[at] == code) {
			*ret_value = (struct text){ .start = (const char *)bytes + at + 2, .length = bytes[at + 1] };
			return true;
		}
		at += 2u + bytes[at + 1];
	}
	return false;
}

/* A packet of DHCPv4, with its value of option 52. */
struct dhcp4 {
	const uint8_t *packet;
	size_t size;
	uint8_t overload;
};

static bool find_option(const struct dhcp4 *dhcp, uint8_t code, struct text *ret_value)
{
	if (find_in(dhcp->packet + DHCP4_OPTIONS, dhcp->size - DHCP4_OPTIONS, code, ret_value))
		return true;
	if (dhcp->overload & OVERLOAD_FILE && find_in(dhcp->packet + DHCP4_FILE, DHCP4_FILE_SIZE, code, ret_value))
		return true;
	return dhcp->overload & OVERLOAD_SNAME &&
	       find_in(dhcp->packet + DHCP4_SNAME, DHCP4_SNAME_SIZE, code, ret_value);
}

static uint8_t overload_of(const struct dhcp4 *dhcp)
{
	struct text value;

	return find_option(dhcp, OPTION_OVERLOAD, &value) && value.length == 1 ? (uint8_t)value.start[0] : 0;
}

/* Copies a name, which may end with a NUL or fill its field. Rejects control characters. */
static bool copy_file(struct text name, char ret_file[BOOT_FILE_SIZE])
{
	size_t length = 0;

	for (; length < name.length && name.start[length]; length++) {
		if ((uint8_t)name.start[length] < ' ' || name.start[length] == 0x7f || length + 1 == BOOT_FILE_SIZE)
			return false;
		ret_file[length] = name.start[length];
	}
	ret_file[length] = '\0';
	return length != 0;
}

static bool find_file(const struct dhcp4 *dhcp, char ret_file[BOOT_FILE_SIZE])
{
	struct text name = { .start = (const char *)dhcp->packet + DHCP4_FILE, .length = DHCP4_FILE_SIZE };
	struct text option;

	if (find_option(dhcp, OPTION_BOOT_FILE, &option) && copy_file(option, ret_file))
		return true;
	return !(dhcp->overload & OVERLOAD_FILE) && copy_file(name, ret_file);
}

static bool take_octet(struct text *text, uint8_t *ret_octet)
{
	uint64_t value;

	if (!text_take_number(text, UINT8_MAX, &value))
		return false;
	*ret_octet = (uint8_t)value;
	return true;
}

static bool take_char(struct text *text, char c)
{
	if (!text->length || text->start[0] != c)
		return false;
	text_drop(text, 1);
	return true;
}

/* Parses "10.0.2.2", with or without a NUL behind it. */
static bool parse_ip4(struct text text, uint8_t *ret_address)
{
	for (size_t i = 0; i < DHCP4_ADDRESS_SIZE; i++) {
		if ((i && !take_char(&text, '.')) || !take_octet(&text, &ret_address[i]))
			return false;
	}
	return !text.length || text.start[0] == '\0';
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

static bool find_server(const struct dhcp4 *dhcp, uint8_t *ret_address)
{
	struct text option;

	memcpy(ret_address, dhcp->packet + DHCP4_SIADDR, DHCP4_ADDRESS_SIZE);
	if (!is_zero(ret_address, DHCP4_ADDRESS_SIZE))
		return true;
	if (find_option(dhcp, OPTION_TFTP_SERVER, &option) && parse_ip4(option, ret_address) &&
	    !is_zero(ret_address, DHCP4_ADDRESS_SIZE))
		return true;
	if (!find_option(dhcp, OPTION_SERVER_ID, &option) || option.length != DHCP4_ADDRESS_SIZE)
		return false;
	memcpy(ret_address, option.start, DHCP4_ADDRESS_SIZE);
	return !is_zero(ret_address, DHCP4_ADDRESS_SIZE);
}

bool boot_server_of_dhcp4(const uint8_t *packet, size_t size, struct boot_server *ret_server)
{
	struct dhcp4 dhcp = { .packet = packet, .size = size };
	struct boot_server server = { 0 };

	if (size < DHCP4_OPTIONS ||
	    memcmp(packet + DHCP4_OPTIONS - sizeof(dhcp4_cookie), dhcp4_cookie, sizeof(dhcp4_cookie)) != 0)
		return false;
	dhcp.overload = overload_of(&dhcp);
	if (!find_file(&dhcp, server.file) || !find_server(&dhcp, server.address))
		return false;
	*ret_server = server;
	return true;
}

/* Removes up to four hexadecimal digits from *text. */
static bool take_group(struct text *text, uint8_t ret_bytes[2])
{
	unsigned value = 0;
	size_t digits = 0;

	for (; digits < 4 && digits < text->length && text_hex_digit(text->start[digits]) >= 0; digits++)
		value = value << 4 | (unsigned)text_hex_digit(text->start[digits]);
	ret_bytes[0] = (uint8_t)(value >> 8);
	ret_bytes[1] = (uint8_t)value;
	text_drop(text, digits);
	return digits != 0;
}

/* Parses groups separated by colons, up to "::" or the end. Returns the number of bytes written. */
static size_t take_groups(struct text *text, uint8_t *ret_bytes, size_t capacity)
{
	size_t length = 0;

	while (length < capacity && take_group(text, ret_bytes + length)) {
		length += 2;
		if (text->length < 2 || text->start[0] != ':' || text->start[1] == ':')
			break;
		take_char(text, ':');
	}
	return length;
}

/* RFC 4291, 2.2, forms 1 and 2. */
static bool parse_ip6(struct text text, uint8_t ret_address[16])
{
	uint8_t tail[16];
	size_t head_length = take_groups(&text, ret_address, 16);
	size_t tail_length;

	if (head_length == 16)
		return !text.length;
	if (!text_begins_with(text, TEXT("::")))
		return false;
	text_drop(&text, 2);
	tail_length = take_groups(&text, tail, 14 - head_length);
	if (text.length)
		return false;
	memset(ret_address + head_length, 0, 16 - head_length);
	memcpy(ret_address + 16 - tail_length, tail, tail_length);
	return true;
}

/* Parses tftp://[ADDRESS]/FILE, in lower case as firmware requires. */
static bool parse_url(struct text url, struct boot_server *ret_server)
{
	static const char prefix[] = "tftp://[";
	struct text rest = url;
	struct text address;

	text_skip_prefix(&rest, TEXT(prefix));
	address.start = rest.start;
	while (rest.length && rest.start[0] != ']')
		text_drop(&rest, 1);
	address.length = (size_t)(rest.start - address.start);
	return address.start != url.start && take_char(&rest, ']') && take_char(&rest, '/') &&
	       parse_ip6(address, ret_server->address) && copy_file(rest, ret_server->file);
}

static uint16_t big_endian(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

bool boot_server_of_dhcp6(const uint8_t *packet, size_t size, struct boot_server *ret_server)
{
	struct boot_server server = { 0 };
	size_t at = DHCP6_OPTIONS;

	while (at <= size && size - at >= DHCP6_OPTION_HEADER) {
		const uint8_t *value = packet + at + DHCP6_OPTION_HEADER;
		size_t length = big_endian(packet + at + 2);

		if (length > size - at - DHCP6_OPTION_HEADER)
			return false;
		if (big_endian(packet + at) == DHCP6_BOOT_FILE_URL) {
			struct text url = { .start = (const char *)value, .length = length };

			if (!parse_url(url, &server))
				return false;
			*ret_server = server;
			return true;
		}
		at += DHCP6_OPTION_HEADER + length;
	}
	return false;
}
