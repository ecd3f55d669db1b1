// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a PE image holds to be booted, in sections that the image's own signature covers: entries (.entry), of which
 * each is tried when the one before it is refused, or a unified kernel image
 * (uapi-group.org/specifications/specs/unified_kernel_image).
 */
#pragma once

#include <stdbool.h>

#include "boot/pe.h"
#include "boot/plan.h"
#include "boot/status.h"

/*
 * The mark: the content of the section .seal of our image, read-only data that its signature covers. It says whether
 * the image must have something sealed in it. `make` builds the generic mark, tools/seal writes the other. The loader
 * reads it where it was linked, without any header. Each is text that fills its place with NULs.
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
	SEAL_UNREADABLE, /* it cannot be told: nothing may boot */
};

/*
 * Whether something is sealed in the image. The answer is SEAL_UNREADABLE, and the reason is logged, if the headers
 * make no sense, if two sections have a name that counts, if there are more entries than can be tried, or if
 * `is_demanded` and nothing is sealed.
 *
 * Two are none too many where a section .profile begins another profile of a unified kernel image: the first counts.
 */
enum seal sealed_image_found(const struct pe_image *image, bool is_demanded);

/*
 * How many entries are sealed in the image; 0 for a unified kernel image, or where nothing is sealed.
 */
size_t sealed_image_entries(const struct pe_image *image);

/* What is chosen of that which is sealed. */
struct sealed_choice {
	size_t entry;	     /* counted from 0, in the order of the section headers */
	uint32_t profile;    /* of a unified kernel image */
	struct text options; /* the command line of one that has none */
};

/*
 * Makes a plan of what is sealed in the image. A sealed entry names files on the volume and has a digest for each. In a
 * unified kernel image the parts are the sections .linux, .ucode and .initrd of the profile, and .cmdline is the
 * command line, its control characters replaced by blanks. Where that is missing or empty, `options` are: then the
 * plan says so by options_are_added. A sealed entry has neither, and both count for nothing. Each of several sealed
 * entries is called by its number, from 1 on.
 *
 * The caller frees the plan with boot_plan_free. *ret_plan is written on success only.
 */
enum kexec_status sealed_image_to_plan(const struct pe_image *image, const struct sealed_choice *choice,
				       struct boot_plan *ret_plan);
