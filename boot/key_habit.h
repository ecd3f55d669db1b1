// SPDX-License-Identifier: BSD-2-Clause
/*
 * Keys of an entry that this loader does not know: which of them are misspelled keys of ours, and which must not be
 * skipped without a warning.
 */
#pragma once

#include <stdbool.h>

#include "boot/entry_keys.h"

/* The key that was meant. */
struct meant_key {
	const struct entry_key *key; /* NULL: none of ours */
	bool is_joined;		     /* not a plain blank, but =, : or U+00A0 stands beside it */
};

/*
 * Finds the key of ours that `name` probably means. It ignores case, hyphens, underscores, a plural s, characters in
 * front that are not ASCII, and anything that = or : joins to its end. In a key that is long enough, it allows one
 * letter that is added, missing or different, or two that are swapped. Other loaders' names for an initrd mean
 * `initrd`. A key of ours as it should be written never means another key. Neither do the other keys of the Boot Loader
 * Specification and of loaders in use.
 */
struct meant_key key_habit_meant(struct text name);

/*
 * The warning about an unknown key that is skipped, to follow a colon: the key instructs another loader, or looks like
 * a policy. NULL for all other keys: as far as we know, nothing is lost with them.
 */
const char *key_habit_lost(struct text name);
