// SPDX-License-Identifier: BSD-2-Clause
/* Device paths (UEFI specification 10.2 and 10.3): lists of nodes that lead from the machine to a device, or a file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/partuuid.h"

enum {
	DEVICE_PATH_HEADER_SIZE = 4, /* of a node: type, subtype, length in two bytes */
	DEVICE_PATH_ACPI = 2,
	DEVICE_PATH_ACPI_DEVICE = 1,
	DEVICE_PATH_MEDIA = 4,
	DEVICE_PATH_MEDIA_HARD_DRIVE = 1,
	DEVICE_PATH_MEDIA_VENDOR = 3, /* a GUID, and data that depends on it */
	DEVICE_PATH_MEDIA_FILE = 4,
	DEVICE_PATH_END = 0x7f,
};

/*
 * Steps through the nodes in `size` bytes: *at is the offset of the next node. Returns NULL at the end, or at a node
 * that does not fit. In that case *ret_length is the node's length, and *ret_broken is true.
 */
const uint8_t *device_path_next(const uint8_t *nodes, size_t size, size_t *at, size_t *ret_length, bool *ret_broken);

/* The device path of a partition. */
struct partition_path {
	char partuuid[PARTUUID_SIZE];
	bool is_gpt;	  /* of a GPT, otherwise of an MBR */
	size_t disk_size; /* bytes of the nodes in front, which lead to its disk */
};

/* Returns false unless the last node is a partition with a PARTUUID. */
bool device_path_partition(const void *nodes, size_t size, struct partition_path *ret_path);

/* Writes types and subtypes, like the specification's fallback (10.6.1.6): Path(4,3)/Path(...). */
void device_path_text(const void *nodes, size_t size, char *ret_text, size_t capacity);
