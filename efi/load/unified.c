// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads each byte of a unified image once. The kernel is read to its place, unless the platform must see the file in
 * one piece.
 */
#include "efi/load/unified.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"
#include "efi/services/cpu_mode.h"

static const struct unified_section *section_of(const struct kernel *kernel)
{
	return &kernel->unified.image.sections[UNIFIED_KERNEL];
}

/* Bytes of .linux to read before it has a place. Zeros that the file leaves out are not read. */
static uint64_t probe_size(const struct kernel *kernel)
{
	uint64_t size = section_of(kernel)->file_size;

	return size < sizeof(kernel->probe) ? size : sizeof(kernel->probe);
}

/* Plans the kernel by its beginning, which has been read with the file, and gives it a place. */
static enum kexec_status place_kernel(struct kexec_image *kexec_image, struct kernel *kernel)
{
	char name[160];
	struct kernel_probe probe = {
		.name = name,
		.bytes = kernel->probe,
		.size = probe_size(kernel),
		.file_size = section_of(kernel)->size,
		.paging = cpu_paging(),
	};
	enum kexec_status status;

	format_text(name, sizeof(name), "%s: .linux", kernel->part->name);
	memcpy(kernel->probe, kernel->unified.bytes + section_of(kernel)->offset, probe.size);
	kernel->probe_size = probe.size;
	kernel->file_size = probe.file_size;
	status = kernel_plan_file(&probe, &kernel->plan);
	if (status)
		return status;
	if (kernel->plan.format == &unified_image_format)
		return log_error(KEXEC_UNSUPPORTED, "%s: expected a kernel, found another unified image", name);
	return load_place_kernel(kexec_image, kernel);
}

/* Reads the kernel behind its beginning, which is already read. */
static enum kexec_status read_kernel(struct part_reader *reader, struct kexec_image *kexec_image, struct kernel *kernel)
{
	const struct unified_section *section = section_of(kernel);
	enum kexec_status status = place_kernel(kexec_image, kernel);
	uint64_t addr;

	if (status)
		return status;
	addr = (uintptr_t)kernel->file;
	memcpy(phys_to_ptr(addr), kernel->probe, kernel->probe_size);
	memset(phys_to_ptr(addr + section->file_size), 0, section->size - section->file_size);
	return part_read(reader, addr + kernel->probe_size, section->file_size - kernel->probe_size);
}

/* Reads [start, end) of the file to its place. */
static enum kexec_status read_range(struct part_reader *reader, const struct kernel *kernel, uint64_t start,
				    uint64_t end)
{
	return part_read(reader, (uintptr_t)kernel->unified.bytes + start, end - start);
}

static enum kexec_status read_file(struct part_reader *reader, const struct load_target *target, struct kernel *kernel)
{
	const struct unified_section *section = section_of(kernel);
	uint64_t file_size = kernel->file_size;
	uint64_t probed = kernel->probe_size;
	enum kexec_status status;

	if (target->needs_whole_file() || section->offset < probed)
		return read_range(reader, kernel, probed, file_size);
	/* In one read, because for each read the firmware's FAT driver searches the place on the disk again. */
	status = read_range(reader, kernel, probed, section->offset + probe_size(kernel));
	if (!status)
		status = read_kernel(reader, target->kexec_image, kernel);
	if (!status)
		status = read_range(reader, kernel, section->offset + section->file_size, file_size);
	return status;
}

enum kexec_status unified_read(struct part_reader *reader, const struct boot_plan *plan,
			       const struct load_target *target, struct kernel *kernel)
{
	struct unified_file *file = &kernel->unified;
	enum kexec_status status;

	file->image = kernel->plan.unified;
	status = unified_file_place(file, plan, kernel->file_size, target->kexec_image, target->digest);
	if (!status)
		status = part_start_sections(reader, &file->hasher, kernel->probe);
	if (status)
		return status;
	kernel->file = file->bytes;
	memcpy(file->bytes, kernel->probe, kernel->probe_size);
	status = read_file(reader, target, kernel);
	return status ? status : part_finish_sections(reader);
}

static enum kexec_status move_kernel(struct kexec_image *kexec_image, struct kernel *kernel)
{
	enum kexec_status status = place_kernel(kexec_image, kernel);

	if (!status)
		unified_file_copy(&kernel->unified, UNIFIED_KERNEL, (uintptr_t)kernel->file);
	return status;
}

enum kexec_status load_unified_kernel(struct boot_plan *plan, const struct load_target *target, struct kernel *kernel)
{
	struct unified_file *file = &kernel->unified;
	enum kexec_status status = KEXEC_OK;
	uint64_t addr;

	if (!file->bytes)
		return KEXEC_OK;
	if (!kernel->segment)
		status = move_kernel(target->kexec_image, kernel);
	if (status)
		return status;
	addr = (uintptr_t)kernel->file;
	unified_file_add_region(file, UNIFIED_KERNEL, addr, target->digest, kernel->segment->name);
	digest_add_zeros(target->digest, kernel->segment, addr + region_covered(kernel->file_size));
	status = unified_file_settle_command_line(file, plan, target->is_judged());
	if (status)
		return status;
	return unified_file_keep_initrd(file, kernel->part->name, kernel->plan.initrd_memory.max, target->digest);
}
