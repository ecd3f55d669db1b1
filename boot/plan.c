// SPDX-License-Identifier: BSD-2-Clause
/* Puts plans together, and frees them. */
#include "boot/plan.h"

#include "boot/key_habit.h"
#include "boot/log.h"
#include "boot/plan_builder.h"
#include "boot/pool.h"
#include "common/align.h"
#include "common/digest_text.h"
#include "common/format.h"
#include "common/string.h"

/* Longest quote of a key in a message. */
#define QUOTE_MAX 120

/*
 * The shortest lines, with their line feeds. They limit the number of members that a list can have. sha256 is the
 * shorter of the two keys for digests. A word initrd=x of a command line, with the character that ends it, is as long
 * as an initrd line.
 */
#define INITRD_LINE_MIN sizeof("initrd x")
#define DIGEST_LINE_MIN (sizeof("sha256  x") + DIGEST_TEXT_SIZE - 1)
#define UNKNOWN_LINE_MIN sizeof("x")

/* Members of a list. The last line may lack its line feed. */
static size_t members_max(struct text text, size_t line_min)
{
	return (text.length + 1) / line_min;
}

/*
 * One piece of memory holds everything: three lists, then the strings. The strings are said_by, the text itself, the
 * command line, and the names, each with a NUL. A name or an options value is shorter than its line, because its key
 * stands in front of it. A name in initrd= is shorter than that word. So all names together fit into the text's size,
 * and so does the command line.
 */
enum kexec_status plan_builder_start(struct plan_builder *builder, const char *said_by, struct text text)
{
	/* One more than the text can name, for boot_plan_put_first. */
	size_t initrds_max = members_max(text, INITRD_LINE_MIN) + 1;
	size_t digests_max = members_max(text, DIGEST_LINE_MIN);
	size_t unknown_max = members_max(text, UNKNOWN_LINE_MIN);
	size_t lists_size = initrds_max * sizeof(struct boot_part) + digests_max * sizeof(struct digest_line) +
			    unknown_max * sizeof(struct text);
	struct text said_by_text = text_of_string(said_by);
	struct text_buffer copy;
	enum kexec_status status;
	void *memory;

	status = pool_alloc(lists_size + said_by_text.length + 1 + 3 * (text.length + 1), said_by, &memory);
	if (status)
		return status;
	*builder = (struct plan_builder){ .plan = { .memory = memory } };
	builder->plan.initrds = memory;
	builder->digests = (struct digest_line *)(builder->plan.initrds + initrds_max);
	builder->plan.unknown_keys = (struct text *)(builder->digests + digests_max);

	builder->next_name = (char *)(builder->plan.unknown_keys + unknown_max);
	builder->plan.said_by = plan_builder_name(builder, said_by_text);
	copy = (struct text_buffer){ .start = builder->next_name };
	text_append(&copy, text);
	builder->plan.text = (struct text){ .start = copy.start, .length = copy.length };
	builder->command_line = copy.start + copy.length;
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
	struct boot_part *part;

	plan->kernel.source = builder->source;
	plan->kernel.trust = trust->kernel;
	for (size_t i = 1; (part = boot_plan_part(plan, i)) != NULL; i++) {
		part->source = builder->source;
		part->trust = trust->others;
	}
	*ret_plan = *plan;
}

enum kexec_status plan_builder_resume(struct plan_builder *builder, const struct boot_plan *plan, struct text text)
{
	size_t initrds_max = plan->initrd_count + members_max(text, INITRD_LINE_MIN);
	enum kexec_status status;
	void *memory;

	/* A name is shorter than its word initrd=. */
	status = pool_alloc(initrds_max * sizeof(struct boot_part) + text.length + 1, plan->said_by, &memory);
	if (status)
		return status;
	*builder = (struct plan_builder){ .plan = *plan };
	builder->plan.initrd_memory = memory;
	builder->plan.initrds = memory;
	for (size_t i = 0; i < plan->initrd_count; i++)
		builder->plan.initrds[i] = plan->initrds[i];
	builder->next_name = (char *)(builder->plan.initrds + initrds_max);
	return KEXEC_OK;
}

void plan_builder_hand_back(const struct plan_builder *builder, struct boot_plan *plan)
{
	size_t count = plan->initrd_count;

	*plan = builder->plan;
	for (size_t i = count; i < plan->initrd_count; i++) {
		plan->initrds[i].source = plan->kernel.source;
		plan->initrds[i].trust = TRUST_NOBODY;
	}
}

void plan_builder_give_up(struct plan_builder *builder)
{
	boot_plan_free(&builder->plan);
}

bool boot_part_has_digest(const struct boot_part *part)
{
	return part->fsverity.is_known || part->sha256.is_known;
}

bool boot_part_is_sealed(const struct boot_part *part)
{
	return part->trust == TRUST_IMAGE || (part->trust == TRUST_DIGEST && boot_part_has_digest(part));
}

struct boot_part *boot_plan_part(struct boot_plan *plan, size_t index)
{
	struct boot_part *const others[] = { &plan->pcr_signature, &plan->pcr_key };

	if (index == 0)
		return &plan->kernel;
	if (index <= plan->initrd_count)
		return &plan->initrds[index - 1];
	index -= plan->initrd_count + 1;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (others[i]->name && index-- == 0)
			return others[i];
	}
	return NULL;
}

void boot_plan_put_first(struct boot_plan *plan, const struct boot_part *initrd)
{
	for (size_t i = plan->initrd_count++; i > 0; i--)
		plan->initrds[i] = plan->initrds[i - 1];
	plan->initrds[0] = *initrd;
}

struct line_text boot_plan_line(const struct boot_plan *plan, const char *place)
{
	struct line_text line = { 0 };
	size_t number = 1;

	if (!plan->has_lines)
		return line;
	for (const char *c = plan->text.start; c < place; c++)
		number += *c == '\n';
	format_text(line.text, sizeof(line.text), ": line %zu", number);
	return line;
}

static void print_unknown_key(const struct boot_plan *plan, struct text key)
{
	const char *lost = key_habit_lost(key);
	struct line_text line = boot_plan_line(plan, key.start);
	struct text name = text_quote(key, QUOTE_MAX);

	if (lost)
		log_warning("%s%s: unknown key %.*s skipped: %s", plan->said_by, line.text, TEXT_ARGS(name), lost);
	else
		log_verbose("%s%s: unknown key %.*s skipped", plan->said_by, line.text, TEXT_ARGS(name));
}

void boot_plan_print_unknown_keys(const struct boot_plan *plan)
{
	if (plan->skipped_options)
		log_verbose("load options skipped: expected text, found %s", plan->skipped_options);
	for (size_t i = 0; i < plan->unknown_key_count; i++)
		print_unknown_key(plan, plan->unknown_keys[i]);
}

void boot_plan_use_network(struct boot_plan *plan)
{
	struct boot_part *part;

	for (size_t i = 0; (part = boot_plan_part(plan, i)) != NULL; i++) {
		if (part->source == PART_ON_VOLUME)
			part->source = PART_ON_NETWORK;
	}
}

void boot_plan_free(struct boot_plan *plan)
{
	pool_free(plan->initrd_memory);
	pool_free(plan->memory);
	*plan = (struct boot_plan){ 0 };
}
