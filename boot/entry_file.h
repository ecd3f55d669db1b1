// SPDX-License-Identifier: BSD-2-Clause
/* Entries as files hold them: in UTF-8, or in UTF-16 as the UEFI shell's > and edit write them. */
#pragma once

#include "boot/fallback.h"
#include "boot/plan.h"
#include "boot/status.h"
#include "boot/text.h"

/*
 * Makes a plan of an entry file's content. The plan's text, which is measured, is UTF-8 whatever the file is in: the
 * content without its byte order mark, a line end, and `more`, which are lines of an entry as well.
 *
 * UTF-16 must be little endian, and whole: no half characters, no NULs, and no line that begins with anything but
 * ASCII, which is what bytes that were appended to such a file look like. The rest is as for entry_to_plan, for an
 * entry that lies outside our image. *ret_fallback is the entry that the content names for the case that it is refused
 * (boot/fallback.h): it is written then as well.
 */
enum kexec_status entry_file_to_plan(const char *said_by, struct text content, struct text more,
				     char ret_fallback[FALLBACK_PATH_SIZE], struct boot_plan *ret_plan);
