// SPDX-License-Identifier: BSD-2-Clause
/*
 * The core's seam to the console. efi/console/console.c implements it with the firmware's console, the unit tests with
 * a buffer. The implementations add the prefix "kexec: " and the line end, so messages do not contain them.
 */
#pragma once

#include <stdbool.h>

#include "boot/status.h"

/*
 * Logs an error, with the expected and the actual value, and evaluates to `status`. So a failure is logged once, where
 * the numbers are: return log_error(KEXEC_TRUNCATED, "...", ...).
 */
#define log_error(status, ...) (log_error_line(__VA_ARGS__), (status))

void log_error_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Logs an error, or a request of the user that is not fulfilled, while the boot goes on. The line is marked: `kexec:
 * warning: ...`.
 */
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The mark of such a line. An error needs no mark: it ends the boot. */
#define LOG_WARNING_MARK "warning: "

/* Logs a step of a successful boot. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, but shown only with `verbose yes`. */
void log_verbose(const char *format, ...) __attribute__((format(printf, 1, 2)));

void log_set_verbose(bool verbose);
