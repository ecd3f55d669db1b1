// SPDX-License-Identifier: BSD-2-Clause
/* Feeds images to boot/sealed_image.c and boot/section_source.c, both loaded and as files. */
#include "boot/attempts.h"
#include "boot/entry.h"
#include "boot/sealed_image.h"
#include "boot/section_source.h"
#include "tests/fuzz/input.h"

/* The part is a section, and its bytes are in the image. */
static void check_section(struct section_source *source, const char *name)
{
	struct source *base = &source->source;
	struct source_file file;
	const char *why;

	assert(base->open(base, name, &file) == KEXEC_OK);
	assert(file.size <= source->image.size);
	for (uint64_t offset = 0, size; offset < file.size; offset += size) {
		uint8_t buffer[4096];

		size = sizeof(buffer);
		assert(base->read(&file, offset, buffer, &size, &why) == KEXEC_OK);
		assert(size && size <= file.size - offset);
	}
	base->close(&file);
}

/* Parsing the measured text as an entry gives the same plan. */
static void check_text(const struct boot_plan *plan)
{
	struct boot_plan same;

	assert(entry_to_plan("text", plan->text, ENTRY_OUTSIDE, &same) == KEXEC_OK);
	assert(strcmp(same.kernel.name, plan->kernel.name) == 0);
	assert(same.initrd_count == plan->initrd_count);
	for (size_t i = 0; i < same.initrd_count; i++)
		assert(strcmp(same.initrds[i].name, plan->initrds[i].name) == 0);
	assert(strcmp(same.command_line.start, plan->command_line.start) == 0);
	assert(same.unknown_key_count == 0);
	boot_plan_free(&same);
}

static void check_unified_image(const struct pe_image *image, const struct boot_plan *plan)
{
	struct section_source source;

	section_source_start(&source, image);
	source.profile = plan->profile;
	assert(plan->kernel.trust == TRUST_IMAGE && plan->kernel.source == PART_IN_IMAGE);
	check_section(&source, plan->kernel.name);
	assert(plan->initrd_count <= 2);
	for (size_t i = 0; i < plan->initrd_count; i++) {
		assert(plan->initrds[i].trust == TRUST_IMAGE && plan->initrds[i].source == PART_IN_IMAGE);
		check_section(&source, plan->initrds[i].name);
	}
	check_text(plan);
}

/* Every file of a sealed entry has a digest, and no entry outside the image is named. */
static void check_entry(const struct boot_plan *plan)
{
	assert(!plan->fallback);
	assert(plan->kernel.trust == TRUST_DIGEST && boot_part_has_digest(&plan->kernel));
	for (size_t i = 0; i < plan->initrd_count; i++)
		assert(plan->initrds[i].trust == TRUST_DIGEST && boot_part_has_digest(&plan->initrds[i]));
}

/* An image is not generic if it has a section of ours, is unreadable, or must be sealed. */
static void check_seal(const struct pe_image *image, enum seal seal)
{
	struct pe_section section;
	struct text content;

	assert(sealed_image_found(image, true) == (seal == SEALED ? SEALED : SEAL_UNREADABLE));
	if (seal != NOT_SEALED)
		return;
	assert(!pe_find_section(image, ".entry", &content) && !pe_find_section(image, ".linux", &content));
	assert(pe_sizes(image).headers <= image->size);
	for (uint32_t i = 0; image->layout == PE_LOADED && pe_section_at(image, i, &section); i++)
		assert(!section.size || (uint64_t)section.address + section.size <= image->size);
}

/* Tries each entry, and a number behind the last; or the only plan of a unified image. */
static void check_choices(const struct pe_image *image, uint32_t profile)
{
	size_t entries = sealed_image_entries(image);

	assert(entries <= ATTEMPTS_MAX);
	for (size_t i = 0; i <= entries; i++) {
		const struct sealed_choice choice = { .entry = i, .profile = profile, .options = TEXT("added") };
		struct boot_plan plan;

		if (sealed_image_to_plan(image, &choice, &plan) != KEXEC_OK)
			continue;
		assert(!entries || i < entries);
		if (entries)
			check_entry(&plan);
		else
			check_unified_image(image, &plan);
		boot_plan_free(&plan);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	for (enum pe_layout layout = PE_LOADED; layout <= PE_FILE; layout++) {
		const struct pe_image image = { .bytes = bytes, .size = size, .layout = layout };
		enum seal seal = sealed_image_found(&image, false);

		check_seal(&image, seal);
		if (seal == SEALED)
			check_choices(&image, (uint32_t)(size % 3));
	}
	return 0;
}
