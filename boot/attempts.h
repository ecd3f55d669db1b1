// SPDX-License-Identifier: BSD-2-Clause
/*
 * The entries of one start, of which each is tried once: when one is refused, the one that it names as its fallback is
 * tried, or of several that are sealed in our image the next one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "boot/fallback.h"

/* More entries than this are not tried in one start. */
#define ATTEMPTS_MAX 8u

/* How much is kept of the reason why an entry was refused, in bytes with a NUL. */
#define ATTEMPT_REASON_SIZE 240u

struct attempt {
	char path[FALLBACK_PATH_SIZE];	  /* of the entry file; "": none is known, or what is booted is no file */
	char next[FALLBACK_PATH_SIZE];	  /* that it names as its fallback; "": none */
	char reason[ATTEMPT_REASON_SIZE]; /* why it was refused */
};

/* A zeroed one is before the first attempt, of which nothing is known yet. */
struct attempts {
	struct attempt list[ATTEMPTS_MAX];
	size_t index;  /* of the current one */
	size_t sealed; /* entries that are sealed in our image; 0: they are files, or nothing of both */
};

/* The current attempt: whoever finds its entry fills in `path` and `next`. */
struct attempt *attempts_current(struct attempts *attempts);

/* Whether another entry is tried when the current one is refused. */
bool attempts_has_next(const struct attempts *attempts);

/*
 * The current entry was refused, and `reason` is the line that said so. Returns whether there is another one, which is
 * the current one then, and says that it is tried. Says as well if there is none because it was tried already, or
 * because it would be one too many.
 */
bool attempts_go_on(struct attempts *attempts, const char *reason);

/* Says what boots in place of which entries, and why those were refused. Nothing where the first one boots. */
void attempts_print(const struct attempts *attempts);
