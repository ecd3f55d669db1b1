// SPDX-License-Identifier: BSD-2-Clause
/* The key `fallback`: the entry file that is tried when the entry that names it is refused. */
#pragma once

#include "boot/text.h"

/* The longest path, in bytes with its NUL. */
#define FALLBACK_PATH_SIZE 256u

/* NULL if the value of the key is a path that can be tried; else what was expected in its place. */
const char *fallback_expected(struct text value);

/*
 * The path that an entry's text names; "" if it names none. It is found in a text that is refused as well, whatever is
 * wrong with its other lines. A text with several such lines, or with one that is no path, names none.
 */
void fallback_find(struct text text, char ret_path[FALLBACK_PATH_SIZE]);
