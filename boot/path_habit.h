// SPDX-License-Identifier: BSD-2-Clause
/*
 * Recognises paths that follow a habit from another loader, a shell or Linux, by their form. The user meant something
 * other than a path on a volume, or another path than the one in the entry.
 */
#pragma once

#include "boot/text.h"

/*
 * For a path that cannot be right on any volume, describes what was expected, for the refusal. NULL for any other path.
 * A name with a blank is accepted, because there are files with such names.
 */
const char *path_habit(struct text path);

/* For a path that was not found, describes what may be wrong with it, to follow a colon. NULL if it looks right. */
const char *path_habit_missing(struct text path);
