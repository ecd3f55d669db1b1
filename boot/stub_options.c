// SPDX-License-Identifier: BSD-2-Clause
/* Parses the kernel's command line like the kernel: lib/cmdline.c, next_arg and parse_option_str. */
#include "boot/stub_options.h"

/* isspace() of lib/ctype.c, which treats bytes as Latin-1. */
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (unsigned char)c == 0xa0;
}

/* The part of a text from `start` up to `end`. Empty if `end` is before `start`. */
static struct text part(struct text text, size_t start, size_t end)
{
	return (struct text){ .start = text.start + start, .length = end > start ? end - start : 0 };
}

/* The length of the next parameter. A quote that is open at its start hides spaces up to the next quote, and so on. */
static size_t parameter_length(struct text text, bool in_quotes)
{
	size_t length = 0;

	for (; length < text.length && (in_quotes || !is_space(text.start[length])); length++) {
		if (text.start[length] == '"')
			in_quotes = !in_quotes;
	}
	return length;
}

/*
 * Quotes count only around a whole parameter or a whole value. A closing quote is removed if there was an opening one.
 */
static struct stub_parameter split(struct text text, bool quoted)
{
	struct stub_parameter parameter = { 0 };
	size_t end = text.length;
	size_t equals = 0;
	bool value_is_quoted;

	/* A leading = does not begin a value. */
	for (size_t i = 1; i < text.length && !equals; i++) {
		if (text.start[i] == '=')
			equals = i;
	}
	parameter.has_value = equals != 0;
	value_is_quoted = equals && equals + 1 < end && text.start[equals + 1] == '"';
	if (end && (quoted || value_is_quoted) && text.start[end - 1] == '"')
		end--;
	parameter.name = part(text, 0, equals ? equals : end);
	if (equals)
		parameter.value = part(text, equals + (value_is_quoted ? 2 : 1), end);
	return parameter;
}

bool stub_take_parameter(struct text *rest, struct stub_parameter *ret_parameter)
{
	struct text text;
	bool quoted;

	while (rest->length && is_space(rest->start[0]))
		text_drop(rest, 1);
	if (!rest->length)
		return false;
	quoted = rest->start[0] == '"';
	if (quoted)
		text_drop(rest, 1);
	text = (struct text){ .start = rest->start, .length = parameter_length(*rest, quoted) };
	text_drop(rest, text.length);
	*ret_parameter = split(text, quoted);
	return true;
}

static bool contains(struct text list, struct text option)
{
	while (list.length) {
		struct text item = { .start = list.start };

		while (item.length < list.length && item.start[item.length] != ',')
			item.length++;
		if (text_equal(item, option))
			return true;
		text_drop(&list, item.length < list.length ? item.length + 1 : item.length);
	}
	return false;
}

/* Finds the next efi=LIST in front of a word --, which ends the kernel's parameters. */
static bool take_efi_list(struct text *rest, struct text *ret_list)
{
	struct stub_parameter parameter;

	while (stub_take_parameter(rest, &parameter)) {
		if (!parameter.has_value && text_equal(parameter.name, TEXT("--")))
			break;
		if (!parameter.has_value || !text_equal(parameter.name, TEXT("efi")))
			continue;
		*ret_list = parameter.value;
		return true;
	}
	return false;
}

bool stub_option(struct text command_line, struct text option)
{
	struct text list;
	bool found = false;

	while (take_efi_list(&command_line, &list))
		found = contains(list, option);
	return found;
}

bool stub_wants_dma_off(struct text command_line)
{
	struct text list;
	bool is_off = false;

	while (take_efi_list(&command_line, &list)) {
		is_off |= contains(list, TEXT("disable_early_pci_dma"));
		is_off &= !contains(list, TEXT("no_disable_early_pci_dma"));
	}
	return is_off;
}
