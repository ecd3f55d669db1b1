// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the fuzz targets share: numbers and memory maps taken from the input, and the core's seams as fakes: a log that says nothing, no
 * memory, and a pool that never ends. A property that does not hold is a failed assert().
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/memmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What is left of the input. */
struct input {
	const uint8_t *bytes;
	size_t size;
};

/* Cuts a number, little endian, off the input; its bytes are 0 where the input has ended. */
uint64_t take_number(struct input *input, size_t width);

/* Cuts a string off the input, up to `end`, which is cut off as well, or all of it. The caller frees it. */
char *take_string(struct input *input, char end);

#define MAP_DESCRIPTORS_MAX 512u
#define MAP_DESCRIPTOR_SIZE 48u /* what firmware in use has: more than the structure */

/*
 * Makes the rest of the input a memory map, 18 bytes a descriptor: type, attribute, start and number of pages. The
 * last two count pages and are cut to `start_mask` and `pages_mask`, so that ranges meet; a mask of 0 leaves them as
 * they are, the start in bytes. The caller frees the map's bytes.
 */
struct memory_map take_map(struct input *input, uint64_t start_mask, uint64_t pages_mask);

/* The Nth descriptor, as it stands in the map. */
struct efi_descriptor map_descriptor(const struct memory_map *map, size_t index);
size_t map_count(const struct memory_map *map);

/* Where a descriptor ends, by arithmetic that cannot wrap; no higher than UINT64_MAX. */
uint64_t descriptor_end(const struct efi_descriptor *descriptor);
