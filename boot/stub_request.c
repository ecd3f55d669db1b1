// SPDX-License-Identifier: BSD-2-Clause
/* Parses the load options of a stub. */
#include "boot/stub_request.h"

#include "boot/log.h"
#include "boot/optional_data.h"

static void take_program(struct text *text, const struct load_options_sender *sender)
{
	struct text rest = *text;

	if (load_options_name_program(text_take_word(&rest), sender))
		*text = rest;
}

static void take_profile(struct text *text, struct stub_request *request)
{
	struct text rest = *text;
	struct text word = text_take_word(&rest);
	uint64_t profile;

	if (word.length < 2 || word.start[0] != '@')
		return;
	text_drop(&word, 1);
	if (!text_take_number(&word, UINT32_MAX, &profile) || word.length)
		return;
	request->has_profile = true;
	request->profile = (uint32_t)profile;
	*text = rest;
}

struct stub_request stub_request_parse(const void *bytes, size_t size, const struct load_options_sender *sender,
				       char *buffer)
{
	struct stub_request request = { 0 };
	const char *skipped;
	struct text text;

	if (!size || !optional_data_text(bytes, size, buffer, &text, &skipped))
		return request;
	request.whole = text_trim(text);
	take_program(&text, sender);
	take_profile(&text, &request);
	/* A profile looks like a mark of the firmware's, so check for a profile first. */
	if (request.has_profile || sender->is_shell || !optional_data_is_mark(text))
		request.command_line = text_trim(text);
	return request;
}

static char without_tab(char c)
{
	if (c == '\t')
		return ' ';
	return c;
}

static bool is_same_line(struct text a, struct text b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++) {
		if (without_tab(a.start[i]) != without_tab(b.start[i]))
			return false;
	}
	return true;
}

bool stub_request_repeats(const struct stub_request *request, struct text command_line)
{
	command_line = text_trim(command_line);
	/* Compare the whole text too: the command line may begin with a word that looks like our name. */
	return !request->command_line.length || is_same_line(request->command_line, command_line) ||
	       is_same_line(request->whole, command_line);
}

void stub_request_check(const struct stub_request *request, const struct boot_plan *plan)
{
	if (!plan->options_are_added && !stub_request_repeats(request, plan->command_line))
		log_warning("load options ignored: this image boots only what is sealed in it");
}
