// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shared by the fuzz targets: numbers and memory maps taken from the input, and fakes of the core's seams: a silent
 * log, no memory, and an unlimited pool. A violated property is a failed assert().
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

/* The part of the input that is left. */
struct input {
	const uint8_t *bytes;
	size_t size;
};

/* Cuts a little-endian number off the input. Bytes behind the input's end count as 0. */
uint64_t take_number(struct input *input, size_t width);

/* Cuts a string off the input: up to `end`, which is cut off as well, or up to the input's end. The caller frees it. */
char *take_string(struct input *input, char end);

#define MAP_DESCRIPTORS_MAX 512u
#define MAP_DESCRIPTOR_SIZE 48u /* the size in current firmware: larger than the structure */

/*
 * Turns the rest of the input into a memory map, 18 bytes a descriptor: type, attribute, start and number of pages.
 * Start and number count pages; `start_mask` and `pages_mask` limit them, so that ranges meet. With a mask of 0 there
 * is no limit, and the start is in bytes. The caller frees the map's bytes.
 */
struct memory_map take_map(struct input *input, uint64_t start_mask, uint64_t pages_mask);

/* The descriptor `index`, as the map has it. */
struct efi_descriptor map_descriptor(const struct memory_map *map, size_t index);
size_t map_count(const struct memory_map *map);

/* The end of a descriptor, by arithmetic that cannot wrap; at most UINT64_MAX. */
uint64_t descriptor_end(const struct efi_descriptor *descriptor);
