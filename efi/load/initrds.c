// SPDX-License-Identifier: BSD-2-Clause
/* Loads all initrds into one segment. */
#include "boot/initrd.h"
#include "boot/initrd_content.h"
#include "boot/log.h"
#include "boot/pool.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"
#include "efi/load/initrd_list.h"
#include "efi/load/load.h"
#include "efi/load/part.h"
#include "efi/load/pcr_files.h"

struct initrd_loader {
	struct digest *digest;
	struct extras *extras;
	struct initrd_list list;
	const struct kexec_segment *segment;
};

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
	return loader->segment->mem + loader->list.initrds[index].offset;
}

/* Adds one region for the initrds from `first` to before `end`, and the padding between them. */
static void add_region(const struct initrd_loader *loader, size_t first, size_t end, const char *name)
{
	uint64_t start = initrd_addr(loader, first);

	digest_add(loader->digest, name, start, start + initrd_list_size(&loader->list, first, end - 1));
}

/* Writes zeros behind an initrd, as digest_close does behind a region. */
static void zero_behind(uint64_t addr, uint64_t size)
{
	memset(phys_to_ptr(addr + size), 0, region_covered(size) - size);
}

static enum kexec_status load_extra(const struct initrd_loader *loader, size_t index)
{
	const struct initrd *initrd = &loader->list.initrds[index];
	uint64_t addr = initrd_addr(loader, index);

	zero_behind(addr, initrd->size);
	return extra_load(loader->extras, initrd->extra, loader->digest, addr);
}

/* Consecutive initrds that are made here share one region, because no digest is promised for them. */
static size_t region_end(const struct initrd_list *list, size_t first)
{
	size_t end = first + 1;

	if (list->initrds[first].kind != INITRD_EXTRA)
		return end;
	while (end < list->count && list->initrds[end].kind == INITRD_EXTRA)
		end++;
	return end;
}

static enum kexec_status load_extras(const struct initrd_loader *loader, size_t first, size_t end, const char *region)
{
	enum kexec_status status = KEXEC_OK;

	for (size_t i = first; !status && i < end; i++)
		status = load_extra(loader, i);
	if (!status)
		add_region(loader, first, end, region);
	return status;
}

static enum kexec_status read_region(const struct initrd_loader *loader, size_t first, const char *region)
{
	struct initrd *initrd = &loader->list.initrds[first];
	const struct unified_file *unified = loader->list.unified;
	uint64_t addr = initrd_addr(loader, first);

	switch (initrd->kind) {
	case INITRD_PART:
		return part_load(&initrd->reader, addr, loader->digest, region);
	case INITRD_EXTRA:
		return load_extras(loader, first, region_end(&loader->list, first), region);
	case INITRD_SECTION:
		break;
	}
	unified_file_copy(unified, initrd->section, addr);
	unified_file_add_region(unified, initrd->section, addr, loader->digest, region);
	return KEXEC_OK;
}

static void name_region(char ret_name[REGION_NAME_SIZE], size_t number)
{
	format_text(ret_name, REGION_NAME_SIZE, number == 1 ? "initrd" : "initrd%zu", number);
}

static enum kexec_status read_unhashed(const struct initrd_loader *loader, size_t index)
{
	struct initrd *initrd = &loader->list.initrds[index];

	if (initrd->kind == INITRD_EXTRA)
		return load_extra(loader, index);
	zero_behind(initrd_addr(loader, index), initrd->size);
	return part_load_unhashed(&initrd->reader, initrd_addr(loader, index));
}

/* Reads the initrds from `first` on as one region. It is hashed before any digest is compared. None is a section. */
static enum kexec_status read_shared_initrds(const struct initrd_loader *loader, size_t first, const char *region)
{
	size_t count = loader->list.count;
	enum kexec_status status = KEXEC_OK;

	log_info("initrds %zu to %zu share one region of the digest: expected at most %u initrds for one each",
		 first + 1, count, INITRD_REGIONS_MAX);
	for (size_t i = first; !status && i < count; i++)
		status = read_unhashed(loader, i);
	if (status)
		return status;
	add_region(loader, first, count, region);
	for (size_t i = first; !status && i < count; i++) {
		struct initrd *initrd = &loader->list.initrds[i];

		if (initrd->kind == INITRD_PART)
			status = part_check(&initrd->reader, initrd_addr(loader, i), loader->digest);
	}
	return status;
}

/* Regions wanted for the initrds from `first` on. */
static size_t count_regions(const struct initrd_list *list, size_t first)
{
	size_t count = 0;

	for (; first < list->count; first = region_end(list, first))
		count++;
	return count;
}

/* Each initrd is a region: initrd, initrd2, and so on. If there are too many, the last region holds all the rest. */
static enum kexec_status read_all_initrds(const struct initrd_loader *loader)
{
	const struct initrd_list *list = &loader->list;
	enum kexec_status status = KEXEC_OK;
	char name[REGION_NAME_SIZE];
	size_t first = 0;

	for (size_t number = 1; !status && first < list->count; number++) {
		name_region(name, number);
		if (number == INITRD_REGIONS_MAX && count_regions(list, first) > 1) {
			status = read_shared_initrds(loader, first, name);
			first = list->count;
		} else {
			status = read_region(loader, first, name);
			first = region_end(list, first);
		}
	}
	if (!status)
		digest_add_zeros(loader->digest, loader->segment,
				 loader->segment->mem + region_covered(loader->segment->bufsz));
	return status;
}

/* Call this when all initrds are in place and have their digests. */
static void look_at_initrds(const struct initrd_loader *loader)
{
	struct initrd_look look = { 0 };

	for (size_t i = 0; i < loader->list.count; i++) {
		const struct initrd *initrd = &loader->list.initrds[i];

		initrd_look(&look, initrd->name, phys_to_ptr(initrd_addr(loader, i)), initrd->size);
	}
}

/* The entry does not name a registered initrd. Sections, and initrds made here, are measured elsewhere. */
static void report_added(const struct initrd_loader *loader, const struct load_target *target)
{
	for (size_t i = 0; i < loader->list.count; i++) {
		const struct initrd *initrd = &loader->list.initrds[i];

		if (initrd->kind == INITRD_PART && initrd->reader.part->source != PART_FROM_LOADER &&
		    initrd->reader.part->source != PART_IN_IMAGE)
			target->added_initrd(initrd->name, phys_to_ptr(initrd_addr(loader, i)), initrd->size);
	}
}

/* If the plan also names the registered initrd, leaves the registered one out, after comparing the two. */
static enum kexec_status load_without_twin(struct initrd_loader *loader, const struct load_target *target,
					   const struct kernel *kernel)
{
	struct initrd_list *list = &loader->list;
	size_t registered = initrd_list_registered(list);
	size_t twin = initrd_list_twin(list, registered);
	bool has_twin = twin < list->count;
	enum kexec_status status;
	uint64_t size;

	if (has_twin) {
		initrd_list_leave_out(list, registered);
		twin--;
	}
	status = initrd_list_plan(list, &size);
	if (!status)
		status = place_initrds(kernel, size, target->kexec_image, loader);
	if (!status)
		status = read_all_initrds(loader);
	if (status || !has_twin)
		return status;
	/* The last initrd has zeros behind it, up to the end of its page. */
	return registered_initrd_expect(&target->sources->registered, phys_to_ptr(initrd_addr(loader, twin)),
					list->initrds[twin].name);
}

static enum kexec_status load_all(struct initrd_loader *loader, const struct boot_plan *plan,
				  const struct kernel *kernel, const struct load_target *target)
{
	enum kexec_status status;
	uint64_t size;

	status = initrd_list_fill(&loader->list, plan, target->sources, loader->extras);
	/* The search for a twin needs the offsets. */
	if (!status)
		status = initrd_list_plan(&loader->list, &size);
	if (!status)
		status = load_without_twin(loader, target, kernel);
	if (status)
		return status;
	look_at_initrds(loader);
	if (kernel->view.bytes)
		report_added(loader, target);
	return KEXEC_OK;
}

/* For the initrd of a unified image, which is already in its place. */
static void look_at_kept(const struct kexec_segment *segment)
{
	struct initrd_look look = { 0 };

	initrd_look(&look, unified_section_name(UNIFIED_INITRD), phys_to_ptr(segment->mem), segment->bufsz);
}

/* Afterwards the list of extras is complete. */
static enum kexec_status prepare_extras(const struct boot_plan *plan, const struct kernel *kernel,
					const struct load_target *target, struct text *ret_key)
{
	bool has_files = plan->pcr_signature.name || plan->pcr_key.name;
	enum kexec_status status;

	if (has_files && kernel->view.bytes)
		return log_error(
			KEXEC_UNSUPPORTED,
			"%s: expected a kernel beside pcrsig or pcrpkey in %s, found a unified image, which has "
			"its own",
			plan->kernel.name, plan->said_by);
	status = pcr_files_add(plan, target->sources, target->digest, target->extras, ret_key);
	return status ? status : extras_find_sizes(target->extras);
}

enum kexec_status load_initrds(const struct boot_plan *plan, const struct kernel *kernel,
			       const struct load_target *target, struct loaded_initrds *ret_initrds)
{
	struct initrd_loader loader = { .digest = target->digest,
					.extras = target->extras,
					.list = { .is_unified = kernel->view.bytes != NULL,
						  .unified = &kernel->unified } };
	struct loaded_initrds initrds = { .segment = kernel->unified.initrd };
	enum kexec_status status;
	size_t count;
	void *memory;

	status = prepare_extras(plan, kernel, target, &initrds.pcr_key);
	if (status)
		return status;
	*ret_initrds = initrds;
	if (initrds.segment)
		look_at_kept(initrds.segment);
	count = unified_initrd_count(&kernel->unified.image) + plan->initrd_count + target->extras->count;
	if (!count || initrds.segment)
		return KEXEC_OK;
	status = pool_alloc(count * sizeof(*loader.list.initrds), "initrds", &memory);
	if (status)
		return status;
	memset(memory, 0, count * sizeof(*loader.list.initrds));
	loader.list.initrds = memory;
	status = load_all(&loader, plan, kernel, target);
	if (!status) {
		ret_initrds->segment = loader.segment;
		ret_initrds->named_size = initrd_list_named_size(&loader.list);
	}
	initrd_list_close(&loader.list);
	pool_free(memory);
	return status;
}
