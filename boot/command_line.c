// SPDX-License-Identifier: BSD-2-Clause
/* Looks for what the kernel's EFI stub would do (drivers/firmware/efi/libstub: file.c, efi-stub-helper.c, gop.c). */
#include "boot/command_line.h"

#include "boot/log.h"
#include "boot/path_habit.h"
#include "boot/stub_options.h"
#include "boot/volume_path.h"

/* How much of a word a message quotes, and of a whole command line. */
#define QUOTE_MAX 120

/* --- variables --- */

/* $name and ${name}, but not $6$, as in the hash of a password. */
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
	return text_begins_with(parameter->name, TEXT("$")) || (parameter->has_value && is_variable(parameter->value));
}

/* Whether there are words for Linux, and all of them are variables. */
static bool is_all_variables(struct text command_line)
{
	struct stub_parameter parameter;
	bool is_any = false;

	while (stub_take_parameter(&command_line, &parameter)) {
		if (text_equal(parameter.name, TEXT("initrd")))
			continue;
		if (!text_begins_with(parameter.name, TEXT("$")))
			return false;
		is_any = true;
	}
	return is_any;
}

/*
 * They are left in: GRUB puts nothing in the place of a variable that it does not know, but the word may be meant as it
 * stands, and Linux does not mind it.
 */
static void warn_of_variables(const struct boot_plan *plan)
{
	struct text rest = plan->command_line;
	struct stub_parameter parameter;

	while (stub_take_parameter(&rest, &parameter)) {
		if (has_variable(&parameter))
			log_warning(
				"%s: options: expected words for Linux, found \"%.*s%s%.*s\": variables are GRUB's, "
				"and stay as they are",
				plan->said_by, TEXT_ARGS(text_quote(parameter.name, QUOTE_MAX)),
				parameter.has_value ? "=" : "", TEXT_ARGS(text_quote(parameter.value, QUOTE_MAX)));
	}
}

/* --- initrds --- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts the first word off, with its quotes: blanks between two of them belong to the word. */
static struct text take_word(struct text *rest)
{
	struct text word;
	bool in_quotes = false;

	while (rest->length && is_blank(rest->start[0]))
		text_drop(rest, 1);
	word = (struct text){ .start = rest->start };
	for (; word.length < rest->length && (in_quotes || !is_blank(rest->start[word.length])); word.length++)
		in_quotes ^= rest->start[word.length] == '"';
	text_drop(rest, word.length);
	return word;
}

/*
 * Cuts everything up to the next initrd=PATH off. The stub looks for it anywhere, also behind --, and knows no quotes.
 * Those that Linux knows are taken off here: around the whole word, or around the path.
 */
static bool take_initrd(struct text *rest, struct text *ret_path)
{
	struct text word;

	while ((word = take_word(rest)).length) {
		size_t length = word.length;
		bool is_quoted;

		text_skip_prefix(&word, TEXT("\""));
		if (!text_begins_with(word, TEXT("initrd=")))
			continue;
		text_skip_prefix(&word, TEXT("initrd="));
		text_skip_prefix(&word, TEXT("\""));
		is_quoted = length - word.length > sizeof("initrd=") - 1;
		if (is_quoted && word.length && word.start[word.length - 1] == '"')
			word.length--;
		*ret_path = word;
		return true;
	}
	return false;
}

static bool is_loaded(const struct boot_plan *plan, struct text path)
{
	for (size_t i = 0; i < plan->initrd_count; i++) {
		if (volume_path_equal(text_of_string(plan->initrds[i].name), path))
			return true;
	}
	return false;
}

static enum kexec_status add_initrd(struct plan_builder *builder, struct text path, bool is_sealed)
{
	const char *said_by = builder->plan.said_by;
	const char *expected = path.length ? path_habit(path) : "a path";

	if (is_sealed)
		return log_error(KEXEC_DENIED,
				 "%s: options: expected sealed initrds only, found \"initrd=%.*s\", which the kernel's "
				 "EFI stub would read",
				 said_by, TEXT_ARGS(text_quote(path, QUOTE_MAX)));
	if (expected)
		return log_error(KEXEC_BAD_FORMAT, "%s: options: initrd=: expected %s, found \"%.*s\"", said_by,
				 expected, TEXT_ARGS(text_quote(path, QUOTE_MAX)));
	if (!is_loaded(&builder->plan, path))
		plan_builder_add_initrd(builder, path);
	return KEXEC_OK;
}

static enum kexec_status add_initrds(struct plan_builder *builder, bool is_sealed)
{
	struct text rest = builder->plan.command_line;
	enum kexec_status status = KEXEC_OK;
	struct text path;

	while (!status && take_initrd(&rest, &path))
		status = add_initrd(builder, path, is_sealed);
	return status;
}

/* --- what only the stub would do --- */

/* Modes, to be set while the firmware is there. What else may follow video=efifb: is for Linux's driver. */
static bool is_mode(struct text value)
{
	if (!text_begins_with(value, TEXT("efifb:")))
		return false;
	text_skip_prefix(&value, TEXT("efifb:"));
	return text_begins_with(value, TEXT("mode=")) || text_begins_with(value, TEXT("auto")) ||
	       text_begins_with(value, TEXT("list")) || (value.length && text_is_digit(value.start[0]));
}

static void warn_of_the_stub(const struct boot_plan *plan)
{
	struct text rest = plan->command_line;
	struct stub_parameter parameter;

	while (stub_take_parameter(&rest, &parameter)) {
		if (!parameter.has_value && text_equal(parameter.name, TEXT("--")))
			return;
		if (parameter.has_value && text_equal(parameter.name, TEXT("video")) && is_mode(parameter.value))
			log_warning("%s: options: video=%.*s: expected a mode that the firmware sets: this loader sets "
				    "none",
				    plan->said_by, TEXT_ARGS(text_quote(parameter.value, QUOTE_MAX)));
		if (!parameter.has_value && text_equal(parameter.name, TEXT("noinitrd")) && plan->initrd_count)
			log_warning("%s: options: noinitrd: expected no initrd, found %zu: they are loaded",
				    plan->said_by, plan->initrd_count);
	}
}

enum kexec_status command_line_carry_out(struct plan_builder *builder, bool is_sealed)
{
	struct boot_plan *plan = &builder->plan;
	enum kexec_status status;

	if (is_all_variables(plan->command_line))
		return log_error(
			KEXEC_BAD_FORMAT,
			"%s: options: expected words for Linux, found nothing but variables, which are GRUB's: "
			"\"%.*s\"",
			plan->said_by, TEXT_ARGS(text_quote(plan->command_line, QUOTE_MAX)));
	status = add_initrds(builder, is_sealed);
	if (status)
		return status;
	if (!builder->dma_is_said && stub_wants_dma_off(plan->command_line))
		plan->dma_off = true;
	warn_of_variables(plan);
	warn_of_the_stub(plan);
	return KEXEC_OK;
}
