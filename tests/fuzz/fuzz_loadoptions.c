// SPDX-License-Identifier: BSD-2-Clause
/* Feeds raw load options to boot/loadoptions.c. The first byte selects the sender and our own path. */
#include "boot/loadoptions.h"

#include "boot/entry.h"
#include "boot/stub_request.h"
#include "tests/fuzz/input.h"

static bool lies_within(struct text text, const char *buffer, size_t size)
{
	return !text.length || (text.start >= buffer && text.start + text.length <= buffer + size);
}

/* Each line has a key that the entry parser knows, and no line feed comes from the input. */
static void check_lines(const struct load_options *options)
{
	static const struct text keys[] = { TEXT("linux"),   TEXT("initrd"), TEXT("options"), TEXT("verbose"),
					    TEXT("measure"), TEXT("volume"), TEXT("network") };
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

/* Skipped options request nothing. */
static void check_skipped(const struct load_options *options)
{
	if (options->skipped)
		assert(!options->lines.length && !options->entry_path.length && !options->has_linux);
}

static struct load_options_sender take_sender(struct input *input)
{
	static const struct text paths[] = { TEXT(""), TEXT("\\EFI\\kexecx64.efi"), TEXT("shim"), TEXT("kernel") };
	uint64_t flags = take_number(input, 1);

	return (struct load_options_sender){
		.is_shell = flags & 1,
		.is_qemu = flags >> 1 & 1,
		.own_path = paths[flags >> 2 & 3],
	};
}

/* Parses the options as for our image with something sealed in it. */
static void check_request(const struct input *input, const struct load_options_sender *sender)
{
	size_t buffer_size = OPTIONAL_DATA_TEXT_SIZE(input->size);
	char *buffer = malloc(buffer_size + 1);
	struct stub_request request = stub_request_parse(input->bytes, input->size, sender, buffer);

	assert(lies_within(request.command_line, buffer, buffer_size));
	assert(lies_within(request.whole, buffer, buffer_size));
	assert(request.has_profile || !request.profile);
	assert(stub_request_repeats(&request, request.command_line));
	free(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	const struct load_options_sender sender = take_sender(&input);
	size_t buffer_size = LOAD_OPTIONS_BUFFER_SIZE(input.size);
	struct load_options options;
	struct boot_plan plan;
	char *buffer;

	if (input.size > LOAD_OPTIONS_SIZE_MAX)
		return 0;
	buffer = malloc(buffer_size);
	load_options_parse(input.bytes, input.size, &sender, buffer, &options);
	assert(lies_within(options.lines, buffer, buffer_size));
	assert(lies_within(options.entry_path, buffer, buffer_size));
	assert(lies_within(options.volume, buffer, buffer_size));
	check_lines(&options);
	check_skipped(&options);
	if (options.has_linux && entry_to_plan("load options", options.lines, ENTRY_OF_LOAD_OPTIONS, &plan) == KEXEC_OK)
		boot_plan_free(&plan);
	free(buffer);
	check_request(&input, &sender);
	return 0;
}
