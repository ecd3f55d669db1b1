// SPDX-License-Identifier: BSD-2-Clause
/*
 * The zero page: what a boot loader tells Linux. Its layout follows Documentation/arch/x86/boot.rst, zero-page.rst and
 * arch/x86/include/uapi/asm/bootparam.h. The fields have the values that the kernel's own EFI stub writes
 * (drivers/firmware/efi/libstub/x86-stub.c). Only fields that we write have names.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "boot/kexec_image.h"
#include "boot/layout.h"
#include "boot/memmap.h"
#include "boot/screen_info.h"

struct __attribute__((packed)) efi_info {
	uint32_t efi_loader_signature;
	uint32_t efi_systab;
	uint32_t efi_memdesc_size;
	uint32_t efi_memdesc_version;
	uint32_t efi_memmap;
	uint32_t efi_memmap_size;
	uint32_t efi_systab_hi;
	uint32_t efi_memmap_hi;
};

#define EFI64_LOADER_SIGNATURE 0x34364c45u /* "EL64" */

/* From boot.rst. It begins at 0x1f1 both in the file and in the zero page. */
struct __attribute__((packed)) setup_header {
	uint8_t setup_sects;
	uint16_t root_flags;
	uint32_t syssize; /* of the protected-mode part, in units of 16 bytes */
	uint16_t ram_size;
	uint16_t vid_mode;
	uint16_t root_dev;
	uint16_t boot_flag;
	uint8_t jump_opcode;
	uint8_t jump_distance; /* bytes from the end of this field to the end of the header */
	uint32_t header;
	uint16_t version;
	uint32_t realmode_swtch;
	uint16_t start_sys_seg;
	uint16_t kernel_version;
	uint8_t type_of_loader;
	uint8_t loadflags;
	uint16_t setup_move_size;
	uint32_t code32_start;
	uint32_t ramdisk_image;
	uint32_t ramdisk_size;
	uint32_t bootsect_kludge;
	uint16_t heap_end_ptr;
	uint8_t ext_loader_ver;
	uint8_t ext_loader_type;
	uint32_t cmd_line_ptr;
	uint32_t initrd_addr_max;
	uint32_t kernel_alignment;
	uint8_t relocatable_kernel;
	uint8_t min_alignment;
	uint16_t xloadflags;
	uint32_t cmdline_size; /* of the longest command line, without its NUL */
	uint32_t hardware_subarch;
	uint64_t hardware_subarch_data;
	uint32_t payload_offset;
	uint32_t payload_length;
	uint64_t setup_data;
	uint64_t pref_address;
	uint32_t init_size;
	uint32_t handover_offset;
	uint32_t kernel_info_offset;
};

#define SETUP_HEADER_OFFSET 0x1f1u

enum {
	BOOT_FLAG = 0xaa55,
	SETUP_HEADER_MAGIC = 0x53726448, /* "HdrS" */

	LOADED_HIGH = 1 << 0,
	KASLR_FLAG = 1 << 1,
	CAN_USE_HEAP = 1 << 7,

	XLF_KERNEL_64 = 1 << 0,
	XLF_CAN_BE_LOADED_ABOVE_4G = 1 << 1,
	XLF_5LEVEL = 1 << 5,

	TYPE_OF_LOADER_UNDEFINED = 0xff, /* "no assigned id"; never 0, which makes the kernel ignore the initrd */
};

#define E820_MAX_ENTRIES_ZEROPAGE 128

struct __attribute__((packed)) boot_params {
	struct screen_info screen_info;
	uint8_t pad0[0x070 - 0x040];
	uint64_t acpi_rsdp_addr;
	uint8_t pad1[0x0c0 - 0x078];
	uint32_t ext_ramdisk_image;
	uint32_t ext_ramdisk_size;
	uint32_t ext_cmd_line_ptr;
	uint8_t pad2[0x140 - 0x0cc];
	uint8_t edid_info[EDID_SIZE];
	struct efi_info efi_info;
	uint32_t alt_mem_k;
	uint8_t pad3[0x1e8 - 0x1e4];
	uint8_t e820_entries;
	uint8_t pad4[0x1ec - 0x1e9];
	uint8_t secure_boot;
	uint8_t pad5[0x1ef - 0x1ed];
	uint8_t sentinel;
	uint8_t pad6[0x1f1 - 0x1f0];
	struct setup_header hdr;
	uint8_t pad7[0x2d0 - SETUP_HEADER_OFFSET - sizeof(struct setup_header)];
	struct e820_entry e820_table[E820_MAX_ENTRIES_ZEROPAGE];
	uint8_t pad8[0x1000 - 0xcd0];
};

ASSERT_OFFSET(setup_header, root_flags, 0x1f2 - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, syssize, 0x1f4 - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, vid_mode, 0x1fa - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, boot_flag, 0x1fe - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, jump_distance, 0x201 - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, header, 0x202 - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, version, 0x206 - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, type_of_loader, 0x210 - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, loadflags, 0x211 - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, ramdisk_image, 0x218 - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, cmd_line_ptr, 0x228 - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, initrd_addr_max, 0x22c - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, kernel_alignment, 0x230 - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, relocatable_kernel, 0x234 - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, xloadflags, 0x236 - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, cmdline_size, 0x238 - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, setup_data, 0x250 - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, pref_address, 0x258 - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(setup_header, init_size, 0x260 - SETUP_HEADER_OFFSET);
ASSERT_OFFSET(boot_params, acpi_rsdp_addr, 0x070);
ASSERT_OFFSET(boot_params, ext_ramdisk_image, 0x0c0);
ASSERT_OFFSET(boot_params, ext_cmd_line_ptr, 0x0c8);
ASSERT_OFFSET(boot_params, edid_info, 0x140);
ASSERT_OFFSET(boot_params, efi_info, 0x1c0);
ASSERT_OFFSET(boot_params, alt_mem_k, 0x1e0);
ASSERT_OFFSET(boot_params, e820_entries, 0x1e8);
ASSERT_OFFSET(boot_params, secure_boot, 0x1ec);
ASSERT_OFFSET(boot_params, sentinel, 0x1ef);
ASSERT_OFFSET(boot_params, hdr, SETUP_HEADER_OFFSET);
ASSERT_OFFSET(boot_params, e820_table, 0x2d0);
_Static_assert(sizeof(struct boot_params) == 4096, "the zero page is a page");

/* A node of the list that starts at hdr.setup_data: boot.rst, "setup_data". */
struct setup_data {
	uint64_t next;
	uint32_t type;
	uint32_t len; /* of the data behind the node */
};

enum { SETUP_E820_EXT = 1, SETUP_PCI = 3 };

_Static_assert(sizeof(struct setup_data) == 16, "boot.rst");

/* struct pci_setup_rom, arch/x86/include/asm/setup_data.h. The ROM is behind it. */
struct setup_pci_rom {
	struct setup_data header;
	uint16_t vendor;
	uint16_t device_id;
	uint64_t rom_size;
	uint64_t segment;
	uint64_t bus;
	uint64_t device;
	uint64_t function;
};

ASSERT_OFFSET(setup_pci_rom, vendor, 16);
ASSERT_OFFSET(setup_pci_rom, rom_size, 24);
ASSERT_OFFSET(setup_pci_rom, function, 56);
_Static_assert(sizeof(struct setup_pci_rom) == 64, "struct pci_setup_rom");

/* enum efi_secureboot_mode, include/linux/efi.h */
enum secure_boot_mode {
	SECURE_BOOT_UNSET = 0,
	SECURE_BOOT_UNKNOWN = 1,
	SECURE_BOOT_DISABLED = 2,
	SECURE_BOOT_ENABLED = 3,
};

/* The facts about the firmware that Linux needs. */
struct platform {
	struct screen_info screen;
	uint8_t edid[EDID_SIZE]; /* of the screen's monitor; zeros: unknown */
	uint64_t acpi_rsdp_addr; /* 0: none */
	uint64_t efi_system_table_addr;
	enum secure_boot_mode secure_boot;
};

/* The data that boot_params refers to. `initrd` may be NULL. */
struct boot_params_request {
	const uint8_t *setup; /* the kernel file's first bytes, checked by its format */
	const struct kexec_segment *cmdline;
	const struct kexec_segment *initrd;
	const struct platform *platform;
};

/* Fills in everything except the memory map. */
void boot_params_build(struct boot_params *params, const struct boot_params_request *request);

/* Size of the setup_data node that an e820 table of `entries` entries needs beyond the zero page, in bytes. */
uint64_t boot_params_e820_ext_size(uint64_t entries);

/*
 * Writes the memory map into the zero page: all of it as efi_info, and also as an e820 table. Entries beyond 128 go to
 * `e820_ext`, which then becomes the first node of hdr.setup_data. The caller sets `e820_ext->next` to the rest of that
 * list. `e820_ext` must hold boot_params_e820_ext_size() of the number of descriptors. The caller may call it again
 * with another map. `soft_reserve` as for memmap_to_e820. Cannot fail: it runs between GetMemoryMap and
 * ExitBootServices.
 */
void boot_params_set_memory_map(struct boot_params *params, const struct memory_map *map, bool soft_reserve,
				struct setup_data *e820_ext);
