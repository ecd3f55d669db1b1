// SPDX-License-Identifier: BSD-2-Clause
/* Checks an object's tables against each other, and reads them. */
#include "boot/elf_object.h"

#include "common/align.h"
#include "common/string.h"

struct elf64_section elf_section(const struct elf_object *object, uint32_t index)
{
	struct elf64_section section;

	memcpy(&section, object->bytes + object->header.e_shoff + index * sizeof(section), sizeof(section));
	return section;
}

bool elf_section_is_loaded(const struct elf64_section *section)
{
	return section->sh_type != SHT_NULL && (section->sh_flags & SHF_ALLOC);
}

bool elf_section_has_bytes(const struct elf64_section *section)
{
	return section->sh_type != SHT_NULL && section->sh_type != SHT_NOBITS;
}

uint64_t elf_section_align(const struct elf64_section *section)
{
	return section->sh_addralign ? section->sh_addralign : 1;
}

static enum kexec_status check_header(const struct elf_object *object)
{
	const struct elf64_header *header = &object->header;

	if (memcmp(header->e_ident, "\177ELF", 4) != 0)
		return elf_error(object, KEXEC_BAD_FORMAT,
				 "no ELF object: expected 7f 45 4c 46, found %02x %02x %02x %02x", header->e_ident[0],
				 header->e_ident[1], header->e_ident[2], header->e_ident[3]);
	if (header->e_ident[EI_CLASS] != ELFCLASS64)
		return elf_error(object, KEXEC_UNSUPPORTED, "ELF class: expected %u (64 bit), found %u", ELFCLASS64,
				 header->e_ident[EI_CLASS]);
	if (header->e_ident[EI_DATA] != ELFDATA2LSB)
		return elf_error(object, KEXEC_UNSUPPORTED, "ELF data encoding: expected %u (little endian), found %u",
				 ELFDATA2LSB, header->e_ident[EI_DATA]);
	if (header->e_ident[EI_VERSION] != EV_CURRENT || header->e_version != EV_CURRENT)
		return elf_error(object, KEXEC_UNSUPPORTED, "ELF version: expected %u, found %u and %u", EV_CURRENT,
				 header->e_ident[EI_VERSION], header->e_version);
	if (header->e_type != ET_REL)
		return elf_error(object, KEXEC_UNSUPPORTED, "ELF type: expected %u (relocatable), found %u", ET_REL,
				 header->e_type);
	if (header->e_machine != EM_X86_64)
		return elf_error(object, KEXEC_UNSUPPORTED, "ELF machine: expected %u (x86-64), found %u", EM_X86_64,
				 header->e_machine);
	if (header->e_shentsize != sizeof(struct elf64_section))
		return elf_error(object, KEXEC_BAD_FORMAT, "section header size: expected %zu, found %u",
				 sizeof(struct elf64_section), header->e_shentsize);
	if (header->e_shnum == 0 || header->e_shnum > ELF_SECTIONS_MAX)
		return elf_error(object, KEXEC_UNSUPPORTED, "number of sections: expected 1 to %u, found %u",
				 ELF_SECTIONS_MAX, header->e_shnum);
	if (!elf_fits(header->e_shoff, header->e_shnum * sizeof(struct elf64_section), object->size))
		return elf_error(object, KEXEC_TRUNCATED, "%u section headers at 0x%lx pass the end at 0x%zx",
				 header->e_shnum, header->e_shoff, object->size);
	if (header->e_shstrndx >= header->e_shnum)
		return elf_error(object, KEXEC_BAD_FORMAT, "section name table: expected an index below %u, found %u",
				 header->e_shnum, header->e_shstrndx);
	return KEXEC_OK;
}

static enum kexec_status check_section(const struct elf_object *object, uint32_t index)
{
	struct elf64_section section = elf_section(object, index);
	uint64_t align = elf_section_align(&section);

	/* Index 0 means "none", so it must not be a section. */
	if (index == 0 && section.sh_type != SHT_NULL)
		return elf_error(object, KEXEC_BAD_FORMAT, "section 0: expected type %u, found %u", SHT_NULL,
				 section.sh_type);
	if (elf_section_has_bytes(&section) && !elf_fits(section.sh_offset, section.sh_size, object->size))
		return elf_error(object, KEXEC_TRUNCATED, "section %u: 0x%lx bytes at 0x%lx pass the end at 0x%zx",
				 index, section.sh_size, section.sh_offset, object->size);
	if (elf_section_is_loaded(&section) && (!is_power_of_two(align) || align > ELF_ALIGN_MAX))
		return elf_error(object, KEXEC_BAD_FORMAT,
				 "section %u: alignment: expected a power of two up to 0x%x, found 0x%lx", index,
				 ELF_ALIGN_MAX, align);
	return KEXEC_OK;
}

/* The symbol table's string table must end every name that begins in it. */
static enum kexec_status read_symbol_table(struct elf_object *object)
{
	struct elf64_section table = elf_section(object, object->symbols);
	struct elf64_section names;

	if (table.sh_entsize != sizeof(struct elf64_symbol) || table.sh_size % sizeof(struct elf64_symbol))
		return elf_error(object, KEXEC_BAD_FORMAT,
				 "symbol table: expected entries of %zu bytes, found entries of 0x%lx in 0x%lx bytes",
				 sizeof(struct elf64_symbol), table.sh_entsize, table.sh_size);
	if (table.sh_link >= object->header.e_shnum)
		return elf_error(object, KEXEC_BAD_FORMAT, "symbol names: expected a section below %u, found %u",
				 object->header.e_shnum, table.sh_link);
	names = elf_section(object, table.sh_link);
	if (names.sh_type != SHT_STRTAB)
		return elf_error(object, KEXEC_BAD_FORMAT, "symbol names: expected section type %u, found %u",
				 SHT_STRTAB, names.sh_type);
	if (names.sh_size == 0 || object->bytes[names.sh_offset + names.sh_size - 1] != '\0')
		return elf_error(object, KEXEC_BAD_FORMAT, "symbol names: expected a NUL at the end, found none");
	object->symbol_table = table;
	object->symbol_names = names;
	return KEXEC_OK;
}

static enum kexec_status find_symbol_table(struct elf_object *object)
{
	object->symbols = 0;
	for (uint32_t i = 1; i < object->header.e_shnum; i++) {
		if (elf_section(object, i).sh_type != SHT_SYMTAB)
			continue;
		if (object->symbols)
			return elf_error(object, KEXEC_UNSUPPORTED,
					 "expected one symbol table, found sections %u and %u", object->symbols, i);
		object->symbols = i;
	}
	if (!object->symbols)
		return elf_error(object, KEXEC_BAD_FORMAT, "expected a symbol table, found none");
	return read_symbol_table(object);
}

uint64_t elf_symbol_count(const struct elf_object *object)
{
	return object->symbol_table.sh_size / sizeof(struct elf64_symbol);
}

struct elf64_symbol elf_symbol(const struct elf_object *object, uint64_t index)
{
	struct elf64_symbol symbol;

	memcpy(&symbol, object->bytes + object->symbol_table.sh_offset + index * sizeof(symbol), sizeof(symbol));
	return symbol;
}

const char *elf_symbol_name(const struct elf_object *object, const struct elf64_symbol *symbol)
{
	if (symbol->st_name >= object->symbol_names.sh_size)
		return "(name out of bounds)";
	return (const char *)object->bytes + object->symbol_names.sh_offset + symbol->st_name;
}

enum kexec_status elf_symbol_section(const struct elf_object *object, const struct elf64_symbol *symbol,
				     struct elf64_section *ret_section)
{
	const char *name = elf_symbol_name(object, symbol);
	struct elf64_section section;

	switch (symbol->st_shndx) {
	case SHN_UNDEF:
		return elf_error(object, KEXEC_NOT_FOUND, "undefined symbol %s", name);
	case SHN_COMMON:
		return elf_error(object, KEXEC_UNSUPPORTED, "symbol %s is in a common section", name);
	case SHN_XINDEX:
		return elf_error(object, KEXEC_UNSUPPORTED, "symbol %s has an extended section index (SHN_XINDEX)",
				 name);
	default:
		break;
	}
	if (symbol->st_shndx >= object->header.e_shnum)
		return elf_error(object, KEXEC_BAD_FORMAT, "symbol %s: expected a section below %u, found %u", name,
				 object->header.e_shnum, symbol->st_shndx);
	section = elf_section(object, symbol->st_shndx);
	if (!elf_section_is_loaded(&section))
		return elf_error(object, KEXEC_BAD_FORMAT, "symbol %s is in section %u, which is not loaded", name,
				 symbol->st_shndx);
	if (!elf_fits(symbol->st_value, symbol->st_size, section.sh_size))
		return elf_error(object, KEXEC_BAD_FORMAT,
				 "symbol %s: 0x%lx bytes at 0x%lx pass the end of its section at 0x%lx", name,
				 symbol->st_size, symbol->st_value, section.sh_size);
	*ret_section = section;
	return KEXEC_OK;
}

enum kexec_status elf_object_parse(const char *name, const void *bytes, size_t size, struct elf_object *ret_object)
{
	struct elf_object object = { .name = name, .bytes = bytes, .size = size };
	enum kexec_status status;

	if (size < sizeof(object.header))
		return elf_error(&object, KEXEC_TRUNCATED, "expected an ELF header of %zu bytes, found %zu bytes",
				 sizeof(object.header), size);
	memcpy(&object.header, bytes, sizeof(object.header));
	status = check_header(&object);
	if (status)
		return status;
	for (uint32_t i = 0; i < object.header.e_shnum; i++) {
		status = check_section(&object, i);
		if (status)
			return status;
	}
	status = find_symbol_table(&object);
	if (status)
		return status;
	*ret_object = object;
	return KEXEC_OK;
}
