// SPDX-License-Identifier: BSD-2-Clause
/* Loads all initrds into one segment: files, sections of a unified image, and what is registered before us. */
#include "boot/initrd.h"
#include "boot/initrd_content.h"
#include "boot/log.h"
#include "boot/pool.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"
#include "efi/load/load.h"
#include "efi/load/part.h"

/* One initrd while it is loaded: a section of a unified image that is in memory already, or a part that is read. */
struct initrd {
	bool is_section;
	enum unified_part section;
	struct part_reader reader; /* closed for a section */
	const char *name;
	uint64_t size;
	uint64_t offset; /* from the beginning of the segment */
};

struct initrd_loader {
	struct digest *digest;
	const struct unified_file *unified;
	struct initrd *initrds; /* in the order in which Linux sees them */
	size_t count;
	const struct kexec_segment *segment;
};

static void add_section(struct initrd_loader *loader, enum unified_part section)
{
	loader->initrds[loader->count++] = (struct initrd){
		.is_section = true,
		.section = section,
		.name = unified_section_name(section),
		.size = loader->unified->image.sections[section].size,
	};
}

static enum kexec_status add_part(struct initrd_loader *loader, const struct boot_part *part, struct sources *sources)
{
	struct initrd *initrd = &loader->initrds[loader->count];
	enum kexec_status status;

	status = part_open(sources, part, &initrd->reader);
	if (status)
		return status;
	initrd->name = part->name;
	initrd->size = part_size(&initrd->reader);
	loader->count++;
	return KEXEC_OK;
}

/* Adds the sections that are microcode, or all others. */
static void add_sections(struct initrd_loader *loader, bool microcode)
{
	size_t count = unified_initrd_count(&loader->unified->image);

	for (size_t i = 0; i < count; i++) {
		enum unified_part section = unified_initrd(&loader->unified->image, i);

		if ((section == UNIFIED_MICROCODE) == microcode)
			add_section(loader, section);
	}
}

/* Adds the initrd that is registered before us, or all others. */
static enum kexec_status add_parts(struct initrd_loader *loader, const struct boot_plan *plan, bool registered,
				   struct sources *sources)
{
	enum kexec_status status = KEXEC_OK;

	for (size_t i = 0; !status && i < plan->initrd_count; i++) {
		if ((plan->initrds[i].source == PART_FROM_LOADER) == registered)
			status = add_part(loader, &plan->initrds[i], sources);
	}
	return status;
}

/*
 * In the order of systemd-stub: microcode, which Linux looks for at the beginning only; what was registered before us;
 * the unified image's own; the entry's. Of two files of one name Linux keeps the later.
 */
static enum kexec_status add_initrds(struct initrd_loader *loader, const struct boot_plan *plan,
				     struct sources *sources)
{
	enum kexec_status status;

	add_sections(loader, true);
	status = add_parts(loader, plan, true, sources);
	if (status)
		return status;
	add_sections(loader, false);
	return add_parts(loader, plan, false, sources);
}

/* Finds out where they go, and how large they are together. */
static enum kexec_status plan_initrds(const struct initrd_loader *loader, uint64_t *ret_size)
{
	enum kexec_status status = KEXEC_OK;
	uint64_t size = 0;

	for (size_t i = 0; !status && i < loader->count; i++) {
		struct initrd *initrd = &loader->initrds[i];

		status = initrd_append(initrd->name, initrd->size, &size, &initrd->offset);
	}
	*ret_size = size;
	return status;
}

static bool is_registered(const struct initrd *initrd)
{
	return !initrd->is_section && initrd->reader.part->source == PART_FROM_LOADER;
}

/* What all initrds from number `first` on take, with the padding between them. */
static uint64_t size_from(const struct initrd_loader *loader, size_t first)
{
	const struct initrd *last = &loader->initrds[loader->count - 1];

	return last->offset + last->size - loader->initrds[first].offset;
}

/* The number of the registered one; loader->count: there is none. */
static size_t find_registered(const struct initrd_loader *loader)
{
	size_t i = 0;

	while (i < loader->count && !is_registered(&loader->initrds[i]))
		i++;
	return i;
}

/*
 * systemd-boot both registers its initrds and names them in the load options, and so does edk2 with QEMU's. Finds the
 * first of those that the registered one is as long as, with the padding behind them; loader->count: there is none.
 */
static size_t find_twin(const struct initrd_loader *loader, size_t registered)
{
	for (size_t i = registered + 1; i < loader->count; i++) {
		uint64_t size = loader->initrds[registered].size;
		uint64_t named = size_from(loader, i);

		if (!loader->initrds[i].is_section && size >= named &&
		    align_up(size, INITRD_ALIGN) == align_up(named, INITRD_ALIGN))
			return i;
	}
	return loader->count;
}

static void leave_out(struct initrd_loader *loader, size_t index)
{
	part_close(&loader->initrds[index].reader);
	loader->count--;
	for (size_t i = index; i < loader->count; i++)
		loader->initrds[i] = loader->initrds[i + 1];
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

static enum kexec_status read_initrd(const struct initrd_loader *loader, size_t index, const char *region)
{
	struct initrd *initrd = &loader->initrds[index];
	uint64_t addr = initrd_addr(loader, index);

	if (!initrd->is_section)
		return part_load(&initrd->reader, addr, loader->digest, region);
	unified_file_copy(loader->unified, initrd->section, addr);
	unified_file_add_region(loader->unified, initrd->section, addr, loader->digest, region);
	return KEXEC_OK;
}

/* Each a region: initrd, initrd2, and so on. */
static enum kexec_status read_initrds(const struct initrd_loader *loader, size_t count)
{
	char name[REGION_NAME_SIZE] = "initrd";
	enum kexec_status status = KEXEC_OK;

	for (size_t i = 0; !status && i < count; i++) {
		status = read_initrd(loader, i, name);
		format_text(name, sizeof(name), "initrd%zu", i + 2);
	}
	return status;
}

/* With zeros behind it, as digest_close writes them behind a region. */
static enum kexec_status read_unhashed(struct part_reader *reader, uint64_t addr)
{
	uint64_t size = part_size(reader);

	memset(phys_to_ptr(addr + size), 0, region_covered(size) - size);
	return part_load_unhashed(reader, addr);
}

/* Those from number `first` on are one region, which is hashed before any of them is compared. None is a section. */
static enum kexec_status read_shared_initrds(const struct initrd_loader *loader, size_t first)
{
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
		   initrd_addr(loader, first) + size_from(loader, first));
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
		const struct initrd *initrd = &loader->initrds[i];

		initrd_look(&look, initrd->name, phys_to_ptr(initrd_addr(loader, i)), initrd->size);
	}
}

/* What was registered before us is no part of the plan, nor a section. */
static void report_added(const struct initrd_loader *loader, const struct load_target *target)
{
	for (size_t i = 0; i < loader->count; i++) {
		const struct initrd *initrd = &loader->initrds[i];

		if (!initrd->is_section && !is_registered(initrd) && initrd->reader.part->source != PART_IN_IMAGE)
			target->added_initrd(initrd->name, phys_to_ptr(initrd_addr(loader, i)), initrd->size);
	}
}

/* Leaves a registered initrd where it is that the plan names as well, once the two have been compared. */
static enum kexec_status load_without_twin(struct initrd_loader *loader, const struct load_target *target,
					   const struct kernel *kernel, uint64_t size)
{
	size_t registered = find_registered(loader);
	size_t twin = find_twin(loader, registered);
	bool has_twin = twin < loader->count;
	enum kexec_status status = KEXEC_OK;

	if (has_twin) {
		leave_out(loader, registered);
		twin--;
		status = plan_initrds(loader, &size);
	}
	if (!status)
		status = place_initrds(kernel, size, target->kexec_image, loader);
	if (!status)
		status = read_all_initrds(loader);
	if (status || !has_twin)
		return status;
	/* Behind the last one are zeros, up to the end of its page. */
	return registered_initrd_expect(&target->sources->registered, phys_to_ptr(initrd_addr(loader, twin)),
					loader->initrds[twin].name);
}

static enum kexec_status load_all(struct initrd_loader *loader, const struct boot_plan *plan,
				  const struct kernel *kernel, const struct load_target *target)
{
	enum kexec_status status;
	uint64_t size;

	status = add_initrds(loader, plan, target->sources);
	if (!status)
		status = plan_initrds(loader, &size);
	if (!status)
		status = load_without_twin(loader, target, kernel, size);
	if (status)
		return status;
	look_at_initrds(loader);
	if (kernel->view.bytes)
		report_added(loader, target);
	return KEXEC_OK;
}

/* That of a unified image, which is in its place already. */
static void look_at_kept(const struct kexec_segment *segment)
{
	struct initrd_look look = { 0 };

	initrd_look(&look, unified_section_name(UNIFIED_INITRD), phys_to_ptr(segment->mem), segment->bufsz);
}

enum kexec_status load_initrds(const struct boot_plan *plan, const struct kernel *kernel,
			       const struct load_target *target, const struct kexec_segment **ret_segment)
{
	struct initrd_loader loader = { .digest = target->digest, .unified = &kernel->unified };
	size_t count = unified_initrd_count(&kernel->unified.image) + plan->initrd_count;
	enum kexec_status status;
	void *memory;

	*ret_segment = kernel->unified.initrd;
	if (*ret_segment)
		look_at_kept(*ret_segment);
	if (!count || *ret_segment)
		return KEXEC_OK;
	status = pool_alloc(count * sizeof(*loader.initrds), "initrds", &memory);
	if (status)
		return status;
	memset(memory, 0, count * sizeof(*loader.initrds));
	loader.initrds = memory;
	status = load_all(&loader, plan, kernel, target);
	if (!status)
		*ret_segment = loader.segment;
	close_initrds(&loader);
	pool_free(memory);
	return status;
}
