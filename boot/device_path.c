// SPDX-License-Identifier: BSD-2-Clause
/* Reads device paths. */
#include "boot/device_path.h"

#include "common/format.h"
#include "common/string.h"

/* Hard Drive Media Device Path: UEFI specification 10.3.5.1 */
enum {
	HARD_DRIVE_NUMBER = 4,
	HARD_DRIVE_SIGNATURE = 24,
	HARD_DRIVE_SIGNATURE_TYPE = 41,
	HARD_DRIVE_SIZE = 42,
	SIGNATURE_TYPE_MBR = 1,
	SIGNATURE_TYPE_GUID = 2,
};

const uint8_t *device_path_next(const uint8_t *nodes, size_t size, size_t *at, size_t *ret_length, bool *ret_broken)
{
	const uint8_t *node = nodes + *at;

	*ret_broken = false;
	if (size - *at < DEVICE_PATH_HEADER_SIZE || (node[0] & 0x7f) == DEVICE_PATH_END)
		return NULL;
	*ret_length = node[2] | (size_t)node[3] << 8;
	*ret_broken = *ret_length < DEVICE_PATH_HEADER_SIZE || *ret_length > size - *at;
	if (*ret_broken)
		return NULL;
	*at += *ret_length;
	return node;
}

static bool read_hard_drive(const uint8_t *node, size_t length, struct partition_path *ret_path)
{
	uint32_t number;

	if (node[0] != DEVICE_PATH_MEDIA || node[1] != DEVICE_PATH_MEDIA_HARD_DRIVE || length < HARD_DRIVE_SIZE)
		return false;
	memcpy(&number, node + HARD_DRIVE_NUMBER, sizeof(number));
	switch (node[HARD_DRIVE_SIGNATURE_TYPE]) {
	case SIGNATURE_TYPE_GUID:
		ret_path->is_gpt = true;
		partuuid_of_gpt(node + HARD_DRIVE_SIGNATURE, ret_path->partuuid);
		return true;
	case SIGNATURE_TYPE_MBR:
		ret_path->is_gpt = false;
		partuuid_of_mbr(node + HARD_DRIVE_SIGNATURE, number, ret_path->partuuid);
		return true;
	default:
		return false;
	}
}

bool device_path_partition(const void *nodes, size_t size, struct partition_path *ret_path)
{
	const uint8_t *last = NULL;
	const uint8_t *node;
	size_t last_length = 0;
	size_t length = 0;
	size_t at = 0;
	bool broken;

	while ((node = device_path_next(nodes, size, &at, &length, &broken)) != NULL) {
		last = node;
		last_length = length;
	}
	if (broken || !last || !read_hard_drive(last, last_length, ret_path))
		return false;
	ret_path->disk_size = (size_t)(last - (const uint8_t *)nodes);
	return true;
}

void device_path_text(const void *nodes, size_t size, char *ret_text, size_t capacity)
{
	const uint8_t *node;
	size_t text_length = 0;
	size_t length = 0;
	size_t at = 0;
	bool broken;

	ret_text[0] = '\0';
	while ((node = device_path_next(nodes, size, &at, &length, &broken)) != NULL)
		text_length += format_text(ret_text + text_length, capacity - text_length, "%sPath(%u,%u)",
					   text_length ? "/" : "", node[0], node[1]);
}
