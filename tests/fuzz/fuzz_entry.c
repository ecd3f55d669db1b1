// SPDX-License-Identifier: BSD-2-Clause
/* Feeds texts to boot/entry.c. Compares an accepted plan with the text, which C library functions parse here. */
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "boot/entry.h"
#include "boot/entry_keys.h"
#include "boot/key_habit.h"
#include "boot/volume_path.h"
#include "tests/fuzz/input.h"

#define BLANKS " \t\r"

/* Calls `visit` with the key and the value of each line. The text has no NUL. */
typedef void visit_line(void *context, const char *key, char *value);

static void for_each_line(struct text text, visit_line *visit, void *context)
{
	char *copy = strndup(text.start, text.length);
	char *place;

	for (char *line = strtok_r(copy, "\n", &place); line; line = strtok_r(NULL, "\n", &place)) {
		char *start = line + (strncmp(line, UTF8_BYTE_ORDER_MARK, 3) == 0 ? 3 : 0);
		char *key = start + strspn(start, BLANKS);
		size_t key_length = strcspn(key, BLANKS);
		char *value = key + key_length + strspn(key + key_length, BLANKS);
		size_t length = strlen(value);

		while (length && strchr(BLANKS, value[length - 1]))
			length--;
		value[length] = '\0';
		key[key_length] = '\0';
		if (*key && *key != '#')
			visit(context, key, value);
	}
	free(copy);
}

/* The expected content of a plan, collected line by line. */
struct expected {
	const struct boot_plan *plan;
	size_t initrds;
	size_t unknown_keys;
	char *command_line;
};

static void check_line(void *context, const char *key, char *value)
{
	struct expected *expected = context;
	const struct boot_plan *plan = expected->plan;

	if (strcmp(key, "linux") == 0) {
		assert(strcmp(plan->kernel.name, value) == 0);
	} else if (strcmp(key, "initrd") == 0) {
		assert(expected->initrds < plan->initrd_count);
		assert(strcmp(plan->initrds[expected->initrds++].name, value) == 0);
	} else if (strcmp(key, "options") == 0) {
		if (*expected->command_line && *value)
			strcat(expected->command_line, " ");
		strcat(expected->command_line, value);
	} else if (!entry_key_find((struct text){ .start = key, .length = strlen(key) })) {
		struct text found;

		assert(expected->unknown_keys < plan->unknown_key_count);
		found = plan->unknown_keys[expected->unknown_keys++];
		assert(found.length == strlen(key) && memcmp(found.start, key, found.length) == 0);
		assert(!key_habit_meant(found).key);
	}
}

/* Initrds behind those of the lines come from the command line, and none is loaded twice. */
static void check_words(const struct boot_plan *plan, size_t first)
{
	assert(first <= plan->initrd_count);
	for (size_t i = first; i < plan->initrd_count && i < first + 64; i++) {
		const char *name = plan->initrds[i].name;
		const char *word = strstr(plan->command_line.start, "initrd=");

		for (; word && strncmp(word + 7 + (word[7] == '"'), name, strlen(name)) != 0;)
			word = strstr(word + 1, "initrd=");
		assert(word);
		for (size_t other = 0; other < i; other++)
			assert(!volume_path_equal(text_of_string(plan->initrds[other].name), text_of_string(name)));
	}
}

static void check_against_text(const struct boot_plan *plan)
{
	struct expected expected = { .plan = plan, .command_line = calloc(1, plan->text.length + 1) };

	for_each_line(plan->text, check_line, &expected);
	check_words(plan, expected.initrds);
	assert(expected.unknown_keys == plan->unknown_key_count);
	assert(strcmp(expected.command_line, plan->command_line.start) == 0);
	assert(strlen(expected.command_line) == plan->command_line.length);
	free(expected.command_line);
}

/* --- digests --- */

/* The expected digest of a part for one key, and whether a line of the text states it. */
struct wanted_digest {
	const char *key;
	const char *name;
	const struct part_digest *digest;
	bool is_given;
};

static void look_for_digest(void *context, const char *key, char *value)
{
	struct wanted_digest *wanted = context;
	char hex[2 * SHA256_DIGEST_SIZE + 1];
	char *path;

	if (strcmp(key, wanted->key) != 0)
		return;
	if (strcmp(key, "fsverity") == 0 && strncmp(value, "sha256:", 7) == 0)
		value += 7;
	path = value + 64;
	path += strspn(path, BLANKS);
	if (strcmp(key, "sha256") == 0 && path[0] == '*' && path[1])
		path++;
	if (!volume_path_equal(text_of_string(path), text_of_string(wanted->name)))
		return;
	for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", wanted->digest->bytes[i]);
	assert(strncasecmp(value, hex, 64) == 0);
	wanted->is_given = true;
}

static void check_digest(const struct boot_plan *plan, struct wanted_digest wanted)
{
	for_each_line(plan->text, look_for_digest, &wanted);
	assert(wanted.is_given == wanted.digest->is_known);
}

static void check_part(const struct boot_plan *plan, const struct boot_part *part, enum entry_place place)
{
	assert(*part->name);
	assert(part->source == PART_ON_VOLUME);
	assert(place != ENTRY_SEALED || (boot_part_has_digest(part) && part->trust == TRUST_DIGEST));
	assert(place == ENTRY_SEALED || part->trust == (part == &plan->kernel ? TRUST_PLATFORM : TRUST_NOBODY));
	check_digest(plan, (struct wanted_digest){ "fsverity", part->name, &part->fsverity, false });
	check_digest(plan, (struct wanted_digest){ "sha256", part->name, &part->sha256, false });
}

static void check_plan(const struct boot_plan *plan, enum entry_place place)
{
	check_against_text(plan);
	check_part(plan, &plan->kernel, place);
	/* Each is compared with all lines, so this checks only some. */
	for (size_t i = 0; i < plan->initrd_count && i < 64; i++)
		check_part(plan, &plan->initrds[i], place);
	boot_plan_print_unknown_keys(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct text text = { .start = (const char *)bytes, .length = size };
	struct boot_plan plan;

	for (enum entry_place place = ENTRY_OUTSIDE; place <= ENTRY_SEALED; place++) {
		if (entry_to_plan("input", text, place, &plan) != KEXEC_OK)
			continue;
		check_plan(&plan, place);
		boot_plan_free(&plan);
	}
	return 0;
}
