// SPDX-License-Identifier: BSD-2-Clause
/* Feeds boot/loadoptions.c raw load options. The first byte says whether a shell passes them. */
#include "boot/loadoptions.h"

#include "boot/entry.h"
#include "tests/fuzz/input.h"

static bool lies_within(struct text text, const char *buffer, size_t size)
{
	return !text.length || (text.start >= buffer && text.start + text.length <= buffer + size);
}

/* Each line is one that a parser of entries knows, and no line feed came in from outside. */
static void check_lines(const struct load_options *options)
{
	static const struct text keys[] = { TEXT("linux"),   TEXT("initrd"),  TEXT("options"),
					    TEXT("verbose"), TEXT("measure"), TEXT("volume") };
	struct text rest = options->lines;
	struct text line;
	bool has_linux = false;

	while (text_take_line(&rest, &line)) {
		struct text key = text_take_word(&line);
		bool known = false;

		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			known |= text_equal(key, keys[i]);
		assert(known);
		has_linux |= text_equal(key, keys[0]);
	}
	assert(has_linux == options->has_linux);
	assert(!has_linux || !options->entry_path.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	bool from_shell = take_number(&input, 1) & 1;
	size_t buffer_size = LOAD_OPTIONS_BUFFER_SIZE(input.size);
	struct load_options options;
	struct boot_plan plan;
	char *buffer;

	if (input.size > LOAD_OPTIONS_SIZE_MAX)
		return 0;
	buffer = malloc(buffer_size);
	load_options_parse(input.bytes, input.size, from_shell, buffer, &options);
	assert(lies_within(options.lines, buffer, buffer_size));
	assert(lies_within(options.entry_path, buffer, buffer_size));
	assert(lies_within(options.volume, buffer, buffer_size));
	check_lines(&options);
	if (options.has_linux && entry_to_plan("load options", options.lines, ENTRY_OF_LOAD_OPTIONS, &plan) == KEXEC_OK)
		boot_plan_free(&plan);
	free(buffer);
	return 0;
}
