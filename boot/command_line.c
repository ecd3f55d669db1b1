// SPDX-License-Identifier: BSD-2-Clause
/*
 * Finds the words on which the kernel's EFI stub would act (drivers/firmware/efi/libstub: file.c, efi-stub-helper.c,
 * gop.c).
 */
#include "boot/command_line.h"

#include "boot/log.h"
#include "boot/network_policy.h"
#include "boot/option_habit.h"
#include "boot/path_habit.h"
#include "boot/stub_options.h"
#include "boot/volume_path.h"

/* Longest quote of a word, or of a whole command line, in a message. */
#define QUOTE_MAX 120

/* A command line, and its name in messages. */
struct line {
	struct text text;
	const char *said_by;
	const char *key;
};

static struct line line_of(const struct boot_plan *plan)
{
	return (struct line){ .text = plan->command_line, .said_by = plan->said_by, .key = "options" };
}

/* --- habits --- */

/* Whether the command line has words, and all of them are variables. */
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
 * The words stay in the line: GRUB replaces an unknown variable with nothing, but the user may mean the word literally,
 * and Linux ignores it.
 */
static void warn_of_habits(const struct line *line)
{
	struct text rest = line->text;
	struct stub_parameter parameter;

	if (option_habit_is_quoted(line->text))
		log_warning("%s: %s: expected words for Linux, found quotes around all of them, which Linux gets as "
			    "well: %.*s",
			    line->said_by, line->key, TEXT_ARGS(text_quote(line->text, QUOTE_MAX)));
	while (stub_take_parameter(&rest, &parameter)) {
		const char *habit = option_habit(&parameter);

		if (habit)
			log_warning("%s: %s: expected words for Linux, found \"%.*s%s%.*s\": %s", line->said_by,
				    line->key, TEXT_ARGS(text_quote(parameter.name, QUOTE_MAX)),
				    parameter.has_value ? "=" : "", TEXT_ARGS(text_quote(parameter.value, QUOTE_MAX)),
				    habit);
	}
}

static enum kexec_status check_variables(const struct line *line)
{
	if (is_all_variables(line->text))
		return log_error(
			KEXEC_BAD_FORMAT,
			"%s: %s: expected words for Linux, found nothing but variables, which are GRUB's: \"%.*s\"",
			line->said_by, line->key, TEXT_ARGS(text_quote(line->text, QUOTE_MAX)));
	return KEXEC_OK;
}

/* --- initrds --- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Removes the first word, with its quotes: blanks between two quotes belong to the word. */
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
 * Removes everything up to and including the next initrd=PATH. The stub looks for it anywhere, even behind --, and does
 * not know quotes. Quotes that Linux knows, around the whole word or around the path, are removed here.
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

static enum kexec_status refuse_initrd(const struct line *line, const char *expected, struct text path)
{
	return log_error(
		KEXEC_DENIED,
		"%s: %s: expected %s initrds only, found \"initrd=%.*s\", which the kernel's EFI stub would read",
		line->said_by, line->key, expected, TEXT_ARGS(text_quote(path, QUOTE_MAX)));
}

static enum kexec_status add_initrd(struct plan_builder *builder, const struct line *line, struct text path)
{
	const char *expected = path.length ? path_habit(path) : "a path";

	if (expected)
		return log_error(KEXEC_BAD_FORMAT, "%s: %s: initrd=: expected %s, found \"%.*s\"", line->said_by,
				 line->key, expected, TEXT_ARGS(text_quote(path, QUOTE_MAX)));
	if (!is_loaded(&builder->plan, path))
		plan_builder_add_initrd(builder, path);
	return KEXEC_OK;
}

/* `only`: the only kind of initrds allowed, for the message; NULL: any initrd is allowed. */
static enum kexec_status add_initrds(struct plan_builder *builder, const struct line *line, const char *only)
{
	enum kexec_status status = KEXEC_OK;
	struct text rest = line->text;
	struct text path;

	while (!status && take_initrd(&rest, &path))
		status = only ? refuse_initrd(line, only, path) : add_initrd(builder, line, path);
	return status;
}

/* --- work of the stub --- */

/* Whether the firmware would have to set a mode. Other values of video=efifb: are for Linux's driver. */
static bool is_mode(struct text value)
{
	if (!text_begins_with(value, TEXT("efifb:")))
		return false;
	text_skip_prefix(&value, TEXT("efifb:"));
	return text_begins_with(value, TEXT("mode=")) || text_begins_with(value, TEXT("auto")) ||
	       text_begins_with(value, TEXT("list")) || (value.length && text_is_digit(value.start[0]));
}

static void warn_of_the_stub(const struct line *line, size_t initrd_count)
{
	struct text rest = line->text;
	struct stub_parameter parameter;

	while (stub_take_parameter(&rest, &parameter)) {
		if (!parameter.has_value && text_equal(parameter.name, TEXT("--")))
			return;
		if (parameter.has_value && text_equal(parameter.name, TEXT("video")) && is_mode(parameter.value))
			log_warning("%s: %s: video=%.*s: expected a mode that the firmware sets: this loader sets none",
				    line->said_by, line->key, TEXT_ARGS(text_quote(parameter.value, QUOTE_MAX)));
		if (!parameter.has_value && text_equal(parameter.name, TEXT("noinitrd")) && initrd_count)
			log_warning("%s: %s: noinitrd: expected no initrd, found %zu: they are loaded", line->said_by,
				    line->key, initrd_count);
	}
}

enum kexec_status command_line_carry_out(struct plan_builder *builder, bool is_sealed)
{
	struct boot_plan *plan = &builder->plan;
	const struct line line = line_of(plan);
	enum kexec_status status;

	status = check_variables(&line);
	if (!status)
		status = add_initrds(builder, &line, is_sealed ? "sealed" : NULL);
	if (status)
		return status;
	if (!plan->dma_is_said && stub_wants_dma_off(plan->command_line))
		plan->dma_off = true;
	warn_of_habits(&line);
	warn_of_the_stub(&line, plan->initrd_count);
	return KEXEC_OK;
}

/* --- .cmdline of a unified image --- */

/* If the stub is given an initrd, it looks for no other. */
static void warn_of_initrds(const struct line *line, const char *beside)
{
	struct text rest = line->text;
	struct text path;

	while (take_initrd(&rest, &path))
		log_warning("%s: %s: expected no initrd=%s, found \"initrd=%.*s\": it is not loaded", line->said_by,
			    line->key, beside, TEXT_ARGS(text_quote(path, QUOTE_MAX)));
}

static bool names_initrd(struct text text)
{
	struct text path;

	return take_initrd(&text, &path);
}

static enum kexec_status add_embedded_initrds(struct boot_plan *plan, const struct line *line, const char *only)
{
	struct plan_builder builder;
	enum kexec_status status;

	if (!names_initrd(line->text))
		return KEXEC_OK;
	status = plan_builder_resume(&builder, plan, line->text);
	if (status)
		return status;
	status = add_initrds(&builder, line, only);
	plan_builder_hand_back(&builder, plan);
	/* The platform has judged the kernel by now. */
	return status ? status : network_policy_check(plan, true);
}

enum kexec_status command_line_carry_out_embedded(struct boot_plan *plan, const struct unified_image *image,
						  const struct embedded_line *embedded)
{
	const struct line line = { .text = embedded->text, .said_by = plan->kernel.name, .key = ".cmdline" };
	const char *signed_only = embedded->is_signed ? "signed" : NULL;
	enum kexec_status status;

	status = check_variables(&line);
	if (status)
		return status;
	if (image->sections[UNIFIED_INITRD].size)
		warn_of_initrds(&line, " beside .initrd");
	else
		status = add_embedded_initrds(plan, &line, boot_part_is_sealed(&plan->kernel) ? "sealed" : signed_only);
	if (status)
		return status;
	if (!plan->dma_is_said)
		plan->dma_off = stub_wants_dma_off(embedded->whole);
	warn_of_habits(&line);
	warn_of_the_stub(&line, plan->initrd_count + unified_initrd_count(image));
	return KEXEC_OK;
}

void command_line_carry_out_added(struct boot_plan *plan, struct text whole, struct text added)
{
	const struct line line = { .text = added, .said_by = plan->kernel.name, .key = "options from outside" };

	warn_of_initrds(&line, "");
	if (!plan->dma_is_said)
		plan->dma_off = stub_wants_dma_off(whole);
	warn_of_habits(&line);
	warn_of_the_stub(&line, 0);
}
