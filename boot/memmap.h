// SPDX-License-Identifier: BSD-2-Clause
/*
 * The firmware's memory map (UEFI specification 2.10, 7.2.3 EFI_BOOT_SERVICES.GetMemoryMap), read without the
 * specification's headers: finds free memory, and makes Linux's e820 table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/memory.h"

/* EFI_MEMORY_TYPE */
enum efi_memory_type {
	EFI_MEMTYPE_RESERVED = 0,
	EFI_MEMTYPE_LOADER_CODE = 1,
	EFI_MEMTYPE_LOADER_DATA = 2,
	EFI_MEMTYPE_BOOT_SERVICES_CODE = 3,
	EFI_MEMTYPE_BOOT_SERVICES_DATA = 4,
	EFI_MEMTYPE_RUNTIME_SERVICES_CODE = 5,
	EFI_MEMTYPE_RUNTIME_SERVICES_DATA = 6,
	EFI_MEMTYPE_CONVENTIONAL = 7,
	EFI_MEMTYPE_UNUSABLE = 8,
	EFI_MEMTYPE_ACPI_RECLAIM = 9,
	EFI_MEMTYPE_ACPI_NVS = 10,
	EFI_MEMTYPE_MMIO = 11,
	EFI_MEMTYPE_MMIO_PORT = 12,
	EFI_MEMTYPE_PAL_CODE = 13,
	EFI_MEMTYPE_PERSISTENT = 14,
	EFI_MEMTYPE_UNACCEPTED = 15,
};

/* EFI_MEMORY_SP: memory set aside for a specific purpose, not for general use. */
#define EFI_MEMATTR_SPECIFIC_PURPOSE 0x40000u

/* EFI_MEMORY_RUNTIME: the firmware's runtime services use it. */
#define EFI_MEMATTR_RUNTIME (1ull << 63)

/* EFI_MEMORY_DESCRIPTOR; a map's descriptors may be larger than this. */
struct efi_descriptor {
	uint32_t type;
	uint32_t reserved;
	uint64_t physical_start;
	uint64_t virtual_start;
	uint64_t number_of_pages; /* of 4 KiB, whatever the CPU's page size */
	uint64_t attribute;
};

_Static_assert(offsetof(struct efi_descriptor, physical_start) == 8, "UEFI 7.2.3");
_Static_assert(offsetof(struct efi_descriptor, number_of_pages) == 24, "UEFI 7.2.3");
_Static_assert(sizeof(struct efi_descriptor) == 40, "UEFI 7.2.3");

/* A map as GetMemoryMap left it. */
struct memory_map {
	const uint8_t *bytes;
	uint64_t size;
	uint64_t descriptor_size;
	uint32_t descriptor_version;
};

/* Whether the map's sizes are plausible: whole descriptors, none smaller than struct efi_descriptor. */
bool memmap_valid(const struct memory_map *map);

/*
 * Bytes to reserve for the final map, which may be larger than the present `map`. Whole pages. Reserve them before the
 * exit: from the first attempt on nothing can be allocated.
 */
uint64_t memmap_exit_capacity(const struct memory_map *map);

/* A piece of the map: [start, end), cut off at the end of the address space. */
struct memory_range {
	uint64_t start;
	uint64_t end;
	uint32_t type;
	uint64_t attribute;
};

/*
 * Steps through a valid map: *index is 0 at first and counts descriptors. Returns false at the end. Skips empty
 * descriptors.
 */
bool memmap_next(const struct memory_map *map, size_t *index, struct memory_range *ret_range);

/* The result of memmap_find_hole. */
struct hole {
	bool found;
	uint64_t addr;	  /* start of request->size free bytes, with request->lead free bytes below */
	uint64_t largest; /* if not found: the largest request->size that would fit, always less than requested */
};

/*
 * Finds a place for `request` in the map's free memory (conventional, not set aside). Free descriptors that are
 * adjacent in the map and in memory count as one. Pure: allocates nothing.
 */
struct hole memmap_find_hole(const struct memory_map *map, const struct memory_request *request);

/*
 * Number of bytes from `addr` on that the CPU can read, according to descriptors that are adjacent in the map and in
 * memory; 0 if no descriptor covers `addr`.
 */
uint64_t memmap_readable_size(const struct memory_map *map, uint64_t addr);

/* Documentation/arch/x86/boot.rst and arch/x86/include/uapi/asm/setup_data.h: struct boot_e820_entry. */
struct __attribute__((packed)) e820_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
};

_Static_assert(sizeof(struct e820_entry) == 20, "the kernel's boot_e820_entry");

/* arch/x86/include/asm/e820/types.h */
enum e820_type {
	E820_RAM = 1,
	E820_RESERVED = 2,
	E820_ACPI = 3,
	E820_NVS = 4,
	E820_UNUSABLE = 5,
	E820_PMEM = 7,
	E820_SOFT_RESERVED = (int)0xefffffffu,
};

/* Receives the finished entries one by one; `number` counts from 0. */
typedef void e820_sink(void *context, size_t number, const struct e820_entry *entry);

/*
 * Passes the map to `sink` as e820 entries, by the rule of the kernel's EFI stub
 * (drivers/firmware/efi/libstub/x86-stub.c, setup_e820). Adjacent descriptors with the same meaning become one entry.
 * `soft_reserve`: set memory aside that has EFI_MEMATTR_SPECIFIC_PURPOSE; otherwise treat it like any other memory.
 * There are never more entries than descriptors. Allocates nothing and cannot fail: it runs between GetMemoryMap and
 * ExitBootServices.
 */
void memmap_to_e820(const struct memory_map *map, bool soft_reserve, e820_sink *sink, void *context);
