// SPDX-License-Identifier: BSD-2-Clause
/* Implements boot/log.h on the firmware's console. */
#include "efi/console/console.h"

#include "boot/log.h"
#include "common/format.h"
#include "common/string.h"
#include "efi/services/firmware.h"

#define PREFIX "kexec: "
#define LINE_SIZE 800
#define WIDE_SIZE (sizeof(PREFIX) + LINE_SIZE + 8)

enum level {
	LEVEL_VERBOSE,
	LEVEL_INFO,
	LEVEL_WARNING,
	LEVEL_ERROR,
};

static enum level shown_from = LEVEL_INFO;

void log_set_verbose(bool verbose)
{
	shown_from = verbose ? LEVEL_VERBOSE : LEVEL_INFO;
}

/* Text from files is shown in ASCII. Other characters become question marks. */
static CHAR16 to_console(char c)
{
	return c >= ' ' && c <= '~' ? (CHAR16)c : '?';
}

/* Most firmware accepts a variable of this size. A full log loses its first lines, because the last ones tell more. */
#define LOG_UNITS 3072

static CHAR16 kept[LOG_UNITS];
static size_t kept_count;

/* Drops whole lines until there is room for `count` units. */
static void make_room(size_t count)
{
	size_t room = LOG_UNITS - kept_count;
	size_t dropped = count > room ? count - room : 0;

	while (dropped && dropped < kept_count && kept[dropped - 1] != '\n')
		dropped++;
	kept_count -= dropped;
	memmove(kept, kept + dropped, kept_count * sizeof(kept[0]));
}

static void keep(const CHAR16 *line, size_t count)
{
	make_room(count);
	memcpy(kept + kept_count, line, count * sizeof(*line));
	kept_count += count;
}

const CHAR16 *console_log(UINTN *ret_size)
{
	*ret_size = kept_count * sizeof(kept[0]);
	return kept;
}

/* Ends a line of progress: overwrites the rest of a longer one, and returns to its beginning. */
#define PROGRESS_END "   \r"

/* Whether the last line is one of progress, to be overwritten. */
static bool line_is_open;

static void output(CHAR16 *text)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *console = firmware_system_table->ConOut;

	if (console)
		console->OutputString(console, text);
}

/* Makes the prefix, `line` and `ending` one string, and returns its length. */
static size_t widen(const char *line, const char *ending, CHAR16 ret_wide[WIDE_SIZE])
{
	size_t count = 0;

	for (const char *c = PREFIX; *c; c++)
		ret_wide[count++] = to_console(*c);
	for (const char *c = line; *c; c++)
		ret_wide[count++] = to_console(*c);
	for (const char *c = ending; *c; c++)
		ret_wide[count++] = (CHAR16)*c;
	ret_wide[count] = 0;
	return count;
}

static bool is_hex_digit(CHAR16 c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Numbers of up to four digits are no addresses of interest: Linux uses no memory below 64 KiB. */
#define SHOWN_DIGITS_MAX 4

/* Overwrites the digits of each large hexadecimal number, because any of them may be an address. */
static void hide_addresses(CHAR16 *line)
{
	while (*line) {
		size_t zeros = 2;
		size_t end;

		if (line[0] != '0' || line[1] != 'x') {
			line++;
			continue;
		}
		while (line[zeros] == '0')
			zeros++;
		for (end = zeros; is_hex_digit(line[end]);)
			end++;
		for (size_t i = 2; i < end && end - zeros > SHOWN_DIGITS_MAX; i++)
			line[i] = '*';
		line += end;
	}
}

static char last_error[LINE_SIZE];

const char *console_last_error(void)
{
	return last_error;
}

/* Keeps the line in the log, which every user of Linux can read, and shows it if `level` is to be shown. */
static void write_line(enum level level, const char *format, va_list args)
{
	CHAR16 wide[WIDE_SIZE];
	char line[LINE_SIZE];
	size_t count;

	count = format_text(line, sizeof(line), "%s", level == LEVEL_WARNING ? LOG_WARNING_MARK : "");
	format_text_va(line + count, sizeof(line) - count, format, args);
	if (level == LEVEL_ERROR)
		memcpy(last_error, line, sizeof(last_error));
	count = widen(line, "\r\n", wide);
	if (level >= shown_from) {
		if (line_is_open)
			output(L"\r\n");
		line_is_open = false;
		output(wide);
	}
	if (shown_from != LEVEL_VERBOSE)
		hide_addresses(wide);
	/* In the log a line feed is enough. */
	wide[count - 2] = '\n';
	keep(wide, count - 1);
}

void console_progress(const char *path, unsigned percent, uint64_t mb_per_second)
{
	CHAR16 wide[WIDE_SIZE];
	char line[LINE_SIZE];

	format_text(line, sizeof(line), "%s: %3u %%, %lu MB/s", path, percent, mb_per_second);
	widen(line, PROGRESS_END, wide);
	output(wide);
	line_is_open = true;
}

void console_progress_done(const char *path, uint64_t mb_per_second)
{
	if (!line_is_open) {
		log_verbose("%s: 100 %%, %lu MB/s", path, mb_per_second);
		return;
	}
	/* First show it as progress, which overwrites the rest of a longer line. */
	console_progress(path, 100, mb_per_second);
	line_is_open = false;
	log_info("%s: 100 %%, %lu MB/s", path, mb_per_second);
}

void log_error_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(LEVEL_ERROR, format, args);
	va_end(args);
}

void log_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(LEVEL_WARNING, format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(LEVEL_INFO, format, args);
	va_end(args);
}

void log_verbose(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(LEVEL_VERBOSE, format, args);
	va_end(args);
}

#define POLLS_PER_SECOND 10

void console_wait_for_key(unsigned seconds)
{
	SIMPLE_INPUT_INTERFACE *keyboard = firmware_system_table->ConIn;
	EFI_INPUT_KEY key;

	if (!keyboard)
		return;
	/* Ignore keys that were pressed earlier. */
	keyboard->Reset(keyboard, FALSE);
	for (unsigned i = 0; i < seconds * POLLS_PER_SECOND; i++) {
		if (keyboard->ReadKeyStroke(keyboard, &key) == EFI_SUCCESS)
			return;
		firmware_boot_services->Stall(1000000 / POLLS_PER_SECOND);
	}
}
