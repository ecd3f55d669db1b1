// SPDX-License-Identifier: BSD-2-Clause
/* Finds the sections of unified images, and hashes them. */
#include "boot/unified_image.h"

#include "boot/entry.h"
#include "boot/kernel_format.h"
#include "boot/log.h"
#include "boot/pe.h"
#include "common/align.h"
#include "common/string.h"

#define SECTION_PROFILE ".profile"

#define MACHINE_X86_64 0x8664u /* IMAGE_FILE_MACHINE_AMD64 */

static const char *const names[UNIFIED_PARTS] = {
	[UNIFIED_KERNEL] = ".linux",
	[UNIFIED_MICROCODE] = ".ucode",
	[UNIFIED_INITRD] = ".initrd",
	[UNIFIED_COMMAND_LINE] = ".cmdline",
};

const char *unified_section_name(enum unified_part part)
{
	return names[part];
}

static struct pe_image beginning(const struct kernel_probe *probe)
{
	return (struct pe_image){ .bytes = probe->bytes, .size = probe->size, .layout = PE_FILE };
}

static bool is_unified_image(const struct kernel_probe *probe)
{
	const struct pe_image image = beginning(probe);
	struct pe_section section;
	uint16_t subsystem;
	uint16_t machine;

	if (!pe_machine(&image, &machine, &subsystem) || machine != MACHINE_X86_64)
		return false;
	for (uint32_t i = 0; pe_section_at(&image, i, &section); i++) {
		if (pe_section_is(&section, names[UNIFIED_KERNEL]) || pe_section_is(&section, SECTION_PROFILE))
			return true;
	}
	return false;
}

/* Numbers of sections, [start, end). */
struct group {
	uint32_t start;
	uint32_t end;
};

/* The base is group 0, profile N is group N + 1. An image without profiles has the base only. */
static uint32_t find_group(const struct pe_image *image, uint32_t number, struct group *ret_group)
{
	struct pe_section section;
	uint32_t current = 0;
	uint32_t i;

	*ret_group = (struct group){ 0 };
	for (i = 0; pe_section_at(image, i, &section); i++) {
		if (!pe_section_is(&section, SECTION_PROFILE))
			continue;
		if (current == number)
			ret_group->end = i;
		if (++current == number)
			ret_group->start = i;
	}
	if (current == number)
		ret_group->end = i;
	return current;
}

/* What is used of a section. */
static uint64_t length_in_file(const struct pe_section *section)
{
	return section->size < section->file_size ? section->size : section->file_size;
}

static bool ranges_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a_size && b_size && a < b + b_size && b < a + a_size;
}

/* In memory the one that was loaded last would lie over the other, and so would a change in the file. */
static enum kexec_status check_apart(const char *name, const struct pe_image *image, uint32_t index)
{
	struct pe_section section;
	struct pe_section other;

	pe_section_at(image, index, &section);
	for (uint32_t i = 0; pe_section_at(image, i, &other); i++) {
		if (i == index)
			continue;
		if (ranges_overlap(section.address, section.size, other.address, other.size) ||
		    ranges_overlap(section.file_offset, length_in_file(&section), other.file_offset,
				   length_in_file(&other)))
			return log_error(KEXEC_BAD_FORMAT,
					 "%s: section %s: expected it apart from all others, found it overlaps %s",
					 name, section.name, other.name);
	}
	return KEXEC_OK;
}

/* The command line may be empty, and is not there then. Of the others each was wanted. */
static enum kexec_status check_section(const char *name, const struct pe_image *image, uint32_t index,
				       enum unified_part part)
{
	uint64_t image_size = pe_sizes(image).image;
	struct pe_section section;

	pe_section_at(image, index, &section);
	if (part == UNIFIED_COMMAND_LINE && !section.size)
		return KEXEC_OK;
	if (!length_in_file(&section))
		return log_error(KEXEC_BAD_FORMAT, "%s: section %s: expected at least 1 byte in the file, found 0",
				 name, section.name);
	if (section.address > image_size || section.size > image_size - section.address)
		return log_error(KEXEC_BAD_FORMAT,
				 "%s: section %s: expected it within SizeOfImage, 0x%lx, found 0x%x bytes at 0x%x",
				 name, section.name, image_size, section.size, section.address);
	if (part == UNIFIED_COMMAND_LINE && section.size > ENTRY_SIZE_MAX)
		return log_error(KEXEC_TOO_LARGE, "%s: section %s: expected at most %u bytes, found %u", name,
				 section.name, ENTRY_SIZE_MAX, section.size);
	return check_apart(name, image, index);
}

/* Of two sections in one group, some would take the first, and some the second. */
static enum kexec_status find_in_group(const char *name, const struct pe_image *image, const struct group *group,
				       enum unified_part part, struct unified_section *section)
{
	struct pe_section found;
	unsigned count = 0;

	for (uint32_t i = group->start; i < group->end && pe_section_at(image, i, &found); i++) {
		enum kexec_status status;

		if (!pe_section_is(&found, names[part]))
			continue;
		if (++count > 1)
			return log_error(KEXEC_BAD_FORMAT, "%s: expected one section %s, found %u", name, names[part],
					 count);
		status = check_section(name, image, i, part);
		if (status)
			return status;
		*section = (struct unified_section){ .offset = found.file_offset,
						     .file_size = length_in_file(&found),
						     .size = found.size };
	}
	return KEXEC_OK;
}

static enum kexec_status find_sections(const char *name, const struct pe_image *image, const struct group groups[2],
				       struct unified_image *unified)
{
	enum kexec_status status = KEXEC_OK;

	for (int i = 0; !status && i < UNIFIED_PARTS; i++) {
		struct unified_section *section = &unified->sections[i];

		status = find_in_group(name, image, &groups[0], (enum unified_part)i, section);
		if (!status)
			status = find_in_group(name, image, &groups[1], (enum unified_part)i, section);
	}
	if (!status && !unified->sections[UNIFIED_KERNEL].size)
		return log_error(KEXEC_UNSUPPORTED, "%s: expected a section .linux, found none", name);
	return status;
}

/* What a stub would show, hand over or choose by the machine. Device trees and firmware are not for x86. */
static void print_unused(const char *name, const struct pe_image *image)
{
	static const char *const unused[] = {
		".splash", ".pcrsig", ".pcrpkey", ".dtb", ".dtbauto", ".hwids", ".efifw"
	};
	struct text content;

	for (size_t i = 0; i < ARRAY_SIZE(unused); i++) {
		if (pe_find_section(image, unused[i], &content))
			log_verbose("%s: section %s is not used", name, unused[i]);
	}
}

static enum kexec_status plan_unified_image(const struct kernel_probe *probe, struct kernel_plan *ret_plan)
{
	const struct pe_image image = beginning(probe);
	struct kernel_plan plan = { .format = &unified_image_format };
	struct group groups[2];
	enum kexec_status status;
	uint32_t profiles;

	status = pe_check_headers_of(probe->name, &image, probe->file_size);
	if (status)
		return status;
	profiles = find_group(&image, 0, &groups[0]);
	if (probe->profile >= (profiles ? profiles : 1))
		return log_error(KEXEC_NOT_FOUND, "%s: profile: expected one below %u, found %u", probe->name,
				 profiles ? profiles : 1, probe->profile);
	find_group(&image, probe->profile + 1, &groups[1]);
	status = find_sections(probe->name, &image, groups, &plan.unified);
	if (status)
		return status;
	print_unused(probe->name, &image);
	*ret_plan = plan;
	return KEXEC_OK;
}

static size_t signed_ranges(const struct kernel_plan *plan, struct file_range ret_ranges[KERNEL_SIGNED_RANGES_MAX])
{
	size_t count = 0;

	_Static_assert(UNIFIED_PARTS <= KERNEL_SIGNED_RANGES_MAX, "one for each part");
	for (size_t i = 0; i < UNIFIED_PARTS; i++) {
		const struct unified_section *section = &plan->unified.sections[i];

		if (section->size)
			ret_ranges[count++] = (struct file_range){ .start = section->offset,
								   .end = section->offset + section->file_size };
	}
	return count;
}

const struct kernel_format unified_image_format = {
	.name = "unified image",
	.probe = is_unified_image,
	.plan = plan_unified_image,
	.signed_ranges = signed_ranges,
};

size_t unified_initrd_count(const struct unified_image *image)
{
	return (image->sections[UNIFIED_MICROCODE].size ? 1u : 0u) + (image->sections[UNIFIED_INITRD].size ? 1u : 0u);
}

enum unified_part unified_initrd(const struct unified_image *image, size_t index)
{
	return index == 0 && image->sections[UNIFIED_MICROCODE].size ? UNIFIED_MICROCODE : UNIFIED_INITRD;
}
