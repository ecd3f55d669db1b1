// SPDX-License-Identifier: BSD-2-Clause
/*
 * Keys of an entry that this loader does not know: which were meant for one that it knows, and which ask for something
 * that must not be lost without a word.
 */
#pragma once

#include <stdbool.h>

#include "boot/entry_keys.h"

/* What was meant by a key. */
struct meant_key {
	const struct entry_key *key; /* NULL: none of ours */
	bool is_joined;		     /* something other than a blank stands beside it: = or : or U+00A0 */
};

/*
 * Finds the key that `name` becomes without regard to case, hyphens, underscores, a plural s, anything beyond ASCII in
 * front of it, and what is joined to its end; or, if it is long enough, by one letter more, less, other or swapped.
 * What other loaders call an initrd becomes `initrd`. No key of ours as it is written, and no other of the Boot Loader
 * Specification or of a loader in use, becomes another.
 */
struct meant_key key_habit_meant(struct text name);

/*
 * What everybody should be told when an unknown key is skipped, to be put behind a colon: it instructs another loader,
 * or looks like a policy. NULL for all others: nothing is known to be lost with them.
 */
const char *key_habit_lost(struct text name);
