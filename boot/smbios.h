// SPDX-License-Identifier: BSD-2-Clause
/*
 * Strings that the owner of the machine, or the host of a virtual one, gives to the booted system: SMBIOS type 11, "OEM
 * Strings" (DMTF DSP0134, 5.2, 6.1 and 7.12).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/text.h"

/* The place of the structures, as the entry point states it. It is not checked. */
struct smbios_table {
	uint64_t addr;
	uint64_t size; /* upper limit; the last structure may end earlier */
};

/* Real tables are smaller. We read no more. */
#define SMBIOS_TABLE_SIZE_MAX (1u << 20)

/*
 * Reads an entry point of SMBIOS 3 (64 bits) or 2.1 (32 bits) from `size` readable bytes. Returns false if it is not
 * one, or its checksum is wrong.
 */
bool smbios_entry_point(const uint8_t *bytes, uint64_t size, struct smbios_table *ret_table);

/*
 * Finds the first OEM string that begins with `prefix` in a table of `size` bytes, and returns the rest behind the
 * prefix. A truncated or invalid structure ends the table before it.
 */
bool smbios_find_string(const uint8_t *table, uint64_t size, struct text prefix, struct text *ret_rest);
