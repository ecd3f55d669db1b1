// SPDX-License-Identifier: BSD-2-Clause
/* Makes plans of sections. */
#include "boot/sealed_image.h"

#include "boot/attempts.h"
#include "boot/entry.h"
#include "boot/log.h"
#include "boot/pool.h"
#include "boot/unified_options.h"
#include "boot/unified_sections.h"
#include "common/align.h"
#include "common/format.h"
#include "common/string.h"

#define SECTION_ENTRY ".entry"
#define SECTION_KERNEL ".linux"
#define SECTION_COMMAND_LINE ".cmdline"
#define SECTION_PROFILE ".profile"

/* Their names in messages. */
#define THIS_IMAGE "this image"
#define UNIFIED_IMAGE "unified image"

/* In the order in which Linux wants them: microcode must come first. */
static const char *const initrd_sections[] = { ".ucode", ".initrd" };

/* Room for all lines of the entry, apart from the command line itself. */
#define LINES_SIZE_MAX 128

static bool has_section(const struct pe_image *image, const char *name)
{
	struct text content;

	return pe_find_section(image, name, &content);
}

bool seal_mark_demands(const char mark[SEAL_MARK_SIZE])
{
	static const char generic[SEAL_MARK_SIZE] = SEAL_MARK_GENERIC;

	return memcmp(mark, generic, SEAL_MARK_SIZE) != 0;
}

static unsigned count_sections(const struct pe_image *image, const char *name)
{
	struct pe_section section;
	unsigned count = 0;

	for (uint32_t i = 0; pe_section_at(image, i, &section); i++)
		count += pe_section_is(&section, name);
	return count;
}

size_t sealed_image_entries(const struct pe_image *image)
{
	return count_sections(image, SECTION_ENTRY);
}

/* Refuses more entries than one start tries, because their author expects each to be tried. */
static enum kexec_status check_entries(const struct pe_image *image)
{
	size_t count = sealed_image_entries(image);

	if (count > ATTEMPTS_MAX)
		return log_error(KEXEC_TOO_LARGE,
				 THIS_IMAGE ": expected at most %u sections " SECTION_ENTRY ", found %zu", ATTEMPTS_MAX,
				 count);
	return KEXEC_OK;
}

/* Refuses two sections of one name: some readers would take the first, and some the second. */
static enum kexec_status check_for_doubles(const struct pe_image *image)
{
	static const char *const names[] = { SECTION_KERNEL, SECTION_COMMAND_LINE, ".ucode", ".initrd",
					     SEAL_MARK_SECTION };

	if (has_section(image, SECTION_PROFILE))
		return KEXEC_OK;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		unsigned count = count_sections(image, names[i]);

		if (count > 1)
			return log_error(KEXEC_BAD_FORMAT, THIS_IMAGE ": expected one section %s, found %u", names[i],
					 count);
	}
	return KEXEC_OK;
}

enum seal sealed_image_found(const struct pe_image *image, bool is_demanded)
{
	if (pe_check_headers(THIS_IMAGE, image) || check_entries(image) || check_for_doubles(image))
		return SEAL_UNREADABLE;
	if (has_section(image, SECTION_ENTRY) || has_section(image, SECTION_KERNEL))
		return SEALED;
	if (!is_demanded)
		return NOT_SEALED;
	log_error_line(THIS_IMAGE ": is marked as sealed: expected a section " SECTION_ENTRY " or " SECTION_KERNEL
				  ", found neither");
	return SEAL_UNREADABLE;
}

/* The content of the .entry section number `index`, counted from 0, which must exist. */
static struct text find_entry(const struct pe_image *image, size_t index)
{
	struct pe_section section;

	for (uint32_t i = 0; pe_section_at(image, i, &section); i++) {
		if (pe_section_is(&section, SECTION_ENTRY) && index-- == 0)
			return pe_section_content(image, &section);
	}
	return TEXT("");
}

static enum kexec_status plan_entry(const struct pe_image *image, size_t index, size_t count,
				    struct boot_plan *ret_plan)
{
	struct text text = find_entry(image, index);
	char name[32] = "sealed entry";

	if (count > 1)
		format_text(name, sizeof(name), "sealed entry %zu", index + 1);
	/* The section may be padded. */
	while (text.length && text.start[text.length - 1] == '\0')
		text.length--;
	return entry_to_plan(name, text, ENTRY_SEALED, ret_plan);
}

/*
 * Writes an entry that names the sections, to make the plan of. Control characters in the command line become blanks,
 * so that it is one line. An empty initrd is named too: loading refuses it, because the image's author wanted one.
 */
static void write_entry(const struct pe_image *image, uint32_t profile, struct text command_line,
			struct text_buffer *text)
{
	struct pe_section section;

	text_append(text, TEXT("linux " SECTION_KERNEL "\n"));
	for (size_t i = 0; i < ARRAY_SIZE(initrd_sections); i++) {
		if (!unified_find_section(image, profile, initrd_sections[i], &section))
			continue;
		text_append(text, TEXT("initrd "));
		text_append(text, text_of_string(initrd_sections[i]));
		text_append(text, TEXT("\n"));
	}
	text_append(text, TEXT("options "));
	text_append(text, command_line);
	unified_make_line(text->start + text->length - command_line.length, command_line.length);
}

static enum kexec_status plan_unified_image(const struct pe_image *image, uint32_t profile, struct text options,
					    struct boot_plan *ret_plan)
{
	struct unified_view view = { .bytes = image->bytes };
	struct text_buffer text = { 0 };
	struct text command_line;
	enum kexec_status status;
	bool are_added;
	void *memory;

	status = unified_sections_find(THIS_IMAGE, image, profile, &view.image);
	if (status)
		return status;
	unified_print_unused(THIS_IMAGE, image);
	command_line = unified_content(&view, UNIFIED_COMMAND_LINE);
	are_added = options.length && !command_line.length;
	if (are_added)
		command_line = options;
	status = pool_alloc(command_line.length + LINES_SIZE_MAX, UNIFIED_IMAGE, &memory);
	if (status)
		return status;
	text.start = memory;
	write_entry(image, profile, command_line, &text);
	status = entry_to_plan(UNIFIED_IMAGE, (struct text){ .start = text.start, .length = text.length },
			       ENTRY_OF_SECTIONS, ret_plan);
	pool_free(memory);
	if (status)
		return status;
	ret_plan->profile = profile;
	ret_plan->options_are_added = are_added;
	return KEXEC_OK;
}

enum kexec_status sealed_image_to_plan(const struct pe_image *image, const struct sealed_choice *choice,
				       struct boot_plan *ret_plan)
{
	size_t entries = sealed_image_entries(image);

	if (choice->entry < entries)
		return plan_entry(image, choice->entry, entries, ret_plan);
	if (entries)
		return log_error(KEXEC_NOT_FOUND,
				 THIS_IMAGE ": expected a section " SECTION_ENTRY " number %zu, found %zu",
				 choice->entry + 1, entries);
	if (has_section(image, SECTION_KERNEL))
		return plan_unified_image(image, choice->profile, choice->options, ret_plan);
	return log_error(KEXEC_NOT_FOUND, "expected a section " SECTION_ENTRY " or " SECTION_KERNEL ", found neither");
}
