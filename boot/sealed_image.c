// SPDX-License-Identifier: BSD-2-Clause
/* Makes plans of sections. */
#include "boot/sealed_image.h"

#include "boot/entry.h"
#include "boot/log.h"
#include "boot/plan_builder.h"
#include "boot/pool.h"
#include "common/align.h"
#include "common/string.h"

#define SECTION_ENTRY ".entry"
#define SECTION_KERNEL ".linux"
#define SECTION_COMMAND_LINE ".cmdline"

/* What messages call it. */
#define UNIFIED_IMAGE "unified image"

/* In the order in which Linux wants them: microcode must come first. */
static const char *const initrd_sections[] = { ".ucode", ".initrd" };

/* Room for the lines of all sections, apart from the command line itself. */
#define UNIFIED_TEXT_SIZE 128

static bool has_section(const struct pe_image *image, const char *name)
{
	struct text content;

	return pe_find_section(image, name, &content);
}

bool sealed_image_found(const struct pe_image *image)
{
	return has_section(image, SECTION_ENTRY) || has_section(image, SECTION_KERNEL);
}

static enum kexec_status plan_entry(struct text text, struct boot_plan *ret_plan)
{
	/* The section may be padded. */
	while (text.length && text.start[text.length - 1] == '\0')
		text.length--;
	return entry_to_plan("sealed entry", text, ENTRY_SEALED, ret_plan);
}

static struct text text_of(const char *string)
{
	return (struct text){ .start = string, .length = strlen(string) };
}

/*
 * Writes what the sections say as an entry would, which is what is measured. The command line is one line, whatever
 * stands between its words and at its end. *ret_options is where it lies.
 */
static void describe(const struct pe_image *image, struct text command_line, struct text_buffer *text,
		     struct text *ret_options)
{
	text_append(text, TEXT("linux " SECTION_KERNEL "\n"));
	for (size_t i = 0; i < ARRAY_SIZE(initrd_sections); i++) {
		if (!has_section(image, initrd_sections[i]))
			continue;
		text_append(text, TEXT("initrd "));
		text_append(text, text_of(initrd_sections[i]));
		text_append(text, TEXT("\n"));
	}
	text_append(text, TEXT("options "));
	ret_options->start = text->start + text->length;
	ret_options->length = command_line.length;
	text_append(text, command_line);
	for (size_t i = text->length - command_line.length; i < text->length; i++) {
		if ((uint8_t)text->start[i] < ' ')
			text->start[i] = ' ';
	}
}

static enum kexec_status build(const struct pe_image *image, struct text text, struct text options,
			       struct boot_plan *ret_plan)
{
	const struct plan_trust trust = { .kernel = TRUST_IMAGE, .initrds = TRUST_IMAGE };
	struct plan_builder builder;
	enum kexec_status status;

	status = plan_builder_start(&builder, UNIFIED_IMAGE, text);
	if (status)
		return status;
	builder.source = PART_IN_IMAGE;
	builder.plan.kernel.name = plan_builder_name(&builder, TEXT(SECTION_KERNEL));
	/* An empty one is refused when it is loaded: somebody wanted an initrd. */
	for (size_t i = 0; i < ARRAY_SIZE(initrd_sections); i++) {
		if (has_section(image, initrd_sections[i]))
			plan_builder_add_initrd(&builder, text_of(initrd_sections[i]));
	}
	plan_builder_add_options(&builder, text_trim(options));
	plan_builder_finish(&builder, &trust, ret_plan);
	return KEXEC_OK;
}

static enum kexec_status plan_unified_image(const struct pe_image *image, struct boot_plan *ret_plan)
{
	struct text command_line = TEXT("");
	struct text_buffer text = { 0 };
	struct text options;
	enum kexec_status status;

	pe_find_section(image, SECTION_COMMAND_LINE, &command_line);
	if (command_line.length > ENTRY_SIZE_MAX - UNIFIED_TEXT_SIZE)
		return log_error(KEXEC_TOO_LARGE,
				 UNIFIED_IMAGE ": " SECTION_COMMAND_LINE ": expected at most %u bytes, found %zu",
				 ENTRY_SIZE_MAX - UNIFIED_TEXT_SIZE, command_line.length);
	status = pool_alloc(command_line.length + UNIFIED_TEXT_SIZE, UNIFIED_IMAGE, (void **)&text.start);
	if (status)
		return status;
	describe(image, command_line, &text, &options);
	status = build(image, (struct text){ .start = text.start, .length = text.length }, options, ret_plan);
	pool_free(text.start);
	return status;
}

enum kexec_status sealed_image_to_plan(const struct pe_image *image, struct boot_plan *ret_plan)
{
	struct text content;

	if (pe_find_section(image, SECTION_ENTRY, &content))
		return plan_entry(content, ret_plan);
	return plan_unified_image(image, ret_plan);
}
