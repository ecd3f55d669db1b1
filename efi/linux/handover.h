// SPDX-License-Identifier: BSD-2-Clause
/* The last steps before the jump: Linux's boot parameters, its first page tables, and the exit from the firmware. */
#pragma once

#include "boot/bootparams.h"
#include "boot/digest.h"
#include "boot/kexec_image.h"
#include "boot/pagetable.h"
#include "boot/purgatory.h"
#include "boot/status.h"
#include "efi/load/load.h"
#include "efi/services/exit.h"
#include "efi/notes/last_stop.h"

/* Segments to be filled in at the end. The image owns them. */
struct handover {
	struct boot_params *params;
	bool soft_reserve; /* see memmap_to_e820 */
	uint64_t memory_map_addr;
	uint64_t memory_map_capacity; /* bytes */
	struct setup_data *e820_ext;
	uint64_t page_table_root;
	bool no_execute;		 /* the page tables mark data as not executable */
	struct mapped_range framebuffer; /* of size 0 if there is none */
	const char *kernel_name;
	struct memory_pages destination; /* of the kernel; must be free at the exit: boot/destination.h */
	struct takeover takeover;
};

/*
 * Builds boot_params except the memory map, reserves room for the map (memory_map, e820_ext) and builds the page
 * tables. The caller must not add segments after this.
 */
enum kexec_status handover_prepare(const struct kernel *kernel, const struct kexec_segment *initrd,
				   const struct kexec_segment *cmdline, const struct purgatory *purgatory,
				   struct kexec_image *kexec_image, struct handover *ret_handover);

/*
 * Gives the purgatory its descriptor tables, and prepares to load them as soon as the firmware is gone. Call it before
 * digest_prepare, which hashes the tables.
 */
enum kexec_status handover_prepare_takeover(const struct purgatory *purgatory, struct handover *handover);

/*
 * Takes the machine from the firmware: reads the final memory map into boot_params, finishes the digest and exits the
 * boot services. It retries while the map changes; see exit_boot_services. Afterwards the purgatory handles exceptions.
 */
enum kexec_status handover_exit(const struct handover *handover, struct digest *digest,
				const struct stop_policy *policy);

/*
 * Turns interrupts off, sets CR0 and CR4 to relocate_kernel's values and CR3 to `page_table_root`, turns EFER.NXE on if
 * the tables use it, and jumps to `entry_point`. In jump.asm.
 */
_Noreturn void handover_jump(uint64_t entry_point, uint64_t page_table_root, bool no_execute);
