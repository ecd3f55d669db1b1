// SPDX-License-Identifier: BSD-2-Clause
/* Writes answers. */
#include "tools/inspect.h"

#include <stdio.h>

#include "boot/unified_image.h"
#include "common/digest_text.h"

void put_text(struct text text)
{
	(void)putchar('"');
	for (size_t i = 0; i < text.length; i++) {
		uint8_t byte = (uint8_t)text.start[i];

		if (byte < ' ' || byte == '"' || byte == '\\' || byte >= 0x7f)
			(void)printf("\\u%04x", byte);
		else
			(void)putchar(byte);
	}
	(void)putchar('"');
}

void put_separator(size_t index)
{
	if (index)
		(void)fputs(", ", stdout);
}

const char *bool_text(bool value)
{
	return value ? "true" : "false";
}

static void put_digest(const struct part_digest *digest)
{
	char text[DIGEST_TEXT_SIZE];

	if (digest->is_known) {
		format_digest(text, digest->bytes);
		(void)printf("\"%s\"", text);
	} else {
		(void)printf("null");
	}
}

static void put_part(const struct boot_part *part)
{
	static const char *const sources[] = {
		[PART_ON_VOLUME] = "volume",
		[PART_IN_IMAGE] = "image",
		[PART_ON_NETWORK] = "network",
		[PART_FROM_LOADER] = "loader",
	};
	static const char *const trusts[] = {
		[TRUST_NOBODY] = "nobody",
		[TRUST_PLATFORM] = "platform",
		[TRUST_DIGEST] = "digest",
		[TRUST_IMAGE] = "image",
	};

	(void)printf("{\"name\": ");
	put_text(text_of_string(part->name));
	(void)printf(", \"source\": \"%s\", \"trust\": \"%s\", \"fsverity\": ", sources[part->source],
		     trusts[part->trust]);
	put_digest(&part->fsverity);
	(void)printf(", \"sha256\": ");
	put_digest(&part->sha256);
	(void)putchar('}');
}

static void put_part_if_any(const struct boot_part *part)
{
	if (part->name)
		put_part(part);
	else
		(void)printf("null");
}

void put_plan(const struct boot_plan *plan)
{
	(void)printf("{\"text\": ");
	put_text(plan->text);
	(void)printf(", \"kernel\": ");
	put_part(&plan->kernel);
	(void)printf(", \"initrds\": [");
	for (size_t i = 0; i < plan->initrd_count; i++) {
		put_separator(i);
		put_part(&plan->initrds[i]);
	}
	(void)printf("], \"pcr_signature\": ");
	put_part_if_any(&plan->pcr_signature);
	(void)printf(", \"pcr_key\": ");
	put_part_if_any(&plan->pcr_key);
	(void)printf(", \"fallback\": ");
	if (plan->fallback)
		put_text(text_of_string(plan->fallback));
	else
		(void)printf("null");
	(void)printf(", \"command_line\": ");
	put_text(plan->command_line);
	(void)printf(", \"unknown_keys\": [");
	for (size_t i = 0; i < plan->unknown_key_count; i++) {
		put_separator(i);
		put_text(plan->unknown_keys[i]);
	}
	(void)printf("], \"volume\": ");
	if (plan->volume[0])
		put_text(text_of_string(plan->volume));
	else
		(void)printf("null");
	(void)printf(", \"profile\": ");
	if (plan->has_profile)
		(void)printf("%u", plan->profile);
	else
		(void)printf("null");
	(void)printf(", \"chosen_profile\": %u, \"options_are_added\": %s", plan->profile,
		     bool_text(plan->options_are_added));
	(void)printf(", \"require_signature\": %s, \"require_measurement\": %s, \"measured_as_image\": %s, "
		     "\"network_trusted\": %s, "
		     "\"dma_off\": %s, \"overwrite_off\": "
		     "%s, \"forensics\": %s, \"verbose\": %s, "
		     "\"on_mismatch\": \"%s\"}",
		     bool_text(plan->require_signature), bool_text(plan->require_measurement),
		     bool_text(plan->measured_as_image), bool_text(plan->network_trusted), bool_text(plan->dma_off),
		     bool_text(plan->overwrite_off), bool_text(plan->forensics), bool_text(plan->verbose),
		     plan->on_mismatch == ON_MISMATCH_RESET ? "reset" : "halt");
}

/* Offset, bytes in the file, and bytes with the zeros behind. */
static void put_unified_section(const struct unified_section *section)
{
	(void)printf("[%llu, %llu, %llu]", (unsigned long long)section->offset, (unsigned long long)section->file_size,
		     (unsigned long long)section->size);
}

void put_unified_image(const struct unified_image *image)
{
	if (!image) {
		(void)printf("null");
		return;
	}
	(void)printf("{\"sections\": {");
	for (int i = 0, count = 0; i < UNIFIED_PARTS; i++) {
		if (!image->sections[i].size)
			continue;
		put_separator((size_t)count++);
		put_text(text_of_string(unified_section_name((enum unified_part)i)));
		(void)printf(": ");
		put_unified_section(&image->sections[i]);
	}
	(void)printf("}, \"initrds\": [");
	for (size_t i = 0; i < unified_initrd_count(image); i++) {
		put_separator(i);
		put_text(text_of_string(unified_section_name(unified_initrd(image, i))));
	}
	(void)printf("]}");
}
