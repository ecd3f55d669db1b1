// SPDX-License-Identifier: BSD-2-Clause
/* Feeds packets of DHCPv4 and DHCPv6 to boot/boot_server.c. */
#include "boot/boot_server.h"
#include "tests/fuzz/input.h"

static void check(const struct boot_server *server)
{
	const char *end = memchr(server->file, '\0', sizeof(server->file));

	assert(end && end != server->file);
	for (const char *c = server->file; c < end; c++)
		assert((uint8_t)*c >= ' ' && *c != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const uint8_t zeros[4];
	struct boot_server server;

	if (boot_server_of_dhcp4(bytes, size, &server)) {
		check(&server);
		assert(memcmp(server.address, zeros, sizeof(zeros)) != 0);
	}
	if (boot_server_of_dhcp6(bytes, size, &server))
		check(&server);
	return 0;
}
