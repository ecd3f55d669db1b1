// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads from a DHCP packet the TFTP server and the name of our image. The packets are in the form of
 * EFI_PXE_BASE_CODE_MODE (UEFI specification 24.3.1). They are untrusted: anybody on the network may have sent them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/text.h"

/* Longer than any name in a packet of DHCPv4, whose options have 255 bytes. */
#define BOOT_FILE_SIZE 512

struct boot_server {
	uint8_t address[16]; /* in network order; of IPv4 the first 4 bytes */
	char file[BOOT_FILE_SIZE];
};

/*
 * Reads a packet of DHCPv4 (RFC 2131, 2; options: RFC 2132). The file is option 67, else the field `file`. The server
 * is the field `siaddr`, else option 66 if that is an address, else option 54. Returns false if either is missing.
 */
bool boot_server_of_dhcp4(const uint8_t *packet, size_t size, struct boot_server *ret_server);

/*
 * Reads a packet of DHCPv6: option 59 (RFC 5970, 3.1), tftp://[ADDRESS]/FILE. Returns false if there is none, or for
 * any other URL: firmware does not resolve names there.
 */
bool boot_server_of_dhcp6(const uint8_t *packet, size_t size, struct boot_server *ret_server);
