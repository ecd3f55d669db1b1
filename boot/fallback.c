// SPDX-License-Identifier: BSD-2-Clause
/* Finds the key's line without parsing the other lines, because those may be damaged. */
#include "boot/fallback.h"

#include "boot/path_habit.h"
#include "common/string.h"

const char *fallback_expected(struct text value)
{
	if (!value.length)
		return "a path";
	if (value.length >= FALLBACK_PATH_SIZE)
		return "a path of at most 255 bytes";
	if (text_has(value, '\0'))
		return "a path without a NUL";
	return path_habit(value);
}

void fallback_find(struct text text, char ret_path[FALLBACK_PATH_SIZE])
{
	struct text path = { 0 };
	struct text line;
	size_t count = 0;

	ret_path[0] = '\0';
	while (text_take_line(&text, &line)) {
		text_skip_prefix(&line, TEXT(UTF8_BYTE_ORDER_MARK));
		line = text_trim(line);
		if (!text_equal(text_take_word(&line), TEXT("fallback")))
			continue;
		path = line;
		count++;
	}
	if (count != 1 || fallback_expected(path))
		return;
	memcpy(ret_path, path.start, path.length);
	ret_path[path.length] = '\0';
}
