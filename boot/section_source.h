// SPDX-License-Identifier: BSD-2-Clause
/* The sections of a PE image as files: what a unified image carries is loaded as files are. */
#pragma once

#include "boot/pe.h"
#include "boot/source.h"

struct section_source {
	struct source source;
	struct pe_image image;
};

/* The image's bytes must stay for as long as the source is used. */
void section_source_start(struct section_source *source, const struct pe_image *image);
