// SPDX-License-Identifier: BSD-2-Clause
/* For boot/entry.c: the keys that an entry may have, each with the function that reads its value. */
#pragma once

#include "boot/plan_builder.h"
#include "boot/text.h"

struct entry_key {
	struct text name;

	/* Puts the value into the plan and returns NULL. Returns what it expected if the value is something else. */
	const char *(*read)(struct plan_builder *builder, struct text value);
};

/* Returns NULL if there is no such key. */
const struct entry_key *entry_key_find(struct text name);

/* The key number `index`, counted from 0; NULL behind the last one. */
const struct entry_key *entry_key_at(size_t index);
