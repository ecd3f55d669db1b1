// SPDX-License-Identifier: BSD-2-Clause
/* Prepares the hand-over, and completes it at the exit. */
#include "efi/linux/handover.h"

#include "boot/destination.h"
#include "boot/log.h"
#include "boot/pagetable.h"
#include "boot/stub_options.h"
#include "common/align.h"
#include "common/string.h"
#include "efi/linux/option_rom.h"
#include "efi/linux/platform.h"
#include "efi/services/cpu_mode.h"
#include "efi/services/exit.h"
#include "efi/services/memory_map.h"

static enum kexec_status add_memory_map(struct kexec_image *kexec_image, const struct memory_map *map,
					struct handover *handover)
{
	uint64_t size = memmap_exit_capacity(map);
	uint64_t descriptors;
	struct kexec_segment *segment;
	enum kexec_status status;

	status = kexec_image_add_data(kexec_image, "memory_map", size, DIGEST_LATE, &segment);
	if (status)
		return status;
	handover->memory_map_addr = segment->mem;
	handover->memory_map_capacity = size;
	memset(phys_to_ptr(segment->mem), 0, size);

	/* The segment can hold the e820 entries for any descriptor size that the last map may have. */
	descriptors = size / sizeof(struct efi_descriptor);
	status = kexec_image_add_data(kexec_image, "e820_ext", boot_params_e820_ext_size(descriptors), DIGEST_LATE,
				      &segment);
	if (status)
		return status;
	handover->e820_ext = phys_to_ptr(segment->mem);
	memset(handover->e820_ext, 0, segment->bufsz);
	return KEXEC_OK;
}

/*
 * Memory that need not be executable: all segments except the kernel, at the place where it runs, and the purgatory's
 * code.
 */
struct data_ranges {
	struct mapped_range ranges[KEXEC_SEGMENT_MAX];
	size_t count;
};

static void list_data(const struct kexec_image *kexec_image, const struct kernel *kernel,
		      const struct purgatory *purgatory, struct data_ranges *ret_data)
{
	ret_data->count = 0;
	for (size_t i = 0; i < kexec_image->count; i++) {
		const struct kexec_segment *segment = &kexec_image->segments[i];
		struct mapped_range range = { .addr = segment->mem, .size = segment->memsz };

		if (segment->mem == kernel->load_addr)
			continue;
		ret_data->ranges[ret_data->count++] = segment == purgatory->segment ? purgatory_data(purgatory) : range;
	}
}

/* Call this when all other segments exist. */
static enum kexec_status add_page_tables(struct kexec_image *kexec_image, const struct kernel *kernel,
					 const struct purgatory *purgatory, const struct memory_map *map,
					 struct handover *handover)
{
	struct page_tables tables = { .paging = cpu_paging() };
	struct kexec_segment *segment;
	struct data_ranges data;
	enum kexec_status status;

	list_data(kexec_image, kernel, purgatory, &data);
	tables.capacity = page_tables_bound(&tables.paging, map, &handover->framebuffer) +
			  page_tables_split_bound(&tables.paging, data.ranges, data.count) + PAGE_TABLES_PER_RANGE;
	status = kexec_image_add_data(kexec_image, "page_tables", tables.capacity * PAGE_SIZE, DIGEST_EARLY, &segment);
	if (status)
		return status;
	tables.pool = phys_to_ptr(segment->mem);
	status = page_tables_build(&tables, map, &handover->framebuffer);
	if (status)
		return status;
	/* List the data again, because this segment is now part of it. */
	list_data(kexec_image, kernel, purgatory, &data);
	for (size_t i = 0; i < data.count; i++) {
		status = page_tables_forbid_execution(&tables, &data.ranges[i]);
		if (status)
			return status;
	}
	segment->bufsz = tables.count * PAGE_SIZE;
	handover->page_table_root = segment->mem;
	handover->no_execute = tables.paging.no_execute;
	return KEXEC_OK;
}

enum kexec_status handover_prepare(const struct kernel *kernel, const struct kexec_segment *initrd,
				   const struct kexec_segment *cmdline, const struct purgatory *purgatory,
				   struct kexec_image *kexec_image, struct handover *ret_handover)
{
	struct boot_params_request request = { .setup = kernel->probe, .cmdline = cmdline, .initrd = initrd };
	struct text command_line = { .start = phys_to_ptr(cmdline->mem), .length = cmdline->bufsz - 1 };
	struct kexec_segment *segment;
	struct platform platform;
	enum kexec_status status;
	struct memory_map map;

	if (cpu_memory_is_encrypted())
		return log_error(KEXEC_UNSUPPORTED, "expected memory in plain, found a guest with AMD SEV");
	status = kexec_image_add_data(kexec_image, "boot_params", sizeof(struct boot_params), DIGEST_LATE, &segment);
	if (status)
		return status;
	ret_handover->params = phys_to_ptr(segment->mem);
	ret_handover->kernel_name = kernel->part->name;
	ret_handover->destination = kexec_image->destination;
	platform_collect(&platform, &ret_handover->framebuffer);
	request.platform = &platform;
	boot_params_build(ret_handover->params, &request);
	/*
	 * A kernel without CONFIG_EFI_SOFT_RESERVE sets no memory aside, and its file does not tell whether it has it.
	 */
	ret_handover->soft_reserve = !stub_option(command_line, TEXT("nosoftreserve"));

	status = memory_map_read(&map);
	if (status)
		return status;
	status = add_memory_map(kexec_image, &map, ret_handover);
	if (!status) {
		ret_handover->e820_ext->next = option_rom_collect(kexec_image);
		status = add_page_tables(kexec_image, kernel, purgatory, &map, ret_handover);
	}
	memory_map_free(&map);
	return status;
}

/* The objects that are completed with the final map. */
struct completion {
	const struct handover *handover;
	struct digest *digest;
};

/*
 * The kernel's destination was free when it was chosen. Check it again, because the firmware may have taken it since.
 */
static enum kexec_status complete(void *context, const struct memory_map *map, bool has_begun)
{
	const struct completion *completion = context;
	const struct handover *handover = completion->handover;

	boot_params_set_memory_map(handover->params, map, handover->soft_reserve, handover->e820_ext);
	digest_finish(completion->digest);
	if (!has_begun)
		return destination_check(handover->kernel_name, &handover->destination, map);
	return destination_is_free(&handover->destination, map) ? KEXEC_OK : KEXEC_NO_MEMORY;
}

enum kexec_status handover_prepare_takeover(const struct purgatory *purgatory, struct handover *handover)
{
	struct takeover takeover = { .idt = cpu_idt(), .gdt = cpu_gdt(), .cr4_bits = cpu_machine_check_bits() };
	const struct segments segments = cpu_segments();
	enum kexec_status status;
	bool at_once;
	void *idt;
	void *gdt;

	status = purgatory_set_tables(purgatory, &segments, &at_once);
	if (status)
		return status;
	status = purgatory_find(purgatory, purgatory_idt, &idt);
	if (status)
		return status;
	status = purgatory_find(purgatory, purgatory_gdt, &gdt);
	if (status)
		return status;
	if (at_once) {
		takeover.idt = (struct table_pointer){ .limit = sizeof(purgatory_idt) - 1, .addr = (uintptr_t)idt };
		takeover.gdt = (struct table_pointer){ .limit = sizeof(purgatory_gdt) - 1, .addr = (uintptr_t)gdt };
	} else {
		log_verbose("exceptions stay the firmware's up to the purgatory: its segments are 0x%x and 0x%x",
			    segments.code, segments.stack);
	}
	handover->takeover = takeover;
	return KEXEC_OK;
}

enum kexec_status handover_exit(const struct handover *handover, struct digest *digest,
				const struct stop_policy *policy)
{
	struct completion completion = { .handover = handover, .digest = digest };
	const struct exit_request request = {
		.map_addr = handover->memory_map_addr,
		.map_capacity = handover->memory_map_capacity,
		.sink = complete,
		.context = &completion,
		.takeover = handover->takeover,
		.on_failure = policy->at_the_exit,
		.entries = policy->entries,
	};

	return exit_boot_services(&request);
}
