// SPDX-License-Identifier: BSD-2-Clause
/*
 * A unified image in memory, whose sections are on the way to their places.
 *
 * Each section is hashed as it arrives. The purgatory compares that digest with the section in its last place, so it
 * finds an error of the copy in between like any other change of memory. The largest part is not copied: an initrd
 * without others stays where it was read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/digest.h"
#include "boot/kexec_image.h"
#include "boot/plan.h"
#include "boot/unified_hasher.h"

/* A zeroed one is empty. */
struct unified_file {
	struct unified_image image;
	bool has_extras; /* other initrds will follow its own, from the extras */
	struct unified_hasher hasher;
	uint8_t *bytes;			    /* the file, except parts read straight to their place; NULL: none */
	struct memory_pages pages;	    /* its pages; size 0 if they belong to the initrd's segment */
	const struct kexec_segment *initrd; /* not NULL: .initrd stays where it was read */
	char *command_line_memory;	    /* pool memory */
	struct text command_line;	    /* the plan's and .cmdline together */
};

/*
 * Finds memory for a file of `size` bytes: around a segment for its initrd, if the plan adds no other. Of `file` only
 * `image` and `has_extras` are set. It must stay in place, and unified_file_free frees what it owns.
 */
enum kexec_status unified_file_place(struct unified_file *file, const struct boot_plan *plan, uint64_t size,
				     struct kexec_image *kexec_image, struct digest *digest);

/* Copies a section to the physical address `addr`, with the zeros behind it. */
void unified_file_copy(const struct unified_file *file, enum unified_part part, uint64_t addr);

/* Makes the section, which lies at `addr`, the region `name`. */
void unified_file_add_region(const struct unified_file *file, enum unified_part part, uint64_t addr,
			     struct digest *digest, const char *name);

/*
 * Makes the segment of the initrd final, with zeros at its end. Afterwards nothing else of the file is needed. Refuses
 * a segment above `max`, where the kernel `name` cannot use it. A no-op without such a segment.
 */
enum kexec_status unified_file_keep_initrd(const struct unified_file *file, const char *name, uint64_t max,
					   struct digest *digest);

/*
 * Makes file->command_line, once the platform has vouched for the file if it must (`is_signed`). Carries out the words
 * of .cmdline that are not for Linux (boot/command_line.h).
 */
enum kexec_status unified_file_settle_command_line(struct unified_file *file, struct boot_plan *plan, bool is_signed);

/* Zeroes *file. Harmless on a zeroed one. */
void unified_file_free(struct unified_file *file);
