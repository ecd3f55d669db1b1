// SPDX-License-Identifier: BSD-2-Clause
/*
 * PE images (Microsoft PE/COFF specification, sections 3 and 4): the sections of an image, which the image's own
 * signature vouches for, and the bytes of a file that a signature covers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/status.h"
#include "boot/text.h"

/* The layout of an image's bytes. */
enum pe_layout {
	PE_LOADED, /* in memory, loaded by the firmware: each section at its VirtualAddress */
	PE_FILE,   /* as in the file: each section at its PointerToRawData */
};

struct pe_image {
	const uint8_t *bytes;
	uint64_t size;
	enum pe_layout layout;
};

/* A section, as its header describes it. */
struct pe_section {
	char name[8 + 1]; /* with a NUL behind it */
	uint32_t address; /* in memory, from the beginning of the image */
	uint32_t size;	  /* in memory */
	uint32_t file_offset;
	uint32_t file_size; /* may be larger than `size`, for padding, or smaller: then zeros follow in memory */
};

/*
 * Checks that the headers of a PE32+ image state the places of its sections: the section table must lie within
 * SizeOfHeaders, because firmware loads no more of the headers. Each section must lie within the image, and in memory
 * within SizeOfImage and behind the headers. An image that passes has at least one section. Logs the first error, under
 * the name `name`, and returns KEXEC_BAD_FORMAT.
 */
enum kexec_status pe_check_headers(const char *name, const struct pe_image *image);

/* Does the same for an image of `end` bytes. Only its first image->size bytes, with the headers, are in memory. */
enum kexec_status pe_check_headers_of(const char *name, const struct pe_image *image, uint64_t end);

/* Machine and Subsystem of a PE32 or PE32+ image. Returns false if its headers are invalid. */
bool pe_machine(const struct pe_image *image, uint16_t *ret_machine, uint16_t *ret_subsystem);

/* SizeOfHeaders and SizeOfImage of an image that has passed pe_check_headers, in bytes. */
struct pe_sizes {
	uint32_t headers;
	uint32_t image;
};

struct pe_sizes pe_sizes(const struct pe_image *image);

/*
 * Reads the header of section `index`, counted from 0. Returns false behind the last one, and for an image with invalid
 * headers. Does not check whether the section lies within the image.
 */
bool pe_section_at(const struct pe_image *image, uint32_t index, struct pe_section *ret_section);

/*
 * Whether a section is called `name`, of at most 8 characters. The bytes behind the name count: with anything but zeros
 * it is another name.
 */
bool pe_section_is(const struct pe_section *section, const char *name);

/*
 * The content of a section: VirtualSize bytes; the rest in the file is padding. In a file, zeros that SizeOfRawData
 * leaves out at the end are not part of it. A section that does not lie within the image has an empty content.
 */
struct text pe_section_content(const struct pe_image *image, const struct pe_section *section);

/*
 * Finds the section `name`, of at most 8 characters, and its content. Returns false if there is no such section, or if
 * the headers are invalid. A section that does not lie within the image is found, but empty, so that no sealed content
 * is overlooked.
 */
bool pe_find_section(const struct pe_image *image, const char *name, struct text *ret_content);

/*
 * Upper limit of the sections in a file whose headers we read. The table of more sections would not fit into
 * KERNEL_PROBE_SIZE (boot/kernel_format.h), or below our own first section (efi/kexec.lds). edk2, shim and U-Boot load
 * as many as SizeOfHeaders has room for; the 96 of the specification are a limit of Windows. A proof uses a lower
 * limit.
 */
#ifndef PE_SECTIONS_MAX
#define PE_SECTIONS_MAX 205u
#endif

/* [start, end) of a file. */
struct pe_range {
	uint64_t start;
	uint64_t end;
};

/* No range is empty. */
struct pe_signed_ranges {
	struct pe_range list[3 + PE_SECTIONS_MAX + 1];
	size_t count;
	size_t agreed_count; /* of these, from the first on: every judge of the file hashes them */
};

/*
 * Lists the bytes of a PE32+ file that its Authenticode digest covers, in the order in which they are hashed: the
 * headers, except CheckSum and the data directory of the certificates; the sections, in the order of their places in
 * the file; the rest of the file, except the certificates (PE/COFF specification, "Process for Generating the
 * Authenticode PE Image Hash"). Gaps between sections are not covered, nor is a section that does not lie within the
 * file.
 *
 * Returns false, and lists nothing, if the headers are invalid, have more than PE_SECTIONS_MAX sections, or have no
 * data directory for certificates: edk2 and shim hash different bytes of such an image. They also differ about the rest
 * of a file without certificates, which shim before version 16.1 does not hash.
 */
bool pe_signed_ranges(const void *bytes, uint64_t size, struct pe_signed_ranges *ret_ranges);

/* Whether such a file has certificates, according to its headers. They hold its signatures. */
bool pe_has_certificates(const void *bytes, uint64_t size);

/*
 * Follows the ranges that all judges hash, from `offset` on, and returns their end, or `offset` if that byte is not
 * covered. Does not check whether the signature is good.
 */
uint64_t pe_signed_until(const void *bytes, uint64_t size, uint64_t offset);
