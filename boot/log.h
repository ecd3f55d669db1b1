// SPDX-License-Identifier: BSD-2-Clause
/*
 * The core's seam to the console. efi/console/console.c implements it with the firmware's, the unit tests with a
 * buffer. The prefix "kexec: " and the line end are added there, so no message carries them.
 */
#pragma once

#include <stdbool.h>

#include "boot/status.h"

/*
 * Says what went wrong, with what was expected and what was found, and evaluates to `status`, so that a failure is
 * logged once, where the numbers are: return log_error(KEXEC_TRUNCATED, "...", ...).
 */
#define log_error(status, ...) (log_error_line(__VA_ARGS__), (status))

void log_error_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Says what went wrong, or what a person asked for and does not get, while the boot goes on. The line is marked:
 * `kexec: warning: ...`.
 */
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What implementations put before such a line. An error needs no mark: it ends the boot. */
#define LOG_WARNING_MARK "warning: "

/* Tells the story of a boot that goes well. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, shown only to those who asked for it with `verbose yes`. */
void log_verbose(const char *format, ...) __attribute__((format(printf, 1, 2)));

void log_set_verbose(bool verbose);
