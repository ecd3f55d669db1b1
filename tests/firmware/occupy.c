// SPDX-License-Identifier: BSD-2-Clause
/* Occupies memory before the image is started. Reads the memory map itself. */
#include "common/align.h"
#include "efi/services/firmware.h"
#include "tests/firmware/difficult.h"

#define MIB (1024u * 1024)
#define FRAGMENT_SIZE (64u * 1024)

/* Allocations that occupy_release frees. */
static struct {
	EFI_PHYSICAL_ADDRESS addr;
	UINTN count;
} held[4096];
static size_t held_count;

static uint8_t map_bytes[512 * 1024];
static EFI_PHYSICAL_ADDRESS growth;

static bool take(EFI_MEMORY_TYPE type, EFI_PHYSICAL_ADDRESS addr, uint64_t size)
{
	if (held_count == ARRAY_SIZE(held) ||
	    EFI_ERROR(original_services.AllocatePages(AllocateAddress, type, size / PAGE_SIZE, &addr)))
		return false;
	held[held_count].addr = addr;
	held[held_count++].count = size / PAGE_SIZE;
	return true;
}

/* Finds the smallest free range below `limit`, and returns the total free memory there. */
static uint64_t look(uint64_t limit, EFI_PHYSICAL_ADDRESS *ret_addr, uint64_t *ret_size)
{
	UINTN size = sizeof(map_bytes);
	UINTN descriptor_size;
	uint64_t total = 0;
	UINT32 version;
	UINTN key;

	*ret_size = UINT64_MAX;
	if (EFI_ERROR(original_services.GetMemoryMap(&size, (void *)map_bytes, &key, &descriptor_size, &version)))
		return 0;
	for (UINTN at = 0; at < size; at += descriptor_size) {
		const EFI_MEMORY_DESCRIPTOR *piece = (const void *)(map_bytes + at);
		uint64_t bytes = piece->NumberOfPages * PAGE_SIZE;

		if (piece->Type != EfiConventionalMemory || piece->PhysicalStart >= limit)
			continue;
		total += bytes;
		if (bytes < *ret_size) {
			*ret_size = bytes;
			*ret_addr = piece->PhysicalStart;
		}
	}
	return total;
}

/*
 * Takes free memory until `keep` bytes are left, the smallest pieces first. Of the last piece it takes the upper end.
 */
static void take_all_but(uint64_t limit, uint64_t keep)
{
	EFI_PHYSICAL_ADDRESS addr = 0;
	uint64_t total;
	uint64_t size;

	while ((total = look(limit, &addr, &size)) > keep) {
		uint64_t part = total - keep < size ? total - keep : size;

		if (!take(EfiBootServicesData, addr + (size - part), part))
			break;
	}
	say("%lu KiB are left below 0x%lx", look(limit, &addr, &size) / 1024, limit);
}

static void occupy_range(EFI_PHYSICAL_ADDRESS start, uint64_t size)
{
	uint64_t pages = 0;

	if (take(EfiBootServicesData, start, size)) {
		pages = size / PAGE_SIZE;
	} else {
		for (EFI_PHYSICAL_ADDRESS addr = start; addr - start < size; addr += PAGE_SIZE)
			pages += take(EfiBootServicesData, addr, PAGE_SIZE);
	}
	say("occupied %lu pages from 0x%lx on", pages, start);
}

/* Makes `count` pieces that Linux will see as reserved, each followed by a free piece of the same size. */
static void fragment(uint64_t count, uint64_t size)
{
	UINTN pages = 2 * count * size / PAGE_SIZE;
	EFI_PHYSICAL_ADDRESS addr;
	uint64_t taken = 0;

	if (EFI_ERROR(original_services.AllocatePages(AllocateAnyPages, EfiReservedMemoryType, pages, &addr))) {
		say("no room for %lu pieces", count);
		return;
	}
	original_services.FreePages(addr, pages);
	for (uint64_t i = 0; i < count; i++)
		taken += take(EfiReservedMemoryType, addr + 2 * i * size, size);
	say("%lu pieces taken from 0x%lx on", taken, addr);
}

/* Reserves the memory in which occupy_grow_map will make holes. */
static void reserve_growth(uint64_t count)
{
	growth = 0;
	if (EFI_ERROR(original_services.AllocatePages(AllocateAnyPages, EfiReservedMemoryType, 2 * count, &growth)))
		say("no room for a map that grows by %lu", count);
}

void occupy_grow_map(void)
{
	struct fault_state *state = &current_run.faults[FAULT_MAP_GROWS];

	for (uint64_t i = 0; i < state->number; i++)
		original_services.FreePages(growth + 2 * i * PAGE_SIZE, 1);
	state->fired = true;
}

void occupy_page(void)
{
	EFI_PHYSICAL_ADDRESS addr;

	original_services.AllocatePages(AllocateAnyPages, EfiReservedMemoryType, 1, &addr);
}

void occupy_arrange(void)
{
	const struct fault_state *faults = current_run.faults;

	if (faults[FAULT_FRAGMENT].set)
		fragment(faults[FAULT_FRAGMENT].number,
			 faults[FAULT_FRAGMENT].size ? faults[FAULT_FRAGMENT].size : FRAGMENT_SIZE);
	if (faults[FAULT_OCCUPY].set)
		occupy_range(faults[FAULT_OCCUPY].number, faults[FAULT_OCCUPY].size);
	if (faults[FAULT_MAP_GROWS].set)
		reserve_growth(faults[FAULT_MAP_GROWS].number);
	if (faults[FAULT_LOW_MEMORY].set)
		take_all_but(FOUR_GIB, faults[FAULT_LOW_MEMORY].number * MIB);
	if (faults[FAULT_MEMORY].set)
		take_all_but(UINT64_MAX, faults[FAULT_MEMORY].number * MIB);
}

uint64_t occupy_free_size(void)
{
	EFI_PHYSICAL_ADDRESS addr;
	uint64_t size;

	return look(UINT64_MAX, &addr, &size);
}

void occupy_release(void)
{
	while (held_count) {
		held_count--;
		original_services.FreePages(held[held_count].addr, held[held_count].count);
	}
	if (growth && current_run.faults[FAULT_MAP_GROWS].set && !current_run.faults[FAULT_MAP_GROWS].fired)
		original_services.FreePages(growth, 2 * current_run.faults[FAULT_MAP_GROWS].number);
	growth = 0;
}
