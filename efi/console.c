// SPDX-License-Identifier: BSD-2-Clause
/* Implements boot/log.h on the firmware's console. */
#include "efi/console.h"

#include "boot/log.h"
#include "common/format.h"
#include "efi/firmware.h"

#define PREFIX "kexec: "
#define LINE_SIZE 400

static bool is_verbose;

void log_set_verbose(bool verbose)
{
	is_verbose = verbose;
}

/* Text from files is shown as the console can: what is not ASCII as a question mark. */
static CHAR16 to_console(char c)
{
	return c >= ' ' && c <= '~' ? (CHAR16)c : '?';
}

static void write_line(const char *format, va_list args)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *console = firmware_system_table->ConOut;
	CHAR16 wide[sizeof(PREFIX) + LINE_SIZE + 3];
	char line[LINE_SIZE];
	size_t at = 0;

	if (!console)
		return;
	format_text_va(line, sizeof(line), format, args);
	for (const char *c = PREFIX; *c; c++)
		wide[at++] = to_console(*c);
	for (const char *c = line; *c; c++)
		wide[at++] = to_console(*c);
	wide[at++] = '\r';
	wide[at++] = '\n';
	wide[at] = 0;
	console->OutputString(console, wide);
}

void log_error_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(format, args);
	va_end(args);
}

void log_verbose(const char *format, ...)
{
	va_list args;

	if (!is_verbose)
		return;
	va_start(args, format);
	write_line(format, args);
	va_end(args);
}

#define POLLS_PER_SECOND 10

void console_wait_for_key(unsigned seconds)
{
	SIMPLE_INPUT_INTERFACE *keyboard = firmware_system_table->ConIn;
	EFI_INPUT_KEY key;

	if (!keyboard)
		return;
	/* What was typed before the question is no answer. */
	keyboard->Reset(keyboard, FALSE);
	for (unsigned i = 0; i < seconds * POLLS_PER_SECOND; i++) {
		if (keyboard->ReadKeyStroke(keyboard, &key) == EFI_SUCCESS)
			return;
		firmware_boot_services->Stall(1000000 / POLLS_PER_SECOND);
	}
}
