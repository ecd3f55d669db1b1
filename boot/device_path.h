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
	DEVICE_PATH_MEDIA_VENDOR = 3, /* a GUID, and whatever it stands for */
	DEVICE_PATH_MEDIA_FILE = 4,
	DEVICE_PATH_END = 0x7f,
};

/*
 * Steps from node to node of `size` bytes: *at is where the next one begins. Returns NULL at the end, and at a node
 * that does not fit; *ret_length is then its length, and *ret_broken true.
 */
const uint8_t *device_path_next(const uint8_t *nodes, size_t size, size_t *at, size_t *ret_length, bool *ret_broken);

/* A partition, and where it lies. */
struct partition_path {
	char partuuid[PARTUUID_SIZE];
	bool is_gpt;	  /* of a GPT; or else of an MBR */
	size_t disk_size; /* bytes of the nodes in front of it, which lead to its disk */
};

/* Returns false unless the last node is a partition that has a PARTUUID. */
bool device_path_partition(const void *nodes, size_t size, struct partition_path *ret_path);

/* Writes types and subtypes, as the specification does (10.6.1.6) where it has no better text: Path(4,3)/Path(...). */
void device_path_text(const void *nodes, size_t size, char *ret_text, size_t capacity);
