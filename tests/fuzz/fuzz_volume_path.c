// SPDX-License-Identifier: BSD-2-Clause
/*
 * Feeds two paths to boot/volume_path.c, and compares the result with a walk from the root. The first path also goes to
 * boot/path_habit.c.
 */
#include "boot/path_habit.h"
#include "boot/volume_path.h"
#include "tests/fuzz/input.h"

/* The path's parts, each behind a \, in memory that the caller frees. NULL if the path leads above the root. */
static char *walk(const char *path)
{
	char *copy = strdup(path);
	char *result = calloc(1, strlen(path) + 2);
	char *place;

	for (char *part = strtok_r(copy, "/\\", &place); part; part = strtok_r(NULL, "/\\", &place)) {
		char *last = strrchr(result, '\\');

		if (strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") != 0) {
			strcat(strcat(result, "\\"), part);
		} else if (last) {
			*last = '\0';
		} else {
			free(result);
			result = NULL;
			break;
		}
	}
	free(copy);
	return result;
}

static void check_first(const char *path, const char *walked)
{
	struct text first = volume_path_first(text_of_string(path));

	assert(first.length == strcspn(walked + (*walked != '\0'), "\\"));
	assert(!first.length || memcmp(first.start, walked + 1, first.length) == 0);
}

/* A habit that is reported for any path is also reported for a path that was not found. A plain name has no habit. */
static void check_habit(const char *path)
{
	const char *habit = path_habit(text_of_string(path));
	const char *missing = path_habit_missing(text_of_string(path));

	assert(!habit || habit == missing);
	if (!path[strspn(path, "abcxyz0123456789._-/\\")] && !habit)
		assert(!missing || strstr(missing, "root"));
	assert(!habit || path[strcspn(path, " \t\"'()=:")]);
}

static void check_path(const char *path)
{
	uint16_t expected[VOLUME_PATH_SIZE];
	uint16_t found[VOLUME_PATH_SIZE];
	char *walked = walk(path);
	bool is_path;

	assert(volume_path_leads_out(text_of_string(path)) == !walked);
	is_path = walked && strlen(path) <= 511 &&
		  text_to_utf16(text_of_string(*walked ? walked : "\\"), expected, VOLUME_PATH_SIZE);
	assert((volume_path(path, found) == KEXEC_OK) == is_path);
	for (size_t i = 0; is_path && (i == 0 || expected[i - 1]); i++)
		assert(found[i] == expected[i]);
	if (walked)
		check_first(path, walked);
	free(walked);
}

static void check_pair(const char *a, const char *b)
{
	char *walked_a = walk(a);
	char *walked_b = walk(b);

	if (walked_a && walked_b)
		assert(volume_path_equal(text_of_string(a), text_of_string(b)) == (strcmp(walked_a, walked_b) == 0));
	else if (walked_a || walked_b)
		assert(!volume_path_equal(text_of_string(a), text_of_string(b)));
	free(walked_a);
	free(walked_b);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *a = strndup((const char *)bytes, size);
	size_t length = strlen(a);
	char *b = length < size ? strndup((const char *)bytes + length + 1, size - length - 1) : strdup("");

	check_path(a);
	check_path(b);
	check_habit(a);
	check_pair(a, b);
	free(a);
	free(b);
	return 0;
}
