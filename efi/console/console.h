// SPDX-License-Identifier: BSD-2-Clause
/* The firmware's console beyond boot/log.h, which efi/console/console.c implements as well. */
#pragma once

#include <efi.h>

/*
 * What was printed so far, and what verbose would have printed, as UTF-16 with line feeds. When it grew too large for a
 * variable its first lines were dropped. *ret_size is in bytes. In lines that were logged without verbose, each
 * hexadecimal number of more than four digits is hidden: physical addresses are nothing for every user of Linux to
 * read.
 */
const CHAR16 *console_log(UINTN *ret_size);

/* The last error that was logged, without its prefix, for whoever says later why something was refused; "": none. */
const char *console_last_error(void);

/* A file that takes no longer needs no progress to be seen. */
#define PROGRESS_AFTER_USEC 1000000
#define PROGRESS_INTERVAL_USEC 250000

/* Shows how far a file is, on a line that the next call overwrites, and that any other line ends. */
void console_progress(const char *path, unsigned percent, uint64_t mb_per_second);

/* The file is there: a line for those who have seen its progress, and for the log. */
void console_progress_done(const char *path, uint64_t mb_per_second);

/* Returns when a key has been pressed, or after `seconds`; at once where there is no keyboard. */
void console_wait_for_key(unsigned seconds);
