// SPDX-License-Identifier: BSD-2-Clause
/*
 * Answers questions about entries, images and kernels by the loader's own code. The tools beside it seal, sign and
 * predict by its answers, so they cannot disagree with the loader. It reads the input from standard input, and writes
 * the answer as JSON to standard output and the loader's messages to standard error. Bytes are written as the
 * characters of Latin-1, because names and command lines need not be UTF-8.
 *
 *   inspect entry NAME [MORE]     the plan of an entry that lies beside the image, with MORE lines from load options
 *   inspect load-options NAME     load options as firmware passes them, in UTF-16: their lines of an entry; the entry
 *                                 file that they name and its volume; and the plan if they are an entry by themselves
 *   inspect sealed-entry NAME     the plan of an entry that is sealed in an image: each file needs its digest
 *   inspect image NAME [OPTIONS [ENTRY]]
 *                                 our own image: its sections; the ranges of the Authenticode digest; whether it is
 *                                 marked as sealed; the number of entries sealed in it; and the sealed plan: that of
 *                                 the first entry or of number ENTRY, counted from 1, or that of a unified image, with
 *                                 the sections of the profile. OPTIONS are load options as firmware passes them, in
 *                                 hexadecimal
 *   inspect file NAME             any file: its sections, if any, and the ranges of the Authenticode digest, or null if
 *                                 it is no PE32+ image
 *   inspect kernel NAME [LENGTH [PROFILE]]
 *                                 a kernel, with a command line of LENGTH bytes: whether it is measured by its
 *                                 Authenticode digest; and in a unified image, the places of the profile's sections
 *                                 in the order of their measurement, and the names of those that are initrds
 *   inspect initrd NAME           no answer: the exit status says whether the loader takes the initrd, and a warning
 *                                 names the part that Linux would not unpack
 *   inspect keys NAME             the keys that an entry may have; the input is ignored
 *   inspect sidecar-folder PATH   the folder with the sidecars of the unified image PATH, or null; the input is ignored
 *   inspect sidecars NAME         for each name in the input, which ends with a NUL: the kind of sidecar, or null
 *   inspect addon NAME            the sections of an addon, as of a unified image; null if the loader would use none
 *   inspect archive FOLDER MODE FILE_MODE
 *                                 an archive of files, of which the input has the name and the decimal size, each with
 *                                 a NUL behind it: the bytes in front of the first content, between the contents, and
 *                                 behind the last one. The modes are decimal, too
 *
 * Messages call the input NAME. The exit status is 0; 1 if the loader would refuse the input or the answer cannot be
 * written; or 2 for a wrong call.
 */
#include "tools/inspect.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/log.h"
#include "boot/pool.h"
#include "common/align.h"
#include "common/format.h"

/* --- the core's seams --- */

static void print_line(const char *format, va_list args)
{
	char line[800];

	format_text_va(line, sizeof(line), format, args);
	/* Bytes of a file must not control a terminal. */
	for (char *c = line; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	(void)fprintf(stderr, "%s\n", line);
}

void log_error_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(format, args);
	va_end(args);
}

void log_warning(const char *format, ...)
{
	va_list args;

	(void)fputs(LOG_WARNING_MARK, stderr);
	va_start(args, format);
	print_line(format, args);
	va_end(args);
}

/* The tools do not need the story of a boot. Skipped keys are in the plan. */
void log_info(const char *format, ...)
{
	(void)format;
}

void log_verbose(const char *format, ...)
{
	(void)format;
}

enum kexec_status pool_alloc(size_t size, const char *what, void **ret_memory)
{
	*ret_memory = malloc(size);
	if (!*ret_memory)
		return log_error(KEXEC_NO_MEMORY, "%s: expected memory for %zu bytes, found none", what, size);
	return KEXEC_OK;
}

void pool_free(void *memory)
{
	free(memory);
}

/* --- the program --- */

/* Returns false unless the text is a number in decimal. */
static bool parse_length(const char *text, uint64_t *ret_length)
{
	uint64_t length = 0;

	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9' || length > UINT64_MAX / 16)
			return false;
		length = length * 10 + (uint64_t)(*c - '0');
	}
	*ret_length = length;
	return text[0] != '\0';
}

static int digit_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads the load options of our image, in hexadecimal. */
static bool parse_load_options(int count, char **arguments, struct input *input)
{
	const char *text = count ? arguments[0] : "";

	for (; text[0]; text += 2) {
		int high = digit_value(text[0]);
		int low = digit_value(text[1]);

		if (high < 0 || low < 0 || input->load_options_size == sizeof(input->load_options))
			return false;
		input->load_options[input->load_options_size++] = (uint8_t)(high * 16 + low);
	}
	return true;
}

/* Reads load options, and the number of an entry. */
static bool parse_image_arguments(int count, char **arguments, struct input *input)
{
	uint64_t number = 1;

	if (!parse_load_options(count, arguments, input) || (count > 1 && !parse_length(arguments[1], &number)) ||
	    !number)
		return false;
	input->sealed_entry = number - 1;
	return true;
}

static bool parse_profile(int count, char **arguments, struct input *input)
{
	return count == 0 || (parse_length(arguments[0], &input->profile) && input->profile <= UINT32_MAX);
}

/* Reads nothing, a length, or a length and a profile. */
static bool parse_kernel_arguments(int count, char **arguments, struct input *input)
{
	if (count >= 1 && !parse_length(arguments[0], &input->command_line_length))
		return false;
	input->has_profile = count == 2;
	return count < 2 || parse_profile(count - 1, arguments + 1, input);
}

static bool parse_modes(int count, char **arguments, struct input *input)
{
	return count == 2 && parse_length(arguments[0], &input->mode) &&
	       parse_length(arguments[1], &input->file_mode) && input->mode <= 07777 && input->file_mode <= 07777;
}

static bool parse_more_lines(int count, char **arguments, struct input *input)
{
	if (count)
		input->more = text_of_string(arguments[0]);
	return true;
}

/* Behind the name, a command takes at most `arguments_max` arguments, which `parse` reads. */
static const struct {
	const char *name;
	int (*run)(const struct input *input);
	int arguments_max;
	bool (*parse)(int count, char **arguments, struct input *input);
} commands[] = {
	{ "entry", inspect_outside_entry, 1, parse_more_lines },
	{ "sealed-entry", inspect_sealed_entry, 0, NULL },
	{ "load-options", inspect_load_options, 0, NULL },
	{ "image", inspect_image, 2, parse_image_arguments },
	{ "file", inspect_file, 0, NULL },
	{ "kernel", inspect_kernel, 2, parse_kernel_arguments },
	{ "initrd", inspect_initrd, 0, NULL },
	{ "keys", inspect_keys, 0, NULL },
	{ "sidecar-folder", inspect_sidecar_folder, 0, NULL },
	{ "sidecars", inspect_sidecars, 0, NULL },
	{ "archive", inspect_archive, 2, parse_modes },
	{ "addon", inspect_addon, 0, NULL },
};

/* Reads all of standard input into memory that the caller frees. */
static bool read_input(const char *name, struct text *ret_input)
{
	size_t capacity = 1 << 20;
	size_t length = 0;
	char *bytes = malloc(capacity);

	while (bytes) {
		char *larger;
		size_t count = fread(bytes + length, 1, capacity - length, stdin);

		length += count;
		if (length < capacity)
			break;
		capacity *= 2;
		larger = realloc(bytes, capacity);
		if (!larger)
			free(bytes);
		bytes = larger;
	}
	if (!bytes || ferror(stdin)) {
		free(bytes);
		log_error_line("%s: cannot read it", name);
		return false;
	}
	*ret_input = (struct text){ .start = bytes, .length = length };
	return true;
}

/* Fails if the answer could not be written as a whole. */
static int finish(const char *name, int result)
{
	bool is_written = fflush(stdout) == 0 && !ferror(stdout);

	if (!is_written)
		log_error_line("%s: cannot write the answer", name);
	return is_written ? result : 1;
}

static int run(size_t command, struct input *input)
{
	int result;

	if (!read_input(input->name, &input->text))
		return 1;
	result = finish(input->name, commands[command].run(input));
	free((void *)(uintptr_t)input->text.start);
	return result;
}

int main(int argc, char **argv)
{
	static struct input input;

	for (size_t i = 0; argc >= 3 && i < ARRAY_SIZE(commands); i++) {
		int count = argc - 3;

		if (strcmp(commands[i].name, argv[1]) != 0)
			continue;
		if (count > commands[i].arguments_max ||
		    (commands[i].parse && !commands[i].parse(count, argv + 3, &input)))
			break;
		input.name = argv[2];
		return run(i, &input);
	}
	(void)fputs("usage: inspect COMMAND NAME [ARGUMENT...] <INPUT; COMMAND is", stderr);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		(void)fprintf(stderr, "%s %s", i ? "," : "", commands[i].name);
	(void)fputs("\n", stderr);
	return 2;
}
