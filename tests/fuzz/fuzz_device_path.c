// SPDX-License-Identifier: BSD-2-Clause
/* Feeds nodes to boot/device_path.c, and the same bytes as a value to boot/partuuid.c. */
#include "boot/device_path.h"
#include "tests/fuzz/input.h"

static void check_partition(const uint8_t *nodes, size_t size)
{
	struct partition_path path;
	char parsed[PARTUUID_SIZE];

	if (!device_path_partition(nodes, size, &path))
		return;
	assert(path.disk_size < size);
	assert(memchr(path.partuuid, '\0', sizeof(path.partuuid)));
	/* The written PARTUUID can be parsed again. An MBR's partition number has two digits. */
	if (path.is_gpt || strlen(path.partuuid) == strlen("12345678-01")) {
		assert(volume_parse(text_of_string(path.partuuid), parsed));
		assert(strcmp(path.partuuid, parsed) == 0);
	}
}

static void check_value(const uint8_t *bytes, size_t size)
{
	struct text value = { .start = (const char *)bytes, .length = size };
	char parsed[PARTUUID_SIZE];
	char again[PARTUUID_SIZE];

	if (!volume_parse(value, parsed))
		return;
	assert(volume_parse(text_of_string(parsed), again));
	assert(strcmp(parsed, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	size_t capacity = take_number(&input, 1) + 1;
	char *text = malloc(capacity);

	check_partition(input.bytes, input.size);
	check_value(input.bytes, input.size);
	device_path_text(input.bytes, input.size, text, capacity);
	assert(memchr(text, '\0', capacity));
	free(text);
	return 0;
}
