// SPDX-License-Identifier: BSD-2-Clause
/*
 * Feeds objects to boot/elf_rel.c. The input is the load address and the object. An accepted object is relocated in a
 * buffer of exactly its size. Then its fields are compared with S, A and P, calculated here.
 */
#include "boot/elf_rel.h"
#include "common/align.h"
#include "tests/fuzz/input.h"

/* Objects that need more memory are only parsed, because clearing it would take all the time. */
#define MEM_SIZE_MAX (1u << 20)
#define SYMBOLS_MAX 64u

static void read_at(const struct elf_rel *object, uint64_t offset, void *ret_value, size_t size)
{
	assert(offset <= object->elf.size && size <= object->elf.size - offset);
	memcpy(ret_value, object->elf.bytes + offset, size);
}

static struct elf64_section read_section(const struct elf_rel *object, uint32_t index)
{
	struct elf64_section section;

	assert(index < object->elf.header.e_shnum);
	read_at(object, object->elf.header.e_shoff + index * sizeof(section), &section, sizeof(section));
	return section;
}

static struct elf64_symbol read_symbol(const struct elf_rel *object, uint64_t index)
{
	struct elf64_section table = read_section(object, object->elf.symbols);
	struct elf64_symbol symbol;

	assert(index < table.sh_size / sizeof(symbol));
	read_at(object, table.sh_offset + index * sizeof(symbol), &symbol, sizeof(symbol));
	return symbol;
}

static bool is_loaded(const struct elf64_section *section)
{
	return section->sh_type != SHT_NULL && (section->sh_flags & SHF_ALLOC);
}

static void check_section(const struct elf_rel *object, uint32_t index)
{
	struct elf64_section section = read_section(object, index);
	uint64_t start = object->offsets[index];

	if (!is_loaded(&section))
		return;
	assert(start <= object->mem_size && section.sh_size <= object->mem_size - start);
	if (section.sh_type == SHT_NOBITS)
		assert(start >= object->file_size);
	else
		assert(start + section.sh_size <= object->file_size);
	if (section.sh_addralign) {
		assert(start % section.sh_addralign == 0);
		assert(object->align >= section.sh_addralign);
	}
	for (uint32_t i = 1; i < index; i++) {
		struct elf64_section other = read_section(object, i);

		if (!is_loaded(&other) || section.sh_size == 0 || other.sh_size == 0)
			continue;
		assert(start + section.sh_size <= object->offsets[i] || object->offsets[i] + other.sh_size <= start);
	}
}

static void check_layout(const struct elf_rel *object)
{
	assert(object->file_size > 0 && object->file_size <= object->mem_size);
	assert(object->mem_size <= ELF_REL_SIZE_MAX);
	assert(is_power_of_two(object->align) && object->align <= ELF_ALIGN_MAX);
	for (uint32_t i = 1; i < object->elf.header.e_shnum; i++)
		check_section(object, i);
}

static void check_symbols(const struct elf_rel *object)
{
	struct elf64_section table = read_section(object, object->elf.symbols);
	struct elf64_section names = read_section(object, table.sh_link);
	uint64_t count = table.sh_size / sizeof(struct elf64_symbol);
	struct elf_rel_symbol found;

	for (uint64_t i = 0; i < count && i < SYMBOLS_MAX; i++) {
		struct elf64_symbol symbol = read_symbol(object, i);

		if (symbol.st_name >= names.sh_size)
			continue;
		if (elf_rel_find_symbol(object, (const char *)object->elf.bytes + names.sh_offset + symbol.st_name,
					&found))
			continue;
		assert(found.offset <= object->mem_size && found.size <= object->mem_size - found.offset);
		assert(found.in_bss ? found.offset >= object->file_size
				    : found.offset + found.size <= object->file_size);
	}
	elf_rel_find_symbol(object, "purgatory_start", &found);
}

static uint64_t field_width(uint32_t type)
{
	return type == R_X86_64_64 || type == R_X86_64_PC64 ? 8 : 4;
}

/* S + A of a field, minus P if the field is relative. */
static uint64_t field_value(const struct elf_rel *object, const struct elf64_rela *rela, uint64_t place, uint64_t addr)
{
	struct elf64_symbol symbol = read_symbol(object, rela->r_info >> 32);
	uint64_t value = symbol.st_value + (uint64_t)rela->r_addend;

	if (symbol.st_shndx != SHN_ABS)
		value += addr + object->offsets[symbol.st_shndx];
	switch ((uint32_t)rela->r_info) {
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
	case R_X86_64_PC64:
		return value - place;
	default:
		return value;
	}
}

/* The field at `at`, extended as the CPU extends it. */
static uint64_t read_field(const uint8_t *at, uint32_t type)
{
	uint64_t wide = 0;

	memcpy(&wide, at, field_width(type));
	if (type == R_X86_64_PC32 || type == R_X86_64_PLT32 || type == R_X86_64_32S)
		return (uint64_t)(int64_t)(int32_t)wide;
	return wide;
}

/* `written` marks the bytes that later relocations have written. */
static void check_field(const struct elf_rel *object, const struct elf64_rela *rela, const uint8_t *copy,
			uint64_t start, uint64_t addr, uint8_t *written)
{
	uint32_t type = (uint32_t)rela->r_info;
	uint64_t width = field_width(type);
	uint64_t offset = start + rela->r_offset;

	assert(offset <= object->mem_size && width <= object->mem_size - offset);
	if (!memchr(written + offset, 1, width))
		assert(read_field(copy + offset, type) == field_value(object, rela, addr + offset, addr));
	memset(written + offset, 1, width);
}

static void check_table(const struct elf_rel *object, const struct elf64_section *table, const uint8_t *copy,
			uint64_t addr, uint8_t *written)
{
	struct elf64_section target = read_section(object, table->sh_info);

	if (!is_loaded(&target))
		return;
	for (uint64_t i = table->sh_size / sizeof(struct elf64_rela); i > 0; i--) {
		struct elf64_rela rela;

		read_at(object, table->sh_offset + (i - 1) * sizeof(rela), &rela, sizeof(rela));
		if ((uint32_t)rela.r_info == R_X86_64_NONE)
			continue;
		assert(rela.r_offset <= target.sh_size);
		assert(field_width((uint32_t)rela.r_info) <= target.sh_size - rela.r_offset);
		check_field(object, &rela, copy, object->offsets[table->sh_info], addr, written);
	}
}

/* From the last relocation to the first: where fields overlap, the last one holds. */
static void check_fields(const struct elf_rel *object, const uint8_t *copy, uint64_t addr, uint8_t *written)
{
	for (uint32_t i = object->elf.header.e_shnum - 1u; i > 0; i--) {
		struct elf64_section table = read_section(object, i);

		if (table.sh_type == SHT_RELA)
			check_table(object, &table, copy, addr, written);
	}
}

static void check_relocation(const struct elf_rel *object, uint64_t addr)
{
	uint8_t *copy = malloc(object->mem_size);
	uint8_t *original = malloc(object->mem_size);
	uint8_t *written = calloc(1, object->mem_size);

	memset(copy, 0xa5, object->mem_size);
	elf_rel_copy(object, copy);
	memcpy(original, copy, object->mem_size);
	for (uint64_t i = object->file_size; i < object->mem_size; i++)
		assert(copy[i] == 0);
	if (elf_rel_relocate(object, copy, addr) == KEXEC_OK) {
		check_fields(object, copy, addr, written);
		for (uint64_t i = 0; i < object->mem_size; i++)
			assert(written[i] || copy[i] == original[i]);
	}
	free(copy);
	free(original);
	free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	uint64_t addr = take_number(&input, 8);
	struct elf_rel object;

	if (elf_rel_parse("object", input.bytes, input.size, &object) != KEXEC_OK)
		return 0;
	check_layout(&object);
	check_symbols(&object);
	if (object.mem_size <= MEM_SIZE_MAX)
		check_relocation(&object, addr);
	return 0;
}
