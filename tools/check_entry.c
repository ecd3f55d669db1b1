// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads an entry from standard input with the loader's own code, and says what the loader would say: for who seals it
 * into an image, where it can no longer be mended. Usage: check-entry NAME <ENTRY
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "boot/entry.h"
#include "boot/log.h"
#include "boot/pool.h"
#include "common/format.h"

static void print(const char *format, va_list args)
{
	char line[800];

	format_text_va(line, sizeof(line), format, args);
	(void)fprintf(stderr, "%s\n", line);
}

void log_error_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(format, args);
	va_end(args);
}

/* The keys that it skips. */
void log_verbose(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(format, args);
	va_end(args);
}

enum kexec_status pool_alloc(size_t size, const char *what, void **ret_memory)
{
	*ret_memory = malloc(size);
	return *ret_memory ? KEXEC_OK
			   : log_error(KEXEC_NO_MEMORY, "%s: expected memory for %zu bytes, found none", what, size);
}

void pool_free(void *memory)
{
	free(memory);
}

int main(int argc, char **argv)
{
	/* One more than is allowed is enough to find it too long. */
	static char bytes[ENTRY_SIZE_MAX + 1];
	struct text text = { .start = bytes };
	struct boot_plan plan;

	if (argc != 2) {
		(void)fputs("usage: check-entry NAME <ENTRY\n", stderr);
		return 2;
	}
	text.length = fread(bytes, 1, sizeof(bytes), stdin);
	if (entry_to_plan(argv[1], text, ENTRY_OUTSIDE, &plan))
		return 1;
	boot_plan_print_unknown_keys(&plan);
	boot_plan_free(&plan);
	return 0;
}
