// SPDX-License-Identifier: BSD-2-Clause
/*
 * A relocatable ELF object (ET_REL, x86-64) and its tables. The object is untrusted. After elf_object_parse has
 * accepted it, the functions below need no further checks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/elf.h"
#include "boot/log.h"
#include "boot/status.h"

/* A small object that is loaded whole has about ten sections, and perhaps some with debug data. */
#define ELF_SECTIONS_MAX 64

/* A large page. Content that is loaded into pages needs no more. */
#define ELF_ALIGN_MAX (2u << 20)

/* The caller owns name and bytes. The bytes are never written. */
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

/* log_error for an error in an object, whose name begins the line. */
#define elf_error(object, status, format, ...) log_error(status, "%s: " format, (object)->name, ##__VA_ARGS__)

/* Whether [offset, offset + length) lies within [0, size). */
static inline bool elf_fits(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

/* Returns a section's header by an index below header.e_shnum. It is a copy, because the file's may be unaligned. */
struct elf64_section elf_section(const struct elf_object *object, uint32_t index);

/* Whether a section is part of the program, and whether its content is in the file; otherwise it is zeros. */
bool elf_section_is_loaded(const struct elf64_section *section);
bool elf_section_has_bytes(const struct elf64_section *section);

/* Its alignment, a power of two. In the file 0 and 1 both mean any address. */
uint64_t elf_section_align(const struct elf64_section *section);

/* A symbol, by an index below elf_symbol_count, and its name, which is empty for a section's own symbol. */
uint64_t elf_symbol_count(const struct elf_object *object);
struct elf64_symbol elf_symbol(const struct elf_object *object, uint64_t index);
const char *elf_symbol_name(const struct elf_object *object, const struct elf64_symbol *symbol);

/*
 * Finds the section of a symbol, which must hold all of its bytes. These are refused by name: undefined and common
 * symbols, those with an extended section index, and those in sections that are not loaded.
 */
enum kexec_status elf_symbol_section(const struct elf_object *object, const struct elf64_symbol *symbol,
				     struct elf64_section *ret_section);
