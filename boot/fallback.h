// SPDX-License-Identifier: BSD-2-Clause
/* The key `fallback`: the entry file that is tried if the entry that names it is refused. */
#pragma once

#include "boot/text.h"

/* The longest path, in bytes with its NUL. */
#define FALLBACK_PATH_SIZE 256u

/* Returns NULL if the key's value is a usable path; otherwise describes what was expected. */
const char *fallback_expected(struct text value);

/*
 * Finds the path that an entry's text names; "" if it names none. Works even if the text is refused for any of its
 * other lines. A text with several such lines, or with a value that is not a path, names none.
 */
void fallback_find(struct text text, char ret_path[FALLBACK_PATH_SIZE]);
