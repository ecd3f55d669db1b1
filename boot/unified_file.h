// SPDX-License-Identifier: BSD-2-Clause
/*
 * A unified image in memory, on the way of its sections to their places.
 *
 * Each section is hashed as it arrives, and that digest is the one that the purgatory compares with what lies at the
 * section's last place: a copy in between can go wrong as little as anything else that changes memory. The largest part
 * is not copied: an initrd that is alone stays where it was read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/digest.h"
#include "boot/kexec_image.h"
#include "boot/plan.h"
#include "boot/unified_hasher.h"

/* A zeroed one is none. */
struct unified_file {
	struct unified_image image;
	bool has_extras; /* there will be initrds behind its own that nobody names */
	struct unified_hasher hasher;
	uint8_t *bytes;			    /* the file, except what was read to its place at once; NULL: none */
	struct memory_pages pages;	    /* where it lies; of size 0 if they are those of the initrd's segment */
	const struct kexec_segment *initrd; /* if .initrd stays where it was read */
	char *command_line_memory;	    /* of the pool */
	struct text command_line;	    /* of the plan and .cmdline together */
};

/*
 * Finds memory for a file of `size` bytes, around a segment of its initrd if the plan adds no other. `file` has only
 * `image` and `has_extras`; it stays where it is, and unified_file_free frees what it owns.
 */
enum kexec_status unified_file_place(struct unified_file *file, const struct boot_plan *plan, uint64_t size,
				     struct kexec_image *kexec_image, struct digest *digest);

/* Copies a section to the physical address `addr`, with the zeros behind it. */
void unified_file_copy(const struct unified_file *file, enum unified_part part, uint64_t addr);

/* Makes the section, which lies at `addr`, the region `name`. */
void unified_file_add_region(const struct unified_file *file, enum unified_part part, uint64_t addr,
			     struct digest *digest, const char *name);

/*
 * Makes the segment of the initrd final, which zeros fill up: nothing else of the file is needed any more. Refuses one
 * that lies above `max`, where the kernel named `name` cannot be told of it. Does nothing without such a segment.
 */
enum kexec_status unified_file_keep_initrd(const struct unified_file *file, const char *name, uint64_t max,
					   struct digest *digest);

/*
 * Makes file->command_line, once the platform has vouched for the file if it has to (`is_signed`), and carries out what
 * .cmdline asks of others than Linux (boot/command_line.h).
 */
enum kexec_status unified_file_settle_command_line(struct unified_file *file, struct boot_plan *plan, bool is_signed);

/* Zeroes *file. Does no harm to one that is none. */
void unified_file_free(struct unified_file *file);
