// SPDX-License-Identifier: BSD-2-Clause
/* boot/log.h on a buffer. */
#include "boot/log.h"

#include "common/format.h"
#include "tests/unit/support.h"

static char buffer[65536];
static size_t used;
static bool verbose = true;
static size_t errors;

void log_set_verbose(bool value)
{
	verbose = value;
}

/* Formatted by the project's own formatter: what cannot be printed in UEFI must not pass here. */
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

void check_error(enum kexec_status found, enum kexec_status expected, const char *part, const char *file, int line)
{
	const char *end = strchr(buffer, '\n');

	if (found != expected) {
		print_error("expected status %d, found %d, logged: %s\n", expected, found, buffer);
		_fail(file, line);
	}
	if (!end || end[1] != '\0' || !strstr(buffer, part)) {
		print_error("expected one line with \"%s\", logged: %s\n", part, buffer);
		_fail(file, line);
	}
	errors++;
	log_clear();
}

size_t errors_checked(void)
{
	return errors;
}

void check_ok(enum kexec_status found, const char *file, int line)
{
	if (found != KEXEC_OK) {
		print_error("expected success, found status %d, logged: %s\n", found, buffer);
		_fail(file, line);
	}
}
