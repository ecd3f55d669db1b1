// SPDX-License-Identifier: BSD-2-Clause
/* Entry files: text in UTF-8, or in UTF-16 as the UEFI shell's > and edit write it. */
#pragma once

#include "boot/fallback.h"
#include "boot/plan.h"
#include "boot/status.h"
#include "boot/text.h"

/* Refuses a file that is too large for an entry with a line end behind it: KEXEC_TOO_LARGE. `size` is in bytes. */
enum kexec_status entry_file_check_size(const char *said_by, uint64_t size);

/*
 * Makes a plan of an entry file's content. The plan's text, which is measured, is always UTF-8: the content without its
 * byte order mark, a line end, and `more`, which has further lines of the entry.
 *
 * UTF-16 must be little endian, and must have no NULs and no half characters. Each of its lines must begin with ASCII:
 * other bytes show that text of another encoding was appended to the file. The rest is as in entry_to_plan, for an
 * entry outside our image. *ret_fallback is the fallback that the content names (boot/fallback.h). It is written even
 * if the entry is refused.
 */
enum kexec_status entry_file_to_plan(const char *said_by, struct text content, struct text more,
				     char ret_fallback[FALLBACK_PATH_SIZE], struct boot_plan *ret_plan);
