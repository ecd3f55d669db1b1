// SPDX-License-Identifier: BSD-2-Clause
/* Recognises habits by the beginning and the end of words. */
#include "boot/option_habit.h"

/* Matches $name and ${name}, but not $6$, which occurs in hashes of passwords. */
static bool is_variable(struct text text)
{
	char next;

	if (text.length < 2 || text.start[0] != '$')
		return false;
	next = text_lower(text.start[1]);
	return next == '_' || next == '{' || (next >= 'a' && next <= 'z');
}

static bool has_variable(const struct stub_parameter *parameter)
{
	return text_begins_with(parameter->name, TEXT("$")) || is_variable(parameter->value) ||
	       text_contains(parameter->name, TEXT("${")) || text_contains(parameter->value, TEXT("${"));
}

/* U+00A0 is 0xc2 0xa0 in UTF-8, and Linux takes the second byte for a blank. */
static bool ends_in_half_a_blank(const struct stub_parameter *parameter)
{
	struct text end = parameter->has_value ? parameter->value : parameter->name;

	return end.length && (unsigned char)end.start[end.length - 1] == 0xc2;
}

const char *option_habit(const struct stub_parameter *parameter)
{
	if (has_variable(parameter))
		return "variables are GRUB's, and stay as they are";
	if (!parameter->has_value && text_equal(parameter->name, TEXT("#")))
		return "it begins no comment here: Linux gets all words behind it";
	if (ends_in_half_a_blank(parameter))
		return "Linux takes half of the no-break space behind it for a part of the word";
	return NULL;
}

bool option_habit_is_quoted(struct text command_line)
{
	struct text inner = text_trim(command_line);
	char quote;

	if (inner.length < 2)
		return false;
	quote = inner.start[0];
	if ((quote != '"' && quote != '\'') || inner.start[inner.length - 1] != quote)
		return false;
	text_drop(&inner, 1);
	inner.length--;
	return !text_has(inner, quote) && (text_has(inner, ' ') || text_has(inner, '\t'));
}
