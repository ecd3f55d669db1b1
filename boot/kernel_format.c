// SPDX-License-Identifier: BSD-2-Clause
/* The table of formats. */
#include "boot/kernel_format.h"

#include "boot/bzimage.h"
#include "boot/file_kind.h"
#include "boot/log.h"
#include "boot/pe.h"
#include "boot/unified_image.h"
#include "common/align.h"

_Static_assert(PE_SECTIONS_MAX * 40 >= KERNEL_PROBE_SIZE, "no more section headers fit into a probe");

/* In the order in which they are tried. */
static const struct kernel_format *const formats[] = {
	&bzimage_format,
	&unified_image_format,
};

/* NULL if no format recognises the file. */
static const struct kernel_format *find_format(const struct kernel_probe *probe)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (formats[i]->probe(probe))
			return formats[i];
	}
	return NULL;
}

enum kexec_status kernel_plan_file(const struct kernel_probe *probe, struct kernel_plan *ret_plan)
{
	const struct kernel_format *format = find_format(probe);
	struct file_kind kind;

	if (!format && file_kind_find(probe, &kind))
		return file_kind_refuse(probe->name, &kind);
	if (!format)
		format = formats[0];
	if (probe->has_profile && format != &unified_image_format)
		return log_error(KEXEC_UNSUPPORTED, "%s: profile: expected a unified image, found a %s", probe->name,
				 format->name);
	return format->plan(probe, ret_plan);
}

struct memory_request kernel_initrd_request(const struct kernel_plan *plan, uint64_t size)
{
	struct memory_request request = plan->initrd_memory;

	request.size = size;
	return request;
}

enum kexec_status kernel_check_command_line(const struct kernel_plan *plan, uint64_t length)
{
	if (length > plan->cmdline_size)
		return log_error(KEXEC_TOO_LARGE,
				 "options: expected at most %lu bytes (the kernel's cmdline_size), found %lu",
				 plan->cmdline_size, length);
	return KEXEC_OK;
}

/* Finds the first range that must be covered and is not. *ret_end is the end of its covered part. */
static bool find_uncovered(const struct kernel_plan *plan, const uint8_t *file, uint64_t file_size,
			   struct file_range *ret_range, uint64_t *ret_end)
{
	struct file_range ranges[KERNEL_SIGNED_RANGES_MAX];
	size_t count = plan->format->signed_ranges(plan, ranges);

	for (size_t i = 0; i < count; i++) {
		uint64_t found = pe_signed_until(file, file_size, ranges[i].start);

		if (found < ranges[i].end) {
			*ret_range = ranges[i];
			*ret_end = found;
			return true;
		}
	}
	return false;
}

enum kexec_status kernel_check_signed(const char *name, const struct kernel_plan *plan, const uint8_t *file,
				      uint64_t file_size)
{
	struct file_range range;
	uint64_t end;

	if (find_uncovered(plan, file, file_size, &range, &end))
		return log_error(KEXEC_MISMATCH,
				 "%s: signature: expected it to cover all from 0x%lx to 0x%lx, found it ends at 0x%lx",
				 name, range.start, range.end, end);
	return KEXEC_OK;
}

bool kernel_authenticode_covers(const struct kernel_plan *plan, const uint8_t *file, uint64_t file_size)
{
	struct file_range range;
	uint64_t end;

	return !find_uncovered(plan, file, file_size, &range, &end);
}
