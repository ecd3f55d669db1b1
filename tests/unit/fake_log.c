// SPDX-License-Identifier: BSD-2-Clause
/* boot/log.h, into a buffer. */
#include "boot/log.h"

#include "common/format.h"
#include "tests/unit/support.h"

static char buffer[65536];
static size_t used;
static bool verbose = true;

void log_set_verbose(bool value)
{
	verbose = value;
}

/* Uses the project's own formatter, so that a format that UEFI cannot print fails here as well. */
static void append(const char *mark, const char *format, va_list args)
{
	used += format_text(buffer + used, sizeof(buffer) - used, "%s", mark);
	used += format_text_va(buffer + used, sizeof(buffer) - used, format, args);
	used += format_text(buffer + used, sizeof(buffer) - used, "\n");
}

void log_error_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append("", format, args);
	va_end(args);
}

void log_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(LOG_WARNING_MARK, format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append("", format, args);
	va_end(args);
}

void log_verbose(const char *format, ...)
{
	va_list args;

	if (!verbose)
		return;
	va_start(args, format);
	append("", format, args);
	va_end(args);
}

const char *logged(void)
{
	return buffer;
}

void log_clear(void)
{
	used = 0;
	buffer[0] = '\0';
}
