// SPDX-License-Identifier: BSD-2-Clause
/*
 * Entry text: the syntax of the Boot Loader Specification, Type #1 (uapi-group.org/specifications/specs/
 * boot_loader_specification), with keys of our own for digests and policy. The same text can stand in a file, in a
 * section of our image, or come from load options.
 */
#pragma once

#include "boot/plan.h"
#include "boot/status.h"
#include "boot/text.h"

/* No entry is longer than this, in bytes. */
#define ENTRY_SIZE_MAX (64u << 10)

/* Where the text stands decides who vouches for the parts that it names. */
enum entry_place {
	ENTRY_OUTSIDE,	       /* in a file, where anybody may have written it */
	ENTRY_OF_LOAD_OPTIONS, /* made of load options, likewise */
	ENTRY_SEALED, /* in our own image: the image's signature covers the text, the text's digests cover the files */
	ENTRY_OF_SECTIONS, /* made of the sections of our own image, which are the files: the signature covers all */
};

/*
 * Makes a plan of an entry. Checks the whole text: it must have one `linux` line, known values and well-formed digests.
 * Each digest must be for a file that the entry loads, and a file must not have two different digests by the same key.
 * A sealed entry must have a digest for each file, by either key, and must not name a fallback. Unknown keys are
 * skipped and listed in the plan, except misspelled keys, which are refused (boot/key_habit.h).
 *
 * `said_by` names the text in messages. `text` and `said_by` are copied. The caller frees the plan with boot_plan_free.
 * *ret_plan is written on success only.
 */
enum kexec_status entry_to_plan(const char *said_by, struct text text, enum entry_place place,
				struct boot_plan *ret_plan);
