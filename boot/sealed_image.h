// SPDX-License-Identifier: BSD-2-Clause
/*
 * Finds in a PE image the sections that say what to boot. The image's own signature covers them. They are entries
 * (.entry), each of which is tried if the one before it is refused, or a unified kernel image
 * (uapi-group.org/specifications/specs/unified_kernel_image).
 */
#pragma once

#include <stdbool.h>

#include "boot/pe.h"
#include "boot/plan.h"
#include "boot/status.h"

/*
 * The mark: the content of the section .seal of our image, read-only data that its signature covers. It says whether
 * the image must have something sealed in it. `make` builds the generic mark, tools/seal writes the other one. The
 * loader reads it at its linked address, without any header. Both marks are text, padded with NULs.
 */
#define SEAL_MARK_SECTION ".seal"
#define SEAL_MARK_SIZE 32u
#define SEAL_MARK_GENERIC "kexec-efi: generic"
#define SEAL_MARK_SEALED "kexec-efi: sealed"

/* Whether a mark of SEAL_MARK_SIZE bytes demands a seal. Anything but the generic mark does. */
bool seal_mark_demands(const char mark[SEAL_MARK_SIZE]);

enum seal {
	NOT_SEALED,	 /* anybody outside the image may say what to boot */
	SEALED,		 /* nobody outside the image may */
	SEAL_UNREADABLE, /* unknown: nothing may boot */
};

/*
 * Whether something is sealed in the image. The answer is SEAL_UNREADABLE, and the reason is logged, if the headers
 * make no sense, if two sections have a name that counts, if there are more entries than can be tried, or if
 * `is_demanded` and nothing is sealed.
 *
 * In a unified kernel image with profiles (.profile) a name may occur several times: its first section counts.
 */
enum seal sealed_image_found(const struct pe_image *image, bool is_demanded);

/*
 * How many entries are sealed in the image; 0 for a unified kernel image, or where nothing is sealed.
 */
size_t sealed_image_entries(const struct pe_image *image);

/* A choice from the sealed contents. */
struct sealed_choice {
	size_t entry;	     /* counted from 0, in the order of the section headers */
	uint32_t profile;    /* of a unified kernel image */
	struct text options; /* the command line of a unified kernel image that has none */
};

/*
 * Makes a plan of the sealed contents. A sealed entry names files on the volume and has a digest for each. In a unified
 * kernel image the parts are the sections .linux, .ucode and .initrd of the profile, and .cmdline is the command line,
 * its control characters replaced by blanks. If that is missing or empty, `options` is the command line, and the plan
 * has options_are_added. For a sealed entry, profile and options are ignored. If there are several sealed entries,
 * messages number them from 1 on.
 *
 * The caller frees the plan with boot_plan_free. *ret_plan is written on success only.
 */
enum kexec_status sealed_image_to_plan(const struct pe_image *image, const struct sealed_choice *choice,
				       struct boot_plan *ret_plan);
