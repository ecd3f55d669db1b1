// SPDX-License-Identifier: BSD-2-Clause
/* Finds the sections of unified images. */
#include "boot/unified_sections.h"

#include "boot/entry.h"
#include "boot/log.h"
#include "common/align.h"

static const char *const names[UNIFIED_PARTS] = {
	[UNIFIED_KERNEL] = ".linux",	   [UNIFIED_OS_RELEASE] = ".osrel",	[UNIFIED_COMMAND_LINE] = ".cmdline",
	[UNIFIED_INITRD] = ".initrd",	   [UNIFIED_MICROCODE] = ".ucode",	[UNIFIED_SPLASH] = ".splash",
	[UNIFIED_DEVICE_TREE] = ".dtb",	   [UNIFIED_KERNEL_VERSION] = ".uname", [UNIFIED_SBAT] = ".sbat",
	[UNIFIED_SIGNATURE] = ".pcrsig",   [UNIFIED_PUBLIC_KEY] = ".pcrpkey",	[UNIFIED_PROFILE] = ".profile",
	[UNIFIED_HARDWARE_IDS] = ".hwids",
};

const char *unified_section_name(enum unified_part part)
{
	return names[part];
}

/* A range of section numbers, [start, end). */
struct group {
	uint32_t start;
	uint32_t end;
};

/* The base is group 0, profile N is group N + 1. Returns the number of profiles. */
static uint32_t find_group(const struct pe_image *image, uint32_t number, struct group *ret_group)
{
	struct pe_section section;
	uint32_t current = 0;
	uint32_t i;

	*ret_group = (struct group){ 0 };
	for (i = 0; pe_section_at(image, i, &section); i++) {
		if (!pe_section_is(&section, names[UNIFIED_PROFILE]))
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

uint32_t unified_profile_count(const struct pe_image *image)
{
	struct group base;
	uint32_t count = find_group(image, 0, &base);

	return count ? count : 1;
}

/* The groups that count for a profile: its own sections come before those of the base. */
struct groups {
	struct group list[2];
};

static struct groups groups_of(const struct pe_image *image, uint32_t profile)
{
	struct groups groups;

	find_group(image, profile + 1, &groups.list[0]);
	find_group(image, 0, &groups.list[1]);
	return groups;
}

/* Finds the first section of that name in a group. */
static bool find_in_group(const struct pe_image *image, const struct group *group, const char *name,
			  uint32_t *ret_index)
{
	struct pe_section section;

	for (uint32_t i = group->start; i < group->end && pe_section_at(image, i, &section); i++) {
		if (pe_section_is(&section, name)) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

static bool find_in_groups(const struct pe_image *image, const struct groups *groups, const char *name,
			   uint32_t *ret_index)
{
	return find_in_group(image, &groups->list[0], name, ret_index) ||
	       find_in_group(image, &groups->list[1], name, ret_index);
}

bool unified_find_section(const struct pe_image *image, uint32_t profile, const char *name,
			  struct pe_section *ret_section)
{
	const struct groups groups = groups_of(image, profile);
	uint32_t index;

	return find_in_groups(image, &groups, name, &index) && pe_section_at(image, index, ret_section);
}

/* The used bytes of a section. */
static uint64_t length_in_file(const struct pe_section *section)
{
	return section->size < section->file_size ? section->size : section->file_size;
}

static bool ranges_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a_size && b_size && a < b + b_size && b < a + a_size;
}

/* If two sections overlapped in memory, the one loaded last would win. In the file, one change would affect both. */
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

/* An empty command line means none. An empty section of the others is a mistake. */
static bool may_be_empty(enum unified_part part)
{
	return part != UNIFIED_KERNEL && part != UNIFIED_INITRD && part != UNIFIED_MICROCODE;
}

/* Sections that run. If other sections share a name, the first counts, as for systemd-stub. */
static bool must_be_single(enum unified_part part)
{
	return part == UNIFIED_COMMAND_LINE || !may_be_empty(part);
}

static enum kexec_status check_in_file(const char *name, const struct pe_image *image, uint32_t index,
				       enum unified_part part)
{
	uint64_t image_size = pe_sizes(image).image;
	struct pe_section section;

	pe_section_at(image, index, &section);
	if (!section.size && may_be_empty(part))
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

/* Checks each section of the group, even if another one takes its place. */
static enum kexec_status check_group(const char *name, const struct pe_image *image, const struct group *group,
				     enum unified_part part)
{
	enum kexec_status status = KEXEC_OK;
	struct pe_section section;
	unsigned count = 0;

	for (uint32_t i = group->start; !status && i < group->end && pe_section_at(image, i, &section); i++) {
		if (!pe_section_is(&section, names[part]))
			continue;
		if (++count > 1 && must_be_single(part))
			return log_error(KEXEC_BAD_FORMAT, "%s: expected one section %s, found %u", name, names[part],
					 count);
		if (image->layout == PE_FILE)
			status = check_in_file(name, image, i, part);
	}
	return status;
}

static enum kexec_status check_groups(const char *name, const struct pe_image *image, const struct groups *groups)
{
	enum kexec_status status = KEXEC_OK;

	for (int i = 0; !status && i < UNIFIED_PARTS; i++) {
		/* Check the base first. */
		status = check_group(name, image, &groups->list[1], (enum unified_part)i);
		if (!status)
			status = check_group(name, image, &groups->list[0], (enum unified_part)i);
	}
	return status;
}

static struct unified_section section_of(const struct pe_image *image, const struct pe_section *section)
{
	if (image->layout == PE_FILE)
		return (struct unified_section){ .offset = section->file_offset,
						 .file_size = length_in_file(section),
						 .size = section->size };
	return (struct unified_section){ .offset = section->address,
					 .file_size = section->size,
					 .size = section->size };
}

static enum kexec_status find_all(const char *name, const struct pe_image *image, uint32_t profile,
				  struct unified_image *ret_unified)
{
	const struct groups groups = groups_of(image, profile);
	enum kexec_status status = check_groups(name, image, &groups);
	struct unified_image unified = { 0 };

	if (status)
		return status;
	for (int i = 0; i < UNIFIED_PARTS; i++) {
		struct pe_section section;
		uint32_t index;

		if (find_in_groups(image, &groups, names[i], &index) && pe_section_at(image, index, &section))
			unified.sections[i] = section_of(image, &section);
	}
	*ret_unified = unified;
	return KEXEC_OK;
}

enum kexec_status unified_sections_find(const char *name, const struct pe_image *image, uint32_t profile,
					struct unified_image *ret_unified)
{
	uint32_t profiles = unified_profile_count(image);
	enum kexec_status status;
	struct unified_image unified;

	if (profile >= profiles)
		return log_error(KEXEC_NOT_FOUND, "%s: profile: expected one below %u, found %u", name, profiles,
				 profile);
	status = find_all(name, image, profile, &unified);
	if (status)
		return status;
	if (!unified.sections[UNIFIED_KERNEL].size)
		return log_error(KEXEC_UNSUPPORTED, "%s: expected a section .linux, found none", name);
	*ret_unified = unified;
	return KEXEC_OK;
}

enum kexec_status unified_addon_find(const char *name, const struct pe_image *image, struct unified_image *ret_unified)
{
	struct unified_image unified;
	enum kexec_status status = find_all(name, image, 0, &unified);

	if (status)
		return status;
	if (unified.sections[UNIFIED_KERNEL].size)
		return log_error(KEXEC_UNSUPPORTED,
				 "%s: expected an addon, found a unified image with a .linux of its own", name);
	*ret_unified = unified;
	return KEXEC_OK;
}

struct text unified_content(const struct unified_view *view, enum unified_part part)
{
	const struct unified_section *section = &view->image.sections[part];

	if (!view->bytes || !section->size)
		return TEXT("");
	return (struct text){ .start = (const char *)view->bytes + section->offset, .length = section->file_size };
}

/* Device trees and firmware do not exist on x86. */
void unified_print_unused(const char *name, const struct pe_image *image)
{
	static const char *const unused[] = { ".splash", ".dtb", ".dtbauto", ".hwids", ".efifw" };
	struct text content;

	for (size_t i = 0; i < ARRAY_SIZE(unused); i++) {
		if (pe_find_section(image, unused[i], &content))
			log_verbose("%s: section %s is not used", name, unused[i]);
	}
}
