// SPDX-License-Identifier: BSD-2-Clause
/* Loads kernel and command line. */
#include "efi/load/load.h"

#include "boot/command_line.h"
#include "boot/destination.h"
#include "boot/log.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/load/find_console.h"
#include "efi/load/part.h"
#include "efi/load/unified.h"
#include "efi/services/cpu_mode.h"
#include "efi/services/memory_map.h"

/*
 * Reads the first bytes of the kernel, and plans its place by them. If the kernel is a section of our own image, the
 * profile has already chosen the section.
 */
static enum kexec_status plan_kernel(struct part_reader *reader, const struct boot_plan *plan, struct kernel *kernel)
{
	bool is_section = kernel->part->source == PART_IN_IMAGE;
	struct kernel_probe probe = {
		.name = kernel->part->name,
		.bytes = kernel->probe,
		.file_size = part_size(reader),
		.has_profile = plan->has_profile && !is_section,
		.profile = is_section ? 0 : plan->profile,
		.paging = cpu_paging(),
	};
	enum kexec_status status;

	probe.size = probe.file_size < sizeof(kernel->probe) ? probe.file_size : sizeof(kernel->probe);
	kernel->file_size = probe.file_size;
	kernel->probe_size = probe.size;
	status = part_probe(reader, kernel->probe, probe.size);
	if (status)
		return status;
	status = kernel_plan_file(&probe, &kernel->plan);
	if (!status && kernel->plan.format == &unified_image_format && is_section)
		return log_error(KEXEC_UNSUPPORTED, "%s: expected a kernel, found another unified image", probe.name);
	return status;
}

/* Most kernels go where there is room. Only a kernel with a fixed address needs the memory map. */
static enum kexec_status choose_place(const struct kernel *kernel, struct memory_request *ret_request,
				      struct memory_pages *ret_destination)
{
	enum kexec_status status;
	struct memory_map map;

	*ret_request = kernel->plan.memory;
	if (!kernel->plan.elsewhere.size)
		return KEXEC_OK;
	status = memory_map_read(&map);
	if (status)
		return status;
	status = destination_choose(kernel->part->name, &kernel->plan, &map, ret_request, ret_destination);
	memory_map_free(&map);
	return status;
}

enum kexec_status load_place_kernel(struct kexec_image *kexec_image, struct kernel *kernel)
{
	struct segment_request request = {
		.name = "kernel",
		.bufsz = kernel->plan.content_size,
		.memsz = kernel->plan.content_size,
		.stage = DIGEST_FILES,
	};
	struct kexec_segment *segment;
	enum kexec_status status;

	status = choose_place(kernel, &request.memory, &kexec_image->destination);
	if (status)
		return status;
	status = kexec_image_add_segment(kexec_image, &request, &segment);
	if (status)
		return status;
	kernel->segment = segment;
	kernel->load_addr = kexec_image->destination.size ? kexec_image->destination.addr : segment->mem;
	kernel->file = phys_to_ptr(segment->mem - kernel->plan.lead_size);
	return KEXEC_OK;
}

static enum kexec_status read_kernel(struct part_reader *reader, const struct load_target *target,
				     struct kernel *kernel)
{
	enum kexec_status status;
	uint64_t addr;

	status = load_place_kernel(target->kexec_image, kernel);
	if (status)
		return status;

	/* Copy the probe instead of reading it again, so that memory holds the bytes that the plan was made from. */
	addr = (uintptr_t)kernel->file;
	memcpy(phys_to_ptr(addr), kernel->probe, kernel->probe_size);
	status = part_load(reader, addr, target->digest, kernel->segment->name);
	if (status)
		return status;
	digest_add_zeros(target->digest, kernel->segment, addr + region_covered(kernel->file_size));
	return KEXEC_OK;
}

/* Finds the sections of a unified image. Those of a file have no bytes until they are read. */
static enum kexec_status find_view(const struct load_target *target, struct kernel *kernel)
{
	const struct section_source *own = &target->sources->image;

	if (kernel->part->source == PART_IN_IMAGE) {
		kernel->view.bytes = own->image.bytes;
		return unified_sections_find("this image", &own->image, own->profile, &kernel->view.image);
	}
	if (kernel->plan.format == &unified_image_format)
		kernel->view.image = kernel->plan.unified;
	return KEXEC_OK;
}

/* Finds the extras first: without any, a unified image's initrd may stay where it is read. */
static enum kexec_status read_file(struct part_reader *reader, const struct boot_plan *plan,
				   const struct load_target *target, struct kernel *kernel)
{
	bool is_section = kernel->part->source == PART_IN_IMAGE;
	bool is_file = kernel->plan.format == &unified_image_format;
	const struct extras_request request = {
		.kernel = kernel->part,
		.view = is_section || is_file ? &kernel->view : NULL,
		.digests = is_section ? NULL : kernel->unified.hasher.digests,
		.addons_are_verified = target->addons_are_verified,
	};
	enum kexec_status status = find_view(target, kernel);

	if (!status)
		status = extras_find(&request, target->sources, target->extras);
	if (status || !is_file)
		return status ? status : read_kernel(reader, target, kernel);
	kernel->unified.has_extras = extras_may_add(target->extras);
	status = unified_read(reader, plan, target, kernel);
	kernel->view.bytes = kernel->unified.bytes;
	return status;
}

enum kexec_status load_kernel(const struct boot_plan *plan, const struct load_target *target, struct kernel *ret_kernel)
{
	struct part_reader reader;
	enum kexec_status status;

	status = part_open(target->sources, &plan->kernel, &reader);
	if (status)
		return status;
	ret_kernel->part = &plan->kernel;
	status = plan_kernel(&reader, plan, ret_kernel);
	if (!status)
		status = read_file(&reader, plan, target, ret_kernel);
	if (!status && ret_kernel->segment)
		log_verbose("kernel reserved 0x%016lx size 0x%016lx", ret_kernel->load_addr,
			    ret_kernel->plan.init_size);
	part_close(&reader);
	return status;
}

struct kernel_move kernel_find_move(const struct kernel *kernel)
{
	const struct kexec_segment *segment = kernel->segment;

	if (kernel->load_addr == segment->mem)
		return (struct kernel_move){ 0 };
	log_verbose("kernel moves to 0x%016lx", kernel->load_addr);
	return (struct kernel_move){ .from = segment->mem, .to = kernel->load_addr, .size = segment->memsz };
}

/* Empty if there is no room, or for a kernel that comes by itself: the entry's options are its whole command line. */
static struct text words_for_consoles(const struct kernel *kernel, struct text line,
				      char ret_words[SERIAL_CONSOLE_SIZE])
{
	struct text words = { 0 };

	if (kernel->view.bytes)
		words = find_console_words(line, ret_words);
	if (words.length >= kernel->plan.cmdline_size - line.length)
		words.length = 0;
	return words;
}

/* Carries out the options that were added, which follow those of the plan and the image. */
static void carry_out_added(struct boot_plan *plan, struct text whole, struct text said)
{
	struct text added = whole;

	if (whole.length <= said.length)
		return;
	text_drop(&added, said.length);
	command_line_carry_out_added(plan, whole, added);
}

enum kexec_status load_command_line(struct boot_plan *plan, const struct kernel *kernel,
				    const struct load_target *target, const struct kexec_segment **ret_segment)
{
	struct text said = kernel->unified.bytes ? kernel->unified.command_line : plan->command_line;
	char words_memory[SERIAL_CONSOLE_SIZE];
	struct kexec_segment *segment;
	enum kexec_status status;
	struct text words;
	struct text text;

	status = extras_settle_command_line(target->extras, said);
	if (status)
		return status;
	text = target->extras->command_line;
	carry_out_added(plan, text, said);
	status = kernel_check_command_line(&kernel->plan, text.length);
	if (status)
		return status;
	words = words_for_consoles(kernel, text, words_memory);
	status = kexec_image_add_data(target->kexec_image, "cmdline", serial_console_room(text, words), DIGEST_EARLY,
				      &segment);
	if (status)
		return status;
	serial_console_write(text, words, phys_to_ptr(segment->mem));
	*ret_segment = segment;
	return KEXEC_OK;
}
