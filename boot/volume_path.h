// SPDX-License-Identifier: BSD-2-Clause
/*
 * Converts paths on a volume from the form in entries to the firmware's. Both / and \ are separators, and several in a
 * row count as one. A part . is ignored, and .. removes the name before it. All paths begin at the root, with or
 * without a separator in front (Boot Loader Specification, "Type #1 Boot Loader Entry Keys"). So one file has one
 * canonical path, for opening and comparing. Messages quote the path as it was written.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/status.h"
#include "boot/text.h"

/* Units of UTF-16 of the longest path: a separator, 511 bytes of UTF-8 as written, and a NUL. */
#define VOLUME_PATH_SIZE 513u

/*
 * Converts the path `name`, in UTF-8, to UTF-16: \ in front of each part, and a NUL at the end. Logs and refuses a path
 * that is too long, not UTF-8, or leads above the root, which firmware refuses as well (edk2's FatLocateOFile).
 */
enum kexec_status volume_path(const char *name, uint16_t ret_path[VOLUME_PATH_SIZE]);

/* Whether the character separates the parts of a path. */
bool volume_path_is_separator(char c);

/* Whether two paths name one file. Case counts: the volume need not be FAT. */
bool volume_path_equal(struct text a, struct text b);

/* Whether the path leads above the root. */
bool volume_path_leads_out(struct text path);

/* The first part of the path; empty for the root. */
struct text volume_path_first(struct text path);
