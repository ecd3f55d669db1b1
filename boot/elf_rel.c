// SPDX-License-Identifier: BSD-2-Clause
/*
 * The loader of relocatable objects. In an ET_REL object no section has an address, symbol values are relative to
 * their section, and relocations carry their addends (System V ABI, AMD64 supplement, section 4.4).
 */
#include "boot/elf_rel.h"

#include "boot/log.h"
#include "common/align.h"
#include "common/string.h"

static bool fits(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

/* Headers are copied out, for nothing says that they are aligned. The index has been checked. */
static struct elf64_section section_at(const struct elf_rel *object, uint32_t index)
{
	struct elf64_section section;

	memcpy(&section, object->bytes + object->header.e_shoff + index * sizeof(section), sizeof(section));
	return section;
}

static bool is_allocated(const struct elf64_section *section)
{
	return section->sh_type != SHT_NULL && (section->sh_flags & SHF_ALLOC);
}

static bool has_bytes(const struct elf64_section *section)
{
	return section->sh_type != SHT_NULL && section->sh_type != SHT_NOBITS;
}

/* 0 and 1 both mean that any address will do. */
static uint64_t section_align(const struct elf64_section *section)
{
	return section->sh_addralign ? section->sh_addralign : 1;
}

static enum kexec_status check_header(const struct elf_rel *object)
{
	const struct elf64_header *header = &object->header;

	if (memcmp(header->e_ident, "\177ELF", 4) != 0)
		return log_error(KEXEC_BAD_FORMAT,
				 "purgatory: no ELF object: expected 7f 45 4c 46, found %02x %02x %02x %02x",
				 header->e_ident[0], header->e_ident[1], header->e_ident[2], header->e_ident[3]);
	if (header->e_ident[EI_CLASS] != ELFCLASS64)
		return log_error(KEXEC_UNSUPPORTED, "purgatory: ELF class: expected %u (64 bit), found %u", ELFCLASS64,
				 header->e_ident[EI_CLASS]);
	if (header->e_ident[EI_DATA] != ELFDATA2LSB)
		return log_error(KEXEC_UNSUPPORTED,
				 "purgatory: ELF data encoding: expected %u (little endian), found %u", ELFDATA2LSB,
				 header->e_ident[EI_DATA]);
	if (header->e_ident[EI_VERSION] != EV_CURRENT || header->e_version != EV_CURRENT)
		return log_error(KEXEC_UNSUPPORTED, "purgatory: ELF version: expected %u, found %u and %u", EV_CURRENT,
				 header->e_ident[EI_VERSION], header->e_version);
	if (header->e_type != ET_REL)
		return log_error(KEXEC_UNSUPPORTED, "purgatory: ELF type: expected %u (relocatable), found %u", ET_REL,
				 header->e_type);
	if (header->e_machine != EM_X86_64)
		return log_error(KEXEC_UNSUPPORTED, "purgatory: ELF machine: expected %u (x86-64), found %u", EM_X86_64,
				 header->e_machine);
	if (header->e_shentsize != sizeof(struct elf64_section))
		return log_error(KEXEC_BAD_FORMAT, "purgatory: section header size: expected %zu, found %u",
				 sizeof(struct elf64_section), header->e_shentsize);
	if (header->e_shnum == 0 || header->e_shnum > ELF_REL_SECTIONS_MAX)
		return log_error(KEXEC_UNSUPPORTED, "purgatory: number of sections: expected 1 to %u, found %u",
				 ELF_REL_SECTIONS_MAX, header->e_shnum);
	if (!fits(header->e_shoff, header->e_shnum * sizeof(struct elf64_section), object->size))
		return log_error(KEXEC_TRUNCATED, "purgatory: %u section headers at 0x%lx pass the end at 0x%zx",
				 header->e_shnum, header->e_shoff, object->size);
	if (header->e_shstrndx >= header->e_shnum)
		return log_error(KEXEC_BAD_FORMAT,
				 "purgatory: section name table: expected an index below %u, found %u", header->e_shnum,
				 header->e_shstrndx);
	return KEXEC_OK;
}

static enum kexec_status check_section(const struct elf_rel *object, uint32_t index)
{
	struct elf64_section section = section_at(object, index);
	uint64_t align = section_align(&section);

	/* Indexes use 0 for "none", so nothing may be there. */
	if (index == 0 && section.sh_type != SHT_NULL)
		return log_error(KEXEC_BAD_FORMAT, "purgatory: section 0: expected type %u, found %u", SHT_NULL,
				 section.sh_type);
	if (has_bytes(&section) && !fits(section.sh_offset, section.sh_size, object->size))
		return log_error(KEXEC_TRUNCATED, "purgatory: section %u: 0x%lx bytes at 0x%lx pass the end at 0x%zx",
				 index, section.sh_size, section.sh_offset, object->size);
	if (is_allocated(&section) && (!is_power_of_two(align) || align > ELF_REL_ALIGN_MAX))
		return log_error(KEXEC_BAD_FORMAT,
				 "purgatory: section %u: alignment: expected a power of two up to 0x%x, found 0x%lx",
				 index, ELF_REL_ALIGN_MAX, align);
	return KEXEC_OK;
}

/* The symbol table's string table must end every name that begins in it. */
static enum kexec_status check_symbol_table(const struct elf_rel *object, uint32_t index)
{
	struct elf64_section table = section_at(object, index);
	struct elf64_section strings;

	if (table.sh_entsize != sizeof(struct elf64_symbol) || table.sh_size % sizeof(struct elf64_symbol))
		return log_error(
			KEXEC_BAD_FORMAT,
			"purgatory: symbol table: expected entries of %zu bytes, found entries of 0x%lx in 0x%lx bytes",
			sizeof(struct elf64_symbol), table.sh_entsize, table.sh_size);
	if (table.sh_link >= object->header.e_shnum)
		return log_error(KEXEC_BAD_FORMAT, "purgatory: symbol names: expected a section below %u, found %u",
				 object->header.e_shnum, table.sh_link);
	strings = section_at(object, table.sh_link);
	if (strings.sh_type != SHT_STRTAB)
		return log_error(KEXEC_BAD_FORMAT, "purgatory: symbol names: expected section type %u, found %u",
				 SHT_STRTAB, strings.sh_type);
	if (strings.sh_size == 0 || object->bytes[strings.sh_offset + strings.sh_size - 1] != '\0')
		return log_error(KEXEC_BAD_FORMAT, "purgatory: symbol names: expected a NUL at the end, found none");
	return KEXEC_OK;
}

static enum kexec_status find_symbol_table(struct elf_rel *object)
{
	object->symbols = 0;
	for (uint32_t i = 1; i < object->header.e_shnum; i++) {
		if (section_at(object, i).sh_type != SHT_SYMTAB)
			continue;
		if (object->symbols)
			return log_error(KEXEC_UNSUPPORTED,
					 "purgatory: expected one symbol table, found sections %u and %u",
					 object->symbols, i);
		object->symbols = i;
	}
	if (!object->symbols)
		return log_error(KEXEC_BAD_FORMAT, "purgatory: expected a symbol table, found none");
	return check_symbol_table(object, object->symbols);
}

/* Appends the allocated sections that have (or have not) bytes in the file to the layout. */
static enum kexec_status lay_out(struct elf_rel *object, bool with_bytes)
{
	for (uint32_t i = 1; i < object->header.e_shnum; i++) {
		struct elf64_section section = section_at(object, i);
		uint64_t align = section_align(&section);

		if (!is_allocated(&section) || has_bytes(&section) != with_bytes)
			continue;
		object->mem_size = align_up(object->mem_size, align);
		if (object->mem_size > ELF_REL_SIZE_MAX || section.sh_size > ELF_REL_SIZE_MAX - object->mem_size)
			return log_error(KEXEC_TOO_LARGE,
					 "purgatory: section %u: 0x%lx bytes at 0x%lx pass the limit of 0x%x", i,
					 section.sh_size, object->mem_size, ELF_REL_SIZE_MAX);
		object->offsets[i] = object->mem_size;
		object->mem_size += section.sh_size;
		if (align > object->align)
			object->align = align;
	}
	return KEXEC_OK;
}

enum kexec_status elf_rel_parse(const void *bytes, size_t size, struct elf_rel *ret_object)
{
	struct elf_rel object = { .bytes = bytes, .size = size, .align = 1 };
	enum kexec_status status;

	if (size < sizeof(object.header))
		return log_error(KEXEC_TRUNCATED, "purgatory: expected an ELF header of %zu bytes, found %zu bytes",
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

	status = lay_out(&object, true);
	if (status)
		return status;
	object.file_size = object.mem_size;
	status = lay_out(&object, false);
	if (status)
		return status;
	if (object.file_size == 0)
		return log_error(KEXEC_BAD_FORMAT, "purgatory: expected sections to load, found none");
	*ret_object = object;
	return KEXEC_OK;
}

void elf_rel_copy(const struct elf_rel *object, void *dst)
{
	memset(dst, 0, object->mem_size);
	for (uint32_t i = 1; i < object->header.e_shnum; i++) {
		struct elf64_section section = section_at(object, i);

		if (is_allocated(&section) && has_bytes(&section))
			memcpy((uint8_t *)dst + object->offsets[i], object->bytes + section.sh_offset, section.sh_size);
	}
}

static uint64_t symbol_count(const struct elf_rel *object)
{
	return section_at(object, object->symbols).sh_size / sizeof(struct elf64_symbol);
}

/* The index has been checked against symbol_count. */
static struct elf64_symbol symbol_at(const struct elf_rel *object, uint64_t index)
{
	struct elf64_symbol symbol;

	memcpy(&symbol, object->bytes + section_at(object, object->symbols).sh_offset + index * sizeof(symbol),
	       sizeof(symbol));
	return symbol;
}

/* The name of a symbol, which the table's last NUL ends. Section symbols have none. */
static const char *symbol_name(const struct elf_rel *object, const struct elf64_symbol *symbol)
{
	struct elf64_section strings = section_at(object, section_at(object, object->symbols).sh_link);

	if (symbol->st_name >= strings.sh_size)
		return "(name out of bounds)";
	return (const char *)object->bytes + strings.sh_offset + symbol->st_name;
}

/* Checks that the symbol lies in a section that is loaded, and says in which. */
static enum kexec_status symbol_section(const struct elf_rel *object, const struct elf64_symbol *symbol,
					struct elf64_section *ret_section)
{
	const char *name = symbol_name(object, symbol);
	struct elf64_section section;

	switch (symbol->st_shndx) {
	case SHN_UNDEF:
		return log_error(KEXEC_NOT_FOUND, "purgatory: undefined symbol %s", name);
	case SHN_COMMON:
		return log_error(KEXEC_UNSUPPORTED, "purgatory: symbol %s is in a common section", name);
	case SHN_XINDEX:
		return log_error(KEXEC_UNSUPPORTED, "purgatory: symbol %s has an extended section index (SHN_XINDEX)",
				 name);
	default:
		break;
	}
	if (symbol->st_shndx >= object->header.e_shnum)
		return log_error(KEXEC_BAD_FORMAT, "purgatory: symbol %s: expected a section below %u, found %u", name,
				 object->header.e_shnum, symbol->st_shndx);
	section = section_at(object, symbol->st_shndx);
	if (!is_allocated(&section))
		return log_error(KEXEC_BAD_FORMAT, "purgatory: symbol %s is in section %u, which is not loaded", name,
				 symbol->st_shndx);
	if (!fits(symbol->st_value, symbol->st_size, section.sh_size))
		return log_error(KEXEC_BAD_FORMAT,
				 "purgatory: symbol %s: 0x%lx bytes at 0x%lx pass the end of its section at 0x%lx",
				 name, symbol->st_size, symbol->st_value, section.sh_size);
	*ret_section = section;
	return KEXEC_OK;
}

enum kexec_status elf_rel_find_symbol(const struct elf_rel *object, const char *name, struct elf_rel_symbol *ret_symbol)
{
	size_t name_size = strlen(name) + 1;

	for (uint64_t i = 1; i < symbol_count(object); i++) {
		struct elf64_symbol symbol = symbol_at(object, i);
		const char *found = symbol_name(object, &symbol);
		struct elf64_section section;
		enum kexec_status status;

		if (symbol.st_info >> 4 != STB_GLOBAL || strlen(found) + 1 != name_size ||
		    memcmp(found, name, name_size) != 0)
			continue;
		if (symbol.st_shndx == SHN_ABS)
			return log_error(KEXEC_UNSUPPORTED,
					 "purgatory: symbol %s is absolute, it has no place in memory", name);
		status = symbol_section(object, &symbol, &section);
		if (status)
			return status;
		ret_symbol->offset = object->offsets[symbol.st_shndx] + symbol.st_value;
		ret_symbol->size = symbol.st_size;
		ret_symbol->in_bss = !has_bytes(&section);
		return KEXEC_OK;
	}
	return log_error(KEXEC_NOT_FOUND, "purgatory: unknown symbol %s", name);
}

/* A relocation in the terms of the AMD64 supplement: at P, in the copy at `place`, refer to S + A. */
struct relocation {
	uint32_t type;
	uint64_t address; /* P: what `place` will be called when the code runs */
	uint64_t target;  /* S + A */
	uint8_t *place;
};

static enum kexec_status overflow(uint32_t type, uint64_t value)
{
	return log_error(KEXEC_BAD_FORMAT, "purgatory: overflow in relocation type %d value 0x%lx", (int)type, value);
}

static bool fits_unsigned(uint64_t value)
{
	return value == (uint32_t)value;
}

static bool fits_signed(uint64_t value)
{
	return value + 0x80000000u <= UINT32_MAX;
}

static enum kexec_status store_32(const struct relocation *relocation, uint64_t value, bool value_fits)
{
	uint32_t narrow = (uint32_t)value;

	if (!value_fits)
		return overflow(relocation->type, value);
	memcpy(relocation->place, &narrow, sizeof(narrow));
	return KEXEC_OK;
}

static enum kexec_status apply(const struct relocation *relocation)
{
	uint64_t relative = relocation->target - relocation->address;

	switch (relocation->type) {
	case R_X86_64_NONE:
		return KEXEC_OK;
	case R_X86_64_64:
		memcpy(relocation->place, &relocation->target, sizeof(relocation->target));
		return KEXEC_OK;
	case R_X86_64_PC64:
		memcpy(relocation->place, &relative, sizeof(relative));
		return KEXEC_OK;
	case R_X86_64_32:
		return store_32(relocation, relocation->target, fits_unsigned(relocation->target));
	case R_X86_64_32S:
		return store_32(relocation, relocation->target, fits_signed(relocation->target));
	case R_X86_64_PC32:
	case R_X86_64_PLT32: /* nothing is shared, so the call goes straight to its target */
		return store_32(relocation, relative, fits_signed(relative));
	default:
		return log_error(KEXEC_UNSUPPORTED, "purgatory: unknown relocation type %u", relocation->type);
	}
}

static uint64_t relocation_width(uint32_t type)
{
	switch (type) {
	case R_X86_64_NONE:
		return 0;
	case R_X86_64_64:
	case R_X86_64_PC64:
		return 8;
	default:
		return 4;
	}
}

/* S, where the object is loaded at `addr`. */
static enum kexec_status symbol_address(const struct elf_rel *object, uint64_t index, uint64_t addr,
					uint64_t *ret_address)
{
	struct elf64_section section;
	struct elf64_symbol symbol;
	enum kexec_status status;

	if (index >= symbol_count(object))
		return log_error(KEXEC_BAD_FORMAT, "purgatory: relocation: expected a symbol below %lu, found %lu",
				 symbol_count(object), index);
	symbol = symbol_at(object, index);
	if (symbol.st_shndx == SHN_ABS) {
		*ret_address = symbol.st_value;
		return KEXEC_OK;
	}
	status = symbol_section(object, &symbol, &section);
	if (status)
		return status;
	*ret_address = addr + object->offsets[symbol.st_shndx] + symbol.st_value;
	return KEXEC_OK;
}

/* Applies the relocations in `table` to the loaded section that they are for. */
static enum kexec_status relocate_section(const struct elf_rel *object, const struct elf64_section *table, uint8_t *dst,
					  uint64_t addr)
{
	struct elf64_section target = section_at(object, table->sh_info);
	uint64_t offset = object->offsets[table->sh_info];

	for (uint64_t i = 0; i < table->sh_size / sizeof(struct elf64_rela); i++) {
		struct relocation relocation;
		struct elf64_rela rela;
		enum kexec_status status;

		memcpy(&rela, object->bytes + table->sh_offset + i * sizeof(rela), sizeof(rela));
		relocation.type = (uint32_t)rela.r_info;
		if (relocation.type == R_X86_64_NONE)
			continue;
		if (!fits(rela.r_offset, relocation_width(relocation.type), target.sh_size))
			return log_error(KEXEC_BAD_FORMAT,
					 "purgatory: relocation at 0x%lx passes the end of section %u at 0x%lx",
					 rela.r_offset, table->sh_info, target.sh_size);
		status = symbol_address(object, rela.r_info >> 32, addr, &relocation.target);
		if (status)
			return status;
		relocation.target += (uint64_t)rela.r_addend;
		relocation.address = addr + offset + rela.r_offset;
		relocation.place = dst + offset + rela.r_offset;
		status = apply(&relocation);
		if (status)
			return status;
	}
	return KEXEC_OK;
}

/* Checks a table of relocations; *ret_applies is false for one that belongs to no loaded section (debug data). */
static enum kexec_status check_relocations(const struct elf_rel *object, const struct elf64_section *table,
					   bool *ret_applies)
{
	struct elf64_section target;

	if (table->sh_info >= object->header.e_shnum)
		return log_error(KEXEC_BAD_FORMAT, "purgatory: relocations: expected a section below %u, found %u",
				 object->header.e_shnum, table->sh_info);
	target = section_at(object, table->sh_info);
	*ret_applies = is_allocated(&target);
	if (!*ret_applies)
		return KEXEC_OK;
	if (table->sh_type == SHT_REL)
		return log_error(KEXEC_UNSUPPORTED,
				 "purgatory: REL relocation unsupported: expected section type %u, found %u", SHT_RELA,
				 SHT_REL);
	if (table->sh_entsize != sizeof(struct elf64_rela) || table->sh_size % sizeof(struct elf64_rela))
		return log_error(
			KEXEC_BAD_FORMAT,
			"purgatory: relocations: expected entries of %zu bytes, found entries of 0x%lx in 0x%lx bytes",
			sizeof(struct elf64_rela), table->sh_entsize, table->sh_size);
	if (table->sh_link != object->symbols)
		return log_error(KEXEC_BAD_FORMAT, "purgatory: relocations: expected symbol table %u, found %u",
				 object->symbols, table->sh_link);
	if (!has_bytes(&target))
		return log_error(KEXEC_BAD_FORMAT, "purgatory: relocations for section %u, which has no bytes",
				 table->sh_info);
	return KEXEC_OK;
}

enum kexec_status elf_rel_relocate(const struct elf_rel *object, void *dst, uint64_t addr)
{
	for (uint32_t i = 1; i < object->header.e_shnum; i++) {
		struct elf64_section table = section_at(object, i);
		enum kexec_status status;
		bool applies;

		if (table.sh_type != SHT_RELA && table.sh_type != SHT_REL)
			continue;
		status = check_relocations(object, &table, &applies);
		if (!status && applies)
			status = relocate_section(object, &table, dst, addr);
		if (status)
			return status;
	}
	return KEXEC_OK;
}
