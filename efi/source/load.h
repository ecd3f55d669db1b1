// SPDX-License-Identifier: BSD-2-Clause
/* Turns what an entry names into segments. Each file is opened, planned, and read once into its final place. */
#pragma once

#include "boot/bzimage.h"
#include "boot/digest.h"
#include "boot/entry.h"
#include "boot/kexec_image.h"
#include "boot/status.h"

/* The kernel in its place. */
struct kernel {
	struct bzimage plan;
	const struct kexec_segment *segment;
	const uint8_t *file; /* in one piece: setup sectors right below the segment, and what is behind it */
	uint64_t file_size;

	/* The beginning as it was read: plan and boot_params are made of this, whatever becomes of the memory. */
	uint8_t probe[BZIMAGE_PROBE_SIZE];
	size_t probe_size;
};

/*
 * Reads the entry's kernel to where it will run, and hashes it into `digest` on the way. Its segment stays open in
 * there: digest_close writes zeros behind the kernel, where its signature lies, which is wanted first.
 */
enum kexec_status load_kernel(const struct entry *entry, struct kexec_image *kexec_image, struct digest *digest,
			      struct kernel *ret_kernel);

/* Reads all initrds into one segment, and hashes them likewise. *ret_segment is NULL for an entry without any. */
enum kexec_status load_initrds(const struct entry *entry, const struct kernel *kernel, struct kexec_image *kexec_image,
			       struct digest *digest, const struct kexec_segment **ret_segment);

/* Puts the kernel command line together; it may not be longer than the kernel allows. */
enum kexec_status load_command_line(const struct entry *entry, const struct kernel *kernel,
				    struct kexec_image *kexec_image, const struct kexec_segment **ret_segment);
