// SPDX-License-Identifier: BSD-2-Clause
/* Feeds device paths to boot/imagepath.c. The input is the capacity of the destination and the nodes. */
#include "boot/imagepath.h"
#include "boot/text.h"
#include "tests/fuzz/input.h"

/* The largest path of these nodes: a UTF-16 unit becomes at most 3 bytes, and each node adds at most one separator. */
#define PATH_SIZE_MAX (2 * IMAGE_PATH_NODES_SIZE_MAX)

static char whole[PATH_SIZE_MAX];

static enum kexec_status build(struct input nodes, size_t capacity)
{
	char *path = malloc(capacity);
	enum kexec_status status = image_path_conf(nodes.bytes, nodes.size, path, capacity);

	if (status == KEXEC_OK)
		assert(strcmp(path, whole) == 0);
	free(path);
	return status;
}

static void check_path(void)
{
	static uint16_t utf16[PATH_SIZE_MAX];
	struct text text = { .start = whole, .length = strlen(whole) };

	assert(text.length > strlen(".conf") - 1);
	assert(strcmp(whole + text.length - strlen(".conf"), ".conf") == 0);
	assert(text_to_utf16(text, utf16, PATH_SIZE_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input nodes = { .bytes = bytes, .size = size };
	size_t capacity = take_number(&nodes, 2);
	enum kexec_status status;
	size_t needed;

	if (nodes.size > IMAGE_PATH_NODES_SIZE_MAX)
		return 0;
	status = image_path_conf(nodes.bytes, nodes.size, whole, sizeof(whole));
	assert(status != KEXEC_TOO_LARGE);
	if (status != KEXEC_OK) {
		assert(build(nodes, capacity) != KEXEC_OK);
		return 0;
	}
	check_path();
	needed = strlen(whole) + 1;
	assert(build(nodes, needed) == KEXEC_OK);
	assert(build(nodes, needed - 1) == KEXEC_TOO_LARGE);
	assert(build(nodes, capacity) == (capacity < needed ? KEXEC_TOO_LARGE : KEXEC_OK));
	return 0;
}
