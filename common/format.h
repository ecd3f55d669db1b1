// SPDX-License-Identifier: BSD-2-Clause
/* printf without a C library: the part of its format language that our messages use. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/*
 * Writes at most `size` - 1 characters and a NUL into `buffer` (size >= 1), and drops the rest. Returns the number of
 * characters written, the NUL not counted.
 *
 * It understands %s %c %d %u %x %% with the length modifiers l, ll and z, a field width, the flag 0, and a precision
 * for %s (`%.*s`). Anything else is written as it stands.
 */
size_t format_text(char *buffer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t format_text_va(char *buffer, size_t size, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));
