// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sections of our own image, as the firmware has loaded it (Microsoft PE/COFF specification, sections 3 and 4): what an
 * image carries in a section is vouched for by the image's own signature. And what of a file a signature covers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/text.h"

/*
 * Finds the section `name`, of at most 8 characters, in the loaded image of `size` bytes. Its content is VirtualSize
 * bytes at VirtualAddress: what lies behind that in the file is padding. Returns false where there is none; an image
 * whose headers do not make sense has none. A section that does not lie within the image is there, but empty: what was
 * sealed must not be passed over.
 */
bool pe_find_section(const void *image, size_t size, const char *name, struct text *ret_content);

/*
 * Follows the bytes that the Authenticode signature of a PE32+ file covers, from `offset` on, and returns where
 * they end: `offset` itself if that byte is not covered, or if the headers do not make sense. Not covered are CheckSum,
 * the data directory that says where the certificates are, the certificates, and what lies between sections (PE/COFF
 * specification, "Process for Generating the Authenticode PE Image Hash"). Whether the signature is good is not asked.
 */
uint64_t pe_signed_until(const void *bytes, uint64_t size, uint64_t offset);
