// SPDX-License-Identifier: BSD-2-Clause
/* Feeds boot/entry.c texts, and asks an accepted one for all it has. */
#include <stdio.h>
#include <strings.h>

#include "boot/entry.h"
#include "tests/fuzz/input.h"

static void check_inside(struct text whole, struct text part)
{
	assert(part.start >= whole.start);
	assert(part.length <= whole.length);
	assert(part.start + part.length <= whole.start + whole.length);
}

static void check_values(const struct entry *entry)
{
	for (int key = ENTRY_LINUX; key <= ENTRY_INFORMATION; key++) {
		struct text rest = entry->text;
		struct text value;

		while (entry_next(&rest, (enum entry_key)key, &value)) {
			check_inside(entry->text, value);
			assert(value.length || key == ENTRY_OPTIONS || key == ENTRY_INFORMATION);
		}
	}
}

#define BLANKS " \t\r"

/* The values of all options lines, joined, by the C library's means. The text has no NUL. */
static char *expected_command_line(struct text text)
{
	char *copy = strndup(text.start, text.length);
	char *joined = calloc(1, text.length + 1);
	char *place;

	for (char *line = strtok_r(copy, "\n", &place); line; line = strtok_r(NULL, "\n", &place)) {
		char *key = line + strspn(line, BLANKS);
		size_t key_length = strcspn(key, BLANKS);
		char *value = key + key_length + strspn(key + key_length, BLANKS);
		size_t length = strlen(value);

		while (length && strchr(BLANKS, value[length - 1]))
			length--;
		if (key_length != strlen("options") || strncmp(key, "options", key_length) != 0 || !length)
			continue;
		if (joined[0])
			strcat(joined, " ");
		strncat(joined, value, length);
	}
	free(copy);
	return joined;
}

static void check_command_line(const struct entry *entry)
{
	size_t size = entry_command_line_size(entry);
	char *expected = expected_command_line(entry->text);
	char *command_line = malloc(size + 1);

	memset(command_line, 'x', size + 1);
	entry_command_line(entry, command_line);
	assert(command_line[size] == '\0');
	assert(strcmp(command_line, expected) == 0);
	free(command_line);
	free(expected);
}

/* The path in the value of a sha256 line. */
static struct text digest_path(struct text value)
{
	text_take_word(&value);
	if (value.length > 1 && value.start[0] == '*') {
		value.start++;
		value.length--;
	}
	return value;
}

static bool some_line_begins(const struct entry *entry, const char *hex)
{
	struct text rest = entry->text;
	struct text value;

	while (entry_next(&rest, ENTRY_SHA256, &value)) {
		if (strncasecmp(value.start, hex, 2 * SHA256_DIGEST_SIZE) == 0)
			return true;
	}
	return false;
}

static void check_digests(const struct entry *entry)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	char hex[2 * SHA256_DIGEST_SIZE + 1];
	struct text rest = entry->text;
	struct text value;

	while (entry_next(&rest, ENTRY_SHA256, &value)) {
		assert(entry_digest(entry, digest_path(value), digest));
		for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++)
			snprintf(hex + 2 * i, 3, "%02x", digest[i]);
		assert(some_line_begins(entry, hex));
	}
	assert(!entry_digest(entry, TEXT(""), digest));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct text text = { .start = (const char *)bytes, .length = size };
	struct entry entry;

	if (entry_parse("input", text, &entry) != KEXEC_OK)
		return 0;
	check_inside(text, entry.text);
	check_inside(entry.text, entry.linux_path);
	assert(entry.linux_path.length);
	check_values(&entry);
	check_command_line(&entry);
	check_digests(&entry);
	entry_print_unknown_keys(&entry);
	return 0;
}
