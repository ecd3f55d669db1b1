// SPDX-License-Identifier: BSD-2-Clause
/* Puts plans together, and frees them. */
#include "boot/plan.h"

#include "boot/log.h"
#include "boot/plan_builder.h"
#include "boot/pool.h"
#include "common/string.h"

/*
 * Everything lies in one piece of memory: three lists with room for a member a line, then the strings. Those are
 * said_by and the text itself, the names, each with a NUL, and the command line. No name and no options value is as
 * long as its line, because the key stands in front of it, so names and command line each fit into the text's size.
 */
enum kexec_status plan_builder_start(struct plan_builder *builder, const char *said_by, struct text text)
{
	size_t said_by_size = strlen(said_by) + 1;
	size_t lines = text_count_lines(text);
	size_t list_size = lines * (sizeof(struct boot_part) + sizeof(struct digest_line) + sizeof(struct text));
	enum kexec_status status;
	uint8_t *memory;
	char *copy;

	*builder = (struct plan_builder){ .source = PART_ON_VOLUME };
	status = pool_alloc(list_size + said_by_size + 3 * (text.length + 1), said_by, (void **)&memory);
	if (status)
		return status;
	builder->plan.memory = memory;
	builder->plan.initrds = (struct boot_part *)memory;
	builder->digests = (struct digest_line *)(builder->plan.initrds + lines);
	builder->plan.unknown_keys = (struct text *)(builder->digests + lines);

	builder->next_name = (char *)(builder->plan.unknown_keys + lines);
	builder->plan.said_by =
		plan_builder_name(builder, (struct text){ .start = said_by, .length = said_by_size - 1 });
	copy = builder->next_name;
	if (text.length)
		memcpy(copy, text.start, text.length);
	builder->plan.text = (struct text){ .start = copy, .length = text.length };
	builder->command_line = copy + text.length;
	builder->command_line[0] = '\0';
	builder->plan.command_line.start = builder->command_line;
	builder->next_name = builder->command_line + text.length + 1;
	return KEXEC_OK;
}

const char *plan_builder_name(struct plan_builder *builder, struct text name)
{
	char *copy = builder->next_name;

	memcpy(copy, name.start, name.length);
	copy[name.length] = '\0';
	builder->next_name += name.length + 1;
	return copy;
}

void plan_builder_add_initrd(struct plan_builder *builder, struct text name)
{
	builder->plan.initrds[builder->plan.initrd_count++] =
		(struct boot_part){ .name = plan_builder_name(builder, name) };
}

void plan_builder_add_options(struct plan_builder *builder, struct text options)
{
	size_t *length = &builder->plan.command_line.length;

	if (!options.length)
		return;
	if (*length)
		builder->command_line[(*length)++] = ' ';
	memcpy(builder->command_line + *length, options.start, options.length);
	*length += options.length;
	builder->command_line[*length] = '\0';
}

void plan_builder_finish(struct plan_builder *builder, const struct plan_trust *trust, struct boot_plan *ret_plan)
{
	struct boot_plan *plan = &builder->plan;

	plan->kernel.source = builder->source;
	plan->kernel.trust = trust->kernel;
	for (size_t i = 0; i < plan->initrd_count; i++) {
		plan->initrds[i].source = builder->source;
		plan->initrds[i].trust = trust->initrds;
	}
	*ret_plan = *plan;
}

void plan_builder_give_up(struct plan_builder *builder)
{
	boot_plan_free(&builder->plan);
}

void boot_plan_print_unknown_keys(const struct boot_plan *plan)
{
	for (size_t i = 0; i < plan->unknown_key_count; i++)
		log_verbose("%s: unknown key %.*s skipped", plan->said_by,
			    TEXT_ARGS(plan_quote(plan->unknown_keys[i])));
}

void boot_plan_free(struct boot_plan *plan)
{
	pool_free(plan->memory);
	*plan = (struct boot_plan){ 0 };
}
