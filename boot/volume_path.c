// SPDX-License-Identifier: BSD-2-Clause
/* Resolves paths from the end, so that .. comes before the name that it removes. */
#include "boot/volume_path.h"

#include "boot/log.h"
#include "common/string.h"

/* Longest quote of a path in a message. */
#define QUOTE_MAX 60

/* The longest path as it is written, in bytes. */
#define WRITTEN_MAX (VOLUME_PATH_SIZE - 2)

bool volume_path_is_separator(char c)
{
	return c == '/' || c == '\\';
}

/* Removes the last part and the separators around it. Returns an empty part at the root. */
static struct text cut_last(struct text *path)
{
	size_t end = path->length;
	size_t start;

	while (end && volume_path_is_separator(path->start[end - 1]))
		end--;
	for (start = end; start && !volume_path_is_separator(path->start[start - 1]);)
		start--;
	path->length = start;
	return (struct text){ .start = path->start + start, .length = end - start };
}

/*
 * Does the same, and resolves . and .. on the way. *up, initially 0, counts the names that are still to be removed. If
 * it is not 0 at the root, the path leads above the root.
 */
static struct text cut_part(struct text *path, size_t *up)
{
	for (;;) {
		struct text part = cut_last(path);

		if (text_equal(part, TEXT(".")))
			continue;
		if (text_equal(part, TEXT("..")))
			++*up;
		else if (!part.length || !*up)
			return part;
		else
			--*up;
	}
}

bool volume_path_equal(struct text a, struct text b)
{
	size_t up_a = 0;
	size_t up_b = 0;
	struct text part;

	do {
		part = cut_part(&a, &up_a);
		if (!text_equal(part, cut_part(&b, &up_b)))
			return false;
	} while (part.length);
	return up_a == up_b;
}

bool volume_path_leads_out(struct text path)
{
	struct text part;
	size_t up = 0;

	do
		part = cut_part(&path, &up);
	while (part.length);
	return up != 0;
}

struct text volume_path_first(struct text path)
{
	struct text first = { .start = path.start };
	struct text part;
	size_t up = 0;

	while ((part = cut_part(&path, &up)).length)
		first = part;
	return first;
}

/* Writes the canonical form of a path to the end of the buffer. It always begins with a separator. */
static struct text resolve(struct text path, char buffer[WRITTEN_MAX + 1])
{
	size_t at = WRITTEN_MAX + 1;
	struct text part;
	size_t up = 0;

	while ((part = cut_part(&path, &up)).length) {
		at -= part.length;
		memcpy(buffer + at, part.start, part.length);
		buffer[--at] = '\\';
	}
	if (at == WRITTEN_MAX + 1)
		buffer[--at] = '\\';
	return (struct text){ .start = buffer + at, .length = WRITTEN_MAX + 1 - at };
}

enum kexec_status volume_path(const char *name, uint16_t ret_path[VOLUME_PATH_SIZE])
{
	struct text path = text_of_string(name);
	char buffer[WRITTEN_MAX + 1];

	if (path.length > WRITTEN_MAX)
		return log_error(KEXEC_TOO_LARGE, "%.*s...: expected a path of at most %u bytes, found %zu",
				 TEXT_ARGS(text_quote(path, QUOTE_MAX)), WRITTEN_MAX, path.length);
	if (volume_path_leads_out(path))
		return log_error(KEXEC_BAD_FORMAT, "%s: expected a path below the volume's root, found .. above it",
				 name);
	if (!text_to_utf16(resolve(path, buffer), ret_path, VOLUME_PATH_SIZE))
		return log_error(KEXEC_BAD_FORMAT, "%s: expected a path in UTF-8, found other bytes", name);
	return KEXEC_OK;
}
