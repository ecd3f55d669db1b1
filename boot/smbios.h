// SPDX-License-Identifier: BSD-2-Clause
/*
 * Strings that whoever owns the machine, or runs the virtual one, gives to what boots on it: SMBIOS type 11, "OEM
 * Strings" (DMTF DSP0134, 5.2, 6.1 and 7.12).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/text.h"

/* Where the structures lie, as the entry point has it: nothing of it has been looked at. */
struct smbios_table {
	uint64_t addr;
	uint64_t size; /* no more than this; the last structure may end before */
};

/* No table is larger in practice; no more is read of one. */
#define SMBIOS_TABLE_SIZE_MAX (1u << 20)

/*
 * Reads an entry point of SMBIOS 3 (64 bits) or 2.1 (32 bits), of which `size` bytes can be read. Returns false where
 * it is none, or its checksum is wrong.
 */
bool smbios_entry_point(const uint8_t *bytes, uint64_t size, struct smbios_table *ret_table);

/*
 * Finds the first OEM string that begins with `prefix` in a table of `size` bytes, and returns what stands behind the
 * prefix. A table that ends within a structure, or has a structure that makes no sense, ends before that.
 */
bool smbios_find_string(const uint8_t *table, uint64_t size, struct text prefix, struct text *ret_rest);
