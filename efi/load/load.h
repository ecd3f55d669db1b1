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

/* The objects that loading the parts uses and changes. */
struct load_target {
	struct sources *sources;
	struct kexec_image *kexec_image;
	struct digest *digest;

	/* Whether a unified image must be in one piece, because the platform judges or measures it. */
	bool (*needs_whole_file)(void);

	/* Called for each initrd that the entry adds to a unified image, once it is loaded. */
	void (*added_initrd)(const char *name, const void *bytes, uint64_t size);

	/* Whether the platform must vouch for a kernel that is not sealed. */
	bool (*is_judged)(void);

	/* The additions to a unified image, and whether the platform verifies an addon that it is shown. */
	struct extras *extras;
	bool (*addons_are_verified)(void);
};

/* The kernel in its place. */
struct kernel {
	const struct boot_part *part;
	struct kernel_plan plan;
	const struct kexec_segment *segment;
	uint64_t load_addr;  /* its address when it runs: in the segment, or at its destination */
	const uint8_t *file; /* in one piece: the lead right below the segment, and the rest */
	uint64_t file_size;

	/* The beginning as it was read. Plan and boot_params are made from this copy, even if memory changes. */
	uint8_t probe[KERNEL_PROBE_SIZE];
	size_t probe_size;

	struct unified_file unified; /* the image with the kernel; `file` points to it until the kernel has its place */

	/*
	 * The sections of the unified image with the kernel: our own image, or a file. They are valid from load_kernel
	 * on, a file's only until load_unified_kernel. A file's kernel is among them only if the file was needed in one
	 * piece.
	 */
	struct unified_view view;
};

/*
 * Reads the kernel to the place where it will run, and hashes the file into the digest on the way, as one region.
 * `plan` must outlive *ret_kernel.
 */
enum kexec_status load_kernel(const struct boot_plan *plan, const struct load_target *target,
			      struct kernel *ret_kernel);

/* The move that the purgatory does before it enters the kernel. */
struct kernel_move kernel_find_move(const struct kernel *kernel);

/*
 * Puts the kernel of a unified image into its place, and settles the command line, which may add initrds to the plan.
 * Call it after the platform has vouched for the file, and after it was measured. A no-op for any other kernel.
 */
enum kexec_status load_unified_kernel(struct boot_plan *plan, const struct load_target *target, struct kernel *kernel);

/* The initrds of a boot in their places. */
struct loaded_initrds {
	const struct kexec_segment *segment; /* NULL: no initrd */
	uint64_t named_size; /* of a kernel that comes by itself: size of the initrds in front of those made here */
	struct text pcr_key; /* the content of plan->pcr_key; target->extras owns it */
};

/*
 * Reads all initrds into one segment, and hashes each on the way. The order is systemd-stub's, with the initrds of
 * target->extras among them (efi/load/initrd_list.h).
 */
enum kexec_status load_initrds(const struct boot_plan *plan, const struct kernel *kernel,
			       const struct load_target *target, struct loaded_initrds *ret_initrds);

/*
 * Makes a segment of the kernel command line. It fails if the line is longer than the kernel allows. The line is that
 * of the plan, or of the unified image that it names, and the options of target->extras, whose command_line is the line
 * as measured. If the kernel is in a unified image, we are its stub, and add the words of boot/serial_console.h.
 */
enum kexec_status load_command_line(struct boot_plan *plan, const struct kernel *kernel,
				    const struct load_target *target, const struct kexec_segment **ret_segment);
