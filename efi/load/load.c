// SPDX-License-Identifier: BSD-2-Clause
/* Loads kernel, initrds and command line. */
#include "efi/load/load.h"

#include "boot/destination.h"
#include "boot/initrd.h"
#include "boot/initrd_content.h"
#include "boot/log.h"
#include "boot/pool.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"
#include "efi/load/part.h"
#include "efi/services/cpu_mode.h"
#include "efi/services/memory_map.h"

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
	status = part_probe(reader, kernel->probe, probe.size);
	if (status)
		return status;
	return kernel_plan_file(&probe, &kernel->plan);
}

/* Most kernels go where there is room. Only for one with a fixed address the map decides. */
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

static enum kexec_status place_kernel(struct kexec_image *kexec_image, struct kernel *kernel)
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

	status = plan_kernel(reader, kernel);
	if (status)
		return status;
	status = place_kernel(target->kexec_image, kernel);
	if (status)
		return status;

	/* What the plan was made from is what lies in memory: the probe is not read again. */
	addr = (uintptr_t)kernel->file;
	memcpy(phys_to_ptr(addr), kernel->probe, kernel->probe_size);
	status = part_load(reader, addr, target->digest, kernel->segment->name);
	if (status)
		return status;
	digest_add_zeros(target->digest, kernel->segment, addr + region_covered(kernel->file_size));
	return KEXEC_OK;
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

/* One initrd while it is loaded. A zeroed one is not opened yet. */
struct initrd {
	struct part_reader reader;
	uint64_t offset; /* from the beginning of the segment */
};

struct initrd_loader {
	struct digest *digest;
	struct initrd *initrds;
	size_t count;
	const struct kexec_segment *segment;
};

static enum kexec_status open_initrds(const struct initrd_loader *loader, const struct boot_plan *plan,
				      struct sources *sources)
{
	enum kexec_status status = KEXEC_OK;

	for (size_t i = 0; !status && i < loader->count; i++)
		status = part_open(sources, &plan->initrds[i], &loader->initrds[i].reader);
	return status;
}

/* Finds out where they go, and how large they are together. */
static enum kexec_status plan_initrds(const struct initrd_loader *loader, uint64_t *ret_size)
{
	enum kexec_status status = KEXEC_OK;
	uint64_t size = 0;

	for (size_t i = 0; !status && i < loader->count; i++) {
		struct initrd *initrd = &loader->initrds[i];

		status = initrd_append(initrd->reader.part->name, part_size(&initrd->reader), &size, &initrd->offset);
	}
	*ret_size = size;
	return status;
}

/*
 * systemd-boot both registers its initrds and names them in the load options, and so does edk2 with QEMU's. Returns the
 * first of those that the registered one is as long as, with the padding behind them; 0 for none.
 */
static size_t find_twin(const struct initrd_loader *loader, uint64_t size)
{
	uint64_t registered = part_size(&loader->initrds[0].reader);

	if (loader->initrds[0].reader.part->source != PART_FROM_LOADER)
		return 0;
	for (size_t i = 1; i < loader->count; i++) {
		uint64_t named = size - loader->initrds[i].offset;

		if (registered >= named && align_up(registered, INITRD_ALIGN) == align_up(named, INITRD_ALIGN))
			return i;
	}
	return 0;
}

/* Leaves the registered initrd, which stands first, where it is. It is still compared with its twin. */
static void leave_out_registered(struct initrd_loader *loader, uint64_t *size)
{
	uint64_t offset = loader->initrds[1].offset;

	loader->initrds++;
	loader->count--;
	*size -= offset;
	for (size_t i = 0; i < loader->count; i++)
		loader->initrds[i].offset -= offset;
}

static void close_initrds(const struct initrd_loader *loader)
{
	for (size_t i = 0; i < loader->count; i++)
		part_close(&loader->initrds[i].reader);
}

static enum kexec_status place_initrds(const struct kernel *kernel, uint64_t size, struct kexec_image *kexec_image,
				       struct initrd_loader *loader)
{
	const struct segment_request request = {
		.name = "initrd",
		.bufsz = size,
		.memsz = size,
		.stage = DIGEST_FILES,
		.memory = kernel_initrd_request(&kernel->plan, size),
	};
	struct kexec_segment *segment;
	enum kexec_status status;

	status = kexec_image_add_segment(kexec_image, &request, &segment);
	if (!status)
		loader->segment = segment;
	return status;
}

static uint64_t initrd_addr(const struct initrd_loader *loader, size_t index)
{
	return loader->segment->mem + loader->initrds[index].offset;
}

/* Each a region: initrd, initrd2, and so on. */
static enum kexec_status read_initrds(const struct initrd_loader *loader, size_t count)
{
	char name[REGION_NAME_SIZE] = "initrd";

	for (size_t i = 0; i < count; i++) {
		enum kexec_status status;

		status = part_load(&loader->initrds[i].reader, initrd_addr(loader, i), loader->digest, name);
		if (status)
			return status;
		format_text(name, sizeof(name), "initrd%zu", i + 2);
	}
	return KEXEC_OK;
}

/* With zeros behind it, as digest_close writes them behind a region. */
static enum kexec_status read_unhashed(struct part_reader *reader, uint64_t addr)
{
	uint64_t size = part_size(reader);

	memset(phys_to_ptr(addr + size), 0, region_covered(size) - size);
	return part_load_unhashed(reader, addr);
}

/* Those from number `first` on are one region, which is hashed before any of them is compared. */
static enum kexec_status read_shared_initrds(const struct initrd_loader *loader, size_t first)
{
	const struct initrd *last = &loader->initrds[loader->count - 1];
	enum kexec_status status = KEXEC_OK;
	char name[REGION_NAME_SIZE];

	log_info("initrds %zu to %zu share one region of the digest: expected at most %u initrds for one each",
		 first + 1, loader->count, INITRD_REGIONS_MAX);
	for (size_t i = first; !status && i < loader->count; i++)
		status = read_unhashed(&loader->initrds[i].reader, initrd_addr(loader, i));
	if (status)
		return status;
	format_text(name, sizeof(name), "initrd%zu", first + 1);
	digest_add(loader->digest, name, initrd_addr(loader, first),
		   initrd_addr(loader, loader->count - 1) + part_size(&last->reader));
	for (size_t i = first; !status && i < loader->count; i++)
		status = part_check(&loader->initrds[i].reader, initrd_addr(loader, i), loader->digest);
	return status;
}

static enum kexec_status read_all_initrds(const struct initrd_loader *loader)
{
	size_t alone = loader->count <= INITRD_REGIONS_MAX ? loader->count : INITRD_REGIONS_MAX - 1;
	enum kexec_status status;

	status = read_initrds(loader, alone);
	if (!status && alone < loader->count)
		status = read_shared_initrds(loader, alone);
	if (!status)
		digest_add_zeros(loader->digest, loader->segment,
				 loader->segment->mem + region_covered(loader->segment->bufsz));
	return status;
}

/* Once all of them are there, and have their digests. */
static void look_at_initrds(const struct initrd_loader *loader)
{
	struct initrd_look look = { 0 };

	for (size_t i = 0; i < loader->count; i++) {
		const struct part_reader *reader = &loader->initrds[i].reader;

		initrd_look(&look, reader->part->name, phys_to_ptr(initrd_addr(loader, i)), part_size(reader));
	}
}

/* Behind the last one are zeros, up to the end of its page. */
static enum kexec_status expect_twin(const struct initrd_loader *loader, size_t twin, struct sources *sources)
{
	const struct initrd *named = &loader->initrds[twin - 1];

	return registered_initrd_expect(&sources->registered, phys_to_ptr(initrd_addr(loader, twin - 1)),
					named->reader.part->name);
}

/* Loads what is opened. */
static enum kexec_status load_opened_initrds(struct initrd_loader loader, const struct kernel *kernel,
					     const struct load_target *target, const struct kexec_segment **ret_segment)
{
	enum kexec_status status;
	uint64_t size;
	size_t twin;

	status = plan_initrds(&loader, &size);
	if (status)
		return status;
	twin = find_twin(&loader, size);
	if (twin)
		leave_out_registered(&loader, &size);
	status = place_initrds(kernel, size, target->kexec_image, &loader);
	if (!status)
		status = read_all_initrds(&loader);
	if (!status && twin)
		status = expect_twin(&loader, twin, target->sources);
	if (status)
		return status;
	look_at_initrds(&loader);
	*ret_segment = loader.segment;
	return KEXEC_OK;
}

enum kexec_status load_initrds(const struct boot_plan *plan, const struct kernel *kernel,
			       const struct load_target *target, const struct kexec_segment **ret_segment)
{
	struct initrd_loader loader = { .digest = target->digest, .count = plan->initrd_count };
	size_t initrds_size = loader.count * sizeof(*loader.initrds);
	enum kexec_status status;
	void *memory;

	*ret_segment = NULL;
	if (!loader.count)
		return KEXEC_OK;
	status = pool_alloc(initrds_size, "initrds", &memory);
	if (status)
		return status;
	memset(memory, 0, initrds_size);
	loader.initrds = memory;
	status = open_initrds(&loader, plan, target->sources);
	if (!status)
		status = load_opened_initrds(loader, kernel, target, ret_segment);
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
