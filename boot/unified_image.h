// SPDX-License-Identifier: BSD-2-Clause
/*
 * Unified kernel images as the kernel of an entry (uapi-group.org/specifications/specs/unified_kernel_image): a PE file
 * with a kernel in .linux. It is read as a file, so a section's content lies at its PointerToRawData. An image whose
 * sections would have other contents when firmware has loaded it is refused: whoever has signed it has tried that.
 *
 * A section .profile begins a profile. Those before the first are the base; one of the same name in the profile takes
 * its place.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct kernel_format;

/* The sections that are used. The initrds are in the order in which Linux wants them: microcode must come first. */
enum unified_part {
	UNIFIED_KERNEL,
	UNIFIED_MICROCODE,
	UNIFIED_INITRD,
	UNIFIED_COMMAND_LINE,
	UNIFIED_PARTS,
};

/* One that is not there has size 0. */
struct unified_section {
	uint64_t offset;    /* in the file */
	uint64_t file_size; /* bytes of content in the file, at least 1 */
	uint64_t size;	    /* with the zeros that follow in memory */
};

/* No two sections overlap, and all lie within the file. */
struct unified_image {
	struct unified_section sections[UNIFIED_PARTS];
};

/*
 * Recognises any PE image for x86-64 that has a section .linux, or a profile. Its plan has only `unified`; the plan of
 * the kernel inside is made when its bytes are there. A signature must cover all sections that are used.
 */
extern const struct kernel_format unified_image_format;

/* As it is called in the file: ".linux". */
const char *unified_section_name(enum unified_part part);

/* How many initrds it has. */
size_t unified_initrd_count(const struct unified_image *image);

/* Of number `index` of its initrds, counted from 0. */
enum unified_part unified_initrd(const struct unified_image *image, size_t index);
