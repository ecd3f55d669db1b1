// SPDX-License-Identifier: BSD-2-Clause
/*
 * Habits that people bring along from other loaders, shells and Linux, told by the shape of a path: what was meant is
 * no path on a volume, or not the path that was written.
 */
#pragma once

#include "boot/text.h"

/*
 * For a path that no volume has, whatever is on it: what was expected in its place, for a refusal. NULL for any other.
 * A name with a blank in it is such another, since there are files with such names.
 */
const char *path_habit(struct text path);

/* For a path that was looked for in vain: what may be wrong with it, to be put behind a colon. NULL if nothing shows.
 */
const char *path_habit_missing(struct text path);
