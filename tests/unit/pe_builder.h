// SPDX-License-Identifier: BSD-2-Clause
/* Makes small PE32+ images with sections, loaded or as files. */
#pragma once

#include "boot/pe.h"

/* The most sections that an image here has. */
#define PE_BUILDER_SECTIONS_MAX 12

struct sample_section {
	const char *name;
	const void *content;
	uint32_t size;	      /* in memory */
	uint32_t file_size;   /* in the file; 0: the same */
	uint32_t wrong_place; /* unless 0, the wrong offset in its header */
};

/*
 * Makes an image of the sections, in memory of exactly its size, so that a sanitizer detects reads behind it. The
 * caller frees ->bytes.
 */
struct pe_image pe_build(enum pe_layout layout, const struct sample_section *sections, size_t count);
