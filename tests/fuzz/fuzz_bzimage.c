// SPDX-License-Identifier: BSD-2-Clause
/*
 * Feeds boot/bzimage.c kernel headers. The input is the file's size, a flag and the file's first bytes; what is missing
 * of the probe is zeros.
 */
#include "boot/bzimage.h"
#include "common/align.h"
#include "tests/fuzz/input.h"

static void check_plan(const struct bzimage *kernel, uint64_t file_size)
{
	assert(kernel->setup_size >= 1024 && kernel->setup_size <= 256 * 512);
	assert(kernel->setup_size + kernel->kernel_size <= file_size);
	assert(kernel->kernel_size > BZIMAGE_ENTRY_64_OFFSET);
	assert(kernel->init_size >= kernel->kernel_size);
	assert(kernel->cmdline_size > 0);
	assert(kernel->pref_address <= bzimage_max_addr(kernel));
	assert(kernel->init_size - 1 <= bzimage_max_addr(kernel) - kernel->pref_address);
}

static void check_request(const struct memory_request *request, const struct bzimage *kernel, uint64_t file_size)
{
	assert(request->kind == MEMORY_CODE);
	assert(request->align >= PAGE_SIZE && is_power_of_two(request->align));
	assert(request->lead == kernel->setup_size);
	assert(request->size >= kernel->init_size);
	assert(request->size >= file_size - kernel->setup_size);
	assert(request->min == kernel->pref_address);
}

/* Where the request leads when all memory is free. */
static void check_place(const struct memory_request *request, const struct bzimage *kernel)
{
	struct efi_descriptor all = { .type = EFI_MEMTYPE_CONVENTIONAL, .number_of_pages = UINT64_MAX };
	struct memory_map map = { .bytes = (const uint8_t *)&all, .size = sizeof(all), .descriptor_size = sizeof(all) };
	struct hole hole = memmap_find_hole(&map, request);

	if (!hole.found)
		return;
	assert(hole.addr >= kernel->pref_address);
	assert(hole.addr >= kernel->setup_size);
	assert(hole.addr <= bzimage_max_addr(kernel));
	assert(kernel->init_size - 1 <= bzimage_max_addr(kernel) - hole.addr);
	assert(hole.addr % PAGE_SIZE == 0);
	assert(kernel->relocatable ? hole.addr % kernel->alignment == 0 : hole.addr == kernel->pref_address);
}

/* The same for an initrd, and the header as it stands in the file. */
static void check_initrd(const struct bzimage *kernel, const uint8_t *probe, uint64_t initrd_size)
{
	struct efi_descriptor all = { .type = EFI_MEMTYPE_CONVENTIONAL, .number_of_pages = UINT64_MAX };
	struct memory_map map = { .bytes = (const uint8_t *)&all, .size = sizeof(all), .descriptor_size = sizeof(all) };
	struct memory_request request = bzimage_initrd_request(kernel, initrd_size);
	struct hole hole = memmap_find_hole(&map, &request);
	uint32_t initrd_addr_max;

	memcpy(&initrd_addr_max, probe + 0x22c, sizeof(initrd_addr_max));
	if (!hole.found)
		return;
	assert(hole.addr % PAGE_SIZE == 0 && hole.addr >= LOW_MEMORY_END);
	assert(initrd_size - 1 <= UINT64_MAX - hole.addr);
	assert(kernel->above_4g || hole.addr + (initrd_size - 1) <= initrd_addr_max);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	uint64_t file_size = take_number(&input, 8);
	bool la57 = take_number(&input, 1) & 1;
	size_t probe_size = file_size < BZIMAGE_PROBE_SIZE ? (size_t)file_size : BZIMAGE_PROBE_SIZE;
	uint8_t *probe = calloc(1, probe_size);
	struct memory_request request;
	struct bzimage kernel;

	if (input.size)
		memcpy(probe, input.bytes, input.size < probe_size ? input.size : probe_size);
	if (bzimage_parse("input", probe, probe_size, file_size, la57, &kernel) == KEXEC_OK) {
		check_plan(&kernel, file_size);
		request = bzimage_memory_request(&kernel, file_size);
		check_request(&request, &kernel, file_size);
		check_place(&request, &kernel);
		check_initrd(&kernel, probe, file_size);
	}
	free(probe);
	return 0;
}
