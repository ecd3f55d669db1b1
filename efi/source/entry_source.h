// SPDX-License-Identifier: BSD-2-Clause
/* Finds the entry that says what to boot. */
#pragma once

#include <efi.h>

#include "boot/entry.h"
#include "boot/status.h"

#define ENTRY_SOURCE_PATH_SIZE 256

/* An entry together with the memory that its text lies in. A zeroed one is empty. */
struct entry_source {
	struct entry entry;
	char path[ENTRY_SOURCE_PATH_SIZE]; /* of the file that holds it */
	char *buffer;			   /* pool memory */
};

/*
 * Reads and checks the entry for the image `image`. What is sealed in it comes first: a section .entry that holds an
 * entry, or the sections of a unified kernel image (uapi-group.org/specifications/specs/unified_kernel_image); nothing
 * outside can then change what boots. Else what its load options say, if they name a kernel; else the file that they
 * name; else the file beside the image, with .conf in place of .efi. What load options say besides is appended to the
 * file's text.
 */
enum kexec_status entry_source_read(const EFI_LOADED_IMAGE *image, struct entry_source *ret_source);

/* Frees the text. Harmless on a zeroed struct. */
void entry_source_free(struct entry_source *source);
