// SPDX-License-Identifier: BSD-2-Clause
/* Hooks of the memory services. */
#include "boot/memmap.h"
#include "common/align.h"
#include "efi/services/firmware.h"
#include "tests/firmware/difficult.h"

/* EFI_MEMORY_ATTRIBUTE_PROTOCOL, UEFI specification 37.7. The three functions have the same first parameters. */
struct memory_attribute_protocol {
	void *get;
	EFI_STATUS(EFIAPI *set)(struct memory_attribute_protocol *self, EFI_PHYSICAL_ADDRESS base, UINT64 length,
				UINT64 attributes);
	EFI_STATUS(EFIAPI *clear)(struct memory_attribute_protocol *self, EFI_PHYSICAL_ADDRESS base, UINT64 length,
				  UINT64 attributes);
};

static struct memory_attribute_protocol *find_attribute_protocol(void)
{
	EFI_GUID guid = { 0xf4560cf6, 0x40ec, 0x4b4a, { 0xa1, 0x92, 0xbf, 0x1d, 0x57, 0xd0, 0xb1, 0x89 } };
	struct memory_attribute_protocol *protocol;

	if (EFI_ERROR(original_services.LocateProtocol(&guid, NULL, (void **)&protocol)))
		return NULL;
	return protocol;
}

static void forbid_execution(EFI_PHYSICAL_ADDRESS addr, UINTN count)
{
	struct memory_attribute_protocol *protocol = find_attribute_protocol();

	if (!current_run.faults[FAULT_NOT_EXECUTABLE].set || !protocol)
		return;
	if (!EFI_ERROR(protocol->set(protocol, addr, count * PAGE_SIZE, EFI_MEMORY_XP)))
		current_run.faults[FAULT_NOT_EXECUTABLE].fired = true;
}

/* Reverses the fault: the firmware would give the pages to its next caller unchanged. */
static void allow_execution(EFI_PHYSICAL_ADDRESS addr, UINTN count)
{
	struct memory_attribute_protocol *protocol = find_attribute_protocol();

	if (current_run.faults[FAULT_NOT_EXECUTABLE].set && protocol)
		protocol->clear(protocol, addr, count * PAGE_SIZE, EFI_MEMORY_XP);
}

static EFI_STATUS EFIAPI allocate_pages(EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type, UINTN count,
					EFI_PHYSICAL_ADDRESS *addr)
{
	EFI_STATUS status;

	if (!CALLED_BY_APP())
		return original_services.AllocatePages(how, type, count, addr);
	if (fault_hits(FAULT_OUT_OF_MEMORY))
		return EFI_OUT_OF_RESOURCES;
	if (how == AllocateAddress && fault_hits_first(FAULT_PLACE_REFUSED))
		return EFI_NOT_FOUND;
	status = original_services.AllocatePages(how, type, count, addr);
	if (EFI_ERROR(status))
		return status;
	ledger_add(HOLDING_PAGES, *addr, count * PAGE_SIZE);
	forbid_execution(*addr, count);
	return status;
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS addr, UINTN count)
{
	if (CALLED_BY_APP()) {
		ledger_remove(HOLDING_PAGES, addr);
		allow_execution(addr, count);
	}
	return original_services.FreePages(addr, count);
}

static EFI_STATUS EFIAPI allocate_pool(EFI_MEMORY_TYPE type, UINTN size, void **buffer)
{
	EFI_STATUS status;

	if (!CALLED_BY_APP())
		return original_services.AllocatePool(type, size, buffer);
	if (fault_hits(FAULT_OUT_OF_MEMORY))
		return EFI_OUT_OF_RESOURCES;
	status = original_services.AllocatePool(type, size, buffer);
	if (!EFI_ERROR(status))
		ledger_add(HOLDING_POOL, (uintptr_t)*buffer, size);
	return status;
}

static EFI_STATUS EFIAPI free_pool(void *buffer)
{
	if (CALLED_BY_APP())
		ledger_remove(HOLDING_POOL, (uintptr_t)buffer);
	return original_services.FreePool(buffer);
}

/* Changes only the map. The firmware itself would still allocate there. */
static void set_aside(EFI_MEMORY_DESCRIPTOR *map, UINTN size, UINTN descriptor_size)
{
	struct fault_state *fault = &current_run.faults[FAULT_SPECIAL_MEMORY];

	for (UINTN at = 0; at < size; at += descriptor_size) {
		EFI_MEMORY_DESCRIPTOR *piece = (void *)((uint8_t *)map + at);

		if (piece->Type != EfiConventionalMemory || fault->number < piece->PhysicalStart ||
		    fault->number - piece->PhysicalStart >= piece->NumberOfPages * PAGE_SIZE)
			continue;
		piece->Attribute |= EFI_MEMATTR_SPECIFIC_PURPOSE;
		fault->fired = true;
	}
}

static EFI_STATUS EFIAPI get_memory_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *key, UINTN *descriptor_size,
					UINT32 *version)
{
	bool by_app = CALLED_BY_APP();
	EFI_STATUS status;

	if (by_app && fault_hits(FAULT_MAP_ERROR))
		return EFI_INVALID_PARAMETER;
	status = original_services.GetMemoryMap(size, map, key, descriptor_size, version);
	if (by_app && !EFI_ERROR(status) && current_run.faults[FAULT_SPECIAL_MEMORY].set)
		set_aside(map, *size, *descriptor_size);
	if (by_app && !EFI_ERROR(status) && fault_hits(FAULT_MAP_SIZE_LIES))
		*size += 16384 * *descriptor_size;
	return status;
}

void memory_hook(void)
{
	firmware_boot_services->AllocatePages = allocate_pages;
	firmware_boot_services->FreePages = free_pages;
	firmware_boot_services->AllocatePool = allocate_pool;
	firmware_boot_services->FreePool = free_pool;
	firmware_boot_services->GetMemoryMap = get_memory_map;
}
