// SPDX-License-Identifier: BSD-2-Clause
/* The parts of the program inspect. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/loadoptions.h"
#include "boot/pe.h"
#include "boot/plan.h"
#include "boot/text.h"
#include "boot/unified_sections.h"

/* The subject of a question. */
struct input {
	const char *name; /* for messages */
	struct text text;
	struct text more;	      /* behind an entry */
	uint64_t command_line_length; /* of a kernel */
	bool has_profile;
	uint64_t profile;      /* of a unified image */
	uint64_t mode;	       /* of an archive's folder */
	uint64_t file_mode;    /* of its files */
	uint64_t sealed_entry; /* of those in our image, counted from 0 */
	/* Of our image. */
	uint8_t load_options[LOAD_OPTIONS_SIZE_MAX];
	size_t load_options_size;
};

/* Write members of an answer to standard output. Bytes become the characters of Latin-1. */
void put_text(struct text text);
void put_separator(size_t index); /* between the members of a list */
const char *bool_text(bool value);
void put_plan(const struct boot_plan *plan);
void put_unified_image(const struct unified_image *image); /* null for NULL */

/* Whether each file that the plan has on a volume has a valid path. Logs the first that does not. */
bool paths_make_sense(struct boot_plan *plan);

/* The input as a file that may be a PE image. */
struct pe_image file_of(const struct input *input);

/* Each function answers one question, and returns the exit status of the program. */
int inspect_outside_entry(const struct input *input);
int inspect_sealed_entry(const struct input *input);
int inspect_load_options(const struct input *input);
int inspect_keys(const struct input *input);
int inspect_image(const struct input *input);
int inspect_file(const struct input *input);
int inspect_kernel(const struct input *input);
int inspect_initrd(const struct input *input);
int inspect_sidecar_folder(const struct input *input);
int inspect_sidecars(const struct input *input);
int inspect_archive(const struct input *input);
int inspect_addon(const struct input *input);
