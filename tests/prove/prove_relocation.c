// SPDX-License-Identifier: BSD-2-Clause
/*
 * Relocation, boot/elf_rel.c and boot/elf_object.c.
 *
 * prove_apply assumes nothing: any type, address and target, all 64 bits of them. The other proofs assume a file of
 * FILE_SIZE bytes with SECTIONS section headers behind its ELF header; all other bytes are arbitrary. Each proof uses
 * the result of the one before it: prove_layout assumes that elf_object_parse has accepted the sections. prove_relocate
 * assumes that they are placed as prove_layout proves, in at most SEGMENT_MAX bytes, and that no table has more than
 * RELOCATIONS relocations.
 */
#include "boot/elf_object.c"
#include "boot/elf_rel.c"
#include "tests/prove/prove.h"

#define FILE_SIZE (64 + 64 * SECTIONS + 56)

void log_error_line(const char *format, ...)
{
	(void)format;
}

/* --- one relocation --- */

/* The field's value and width by the AMD64 supplement, table 4.10. */
static bool expected_value(uint32_t type, uint64_t target, uint64_t address, uint64_t *ret_value,
			   unsigned int *ret_width)
{
	bool relative = type == R_X86_64_PC32 || type == R_X86_64_PLT32 || type == R_X86_64_PC64;

	*ret_width = type == R_X86_64_64 || type == R_X86_64_PC64 ? 8 : 4;
	*ret_value = relative ? target - address : target;
	switch (type) {
	case R_X86_64_64:
	case R_X86_64_PC64:
		return true;
	case R_X86_64_32:
		return *ret_value <= UINT32_MAX;
	case R_X86_64_32S:
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
		return (int64_t)*ret_value >= INT32_MIN && (int64_t)*ret_value <= INT32_MAX;
	default:
		return false;
	}
}

void prove_apply(void)
{
	struct elf_object object = { .name = "" };
	uint8_t before[16];
	uint8_t field[16];
	struct relocation relocation = { .object = &object, .place = field + 4 };
	uint64_t value;
	uint64_t stored = 0;
	unsigned int width;
	bool is_expected;
	bool is_done;

	memcpy(field, before, sizeof(field));
	relocation.type = (uint32_t)any_u64();
	relocation.target = any_u64();
	relocation.address = any_u64();
	is_expected = expected_value(relocation.type, relocation.target, relocation.address, &value, &width);
	is_done = apply(&relocation) == KEXEC_OK;
	prove(is_done == is_expected, "done just where the value fits the field");
	for (unsigned int i = 0; i < width; i++)
		stored |= (uint64_t)field[4 + i] << (8 * i);
	if (is_done)
		prove(stored == (width == 8 ? value : (uint32_t)value), "the field has the value, modulo its width");
	for (unsigned int i = 0; i < sizeof(field); i++)
		prove((is_done && i >= 4 && i < 4 + width) || field[i] == before[i], "no other byte changes");
	prove(relocation_width(relocation.type) == width, "the width that is checked is the one that is written");
}

/* --- headers --- */

static uint8_t file[FILE_SIZE];

/* Any bytes, except the place and the number of the section headers. */
static void make_any_file(void)
{
	for (size_t i = 0; i < FILE_SIZE; i++)
		file[i] = any_u8();
	put_32(file + 40, 64);
	put_32(file + 44, 0);
	put_16(file + 60, SECTIONS);
}

/* The assumption of later proofs about each section that elf_object_parse has accepted. */
static bool is_parsed(uint32_t index, const struct elf64_section *section)
{
	if (index == 0 && section->sh_type != SHT_NULL)
		return false;
	if (elf_section_has_bytes(section) && !elf_fits(section->sh_offset, section->sh_size, FILE_SIZE))
		return false;
	return !elf_section_is_loaded(section) ||
	       (is_power_of_two(elf_section_align(section)) && elf_section_align(section) <= ELF_ALIGN_MAX);
}

void prove_parse(void)
{
	struct elf_object object;
	struct elf64_section section;
	uint32_t i = (uint32_t)any_u64();

	make_any_file();
	if (elf_object_parse("", file, FILE_SIZE, &object))
		return;
	assume(i < SECTIONS);
	section = elf_section(&object, i);
	prove(is_parsed(i, &section),
	      "each section lies in the file, is aligned to a power of two, and the first is none");
	prove(object.symbols != 0 && object.symbols < SECTIONS, "there is a symbol table");
	prove(object.symbol_table.sh_size % sizeof(struct elf64_symbol) == 0, "of whole symbols");
	prove(elf_fits(object.symbol_table.sh_offset, object.symbol_table.sh_size, FILE_SIZE), "in the file");
}

/* --- the layout --- */

static struct elf_rel any_object(void)
{
	struct elf_rel object = { .align = 1 };

	make_any_file();
	object.elf.bytes = file;
	object.elf.size = FILE_SIZE;
	object.elf.header.e_shoff = 64;
	object.elf.header.e_shnum = SECTIONS;
	for (uint32_t i = 0; i < SECTIONS; i++) {
		struct elf64_section section = elf_section(&object.elf, i);

		assume(is_parsed(i, &section));
	}
	return object;
}

static bool is_placed(const struct elf_rel *object, uint32_t i, uint64_t end)
{
	struct elf64_section section = elf_section(&object->elf, i);

	return object->offsets[i] <= end && section.sh_size <= end - object->offsets[i] &&
	       (object->offsets[i] & (elf_section_align(&section) - 1)) == 0;
}

void prove_layout(void)
{
	struct elf_rel object = any_object();

	if (lay_out(&object, CONTENT_BYTES))
		return;
	object.file_size = object.mem_size;
	if (lay_out(&object, CONTENT_ZEROS))
		return;
	prove(object.file_size <= object.mem_size && object.mem_size <= ELF_REL_SIZE_MAX, "sizes are within the limit");
	for (uint32_t i = 1; i < SECTIONS; i++) {
		struct elf64_section one = elf_section(&object.elf, i);

		if (!elf_section_is_loaded(&one))
			continue;
		prove(is_placed(&object, i, elf_section_has_bytes(&one) ? object.file_size : object.mem_size),
		      "each loaded section lies in the segment, aligned");
		for (uint32_t j = 1; j < i; j++) {
			struct elf64_section other = elf_section(&object.elf, j);

			if (!elf_section_is_loaded(&other))
				continue;
			prove(object.offsets[i] + one.sh_size <= object.offsets[j] ||
				      object.offsets[j] + other.sh_size <= object.offsets[i],
			      "sections do not overlap");
		}
	}
}

/* --- a table of relocations --- */

#define SEGMENT_MAX 64u

static uint8_t segment[SEGMENT_MAX];
static uint8_t segment_before[SEGMENT_MAX];

/* elf_rel_relocate, for objects as in the results of prove_parse and prove_layout. */
void prove_relocate(void)
{
	struct elf_rel object = any_object();
	struct elf64_section section;
	size_t changed = any_u64();
	bool is_content = false;

	object.elf.symbols = (uint32_t)any_u64();
	assume(object.elf.symbols < SECTIONS);
	object.elf.symbol_table = elf_section(&object.elf, object.elf.symbols);
	assume(elf_section_has_bytes(&object.elf.symbol_table));
	object.elf.symbol_names = (struct elf64_section){ 0 };
	object.file_size = any_u64();
	assume(object.file_size <= SEGMENT_MAX);
	for (uint32_t i = 1; i < SECTIONS; i++) {
		object.offsets[i] = any_u64();
		section = elf_section(&object.elf, i);
		assume(!elf_section_is_loaded(&section) || !elf_section_has_bytes(&section) ||
		       is_placed(&object, i, object.file_size));
		assume(section.sh_type != SHT_RELA || section.sh_size <= RELOCATIONS * sizeof(struct elf64_rela));
	}
	elf_rel_relocate(&object, segment, any_u64());
	if (changed >= SEGMENT_MAX || segment[changed] == segment_before[changed])
		return;
	for (uint32_t i = 1; i < SECTIONS; i++) {
		section = elf_section(&object.elf, i);
		is_content |= elf_section_is_loaded(&section) && elf_section_has_bytes(&section) &&
			      changed >= object.offsets[i] && changed - object.offsets[i] < section.sh_size;
	}
	prove(is_content, "a byte that changes is one of a loaded section that has bytes");
}
