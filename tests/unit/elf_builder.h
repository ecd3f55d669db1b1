// SPDX-License-Identifier: BSD-2-Clause
/* Builds small relocatable objects in memory, valid and damaged ones. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "boot/elf.h"

#define BUILDER_SECTIONS 48
#define BUILDER_SIZE 16384

/*
 * An object under construction. Sections 1, 2 and 3 are the symbol table, its strings and the section names; added
 * sections follow from 4 on. After elf_builder_finish `bytes` holds the object, and headers can still be changed in
 * place.
 */
struct elf_builder {
	_Alignas(16) uint8_t bytes[BUILDER_SIZE];
	size_t size;
	struct elf64_header *header;	/* into bytes, after finish */
	struct elf64_section *sections; /* likewise */
	struct elf64_symbol *symbols;	/* likewise */

	struct elf64_section new_sections[BUILDER_SECTIONS];
	const void *contents[BUILDER_SECTIONS];
	unsigned section_count;
	struct elf64_symbol new_symbols[32];
	unsigned symbol_count;
	char strings[1024];
	size_t strings_size;
	struct elf64_rela relocations[32];
	unsigned relocation_count;
};

enum { ELF_SYMTAB = 1, ELF_STRTAB = 2, ELF_SHSTRTAB = 3 };

void elf_builder_init(struct elf_builder *builder);

/*
 * Adds a section, and returns its index. `content` must stay valid until elf_builder_finish; it is NULL for SHT_NOBITS.
 */
unsigned elf_builder_section(struct elf_builder *builder, uint32_t type, uint64_t flags, uint64_t align,
			     const void *content, uint64_t size);

/* Adds a global symbol and returns its index. */
unsigned elf_builder_symbol(struct elf_builder *builder, const char *name, uint16_t section, uint64_t value,
			    uint64_t size);

/*
 * Adds a relocation. elf_builder_relocations makes a section for `target` of the relocations added since its last call.
 */
void elf_builder_relocation(struct elf_builder *builder, uint64_t offset, uint32_t type, uint32_t symbol,
			    int64_t addend);
unsigned elf_builder_relocations(struct elf_builder *builder, uint32_t target);

void elf_builder_finish(struct elf_builder *builder);
