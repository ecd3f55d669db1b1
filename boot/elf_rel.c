// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loads relocatable objects. In an ET_REL object no section has an address, symbol values are relative to their
 * section, and relocations carry their addends (System V ABI, AMD64 supplement, section 4.4).
 */
#include "boot/elf_rel.h"

#include "common/align.h"
#include "common/string.h"

/* The content of a loaded section: bytes of the file, or zeros, which are not in the file. */
enum content {
	CONTENT_BYTES,
	CONTENT_ZEROS,
};

static enum content content_of(const struct elf64_section *section)
{
	return elf_section_has_bytes(section) ? CONTENT_BYTES : CONTENT_ZEROS;
}

/* Appends the loaded sections of one kind to the layout. Code and other content never share a page. */
static enum kexec_status lay_out(struct elf_rel *object, enum content content)
{
	for (uint32_t i = 1; i < object->elf.header.e_shnum; i++) {
		struct elf64_section section = elf_section(&object->elf, i);
		uint64_t align = elf_section_align(&section);
		bool is_code = section.sh_flags & SHF_EXECINSTR;

		if (!elf_section_is_loaded(&section) || content_of(&section) != content)
			continue;
		if (!is_code && object->code_end == object->mem_size)
			object->mem_size = align_up(object->mem_size, PAGE_SIZE);
		object->mem_size = align_up(object->mem_size, align);
		if (object->mem_size > ELF_REL_SIZE_MAX || section.sh_size > ELF_REL_SIZE_MAX - object->mem_size)
			return elf_error(&object->elf, KEXEC_TOO_LARGE,
					 "section %u: 0x%lx bytes at 0x%lx pass the limit of 0x%x", i, section.sh_size,
					 object->mem_size, ELF_REL_SIZE_MAX);
		object->offsets[i] = object->mem_size;
		object->mem_size += section.sh_size;
		if (is_code)
			object->code_end = object->mem_size;
		if (align > object->align)
			object->align = align;
	}
	return KEXEC_OK;
}

enum kexec_status elf_rel_parse(const char *name, const void *bytes, size_t size, struct elf_rel *ret_object)
{
	struct elf_rel object = { .align = 1 };
	enum kexec_status status;

	status = elf_object_parse(name, bytes, size, &object.elf);
	if (status)
		return status;
	status = lay_out(&object, CONTENT_BYTES);
	if (status)
		return status;
	object.file_size = object.mem_size;
	status = lay_out(&object, CONTENT_ZEROS);
	if (status)
		return status;
	if (object.file_size == 0)
		return elf_error(&object.elf, KEXEC_BAD_FORMAT, "expected sections to load, found none");
	*ret_object = object;
	return KEXEC_OK;
}

void elf_rel_copy(const struct elf_rel *object, void *dst)
{
	memset(dst, 0, object->mem_size);
	for (uint32_t i = 1; i < object->elf.header.e_shnum; i++) {
		struct elf64_section section = elf_section(&object->elf, i);

		if (elf_section_is_loaded(&section) && elf_section_has_bytes(&section))
			memcpy((uint8_t *)dst + object->offsets[i], object->elf.bytes + section.sh_offset,
			       section.sh_size);
	}
}

enum kexec_status elf_rel_find_symbol(const struct elf_rel *object, const char *name, struct elf_rel_symbol *ret_symbol)
{
	for (uint64_t i = 1; i < elf_symbol_count(&object->elf); i++) {
		struct elf64_symbol symbol = elf_symbol(&object->elf, i);
		struct elf64_section section;
		enum kexec_status status;

		if (symbol.st_info >> 4 != STB_GLOBAL || strcmp(elf_symbol_name(&object->elf, &symbol), name) != 0)
			continue;
		if (symbol.st_shndx == SHN_ABS)
			return elf_error(&object->elf, KEXEC_UNSUPPORTED,
					 "symbol %s is absolute, it has no place in memory", name);
		status = elf_symbol_section(&object->elf, &symbol, &section);
		if (status)
			return status;
		ret_symbol->offset = object->offsets[symbol.st_shndx] + symbol.st_value;
		ret_symbol->size = symbol.st_size;
		ret_symbol->in_bss = !elf_section_has_bytes(&section);
		return KEXEC_OK;
	}
	return elf_error(&object->elf, KEXEC_NOT_FOUND, "unknown symbol %s", name);
}

/* A relocation in the terms of the AMD64 supplement: at P, in the copy at `place`, refer to S + A. */
struct relocation {
	const struct elf_object *object;
	uint32_t type;
	uint64_t address; /* P: the address of `place` when the code runs */
	uint64_t target;  /* S + A */
	uint8_t *place;
};

static enum kexec_status overflow(const struct relocation *relocation, uint64_t value)
{
	return elf_error(relocation->object, KEXEC_BAD_FORMAT, "overflow in relocation type %d value 0x%lx",
			 (int)relocation->type, value);
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
		return overflow(relocation, value);
	memcpy(relocation->place, &narrow, sizeof(narrow));
	return KEXEC_OK;
}

static enum kexec_status apply(const struct relocation *relocation)
{
	uint64_t relative = relocation->target - relocation->address;

	switch (relocation->type) {
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
		return elf_error(relocation->object, KEXEC_UNSUPPORTED, "unknown relocation type %u", relocation->type);
	}
}

static uint64_t relocation_width(uint32_t type)
{
	return type == R_X86_64_64 || type == R_X86_64_PC64 ? 8 : 4;
}

/* S, for an object loaded at `addr`. */
static enum kexec_status symbol_address(const struct elf_rel *object, uint64_t index, uint64_t addr,
					uint64_t *ret_address)
{
	struct elf64_section section;
	struct elf64_symbol symbol;
	enum kexec_status status;

	if (index >= elf_symbol_count(&object->elf))
		return elf_error(&object->elf, KEXEC_BAD_FORMAT, "relocation: expected a symbol below %lu, found %lu",
				 elf_symbol_count(&object->elf), index);
	symbol = elf_symbol(&object->elf, index);
	if (symbol.st_shndx == SHN_ABS) {
		*ret_address = symbol.st_value;
		return KEXEC_OK;
	}
	status = elf_symbol_section(&object->elf, &symbol, &section);
	if (status)
		return status;
	*ret_address = addr + object->offsets[symbol.st_shndx] + symbol.st_value;
	return KEXEC_OK;
}

/* Applies the relocations in `table` to the loaded section that it belongs to. */
static enum kexec_status relocate_section(const struct elf_rel *object, const struct elf64_section *table, uint8_t *dst,
					  uint64_t addr)
{
	struct elf64_section target = elf_section(&object->elf, table->sh_info);
	uint64_t offset = object->offsets[table->sh_info];

	for (uint64_t i = 0; i < table->sh_size / sizeof(struct elf64_rela); i++) {
		struct relocation relocation = { .object = &object->elf };
		struct elf64_rela rela;
		enum kexec_status status;

		memcpy(&rela, object->elf.bytes + table->sh_offset + i * sizeof(rela), sizeof(rela));
		relocation.type = (uint32_t)rela.r_info;
		if (relocation.type == R_X86_64_NONE)
			continue;
		if (!elf_fits(rela.r_offset, relocation_width(relocation.type), target.sh_size))
			return elf_error(&object->elf, KEXEC_BAD_FORMAT,
					 "relocation at 0x%lx passes the end of section %u at 0x%lx", rela.r_offset,
					 table->sh_info, target.sh_size);
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

	if (table->sh_info >= object->elf.header.e_shnum)
		return elf_error(&object->elf, KEXEC_BAD_FORMAT, "relocations: expected a section below %u, found %u",
				 object->elf.header.e_shnum, table->sh_info);
	target = elf_section(&object->elf, table->sh_info);
	*ret_applies = elf_section_is_loaded(&target);
	if (!*ret_applies)
		return KEXEC_OK;
	if (table->sh_type == SHT_REL)
		return elf_error(&object->elf, KEXEC_UNSUPPORTED,
				 "REL relocation unsupported: expected section type %u, found %u", SHT_RELA, SHT_REL);
	if (table->sh_entsize != sizeof(struct elf64_rela) || table->sh_size % sizeof(struct elf64_rela))
		return elf_error(&object->elf, KEXEC_BAD_FORMAT,
				 "relocations: expected entries of %zu bytes, found entries of 0x%lx in 0x%lx bytes",
				 sizeof(struct elf64_rela), table->sh_entsize, table->sh_size);
	if (table->sh_link != object->elf.symbols)
		return elf_error(&object->elf, KEXEC_BAD_FORMAT, "relocations: expected symbol table %u, found %u",
				 object->elf.symbols, table->sh_link);
	if (!elf_section_has_bytes(&target))
		return elf_error(&object->elf, KEXEC_BAD_FORMAT, "relocations for section %u, which has no bytes",
				 table->sh_info);
	return KEXEC_OK;
}

enum kexec_status elf_rel_relocate(const struct elf_rel *object, void *dst, uint64_t addr)
{
	for (uint32_t i = 1; i < object->elf.header.e_shnum; i++) {
		struct elf64_section table = elf_section(&object->elf, i);
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
