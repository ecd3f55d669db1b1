// SPDX-License-Identifier: BSD-2-Clause
/* Entries, and load options that are entries. */
#include "tools/inspect.h"

#include <stdio.h>

#include "boot/entry.h"
#include "boot/entry_file.h"
#include "boot/entry_keys.h"
#include "boot/pool.h"
#include "boot/volume_path.h"

bool paths_make_sense(struct boot_plan *plan)
{
	uint16_t path[VOLUME_PATH_SIZE];
	struct boot_part *part;

	for (size_t i = 0; (part = boot_plan_part(plan, i)) != NULL; i++) {
		if (part->source == PART_ON_VOLUME && volume_path(part->name, path))
			return false;
	}
	return true;
}

static int answer_plan(struct boot_plan *plan)
{
	bool is_good = paths_make_sense(plan);

	if (is_good) {
		put_plan(plan);
		(void)putchar('\n');
	}
	boot_plan_free(plan);
	return is_good ? 0 : 1;
}

int inspect_outside_entry(const struct input *input)
{
	char fallback[FALLBACK_PATH_SIZE];
	struct boot_plan plan;

	return entry_file_to_plan(input->name, input->text, input->more, fallback, &plan) ? 1 : answer_plan(&plan);
}

int inspect_sealed_entry(const struct input *input)
{
	struct boot_plan plan;

	return entry_to_plan(input->name, input->text, ENTRY_SEALED, &plan) ? 1 : answer_plan(&plan);
}

static int put_load_options(const struct load_options *options)
{
	struct boot_plan plan = { 0 };

	if (options->has_linux &&
	    (entry_to_plan("load options", options->lines, ENTRY_OF_LOAD_OPTIONS, &plan) || !paths_make_sense(&plan))) {
		boot_plan_free(&plan);
		return 1;
	}
	(void)printf("{\"lines\": ");
	put_text(options->lines);
	(void)printf(", \"volume\": ");
	put_text(options->volume);
	(void)printf(", \"entry\": ");
	put_text(options->entry_path);
	(void)printf(", \"plan\": ");
	if (options->has_linux)
		put_plan(&plan);
	else
		(void)printf("null");
	(void)printf("}\n");
	boot_plan_free(&plan);
	return 0;
}

/* Load options of a boot entry of the firmware. The name of our image is not known, so the sender is empty. */
int inspect_load_options(const struct input *input)
{
	const struct load_options_sender sender = { 0 };
	size_t size = input->text.length;
	struct load_options options;
	void *buffer;
	int result;

	if (pool_alloc(LOAD_OPTIONS_BUFFER_SIZE(size > LOAD_OPTIONS_SIZE_MAX ? 0 : size), input->name, &buffer))
		return 1;
	load_options_parse(input->text.start, size, &sender, buffer, &options);
	result = put_load_options(&options);
	pool_free(buffer);
	return result;
}

int inspect_keys(const struct input *input)
{
	const struct entry_key *key;

	(void)input;
	(void)putchar('[');
	for (size_t i = 0; (key = entry_key_at(i)) != NULL; i++) {
		put_separator(i);
		put_text(key->name);
	}
	(void)printf("]\n");
	return 0;
}
