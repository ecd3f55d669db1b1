// SPDX-License-Identifier: BSD-2-Clause
/* Recognises unified images. */
#include "boot/unified_image.h"

#include "boot/kernel_format.h"
#include "boot/log.h"
#include "boot/pe.h"
#include "common/string.h"

#define MACHINE_X86_64 0x8664u /* IMAGE_FILE_MACHINE_AMD64 */

static struct pe_image beginning(const struct kernel_probe *probe)
{
	return (struct pe_image){ .bytes = probe->bytes, .size = probe->size, .layout = PE_FILE };
}

static bool is_unified_image(const struct kernel_probe *probe)
{
	const struct pe_image image = beginning(probe);
	struct pe_section section;
	struct text content;
	uint16_t subsystem;
	uint16_t machine;

	if (!pe_machine(&image, &machine, &subsystem) || machine != MACHINE_X86_64)
		return false;
	/* A sealed entry's kernel is in another file. Its .linux is only for programs that list images (tools/seal). */
	if (pe_find_section(&image, ".entry", &content))
		return false;
	for (uint32_t i = 0; pe_section_at(&image, i, &section); i++) {
		if (pe_section_is(&section, unified_section_name(UNIFIED_KERNEL)) ||
		    pe_section_is(&section, unified_section_name(UNIFIED_PROFILE)))
			return true;
	}
	return false;
}

static enum kexec_status plan_unified_image(const struct kernel_probe *probe, struct kernel_plan *ret_plan)
{
	const struct pe_image image = beginning(probe);
	struct kernel_plan plan = { .format = &unified_image_format };
	enum kexec_status status;

	status = pe_check_headers_of(probe->name, &image, probe->file_size);
	if (!status)
		status = unified_sections_find(probe->name, &image, probe->profile, &plan.unified);
	if (status)
		return status;
	unified_print_unused(probe->name, &image);
	*ret_plan = plan;
	return KEXEC_OK;
}

static size_t signed_ranges(const struct kernel_plan *plan, struct file_range ret_ranges[KERNEL_SIGNED_RANGES_MAX])
{
	size_t count = 0;

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
