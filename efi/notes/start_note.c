// SPDX-License-Identifier: BSD-2-Clause
/* Writes the note. */
#include "efi/notes/start_note.h"

#include "boot/imagepath.h"
#include "boot/log.h"
#include "common/format.h"
#include "common/string.h"
#include "common/vendor.h"
#include "efi/console/console.h"
#include "efi/services/firmware.h"
#include "efi/services/variable.h"

/* Limits that let several records fit. */
#define PATH_SHOWN 220
#define LINE_SHOWN 320
#define RECORD_SIZE (PATH_SHOWN + LINE_SHOWN + 40)

/* More entries than firmware has room for. */
#define ORDER_MAX 256

/* "kexec: ", with which each line of the log begins. */
#define LOG_PREFIX_UNITS 7

static const struct variable note = {
	.name = L"KexecStarts",
	.vendor = KEXEC_VENDOR_GUID,
	.required = VARIABLE_BOOT_RUNTIME | VARIABLE_STORED,
	.forbidden = ~(uint32_t)(VARIABLE_BOOT_RUNTIME | VARIABLE_STORED),
	.size_min = 1,
	.size_max = START_NOTE_SIZE,
};

static const EFI_LOADED_IMAGE *own_image;
static size_t log_start; /* size of the log when we began, in units */

/* --- the variable --- */

/*
 * Reads the note and returns its size. Returns 0 if there is none, or if it is not ours: each of ours ends with a line
 * feed.
 */
static size_t read_note(char ret_lines[START_NOTE_SIZE], enum variable_state *ret_state)
{
	struct variable_reading reading;

	*ret_state = variable_read(&note, ret_lines, &reading);
	return *ret_state == VARIABLE_FOUND && ret_lines[reading.size - 1] == '\n' ? reading.size : 0;
}

/* Whether a line of the note begins with `record`, which does not have the time. */
static bool has_record(const char *lines, size_t size, const char *record, size_t length)
{
	for (size_t at = 0; at < size; at++) {
		if ((at == 0 || lines[at - 1] == '\n') && length <= size - at &&
		    memcmp(lines + at, record, length) == 0)
			return true;
	}
	return false;
}

static size_t add_time(char *text, size_t room)
{
	EFI_TIME time;

	if (EFI_ERROR(firmware_runtime_services->GetTime(&time, NULL)))
		return format_text(text, room, "\n");
	return format_text(text, room, "%04u-%02u-%02u %02u:%02u\n", time.Year, time.Month, time.Day, time.Hour,
			   time.Minute);
}

static EFI_STATUS store(enum variable_state state, const char *lines, size_t size)
{
	EFI_GUID vendor = note.vendor;

	/* The attributes of an existing variable cannot be changed. */
	if (state == VARIABLE_WRONG_ATTRIBUTES)
		variable_delete(&note);
	return firmware_runtime_services->SetVariable((CHAR16 *)note.name, &vendor, note.required, size, (void *)lines);
}

/* Adds a record of `length` bytes, and the time. If there is no room left, the note starts over. */
static void add(const char *record, size_t length)
{
	char lines[START_NOTE_SIZE];
	char addition[RECORD_SIZE + 24];
	enum variable_state state;
	size_t size = read_note(lines, &state);
	EFI_STATUS status;

	if (has_record(lines, size, record, length))
		return;
	memcpy(addition, record, length);
	length += add_time(addition + length, sizeof(addition) - length);
	if (length > sizeof(lines) - size)
		size = 0;
	memcpy(lines + size, addition, length);
	status = store(state, lines, size + length);
	if (EFI_ERROR(status))
		log_verbose("the firmware takes no note of this start: %s", efi_status_name(status));
}

/* --- records --- */

/* A tab or a line feed would look like the end of a field. */
static void clean(char *text)
{
	for (; *text; text++) {
		if ((uint8_t)*text < ' ' || *text == 0x7f)
			*text = '?';
	}
}

static void get_path(char ret_path[PATH_SHOWN + 1])
{
	const EFI_DEVICE_PATH *path = own_image->FilePath;

	if (!path || !image_path(path, device_path_size(path), ret_path, PATH_SHOWN + 1))
		ret_path[0] = '\0';
	clean(ret_path);
}

/* The line of the log that begins at `start`, or is cut there. */
static void get_line(const CHAR16 *log, size_t start, size_t end, char ret_line[LINE_SHOWN + 1])
{
	size_t length = 0;

	for (start += LOG_PREFIX_UNITS; start < end && log[start] != '\n' && length < LINE_SHOWN; start++)
		ret_line[length++] = (char)log[start];
	ret_line[length] = '\0';
	clean(ret_line);
}

static void write_record(const char *what, const char *path, const char *line)
{
	char record[RECORD_SIZE];
	size_t length = format_text(record, sizeof(record), "%s\t%s\t%s\t", what, path, line);

	add(record, length);
}

/* --- trials --- */

static bool is_in_order(uint16_t number, const uint16_t *order, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (order[i] == number)
			return true;
	}
	return false;
}

/* Whether the firmware has started an entry that BootOrder does not contain. Returns false if it does not tell. */
static bool is_trial(void)
{
	const struct variable current = {
		.name = L"BootCurrent",
		.vendor = EFI_GLOBAL_VARIABLE,
		.required = VARIABLE_BOOT_RUNTIME,
		.forbidden = VARIABLE_STORED,
		.size_min = sizeof(uint16_t),
		.size_max = sizeof(uint16_t),
	};
	const struct variable order = {
		.name = L"BootOrder",
		.vendor = EFI_GLOBAL_VARIABLE,
		.required = VARIABLE_BOOT_RUNTIME | VARIABLE_STORED,
		.size_max = ORDER_MAX * sizeof(uint16_t),
	};
	uint16_t number;
	uint16_t numbers[ORDER_MAX];
	struct variable_reading reading;
	enum variable_state state;

	if (variable_read(&current, &number, &reading) != VARIABLE_FOUND)
		return false;
	state = variable_read(&order, numbers, &reading);
	if (state == VARIABLE_ABSENT)
		return true;
	return state == VARIABLE_FOUND && !is_in_order(number, numbers, reading.size / sizeof(numbers[0]));
}

/* --- stopped trials --- */

/* Whether the last record is the start of another image than that at `path`. */
static bool ends_with_start_of_another(const char *path)
{
	char lines[START_NOTE_SIZE];
	char start[PATH_SHOWN + 16];
	size_t length = format_text(start, sizeof(start), "started\t%s\t", path);
	const size_t word = sizeof("started");
	enum variable_state state;
	size_t size = read_note(lines, &state);
	size_t at = size ? size - 1 : 0;

	while (at && lines[at - 1] != '\n')
		at--;
	return has_record(lines + at, size - at, start, word) && !has_record(lines + at, size - at, start, length);
}

/* --- the calls --- */

void start_note_begin(const EFI_LOADED_IMAGE *image)
{
	UINTN size;

	own_image = image;
	console_log(&size);
	log_start = size / sizeof(CHAR16);
}

bool start_note_stopped(void)
{
	char path[PATH_SHOWN + 1];
	char line[LINE_SHOWN + 1];
	bool is_of_another;
	UINTN size;
	const CHAR16 *log = console_log(&size);

	if (!own_image || size / sizeof(CHAR16) <= log_start)
		return false;
	get_path(path);
	is_of_another = ends_with_start_of_another(path);
	get_line(log, log_start, size / sizeof(CHAR16), line);
	write_record("stopped", "", line);
	return is_of_another;
}

void start_note_started(void)
{
	char path[PATH_SHOWN + 1];

	if (!own_image || !is_trial())
		return;
	get_path(path);
	write_record("started", path, "");
}

void start_note_refused(void)
{
	char path[PATH_SHOWN + 1];
	char line[LINE_SHOWN + 1];
	UINTN size;
	const CHAR16 *log = console_log(&size);
	size_t end = size / sizeof(CHAR16);
	size_t start = end ? end - 1 : 0;

	if (!own_image)
		return;
	while (start && log[start - 1] != '\n')
		start--;
	get_path(path);
	get_line(log, start, end, line);
	write_record("refused", path, line);
}
