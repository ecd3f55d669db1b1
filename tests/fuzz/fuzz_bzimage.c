// SPDX-License-Identifier: BSD-2-Clause
/*
 * Feeds kernel headers to boot/bzimage.c through boot/kernel_format.c. The input is the file's size, a flag and the
 * file's first bytes; zeros fill the rest of the probe.
 */
#include "boot/bzimage.h"
#include "common/align.h"
#include "tests/fuzz/input.h"

/* Reads a field of the header as it stands in the file. */
static uint64_t field(const struct kernel_probe *probe, size_t offset, size_t width)
{
	uint64_t value = 0;

	memcpy(&value, probe->bytes + offset, width);
	return value;
}

static uint64_t max_addr(const struct kernel_probe *probe)
{
	return field(probe, 0x236, 2) & 2 ? UINT64_MAX : UINT32_MAX;
}

static void check_plan(const struct kernel_plan *plan, const struct kernel_probe *probe)
{
	uint64_t pref_address = field(probe, 0x258, 8);

	assert(plan->lead_size >= 1024 && plan->lead_size <= 256 * 512);
	assert(plan->lead_size + plan->content_size <= probe->file_size);
	assert(plan->content_size > plan->entry_offset);
	assert(plan->init_size >= plan->content_size);
	assert(plan->cmdline_size > 0);
	assert(pref_address <= max_addr(probe));
	assert(plan->init_size - 1 <= max_addr(probe) - pref_address);
	assert(bzimage_format.probe(probe));
}

static void check_signed_ranges(const struct kernel_plan *plan, const struct kernel_probe *probe)
{
	struct file_range ranges[KERNEL_SIGNED_RANGES_MAX];
	size_t count = bzimage_format.signed_ranges(plan, ranges);

	assert(count <= KERNEL_SIGNED_RANGES_MAX);
	for (size_t i = 0; i < count; i++)
		assert(ranges[i].start < ranges[i].end);
	assert(ranges[count - 1].start == plan->lead_size);
	assert(ranges[count - 1].end <= probe->file_size);
}

static void check_request(const struct kernel_plan *plan, const struct kernel_probe *probe)
{
	const struct memory_request *request = &plan->memory;

	assert(request->kind == MEMORY_CODE);
	assert(request->align >= PAGE_SIZE && is_power_of_two(request->align));
	assert(request->lead == plan->lead_size);
	assert(request->size >= plan->init_size);
	assert(request->size >= probe->file_size - plan->lead_size);
	assert(request->min == field(probe, 0x258, 8));
}

/* Only a kernel with a fixed address may have a second place, and its whole file must fit there. */
static void check_elsewhere(const struct kernel_plan *plan, const struct kernel_probe *probe)
{
	const struct memory_request *request = &plan->elsewhere;

	if (field(probe, 0x234, 1)) {
		assert(request->size == 0);
		return;
	}
	assert(request->lead == plan->lead_size);
	assert(request->size == probe->file_size - plan->lead_size && request->size >= plan->content_size);
	assert(plan->memory.min % PAGE_SIZE == 0 && plan->memory.min >= LOW_MEMORY_END);
	assert(plan->memory.min + align_up(plan->init_size, PAGE_SIZE) > plan->memory.min);
}

/* The place for the request if all memory were free. */
static struct hole find_hole(const struct memory_request *request)
{
	struct efi_descriptor all = { .type = EFI_MEMTYPE_CONVENTIONAL, .number_of_pages = UINT64_MAX };
	struct memory_map map = { .bytes = (const uint8_t *)&all, .size = sizeof(all), .descriptor_size = sizeof(all) };

	return memmap_find_hole(&map, request);
}

static void check_place(const struct kernel_plan *plan, const struct kernel_probe *probe)
{
	uint64_t pref_address = field(probe, 0x258, 8);
	struct hole hole = find_hole(&plan->memory);

	if (!hole.found)
		return;
	assert(hole.addr >= pref_address);
	assert(hole.addr >= plan->lead_size);
	assert(hole.addr <= max_addr(probe));
	assert(plan->init_size - 1 <= max_addr(probe) - hole.addr);
	assert(hole.addr % PAGE_SIZE == 0);
	if (field(probe, 0x234, 1))
		assert(hole.addr % field(probe, 0x230, 4) == 0);
	else
		assert(hole.addr == pref_address);
}

static void check_initrd(const struct kernel_plan *plan, const struct kernel_probe *probe, uint64_t initrd_size)
{
	struct memory_request request = kernel_initrd_request(plan, initrd_size);
	struct hole hole = find_hole(&request);

	if (!hole.found)
		return;
	assert(hole.addr % PAGE_SIZE == 0 && hole.addr >= LOW_MEMORY_END);
	assert(initrd_size - 1 <= UINT64_MAX - hole.addr);
	assert(max_addr(probe) == UINT64_MAX || hole.addr + (initrd_size - 1) <= field(probe, 0x22c, 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	struct kernel_probe probe = { .name = "input", .file_size = take_number(&input, 8) };
	struct kernel_plan plan;
	uint8_t *copy;

	probe.paging.five_levels = take_number(&input, 1) & 1;
	probe.size = probe.file_size < KERNEL_PROBE_SIZE ? (size_t)probe.file_size : KERNEL_PROBE_SIZE;
	copy = calloc(1, probe.size);
	if (input.size)
		memcpy(copy, input.bytes, input.size < probe.size ? input.size : probe.size);
	probe.bytes = copy;
	/* A mutation may have made the input another format, which fuzz_unified_image judges. */
	if (kernel_plan_file(&probe, &plan) == KEXEC_OK && plan.format == &bzimage_format) {
		check_plan(&plan, &probe);
		check_signed_ranges(&plan, &probe);
		check_request(&plan, &probe);
		check_elsewhere(&plan, &probe);
		check_place(&plan, &probe);
		check_initrd(&plan, &probe, probe.file_size);
	}
	free(copy);
	return 0;
}
