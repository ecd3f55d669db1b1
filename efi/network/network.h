// SPDX-License-Identifier: BSD-2-Clause
/*
 * The server that our image came from, by PXE or HTTP boot. A device with a file system does not count, even if it also
 * has such protocols: iPXE presents its files as a file system, and so does a disk image that HTTP boot fetched.
 */
#pragma once

#include <efi.h>
#include <stdbool.h>
#include <stddef.h>

#include "boot/boot_server.h"
#include "boot/network_name.h"
#include "boot/network_nodes.h"
#include "boot/source.h"

/* How files are fetched. */
enum network_kind {
	NETWORK_NONE,
	NETWORK_TFTP,
	NETWORK_HTTP,
};

struct network {
	struct source source;
	enum network_kind kind;
	EFI_HANDLE device;
	bool is_ready; /* the members below are set */
	struct network_base base;
	struct network_nodes nodes;
	EFI_PXE_BASE_CODE_PROTOCOL *pxe;
	struct boot_server server;
	EFI_SERVICE_BINDING *http;
	char url[NETWORK_NAME_SIZE]; /* the image's; texts in `base` point into it */
};

/* Finds out whether an image came from a server through `device`. Sends nothing and logs nothing. */
void network_start(struct network *network, EFI_HANDLE device);

/* Whether our image came from a server. */
bool network_is_origin(const struct network *network);

/*
 * Writes the name of the entry beside our image. `own_nodes` is the image's path, or NULL. shim leaves the name of the
 * image that it started there, but the server was asked for shim.
 */
enum kexec_status network_entry_name(struct network *network, const EFI_DEVICE_PATH *own_nodes, char *ret_name,
				     size_t capacity);
