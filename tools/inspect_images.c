// SPDX-License-Identifier: BSD-2-Clause
/* Our own image, and other files that may be PE images. */
#include "tools/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/log.h"
#include "boot/sealed_image.h"
#include "boot/stub_request.h"

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

/* The ranges [start, end) that Authenticode hashes, in order; null if the file is no PE32+ image. */
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
 * Loads the image as the firmware would, because the loader sees its image in memory: SizeOfHeaders bytes of headers,
 * and each section as far as the file has it, with zeros behind. Refuses a file whose sections end behind the file's
 * end, or lie over the headers. The caller frees ->bytes.
 */
static bool load(const char *name, const struct pe_image *file, struct pe_image *ret_image)
{
	struct pe_section section;
	uint64_t size;
	uint8_t *bytes;

	if (pe_check_headers(name, file))
		return false;
	size = pe_sizes(file).image;
	/* Zeros that are never touched cost nothing. */
	bytes = size <= LOADED_SIZE_MAX && size >= pe_sizes(file).headers ? calloc(1, size) : NULL;
	if (!bytes) {
		log_error_line("%s: expected SizeOfImage between 0x%x and 0x%llx, found 0x%llx", name,
			       pe_sizes(file).headers, LOADED_SIZE_MAX, (unsigned long long)size);
		return false;
	}
	*ret_image = (struct pe_image){ .bytes = bytes, .size = size, .layout = PE_LOADED };
	memcpy(bytes, file->bytes, pe_sizes(file).headers);
	/* Checks the places of all sections in memory, by the headers that were just copied there. */
	if (pe_check_headers(name, ret_image)) {
		free(bytes);
		return false;
	}
	for (uint32_t i = 0; pe_section_at(file, i, &section); i++) {
		uint32_t length = section.size < section.file_size ? section.size : section.file_size;

		if (length)
			memcpy(bytes + section.address, file->bytes + section.file_offset, length);
	}
	return true;
}

static void put_file(const struct pe_image *file)
{
	put_sections(file);
	(void)printf(", ");
	put_signed_ranges(file);
}

struct pe_image file_of(const struct input *input)
{
	return (struct pe_image){ .bytes = (const uint8_t *)input->text.start,
				  .size = input->text.length,
				  .layout = PE_FILE };
}

int inspect_file(const struct input *input)
{
	const struct pe_image file = file_of(input);

	(void)printf("{");
	put_file(&file);
	(void)printf("}\n");
	return 0;
}

/* Whether the section .seal demands a seal. null if there is none, as in images of other programs. */
static const char *mark_text(const struct pe_image *image)
{
	struct text mark;

	if (!pe_find_section(image, SEAL_MARK_SECTION, &mark))
		return "null";
	return bool_text(mark.length != SEAL_MARK_SIZE || seal_mark_demands(mark.start));
}

/* Finds a section of our own image in the file. Refuses one that another section overlaps in memory. */
static bool find_in_file(const char *name, const struct pe_image *file, const struct pe_image *loaded,
			 struct unified_section *section)
{
	struct pe_section found = { 0 };
	uint32_t i = 0;

	while (pe_section_at(file, i, &found) && (found.address != section->offset || found.size != section->size))
		i++;
	section->offset = found.file_offset;
	section->file_size = found.size < found.file_size ? found.size : found.file_size;
	if (memcmp(loaded->bytes + found.address, file->bytes + section->offset, section->file_size) == 0)
		return true;
	log_error_line("%s: section %s: expected it apart from all others, found another over it", name, found.name);
	return false;
}

static bool find_own_sections(const struct input *input, const struct pe_image *file, const struct pe_image *loaded,
			      uint32_t profile, struct unified_image *ret_unified)
{
	bool is_good = unified_sections_find("this image", loaded, profile, ret_unified) == KEXEC_OK;

	for (int i = 0; is_good && i < UNIFIED_PARTS; i++) {
		if (ret_unified->sections[i].size)
			is_good = find_in_file(input->name, file, loaded, &ret_unified->sections[i]);
	}
	return is_good;
}

/*
 * Plans a boot of the sealed image from a boot entry of the firmware. An image that tools/seal has marked takes no
 * options. Returns false if the loader would refuse the boot. The caller frees the plan in any case.
 */
static bool plan_sealed(const struct input *input, const struct pe_image *file, const struct pe_image *loaded,
			bool is_marked, struct boot_plan *plan, struct unified_image *unified)
{
	static char buffer[OPTIONAL_DATA_TEXT_SIZE(LOAD_OPTIONS_SIZE_MAX)];
	const struct load_options_sender sender = { 0 };
	const struct stub_request request =
		stub_request_parse(input->load_options, input->load_options_size, &sender, buffer);

	const struct sealed_choice choice = {
		.entry = input->sealed_entry,
		.profile = request.profile,
		.options = is_marked ? TEXT("") : request.command_line,
	};

	if (sealed_image_to_plan(loaded, &choice, plan) || !paths_make_sense(plan))
		return false;
	stub_request_check(&request, plan);
	return plan->kernel.source != PART_IN_IMAGE || find_own_sections(input, file, loaded, request.profile, unified);
}

static int put_image(const struct input *input, const struct pe_image *file, const struct pe_image *loaded)
{
	const char *mark = mark_text(loaded);
	bool is_marked = strcmp(mark, "true") == 0;
	enum seal seal = sealed_image_found(loaded, is_marked);
	struct unified_image unified = { 0 };
	struct boot_plan plan = { 0 };
	bool is_good =
		seal == NOT_SEALED || (seal == SEALED && plan_sealed(input, file, loaded, is_marked, &plan, &unified));

	if (is_good) {
		(void)printf("{");
		put_file(file);
		(void)printf(", \"is_marked\": %s, \"entries\": %zu, \"plan\": ", mark, sealed_image_entries(loaded));
		if (seal == SEALED)
			put_plan(&plan);
		else
			(void)printf("null");
		(void)printf(", \"unified\": ");
		put_unified_image(unified.sections[UNIFIED_KERNEL].size ? &unified : NULL);
		(void)printf("}\n");
	}
	boot_plan_free(&plan);
	return is_good ? 0 : 1;
}

int inspect_image(const struct input *input)
{
	const struct pe_image file = file_of(input);
	struct pe_image loaded;
	int result;

	if (!load(input->name, &file, &loaded))
		return 1;
	result = put_image(input, &file, &loaded);
	free((void *)(uintptr_t)loaded.bytes);
	return result;
}
