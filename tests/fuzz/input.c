// SPDX-License-Identifier: BSD-2-Clause
/* Takes the input apart, and replaces the firmware. */
#include "tests/fuzz/input.h"

#include <stdarg.h>

#include "boot/log.h"
#include "boot/pool.h"
#include "common/align.h"
#include "common/format.h"

#define EFI_MEMATTR_RUNTIME (1ull << 63)

uint64_t take_number(struct input *input, size_t width)
{
	uint64_t number = 0;

	for (size_t i = 0; i < width && input->size; i++) {
		number |= (uint64_t)*input->bytes << (8 * i);
		input->bytes++;
		input->size--;
	}
	return number;
}

static struct efi_descriptor take_descriptor(struct input *input, uint64_t start_mask, uint64_t pages_mask)
{
	struct efi_descriptor descriptor = { .type = (uint32_t)take_number(input, 1) % 17 };
	uint64_t attribute = take_number(input, 1);

	if (attribute & 1)
		descriptor.attribute |= EFI_MEMATTR_SPECIFIC_PURPOSE;
	if (attribute & 2)
		descriptor.attribute |= EFI_MEMATTR_RUNTIME;
	descriptor.physical_start = take_number(input, 8);
	descriptor.number_of_pages = take_number(input, 8);
	if (start_mask)
		descriptor.physical_start = (descriptor.physical_start & start_mask) * PAGE_SIZE;
	if (pages_mask)
		descriptor.number_of_pages &= pages_mask;
	return descriptor;
}

char *take_string(struct input *input, char end)
{
	const uint8_t *stop = input->size ? memchr(input->bytes, end, input->size) : NULL;
	size_t length = stop ? (size_t)(stop - input->bytes) : input->size;
	size_t cut = length + (stop != NULL);
	char *string = malloc(length + 1);

	if (length)
		memcpy(string, input->bytes, length);
	string[length] = '\0';
	input->bytes += cut;
	input->size -= cut;
	return string;
}

struct memory_map take_map(struct input *input, uint64_t start_mask, uint64_t pages_mask)
{
	size_t count = (input->size + 17) / 18;
	struct memory_map map = { .descriptor_size = MAP_DESCRIPTOR_SIZE, .descriptor_version = 1 };
	uint8_t *bytes;

	if (count > MAP_DESCRIPTORS_MAX)
		count = MAP_DESCRIPTORS_MAX;
	map.size = count * MAP_DESCRIPTOR_SIZE;
	bytes = calloc(count, MAP_DESCRIPTOR_SIZE);
	for (size_t i = 0; i < count; i++) {
		struct efi_descriptor descriptor = take_descriptor(input, start_mask, pages_mask);

		memcpy(bytes + i * MAP_DESCRIPTOR_SIZE, &descriptor, sizeof(descriptor));
	}
	map.bytes = bytes;
	return map;
}

size_t map_count(const struct memory_map *map)
{
	return map->size / map->descriptor_size;
}

struct efi_descriptor map_descriptor(const struct memory_map *map, size_t index)
{
	struct efi_descriptor descriptor;

	memcpy(&descriptor, map->bytes + index * map->descriptor_size, sizeof(descriptor));
	return descriptor;
}

uint64_t descriptor_end(const struct efi_descriptor *descriptor)
{
	__uint128_t end = descriptor->physical_start + (__uint128_t)descriptor->number_of_pages * PAGE_SIZE;

	return end > UINT64_MAX ? UINT64_MAX : (uint64_t)end;
}

/* --- boot/log.h: formats messages, so that the texts in them are read, and drops them --- */

static void format_and_drop(const char *format, va_list args)
{
	static char buffer[1024];

	format_text_va(buffer, sizeof(buffer), format, args);
}

void log_error_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_and_drop(format, args);
	va_end(args);
}

void log_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_and_drop(format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_and_drop(format, args);
	va_end(args);
}

void log_verbose(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_and_drop(format, args);
	va_end(args);
}

void log_set_verbose(bool verbose)
{
	(void)verbose;
}

/* --- boot/memory.h: there is no memory --- */

enum kexec_status memory_alloc(const struct memory_request *request, const char *what, uint64_t *ret_addr,
			       struct memory_pages *ret_pages)
{
	(void)request;
	(void)ret_addr;
	(void)ret_pages;
	return log_error(KEXEC_NO_MEMORY, "no memory for %s", what);
}

void memory_free(const struct memory_pages *pages)
{
	(void)pages;
}

/* --- boot/pool.h on malloc --- */

enum kexec_status pool_alloc(size_t size, const char *what, void **ret_memory)
{
	(void)what;
	*ret_memory = malloc(size);
	assert(*ret_memory);
	memset(*ret_memory, 0xa5, size);
	return KEXEC_OK;
}

void pool_free(void *memory)
{
	free(memory);
}
