// SPDX-License-Identifier: BSD-2-Clause
/* Turns the parts of a plan into segments. Each is opened once, planned, and read once into its final place. */
#pragma once

#include "boot/digest.h"
#include "boot/kernel_format.h"
#include "boot/kexec_image.h"
#include "boot/plan.h"
#include "boot/status.h"
#include "boot/unified_file.h"
#include "efi/extras/extras.h"
#include "efi/source/sources.h"

/* Where parts go: everything that loading them adds to. */
struct load_target {
	struct sources *sources;
	struct kexec_image *kexec_image;
	struct digest *digest;

	/* Whether a unified image is needed in one piece: the platform judges or measures it. */
	bool (*needs_whole_file)(void);

	/* Called for each initrd that the plan adds to a unified image, once it is loaded. */
	void (*added_initrd)(const char *name, const void *bytes, uint64_t size);

	/* Whether the platform vouches for a kernel that is not sealed, or it does not run. */
	bool (*is_judged)(void);

	/* Where what is added to a unified image goes, and whether the platform verifies what it is shown. */
	struct extras *extras;
	bool (*addons_are_verified)(void);
};

/* The kernel in its place. */
struct kernel {
	const struct boot_part *part;
	struct kernel_plan plan;
	const struct kexec_segment *segment;
	uint64_t load_addr;  /* where it runs: in the segment, or at its destination */
	const uint8_t *file; /* in one piece: its lead right below the segment, and what is behind it */
	uint64_t file_size;

	/* The beginning as it was read: plan and boot_params are made of this, whatever becomes of the memory. */
	uint8_t probe[KERNEL_PROBE_SIZE];
	size_t probe_size;

	struct unified_file unified; /* that the kernel comes in: then `file` is that, until the kernel has its place */

	/*
	 * Of the unified image that the kernel comes in, our own or that file: the sections, which lie there from
	 * load_kernel on. Those of the file stay until load_unified_kernel. Its kernel is there only if the file was
	 * needed in one piece.
	 */
	struct unified_view view;
};

/*
 * Reads the kernel to where it will run, and hashes the file into the digest on the way, as one region. `plan` must
 * outlive *ret_kernel.
 */
enum kexec_status load_kernel(const struct boot_plan *plan, const struct load_target *target,
			      struct kernel *ret_kernel);

/* What the purgatory has to move before it enters the kernel. */
struct kernel_move kernel_find_move(const struct kernel *kernel);

/*
 * Puts the kernel of a unified image into its place, and settles the command line, which may add initrds to the plan.
 * Called when the platform has vouched for the file, and it was measured. Does nothing to any other kernel.
 */
enum kexec_status load_unified_kernel(struct boot_plan *plan, const struct load_target *target, struct kernel *kernel);

/* The initrds of a boot, where they lie. */
struct loaded_initrds {
	const struct kexec_segment *segment; /* NULL: there is none */
	uint64_t named_size; /* of a kernel that comes by itself: of those in front that were not made here */
	struct text pcr_key; /* the content of plan->pcr_key; of target->extras, with which it goes */
};

/*
 * Reads all initrds into one segment, and hashes each likewise: in the order of systemd-stub, with what target->extras
 * makes (efi/load/initrd_list.h).
 */
enum kexec_status load_initrds(const struct boot_plan *plan, const struct kernel *kernel,
			       const struct load_target *target, struct loaded_initrds *ret_initrds);

/*
 * Makes a segment of the kernel command line; it may not be longer than the kernel allows. It is that of the plan and
 * of a unified image that it names, and the options of target->extras, whose command_line has them as they are
 * measured. In front of a unified image's kernel we are its stub, and add what boot/serial_console.h says.
 */
enum kexec_status load_command_line(struct boot_plan *plan, const struct kernel *kernel,
				    const struct load_target *target, const struct kexec_segment **ret_segment);
