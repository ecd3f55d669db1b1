// SPDX-License-Identifier: BSD-2-Clause
/*
 * Says what the loader makes of an entry, an image or a kernel, by the loader's own code: the tools beside this seal,
 * sign and predict by what it says, so they cannot disagree with the loader. The input is read from standard input, the
 * answer is JSON on standard output, and what the loader would say goes to standard error. Bytes are written as the
 * characters of Latin-1, since names and command lines need not be UTF-8.
 *
 *   inspect entry NAME         the plan of an entry that lies beside the image
 *   inspect sealed-entry NAME  the plan of an entry that is sealed in an image: each file needs its digest
 *   inspect image NAME         sections, plan of what is sealed in it, and ranges of the Authenticode digest
 *   inspect kernel NAME        nothing: the exit status says whether it is a kernel that the loader takes
 *
 * NAME stands for the input in messages. The exit status is 0, 1 where the loader would refuse, or 2 for a wrong call.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/entry.h"
#include "boot/kernel_format.h"
#include "boot/log.h"
#include "boot/pool.h"
#include "boot/sealed_image.h"
#include "common/align.h"
#include "common/digest_text.h"
#include "common/format.h"

/* --- the core's seams --- */

static void print_line(const char *format, va_list args)
{
	char line[800];

	format_text_va(line, sizeof(line), format, args);
	/* What comes from a file must not reach a terminal as it is. */
	for (char *c = line; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	(void)fprintf(stderr, "%s\n", line);
}

void log_error_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(format, args);
	va_end(args);
}

/* The keys that were skipped, which the plan lists. */
void log_verbose(const char *format, ...)
{
	(void)format;
}

enum kexec_status pool_alloc(size_t size, const char *what, void **ret_memory)
{
	*ret_memory = malloc(size);
	if (!*ret_memory)
		return log_error(KEXEC_NO_MEMORY, "%s: expected memory for %zu bytes, found none", what, size);
	return KEXEC_OK;
}

void pool_free(void *memory)
{
	free(memory);
}

/* --- JSON --- */

static void put_text(struct text text)
{
	(void)putchar('"');
	for (size_t i = 0; i < text.length; i++) {
		uint8_t byte = (uint8_t)text.start[i];

		if (byte < ' ' || byte == '"' || byte == '\\' || byte >= 0x7f)
			(void)printf("\\u%04x", byte);
		else
			(void)putchar(byte);
	}
	(void)putchar('"');
}

/* Between the members of a list. */
static void put_separator(size_t index)
{
	if (index)
		(void)fputs(", ", stdout);
}

static const char *bool_text(bool value)
{
	return value ? "true" : "false";
}

/* --- plans --- */

static void put_part(const struct boot_part *part)
{
	static const char *const sources[] = { [PART_ON_VOLUME] = "volume", [PART_IN_IMAGE] = "image" };
	static const char *const trusts[] = {
		[TRUST_NOBODY] = "nobody",
		[TRUST_PLATFORM] = "platform",
		[TRUST_DIGEST] = "digest",
		[TRUST_IMAGE] = "image",
	};
	char digest[DIGEST_TEXT_SIZE];

	(void)printf("{\"name\": ");
	put_text(text_of_string(part->name));
	(void)printf(", \"source\": \"%s\", \"trust\": \"%s\", \"sha256\": ", sources[part->source],
		     trusts[part->trust]);
	if (part->has_digest) {
		format_digest(digest, part->digest);
		(void)printf("\"%s\"}", digest);
	} else {
		(void)printf("null}");
	}
}

static void put_plan(const struct boot_plan *plan)
{
	(void)printf("{\"text\": ");
	put_text(plan->text);
	(void)printf(", \"kernel\": ");
	put_part(&plan->kernel);
	(void)printf(", \"initrds\": [");
	for (size_t i = 0; i < plan->initrd_count; i++) {
		put_separator(i);
		put_part(&plan->initrds[i]);
	}
	(void)printf("], \"command_line\": ");
	put_text(plan->command_line);
	(void)printf(", \"unknown_keys\": [");
	for (size_t i = 0; i < plan->unknown_key_count; i++) {
		put_separator(i);
		put_text(plan->unknown_keys[i]);
	}
	(void)printf("], \"require_signature\": %s, \"require_measurement\": %s, \"dma_off\": %s, \"overwrite_off\": "
		     "%s, \"verbose\": %s, "
		     "\"on_mismatch\": \"%s\"}",
		     bool_text(plan->require_signature), bool_text(plan->require_measurement), bool_text(plan->dma_off),
		     bool_text(plan->overwrite_off), bool_text(plan->verbose),
		     plan->on_mismatch == ON_MISMATCH_RESET ? "reset" : "halt");
}

static int inspect_entry(const char *name, struct text input, enum entry_place place)
{
	struct boot_plan plan;

	if (entry_to_plan(name, input, place, &plan))
		return 1;
	put_plan(&plan);
	(void)putchar('\n');
	boot_plan_free(&plan);
	return 0;
}

static int inspect_outside_entry(const char *name, struct text input)
{
	return inspect_entry(name, input, ENTRY_OUTSIDE);
}

static int inspect_sealed_entry(const char *name, struct text input)
{
	return inspect_entry(name, input, ENTRY_SEALED);
}

/* --- images --- */

static void put_sections(const struct pe_image *image)
{
	struct pe_section section;

	(void)printf("\"sections\": [");
	for (uint32_t i = 0; pe_section_at(image, i, &section); i++) {
		put_separator(i);
		(void)printf("{\"name\": ");
		put_text(text_of_string(section.name));
		(void)printf(", \"address\": %u, \"size\": %u, \"file_offset\": %u, \"file_size\": %u}",
			     section.address, section.size, section.file_offset, section.file_size);
	}
	(void)printf("]");
}

/* What is hashed, [start, end) each, in order; null if the file is no PE32+ image. */
static void put_signed_ranges(const struct pe_image *image)
{
	struct pe_signed_ranges ranges;

	(void)printf("\"authenticode\": ");
	if (!pe_signed_ranges(image->bytes, image->size, &ranges)) {
		(void)printf("null");
		return;
	}
	(void)printf("[");
	for (size_t i = 0; i < ranges.count; i++) {
		put_separator(i);
		(void)printf("[%llu, %llu]", (unsigned long long)ranges.list[i].start,
			     (unsigned long long)ranges.list[i].end);
	}
	(void)printf("]");
}

/* No firmware loads a larger image. */
#define LOADED_SIZE_MAX (1ull << 32)

/*
 * Loads the image as the firmware would, since that is what the loader sees: a section may be larger in memory than in
 * the file, with zeros at its end. A file that ends before its sections do is refused, as firmware does.
 */
static bool load(const char *name, const struct pe_image *file, struct pe_image *ret_image)
{
	uint64_t headers_size = file->size; /* they are at the beginning, in the file as in memory */
	struct pe_section section;
	uint64_t size = file->size;
	uint8_t *bytes;

	for (uint32_t i = 0; pe_section_at(file, i, &section); i++) {
		if (section.address < headers_size)
			headers_size = section.address;
		if ((uint64_t)section.address + section.size > size)
			size = (uint64_t)section.address + section.size;
	}
	/* Zeros that are never touched cost nothing. */
	bytes = size <= LOADED_SIZE_MAX ? calloc(1, size + 1) : NULL;
	if (!bytes) {
		log_error_line("%s: expected an image of at most 0x%llx bytes, found 0x%llx", name, LOADED_SIZE_MAX,
			       (unsigned long long)size);
		return false;
	}
	memcpy(bytes, file->bytes, headers_size);
	for (uint32_t i = 0; pe_section_at(file, i, &section); i++) {
		uint32_t length = section.size < section.file_size ? section.size : section.file_size;

		if (section.file_offset > file->size || length > file->size - section.file_offset) {
			log_error_line("%s: section %s: expected 0x%x bytes at 0x%x of the file, which ends at 0x%llx",
				       name, section.name, length, section.file_offset, (unsigned long long)file->size);
			free(bytes);
			return false;
		}
		memcpy(bytes + section.address, file->bytes + section.file_offset, length);
	}
	*ret_image = (struct pe_image){ .bytes = bytes, .size = size, .layout = PE_LOADED };
	return true;
}

static int inspect_image(const char *name, struct text input)
{
	const struct pe_image image = { .bytes = (const uint8_t *)input.start,
					.size = input.length,
					.layout = PE_FILE };
	struct boot_plan plan = { 0 };
	struct pe_image loaded;
	bool is_sealed;

	if (!load(name, &image, &loaded))
		return 1;
	is_sealed = sealed_image_found(&loaded);
	if (is_sealed && sealed_image_to_plan(&loaded, &plan))
		return 1;
	(void)printf("{");
	put_sections(&image);
	(void)printf(", ");
	put_signed_ranges(&image);
	(void)printf(", \"plan\": ");
	if (is_sealed)
		put_plan(&plan);
	else
		(void)printf("null");
	(void)printf("}\n");
	boot_plan_free(&plan);
	return 0;
}

/* --- kernels --- */

/* As on a CPU with 4-level page tables, which most firmware leaves on. */
static int inspect_kernel(const char *name, struct text input)
{
	const struct kernel_probe probe = {
		.name = name,
		.bytes = (const uint8_t *)input.start,
		.size = input.length < KERNEL_PROBE_SIZE ? input.length : KERNEL_PROBE_SIZE,
		.file_size = input.length,
	};
	struct kernel_plan plan;

	return kernel_plan_file(&probe, &plan) ? 1 : 0;
}

/* --- the program --- */

static const struct {
	const char *name;
	int (*run)(const char *name, struct text input);
} commands[] = {
	{ "entry", inspect_outside_entry },
	{ "sealed-entry", inspect_sealed_entry },
	{ "image", inspect_image },
	{ "kernel", inspect_kernel },
};

/* All of standard input, in memory that is never freed. */
static bool read_input(const char *name, struct text *ret_input)
{
	size_t capacity = 1 << 20;
	size_t length = 0;
	char *bytes = malloc(capacity);

	while (bytes) {
		char *larger;
		size_t count = fread(bytes + length, 1, capacity - length, stdin);

		length += count;
		if (length < capacity)
			break;
		capacity *= 2;
		larger = realloc(bytes, capacity);
		if (!larger)
			free(bytes);
		bytes = larger;
	}
	if (!bytes || ferror(stdin)) {
		free(bytes);
		(void)fprintf(stderr, "%s: cannot read it\n", name);
		return false;
	}
	*ret_input = (struct text){ .start = bytes, .length = length };
	return true;
}

int main(int argc, char **argv)
{
	struct text input;

	for (size_t i = 0; argc == 3 && i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, argv[1]) != 0)
			continue;
		if (!read_input(argv[2], &input))
			return 1;
		return commands[i].run(argv[2], input);
	}
	(void)fputs("usage: inspect entry|sealed-entry|image|kernel NAME <INPUT\n", stderr);
	return 2;
}
