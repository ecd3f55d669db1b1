// SPDX-License-Identifier: BSD-2-Clause
/* The sections of a unified image in memory, as files: they are loaded like files. */
#pragma once

#include "boot/pe.h"
#include "boot/source.h"

struct section_source {
	struct source source;
	struct pe_image image;
	uint32_t profile; /* selects the sections: boot/unified_sections.h */
};

/* The image's bytes must stay as long as the source is used. The profile is 0 at first. */
void section_source_start(struct section_source *source, const struct pe_image *image);
