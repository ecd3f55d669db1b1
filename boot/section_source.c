// SPDX-License-Identifier: BSD-2-Clause
/* Reads sections. */
#include "boot/section_source.h"

#include "boot/log.h"
#include "boot/unified_sections.h"
#include "common/string.h"

static enum kexec_status open_section(struct source *source, const char *name, struct source_file *ret_file)
{
	const struct section_source *sections = (const struct section_source *)source;
	struct pe_section section;
	struct text content;

	if (!unified_find_section(&sections->image, sections->profile, name, &section))
		return log_error(KEXEC_NOT_FOUND, "%s: expected a section of the image, found none", name);
	content = pe_section_content(&sections->image, &section);
	*ret_file = (struct source_file){
		.source = source,
		.name = name,
		.size = content.length,
		.handle = (void *)(uintptr_t)content.start,
	};
	return KEXEC_OK;
}

static enum kexec_status read_section(struct source_file *file, uint64_t offset, void *buffer, uint64_t *size,
				      const char **ret_why)
{
	uint64_t left = offset < file->size ? file->size - offset : 0;

	*ret_why = "the end";
	if (*size > left)
		*size = left;
	memcpy(buffer, (const uint8_t *)file->handle + offset, *size);
	return KEXEC_OK;
}

/* Reading a section cannot fail, so it needs no repair. */
static enum kexec_status reopen_section(struct source_file *file, uint64_t offset)
{
	(void)file;
	(void)offset;
	return KEXEC_OK;
}

static void close_section(struct source_file *file)
{
	file->handle = NULL;
}

void section_source_start(struct section_source *source, const struct pe_image *image)
{
	*source = (struct section_source){
		.source = {
			.open = open_section,
			.read = read_section,
			.reopen = reopen_section,
			.close = close_section,
		},
		.image = *image,
	};
}
