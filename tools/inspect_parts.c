// SPDX-License-Identifier: BSD-2-Clause
/* Kernels and initrds. */
#include "tools/inspect.h"

#include <stdio.h>

#include "boot/initrd.h"
#include "boot/initrd_content.h"
#include "boot/kernel_format.h"
#include "boot/log.h"
#include "boot/unified_image.h"
#include "common/format.h"

/* Plans for a CPU with 4-level page tables, which most firmware uses. */
static bool plan_kernel(const char *name, struct text file, const struct input *asked, struct kernel_plan *ret_plan)
{
	const struct kernel_probe probe = {
		.name = name,
		.bytes = (const uint8_t *)file.start,
		.size = file.length < KERNEL_PROBE_SIZE ? file.length : KERNEL_PROBE_SIZE,
		.file_size = file.length,
		.has_profile = asked && asked->has_profile,
		.profile = asked ? (uint32_t)asked->profile : 0,
	};

	return kernel_plan_file(&probe, ret_plan) == KEXEC_OK;
}

/* Plans the kernel of a unified image. Zeros that follow it in memory are not part of it. */
static bool plan_inner_kernel(const struct input *input, const struct unified_image *image,
			      struct kernel_plan *ret_plan)
{
	const struct unified_section *section = &image->sections[UNIFIED_KERNEL];
	struct text kernel = { .start = input->text.start + section->offset, .length = section->file_size };
	char name[160];

	format_text(name, sizeof(name), "%s: .linux", input->name);
	if (!plan_kernel(name, kernel, NULL, ret_plan))
		return false;
	if (ret_plan->format == &unified_image_format)
		log_error_line("%s: expected a kernel, found another unified image", name);
	return ret_plan->format != &unified_image_format;
}

int inspect_kernel(const struct input *input)
{
	struct kernel_plan inner;
	struct kernel_plan plan;
	bool is_unified;

	if (!plan_kernel(input->name, input->text, input, &plan))
		return 1;
	is_unified = plan.format == &unified_image_format;
	inner = plan;
	if (is_unified && !plan_inner_kernel(input, &plan.unified, &inner))
		return 1;
	if (kernel_check_command_line(&inner, input->command_line_length))
		return 1;
	(void)printf("{\"authenticode_covers\": %s, \"unified\": ",
		     bool_text(kernel_authenticode_covers(&plan, (const uint8_t *)input->text.start,
							  input->text.length)));
	put_unified_image(is_unified ? &plan.unified : NULL);
	(void)printf("}\n");
	return 0;
}

int inspect_initrd(const struct input *input)
{
	struct initrd_look look = { 0 };
	uint64_t size = 0;
	uint64_t offset;

	if (initrd_append(input->name, input->text.length, &size, &offset))
		return 1;
	initrd_look(&look, input->name, (const uint8_t *)input->text.start, size);
	return 0;
}
