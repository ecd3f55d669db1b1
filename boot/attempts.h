// SPDX-License-Identifier: BSD-2-Clause
/*
 * The entries of one start. Each is tried once. If an entry is refused, the next one is the fallback that it names, or,
 * if several entries are sealed in our image, the next of those.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "boot/fallback.h"

/* More entries than this are not tried in one start. */
#define ATTEMPTS_MAX 8u

/* Size of the reason for a refusal, cut off if it is longer, in bytes with its NUL. */
#define ATTEMPT_REASON_SIZE 240u

struct attempt {
	char path[FALLBACK_PATH_SIZE];	  /* of the entry file; "": unknown, or the plan does not come from a file */
	char next[FALLBACK_PATH_SIZE];	  /* the fallback that it names; "": none */
	char reason[ATTEMPT_REASON_SIZE]; /* why it was refused */
};

/* A zeroed one is at the first attempt, whose entry is not known yet. */
struct attempts {
	struct attempt list[ATTEMPTS_MAX];
	size_t index;  /* of the current one */
	size_t sealed; /* number of entries sealed in our image; 0: entries are files, or come from load options */
};

/* The current attempt. The code that finds its entry fills in `path` and `next`. */
struct attempt *attempts_current(struct attempts *attempts);

/* Whether another entry is tried when the current one is refused. */
bool attempts_has_next(const struct attempts *attempts);

/*
 * Records that the current entry was refused; `reason` is the line that said so. If there is another entry, makes it
 * the current one, logs that it is tried, and returns true. Otherwise returns false. Warns if a fallback is not tried
 * because it was tried before, or because too many entries were tried.
 */
bool attempts_go_on(struct attempts *attempts, const char *reason);

/* Logs which entry boots, and why each entry before it was refused. Logs nothing if the first one boots. */
void attempts_print(const struct attempts *attempts);
