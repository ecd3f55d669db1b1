// SPDX-License-Identifier: BSD-2-Clause
/* Moves the sections of unified images. */
#include "boot/unified_file.h"

#include "boot/command_line.h"
#include "boot/log.h"
#include "boot/pool.h"
#include "boot/unified_options.h"
#include "common/align.h"
#include "common/string.h"

/* Every kernel accepts an initrd up to here (Documentation/arch/x86/boot.rst, initrd_addr_max). */
#define INITRD_MAX 0x7fffffffu

/* Linux needs an initrd that begins at a page, and all initrds in a row. */
static bool initrd_may_stay(const struct boot_plan *plan, const struct unified_file *file)
{
	const struct unified_section *initrd = &file->image.sections[UNIFIED_INITRD];

	return plan->initrd_count == 0 && !file->has_extras && unified_initrd_count(&file->image) == 1 &&
	       initrd->size && initrd->size == initrd->file_size;
}

/* Memory for a file, with its byte `lead` at the beginning of a page. */
static struct memory_request request(uint64_t file_size, uint64_t lead)
{
	return (struct memory_request){
		.kind = MEMORY_DATA,
		.top_down = true,
		.lead = lead,
		.size = file_size - lead,
		.align = PAGE_SIZE,
		.min = LOW_MEMORY_END + align_up(lead, PAGE_SIZE),
		.max = UINT64_MAX,
		.preferred_max = INITRD_MAX,
	};
}

static enum kexec_status place_around_initrd(struct unified_file *file, uint64_t size, struct kexec_image *kexec_image)
{
	const struct unified_section *initrd = &file->image.sections[UNIFIED_INITRD];
	const struct segment_request segment_request = {
		.name = "initrd",
		.bufsz = initrd->size,
		.memsz = initrd->size,
		.stage = DIGEST_FILES,
		.memory = request(size, initrd->offset),
	};
	struct kexec_segment *segment;
	enum kexec_status status;

	status = kexec_image_add_segment(kexec_image, &segment_request, &segment);
	if (status)
		return status;
	file->initrd = segment;
	file->bytes = phys_to_ptr(segment->mem - initrd->offset);
	return KEXEC_OK;
}

enum kexec_status unified_file_place(struct unified_file *file, const struct boot_plan *plan, uint64_t size,
				     struct kexec_image *kexec_image, struct digest *digest)
{
	const struct memory_request whole = request(size, 0);
	enum kexec_status status;
	uint64_t addr;

	file->hasher = (struct unified_hasher){ .image = &file->image, .state = digest->hash };
	if (initrd_may_stay(plan, file))
		return place_around_initrd(file, size, kexec_image);
	status = memory_alloc(&whole, "unified image", &addr, &file->pages);
	if (!status)
		file->bytes = phys_to_ptr(addr);
	return status;
}

void unified_file_copy(const struct unified_file *file, enum unified_part part, uint64_t addr)
{
	const struct unified_section *section = &file->image.sections[part];

	memcpy(phys_to_ptr(addr), file->bytes + section->offset, section->file_size);
	memset(phys_to_ptr(addr + section->file_size), 0, section->size - section->file_size);
}

void unified_file_add_region(const struct unified_file *file, enum unified_part part, uint64_t addr,
			     struct digest *digest, const char *name)
{
	digest_add_known(digest, name, addr, file->image.sections[part].size, file->hasher.digests[part]);
}

enum kexec_status unified_file_keep_initrd(const struct unified_file *file, const char *name, uint64_t max,
					   struct digest *digest)
{
	const struct kexec_segment *segment = file->initrd;

	if (!segment)
		return KEXEC_OK;
	if (segment->mem + (segment->memsz - 1) > max)
		return log_error(KEXEC_NO_MEMORY, "%s: .initrd: expected room up to 0x%lx, found 0x%lx bytes at 0x%lx",
				 name, max, segment->memsz, segment->mem);
	unified_file_add_region(file, UNIFIED_INITRD, segment->mem, digest, segment->name);
	digest_add_zeros(digest, segment, segment->mem + region_covered(segment->bufsz));
	return KEXEC_OK;
}

/*
 * Compares the text with its digest, because memory may have changed since it was read, and nothing else would notice.
 */
enum kexec_status unified_file_settle_command_line(struct unified_file *file, struct boot_plan *plan, bool is_signed)
{
	const struct unified_section *section = &file->image.sections[UNIFIED_COMMAND_LINE];
	struct embedded_line embedded = { .is_signed = is_signed };
	enum kexec_status status;
	void *memory;

	status = pool_alloc(unified_command_line_size(plan, &file->image), "command line", &memory);
	if (status)
		return status;
	file->command_line_memory = memory;
	memcpy(memory, file->bytes + section->offset, section->file_size);
	if (section->size && !unified_hasher_agrees(&file->hasher, UNIFIED_COMMAND_LINE, memory))
		return log_error(KEXEC_MISMATCH, "%s: .cmdline: expected its %lu bytes as they were read, found others",
				 plan->kernel.name, section->file_size);
	file->command_line = unified_command_line(plan, memory, section->file_size, &embedded.text);
	embedded.whole = file->command_line;
	return command_line_carry_out_embedded(plan, &file->image, &embedded);
}

void unified_file_free(struct unified_file *file)
{
	if (file->pages.size)
		memory_free(&file->pages);
	pool_free(file->command_line_memory);
	*file = (struct unified_file){ 0 };
}
