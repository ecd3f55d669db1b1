// SPDX-License-Identifier: BSD-2-Clause
/* Loads kernel, initrds and command line. */
#include "efi/source/load.h"

#include "boot/initrd.h"
#include "boot/log.h"
#include "boot/pool.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/services/cpu_mode.h"
#include "efi/source/part.h"

/* Reads the first bytes of the kernel, which say where it goes. */
static enum kexec_status plan_kernel(struct part_reader *reader, struct kernel *kernel)
{
	struct kernel_probe probe = {
		.name = kernel->part->name,
		.bytes = kernel->probe,
		.file_size = part_size(reader),
		.paging = cpu_paging(),
	};
	enum kexec_status status;

	probe.size = probe.file_size < sizeof(kernel->probe) ? probe.file_size : sizeof(kernel->probe);
	kernel->file_size = probe.file_size;
	kernel->probe_size = probe.size;
	status = part_read(reader, (uintptr_t)kernel->probe, probe.size, NULL);
	if (status)
		return status;
	return kernel_plan_file(&probe, &kernel->plan);
}

static enum kexec_status place_kernel(struct kexec_image *kexec_image, struct kernel *kernel)
{
	const struct segment_request request = {
		.name = "kernel",
		.bufsz = kernel->plan.content_size,
		.memsz = kernel->plan.content_size,
		.stage = DIGEST_EARLY,
		.memory = kernel->plan.memory,
	};
	struct kexec_segment *segment;
	enum kexec_status status;

	status = kexec_image_add_segment(kexec_image, &request, &segment);
	if (status)
		return status;
	kernel->segment = segment;
	kernel->file = phys_to_ptr(segment->mem - kernel->plan.lead_size);
	return KEXEC_OK;
}

static enum kexec_status read_kernel(struct part_reader *reader, const struct load_target *target,
				     struct kernel *kernel)
{
	enum kexec_status status;
	uint64_t addr;

	status = plan_kernel(reader, kernel);
	if (status)
		return status;
	status = place_kernel(target->kexec_image, kernel);
	if (status)
		return status;

	/* What the plan was made from is what lies in memory: the probe is not read again. */
	addr = (uintptr_t)kernel->file;
	memcpy(phys_to_ptr(addr), kernel->probe, kernel->probe_size);
	digest_open(target->digest, kernel->segment);
	digest_arrived(target->digest, addr, kernel->probe_size);
	status = part_read(reader, addr + kernel->probe_size, kernel->file_size - kernel->probe_size, target->digest);
	if (status)
		return status;
	return part_finish(reader);
}

enum kexec_status load_kernel(const struct boot_plan *plan, const struct load_target *target, struct kernel *ret_kernel)
{
	struct part_reader reader;
	enum kexec_status status;

	status = part_open(target->sources, &plan->kernel, &reader);
	if (status)
		return status;
	ret_kernel->part = &plan->kernel;
	status = read_kernel(&reader, target, ret_kernel);
	if (!status)
		log_verbose("kernel reserved 0x%016lx size 0x%016lx", ret_kernel->segment->mem,
			    ret_kernel->plan.init_size);
	part_close(&reader);
	return status;
}

/* The initrds while they are loaded. */
struct initrd_loader {
	const struct boot_plan *plan;
	struct digest *digest;
	struct part_reader *readers; /* one for each initrd, zeroed until it is opened */
	const struct kexec_segment *segment;
};

/* Opens all of them, and finds out how large they are together. */
static enum kexec_status open_initrds(const struct initrd_loader *loader, struct sources *sources, uint64_t *ret_size)
{
	uint64_t size = 0;

	for (size_t i = 0; i < loader->plan->initrd_count; i++) {
		const struct boot_part *part = &loader->plan->initrds[i];
		enum kexec_status status;
		uint64_t offset;

		status = part_open(sources, part, &loader->readers[i]);
		if (status)
			return status;
		status = initrd_append(part->name, part_size(&loader->readers[i]), &size, &offset);
		if (status)
			return status;
	}
	*ret_size = size;
	return KEXEC_OK;
}

static void close_initrds(const struct initrd_loader *loader)
{
	for (size_t i = 0; i < loader->plan->initrd_count; i++)
		part_close(&loader->readers[i]);
}

static enum kexec_status place_initrds(const struct kernel *kernel, uint64_t size, struct kexec_image *kexec_image,
				       struct initrd_loader *loader)
{
	const struct segment_request request = {
		.name = "initrd",
		.bufsz = size,
		.memsz = size,
		.stage = DIGEST_EARLY,
		.memory = kernel_initrd_request(&kernel->plan, size),
	};
	struct kexec_segment *segment;
	enum kexec_status status;

	status = kexec_image_add_segment(kexec_image, &request, &segment);
	if (!status)
		loader->segment = segment;
	return status;
}

/* Reads one initrd behind the *size bytes that the segment holds so far, zeros in between. */
static enum kexec_status read_initrd(const struct initrd_loader *loader, struct part_reader *reader, uint64_t *size)
{
	uint64_t start = loader->segment->mem;
	uint64_t end = *size;
	enum kexec_status status;
	uint64_t offset;

	status = initrd_append(reader->part->name, part_size(reader), size, &offset);
	if (status)
		return status;
	memset(phys_to_ptr(start + end), 0, offset - end);
	digest_arrived(loader->digest, start + end, offset - end);
	status = part_read(reader, start + offset, part_size(reader), loader->digest);
	if (status)
		return status;
	return part_finish(reader);
}

static enum kexec_status read_initrds(const struct initrd_loader *loader)
{
	uint64_t size = 0;

	digest_open(loader->digest, loader->segment);
	for (size_t i = 0; i < loader->plan->initrd_count; i++) {
		enum kexec_status status = read_initrd(loader, &loader->readers[i], &size);

		if (status)
			return status;
	}
	digest_close(loader->digest, loader->segment);
	return KEXEC_OK;
}

enum kexec_status load_initrds(const struct boot_plan *plan, const struct kernel *kernel,
			       const struct load_target *target, const struct kexec_segment **ret_segment)
{
	struct initrd_loader loader = { .plan = plan, .digest = target->digest };
	size_t readers_size = plan->initrd_count * sizeof(*loader.readers);
	enum kexec_status status;
	void *memory;
	uint64_t size;

	*ret_segment = NULL;
	if (!plan->initrd_count)
		return KEXEC_OK;
	status = pool_alloc(readers_size, "initrds", &memory);
	if (status)
		return status;
	memset(memory, 0, readers_size);
	loader.readers = memory;
	status = open_initrds(&loader, target->sources, &size);
	if (!status)
		status = place_initrds(kernel, size, target->kexec_image, &loader);
	if (!status)
		status = read_initrds(&loader);
	if (!status)
		*ret_segment = loader.segment;
	close_initrds(&loader);
	pool_free(memory);
	return status;
}

enum kexec_status load_command_line(const struct boot_plan *plan, const struct kernel *kernel,
				    struct kexec_image *kexec_image, const struct kexec_segment **ret_segment)
{
	struct text text = plan->command_line;
	struct kexec_segment *segment;
	enum kexec_status status;

	status = kernel_check_command_line(&kernel->plan, text.length);
	if (status)
		return status;
	status = kexec_image_add_data(kexec_image, "cmdline", text.length + 1, DIGEST_EARLY, &segment);
	if (status)
		return status;
	memcpy(phys_to_ptr(segment->mem), text.start, text.length + 1);
	*ret_segment = segment;
	return KEXEC_OK;
}
