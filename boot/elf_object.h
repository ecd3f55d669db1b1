// SPDX-License-Identifier: BSD-2-Clause
/*
 * A relocatable ELF object (ET_REL, x86-64) and its tables. Nothing in it is trusted: what elf_object_parse has let
 * pass, the functions below can hand out without another check.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/elf.h"
#include "boot/log.h"
#include "boot/status.h"

/* More than a small object has: one that is loaded as a whole has some ten of its own, and debug data. */
#define ELF_SECTIONS_MAX 64

/* A large page. What is loaded into pages needs no more. */
#define ELF_ALIGN_MAX (2u << 20)

/* Name and bytes stay the caller's, and the bytes are never written to. */
struct elf_object {
	const char *name; /* for messages */
	const uint8_t *bytes;
	size_t size;
	struct elf64_header header;
	uint32_t symbols; /* index of the symbol table */
	struct elf64_section symbol_table;
	struct elf64_section symbol_names;
};

/*
 * Checks headers, sections and symbol table against each other and against `size`. `name` and `bytes` must outlive
 * *ret_object. Fails with a message that names the object, the field, the value expected and the one found.
 */
enum kexec_status elf_object_parse(const char *name, const void *bytes, size_t size, struct elf_object *ret_object);

/* log_error for what is wrong with an object, which the line begins with. */
#define elf_error(object, status, format, ...) log_error(status, "%s: " format, (object)->name, ##__VA_ARGS__)

/* Whether [offset, offset + length) lies within [0, size). */
static inline bool elf_fits(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

/* A section's header, by an index below header.e_shnum. Copied out, for nothing says that it is aligned. */
struct elf64_section elf_section(const struct elf_object *object, uint32_t index);

/* Whether a section is part of the program, and whether it has bytes in the file rather than being all zeros. */
bool elf_section_is_loaded(const struct elf64_section *section);
bool elf_section_has_bytes(const struct elf64_section *section);

/* Its alignment, a power of two; 0 and 1 in the file both mean that any address will do. */
uint64_t elf_section_align(const struct elf64_section *section);

/* A symbol, by an index below elf_symbol_count, and its name, which is empty for a section's own symbol. */
uint64_t elf_symbol_count(const struct elf_object *object);
struct elf64_symbol elf_symbol(const struct elf_object *object, uint64_t index);
const char *elf_symbol_name(const struct elf_object *object, const struct elf64_symbol *symbol);

/*
 * The section that a symbol lies in, with all of its bytes. Refused by name: undefined and common symbols, those with
 * an extended section index, and those in sections that are not loaded.
 */
enum kexec_status elf_symbol_section(const struct elf_object *object, const struct elf64_symbol *symbol,
				     struct elf64_section *ret_section);
