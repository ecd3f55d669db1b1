// SPDX-License-Identifier: BSD-2-Clause
/* The firmware's console beyond boot/log.h, which efi/console/console.c implements as well. */
#pragma once

#include <efi.h>

/*
 * The log: the lines printed so far, and those that verbose would have printed, as UTF-16 with line feeds. When it
 * grows too large for a variable, its first lines are dropped. *ret_size is in bytes. In lines that were logged without
 * verbose, hexadecimal numbers of more than four digits are hidden, because not every user of Linux should learn
 * physical addresses.
 */
const CHAR16 *console_log(UINTN *ret_size);

/* The last error that was logged, without its prefix, for a later explanation of a refusal; "": none. */
const char *console_last_error(void);

/* Files that take less time than this show no progress. */
#define PROGRESS_AFTER_USEC 1000000
#define PROGRESS_INTERVAL_USEC 250000

/* Shows a file's progress. The next call overwrites the line; any other message ends it. */
void console_progress(const char *path, unsigned percent, uint64_t mb_per_second);

/* Ends a file's progress: prints a line if progress was shown, otherwise only logs it. */
void console_progress_done(const char *path, uint64_t mb_per_second);

/* Returns when a key has been pressed, or after `seconds`; at once if there is no keyboard. */
void console_wait_for_key(unsigned seconds);
