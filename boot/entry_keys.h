// SPDX-License-Identifier: BSD-2-Clause
/* For boot/entry.c alone: how each key of an entry is read. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/entry.h"
#include "boot/text.h"
#include "common/purgatory_abi.h"

struct entry_key_reader {
	struct text name;
	enum entry_key key;

	/* Puts the value into the entry and returns NULL, or what was expected where it will not do. */
	const char *(*read)(struct entry *entry, struct text value);
};

/* NULL: there is no such key. */
const struct entry_key_reader *entry_key_find(struct text name);

/*
 * Takes "HEX PATH" apart, a line as sha256sum prints it, the * of its binary mode included. Returns false if the value
 * is something else.
 */
bool entry_parse_digest(struct text value, uint8_t ret_digest[SHA256_DIGEST_SIZE], struct text *ret_path);
