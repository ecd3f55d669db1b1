// SPDX-License-Identifier: BSD-2-Clause
/* Settles the command line. */
#include "boot/unified_options.h"

#include "boot/log.h"
#include "common/string.h"

/* Longest quote of a command line in a message. */
#define QUOTE_MAX 120

enum kexec_status unified_check_additions(const struct boot_plan *plan, const struct unified_image *image)
{
	const char *name = plan->kernel.name;

	if (!image->sections[UNIFIED_COMMAND_LINE].size || boot_part_is_sealed(&plan->kernel))
		return KEXEC_OK;
	if (plan->command_line.length)
		return log_error(KEXEC_DENIED,
				 "%s: options: expected none beside a signed .cmdline with Secure Boot on, found "
				 "\"%.*s\" in %s",
				 name, TEXT_ARGS(text_quote(plan->command_line, QUOTE_MAX)), plan->said_by);
	if (plan->initrd_count)
		return log_error(KEXEC_DENIED,
				 "%s: initrd: expected none beside a signed .cmdline with Secure Boot on, found %s "
				 "in %s",
				 name, plan->initrds[0].name, plan->said_by);
	return KEXEC_OK;
}

size_t unified_command_line_size(const struct boot_plan *plan, const struct unified_image *image)
{
	return image->sections[UNIFIED_COMMAND_LINE].size + sizeof(" ") + plan->command_line.length;
}

void unified_make_line(char *start, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((uint8_t)start[i] < ' ')
			start[i] = ' ';
	}
}

struct text unified_command_line(const struct boot_plan *plan, char *place, size_t length, struct text *ret_embedded)
{
	struct text_buffer line = { .start = place };
	struct text options = plan->command_line;
	struct text embedded;

	unified_make_line(place, length);
	embedded = text_trim((struct text){ .start = place, .length = length });
	if (embedded.length && options.length && !boot_part_is_sealed(&plan->kernel)) {
		log_info("%s: options of %s instead of its .cmdline: \"%.*s\"", plan->kernel.name, plan->said_by,
			 TEXT_ARGS(text_quote(embedded, QUOTE_MAX)));
		embedded.length = 0;
	}
	memmove(place, embedded.start, embedded.length);
	line.length = embedded.length;
	*ret_embedded = (struct text){ .start = place, .length = embedded.length };
	if (embedded.length && options.length)
		text_append(&line, TEXT(" "));
	text_append(&line, options);
	place[line.length] = '\0';
	return (struct text){ .start = place, .length = line.length };
}
