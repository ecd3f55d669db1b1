// SPDX-License-Identifier: BSD-2-Clause
/* Feeds a URL, or the name of a boot file, to boot/network_name.c, and a path behind a line feed. */
#include "boot/network_name.h"
#include "tests/fuzz/input.h"

static bool begins_with(const char *name, struct text prefix)
{
	return !prefix.length || (strlen(name) >= prefix.length && memcmp(name, prefix.start, prefix.length) == 0);
}

/* The requested name is on the same server. If it is a URL, it is ASCII without blanks. */
static void check_name(const struct network_base *base, const char *path)
{
	char *name = malloc(NETWORK_NAME_SIZE);

	if (network_name(base, path, name) == KEXEC_OK) {
		assert(memchr(name, '\0', NETWORK_NAME_SIZE));
		assert(begins_with(name, base->origin));
		assert(!base->is_url || name[base->origin.length] == '/');
		for (const char *c = name; base->is_url && *c; c++)
			assert(*c > ' ' && *c < 0x7f);
	}
	free(name);
}

/* The name of the entry beside the image fits into exactly the capacity that it needs. */
static void check_conf(const struct network_base *base)
{
	char *whole = malloc(base->file.length + sizeof(".conf"));
	size_t capacity = base->file.length + sizeof(".conf");

	if (network_conf(base, whole, capacity) == KEXEC_OK) {
		size_t length = strlen(whole);
		char *exact = malloc(length + 1);

		assert(length >= 5 && strcmp(whole + length - 5, ".conf") == 0);
		assert(network_conf(base, exact, length + 1) == KEXEC_OK);
		assert(strcmp(exact, whole) == 0);
		assert(network_conf(base, exact, length) == KEXEC_TOO_LARGE);
		check_name(base, exact);
		free(exact);
	} else {
		assert(!base->file.length);
	}
	free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	char *own = take_string(&input, '\n');
	char *path = take_string(&input, '\0');
	struct network_base base = network_base_of_file(text_of_string(own));

	check_name(&base, path);
	check_conf(&base);
	if (network_base_of_url(text_of_string(own), &base) == KEXEC_OK) {
		check_name(&base, path);
		check_conf(&base);
	}
	free(own);
	free(path);
	return 0;
}
