// SPDX-License-Identifier: BSD-2-Clause
/*
 * The sections of a unified kernel image (uapi-group.org/specifications/specs/unified_kernel_image): a PE file with a
 * kernel in .linux. It is our own image in memory, or a file that an entry names.
 *
 * A section .profile begins a profile. The sections before the first profile are the base. A section of a profile
 * replaces the base's section of the same name. An image without profiles is only the base, and has the profile 0.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/pe.h"
#include "boot/status.h"

/*
 * The sections that count, in the order in which they are measured (systemd 262, src/fundamental/uki.h, which lists
 * .pcrsig among them and does not measure it). A stub takes the .dtbauto and .efifw that suit the machine. On x86,
 * without a device tree, none suits, so they are not here.
 */
enum unified_part {
	UNIFIED_KERNEL,
	UNIFIED_OS_RELEASE,
	UNIFIED_COMMAND_LINE,
	UNIFIED_INITRD,
	UNIFIED_MICROCODE,
	UNIFIED_SPLASH,
	UNIFIED_DEVICE_TREE,
	UNIFIED_KERNEL_VERSION,
	UNIFIED_SBAT,
	UNIFIED_SIGNATURE,  /* of values of register 11 */
	UNIFIED_PUBLIC_KEY, /* of the signer */
	UNIFIED_PROFILE,
	UNIFIED_HARDWARE_IDS,
	UNIFIED_PARTS,
};

/* The name in the image: ".linux". */
const char *unified_section_name(enum unified_part part);

/* A missing section has size 0. */
struct unified_section {
	uint64_t offset;    /* from the first byte of the image, in memory or in the file */
	uint64_t file_size; /* bytes of content that exist */
	uint64_t size;	    /* with the zeros that follow only in memory */
};

struct unified_image {
	struct unified_section sections[UNIFIED_PARTS];
};

/* The number of profiles to choose from, at least 1. */
uint32_t unified_profile_count(const struct pe_image *image);

/*
 * Finds the section that counts for `name` in a profile. Returns false if there is none. The rules of pe_section_at and
 * pe_section_is for sections apply.
 */
bool unified_find_section(const struct pe_image *image, uint32_t profile, const char *name,
			  struct pe_section *ret_section);

/*
 * Finds all sections of a profile. Messages call the image `name`. It must have passed pe_check_headers.
 *
 * Refuses a missing profile, an image without a kernel, and two sections of one name in the base or in the profile, if
 * that section runs: some readers would take the first, and some the last. In a file, none of the sections may overlap
 * any other section, all must lie in the file and within SizeOfImage, and none may be empty: otherwise an image could
 * have other content than the firmware would load.
 */
enum kexec_status unified_sections_find(const char *name, const struct pe_image *image, uint32_t profile,
					struct unified_image *ret_unified);

/*
 * The same for an addon: an image without a kernel or profiles, whose sections are added to those of unified images.
 * Refuses one with a kernel, which would be booted and not added.
 */
enum kexec_status unified_addon_find(const char *name, const struct pe_image *image, struct unified_image *ret_unified);

/* A unified image and its bytes. A zeroed one is empty. */
struct unified_view {
	struct unified_image image;
	const uint8_t *bytes; /* NULL: no unified image */
};

/* The content of a section, without the zeros that only memory has; empty if there is none. */
struct text unified_content(const struct unified_view *view, enum unified_part part);

/*
 * Lists with verbose the sections that a stub would show, install or choose by the machine, and that this loader only
 * measures: it does not show a .splash.
 */
void unified_print_unused(const char *name, const struct pe_image *image);
