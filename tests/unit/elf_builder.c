// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/elf_builder.h"

#include "common/align.h"
#include "tests/unit/support.h"

#define STB_LOCAL 0

void elf_builder_init(struct elf_builder *builder)
{
	memset(builder, 0, sizeof(*builder));
	builder->section_count = 4;
	builder->symbol_count = 1;
	builder->strings_size = 1;
}

unsigned elf_builder_section(struct elf_builder *builder, uint32_t type, uint64_t flags, uint64_t align,
			     const void *content, uint64_t size)
{
	unsigned index = builder->section_count++;

	assert_true(index < BUILDER_SECTIONS);
	builder->new_sections[index] =
		(struct elf64_section){ .sh_type = type, .sh_flags = flags, .sh_addralign = align, .sh_size = size };
	builder->contents[index] = content;
	return index;
}

unsigned elf_builder_symbol(struct elf_builder *builder, const char *name, uint16_t section, uint64_t value,
			    uint64_t size)
{
	unsigned index = builder->symbol_count++;

	builder->new_symbols[index] = (struct elf64_symbol){ .st_name = (uint32_t)builder->strings_size,
							     .st_info = STB_GLOBAL << 4,
							     .st_shndx = section,
							     .st_value = value,
							     .st_size = size };
	strcpy(builder->strings + builder->strings_size, name);
	builder->strings_size += strlen(name) + 1;
	return index;
}

void elf_builder_relocation(struct elf_builder *builder, uint64_t offset, uint32_t type, uint32_t symbol,
			    int64_t addend)
{
	builder->relocations[builder->relocation_count++] =
		(struct elf64_rela){ .r_offset = offset, .r_info = (uint64_t)symbol << 32 | type, .r_addend = addend };
}

unsigned elf_builder_relocations(struct elf_builder *builder, uint32_t target)
{
	uint64_t size = builder->relocation_count * sizeof(struct elf64_rela);
	void *copy = test_malloc(size + 1);
	unsigned index;

	memcpy(copy, builder->relocations, size);
	builder->relocation_count = 0;
	index = elf_builder_section(builder, SHT_RELA, 0, 8, copy, size);
	builder->new_sections[index].sh_entsize = sizeof(struct elf64_rela);
	builder->new_sections[index].sh_link = ELF_SYMTAB;
	builder->new_sections[index].sh_info = target;
	return index;
}

static uint64_t append(struct elf_builder *builder, const void *bytes, uint64_t size)
{
	uint64_t offset = align_up(builder->size, 16);

	assert_true(offset + size <= BUILDER_SIZE);
	if (size)
		memcpy(builder->bytes + offset, bytes, size);
	builder->size = offset + size;
	return offset;
}

void elf_builder_finish(struct elf_builder *builder)
{
	struct elf64_section *sections = builder->new_sections;
	struct elf64_header header = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_REL,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(header),
		.e_shentsize = sizeof(struct elf64_section),
		.e_shnum = (uint16_t)builder->section_count,
		.e_shstrndx = ELF_SHSTRTAB,
	};

	sections[ELF_SYMTAB] = (struct elf64_section){ .sh_type = SHT_SYMTAB,
						       .sh_size = builder->symbol_count * sizeof(struct elf64_symbol),
						       .sh_entsize = sizeof(struct elf64_symbol),
						       .sh_link = ELF_STRTAB };
	builder->contents[ELF_SYMTAB] = builder->new_symbols;
	sections[ELF_STRTAB] = (struct elf64_section){ .sh_type = SHT_STRTAB, .sh_size = builder->strings_size };
	builder->contents[ELF_STRTAB] = builder->strings;
	sections[ELF_SHSTRTAB] = (struct elf64_section){ .sh_type = SHT_STRTAB, .sh_size = 1 };
	builder->contents[ELF_SHSTRTAB] = "";

	builder->size = sizeof(header);
	for (unsigned i = 1; i < builder->section_count; i++) {
		if (sections[i].sh_type != SHT_NOBITS)
			sections[i].sh_offset = append(builder, builder->contents[i], sections[i].sh_size);
		if (sections[i].sh_type == SHT_RELA)
			test_free((void *)builder->contents[i]);
	}
	header.e_shoff = append(builder, sections, builder->section_count * sizeof(sections[0]));
	memcpy(builder->bytes, &header, sizeof(header));
	builder->header = (struct elf64_header *)builder->bytes;
	builder->sections = (struct elf64_section *)(builder->bytes + header.e_shoff);
	builder->symbols = (struct elf64_symbol *)(builder->bytes + builder->sections[ELF_SYMTAB].sh_offset);
}
