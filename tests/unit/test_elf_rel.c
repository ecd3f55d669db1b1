// SPDX-License-Identifier: BSD-2-Clause
/* The loader of relocatable objects, with valid ones and with each kind of damage. */
#include "boot/elf_rel.h"

#include "boot/log.h"
#include "tests/unit/elf_builder.h"
#include "tests/unit/support.h"

static struct elf_builder builder;
static struct elf_rel object;

static const uint8_t code[64] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static enum kexec_status parse(void)
{
	return elf_rel_parse("an object", builder.bytes, builder.size, &object);
}

/* One section of code, and the symbol `target` at offset 8 in it. The caller adds relocations. */
static unsigned begin(void)
{
	unsigned text;

	elf_builder_init(&builder);
	text = elf_builder_section(&builder, 1, SHF_ALLOC, 16, code, sizeof(code));
	elf_builder_symbol(&builder, "target", (uint16_t)text, 8, 4);
	return text;
}

static void build_plain(void)
{
	begin();
	elf_builder_finish(&builder);
}

static void object_that_is_none(void **state)
{
	(void)state;
	build_plain();
	builder.bytes[1] = 'F';
	expect_error(parse(), KEXEC_BAD_FORMAT, "an object: no ELF object: expected 7f 45 4c 46, found 7f 46 4c 46");
}

static void nothing_to_load(void **state)
{
	(void)state;
	build_plain();
	expect_ok(parse());
	builder.sections[4].sh_flags = 0;
	expect_error(parse(), KEXEC_BAD_FORMAT, "an object: expected sections to load, found none");
}

/* --- layout --- */

static void progbits_first_then_nobits_each_aligned(void **state)
{
	uint8_t memory[4096];
	uint8_t zeros[256] = { 0 };

	(void)state;
	elf_builder_init(&builder);
	elf_builder_section(&builder, SHT_NOBITS, SHF_ALLOC, 64, NULL, 100);
	elf_builder_section(&builder, 1, SHF_ALLOC, 0, code, 5);
	elf_builder_section(&builder, 1, 0, 4096, code, 9);
	elf_builder_section(&builder, 1, SHF_ALLOC, 32, code, 7);
	elf_builder_section(&builder, SHT_NOBITS, SHF_ALLOC, 1, NULL, 1);
	elf_builder_finish(&builder);
	expect_ok(parse());

	assert_int_equal(object.offsets[5], 0);
	assert_int_equal(object.offsets[7], 32);
	assert_int_equal(object.file_size, 39);
	assert_int_equal(object.offsets[4], 64);
	assert_int_equal(object.offsets[8], 164);
	assert_int_equal(object.mem_size, 165);
	assert_int_equal(object.align, 64);

	memset(memory, 0xa5, sizeof(memory));
	elf_rel_copy(&object, memory);
	assert_memory_equal(memory, code, 5);
	assert_memory_equal(memory + 5, zeros, 27);
	assert_memory_equal(memory + 32, code, 7);
	assert_memory_equal(memory + 39, zeros, 165 - 39);
	assert_int_equal(memory[165], 0xa5);
}

static void bss_too_large(void **state)
{
	(void)state;
	begin();
	elf_builder_section(&builder, SHT_NOBITS, SHF_ALLOC, 1, NULL, UINT64_MAX);
	elf_builder_finish(&builder);
	expect_error(parse(), KEXEC_TOO_LARGE,
		     "section 5: 0xffffffffffffffff bytes at 0x40 pass the limit of 0x4000000");
}

/* Few bytes in the file, many in memory. */
static void alignments_add_up_to_too_much(void **state)
{
	(void)state;
	elf_builder_init(&builder);
	for (unsigned i = 0; i < 32; i++)
		elf_builder_section(&builder, 1, SHF_ALLOC, ELF_ALIGN_MAX, code, 1);
	elf_builder_finish(&builder);
	expect_ok(parse());
	assert_int_equal(object.file_size, 31 * 0x200000 + 1);

	elf_builder_init(&builder);
	for (unsigned i = 0; i < 33; i++)
		elf_builder_section(&builder, 1, SHF_ALLOC, ELF_ALIGN_MAX, code, 1);
	elf_builder_finish(&builder);
	expect_error(parse(), KEXEC_TOO_LARGE, "section 36: 0x1 bytes at 0x4000000 pass the limit of 0x4000000");
}

/* --- relocations --- */

static uint8_t relocated[128];

/* Relocates an object to `addr`. Its only relocated field is at offset 16 of the code, for `target` + addend. */
static enum kexec_status relocate(uint64_t addr, uint32_t type, int64_t addend)
{
	unsigned text = begin();

	elf_builder_relocation(&builder, 16, type, 1, addend);
	elf_builder_relocations(&builder, text);
	elf_builder_finish(&builder);
	expect_ok(parse());
	elf_rel_copy(&object, relocated);
	return elf_rel_relocate(&object, relocated, addr);
}

static uint64_t field(size_t width)
{
	uint64_t value = 0;

	memcpy(&value, relocated + 16, width);
	assert_int_equal(relocated[15], code[15]);
	assert_int_equal(relocated[16 + width], code[16 + width]);
	return value;
}

static const uint64_t addresses[] = { 0x1000, 0x7ffff000, 0x100000000, 0x7ffffff000 };

static void relocates_64_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		expect_ok(relocate(addresses[i], R_X86_64_64, 5));
		assert_int_equal(field(8), addresses[i] + 8 + 5);
	}
}

static void relocates_pc_relative_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		expect_ok(relocate(addresses[i], R_X86_64_PC64, -4));
		assert_int_equal(field(8), (uint64_t)(8 - 4 - 16));
		expect_ok(relocate(addresses[i], R_X86_64_PC32, -4));
		assert_int_equal(field(4), (uint32_t)(8 - 4 - 16));
		expect_ok(relocate(addresses[i], R_X86_64_PLT32, -4));
		assert_int_equal(field(4), (uint32_t)(8 - 4 - 16));
	}
}

static void relocation_none_changes_nothing(void **state)
{
	(void)state;
	expect_ok(relocate(0x1000, R_X86_64_NONE, 5));
	assert_memory_equal(relocated, code, sizeof(code));
}

static void absolute_32_fits_below_4_gib_only(void **state)
{
	(void)state;
	expect_ok(relocate(0x1000, R_X86_64_32, 0));
	assert_int_equal(field(4), 0x1008);
	expect_ok(relocate(0xfffff000, R_X86_64_32, 0xff7));
	assert_int_equal(field(4), 0xffffffff);
	expect_error(relocate(0xfffff000, R_X86_64_32, 0xff8), KEXEC_BAD_FORMAT,
		     "overflow in relocation type 10 value 0x100000000");
	expect_error(relocate(0x1000, R_X86_64_32, -0x2000), KEXEC_BAD_FORMAT,
		     "overflow in relocation type 10 value 0xfffffffffffff008");
}

static void absolute_32s_fits_below_2_gib_only(void **state)
{
	(void)state;
	expect_ok(relocate(0x7ffff000, R_X86_64_32S, 0xff7));
	assert_int_equal(field(4), 0x7fffffff);
	expect_ok(relocate(0x1000, R_X86_64_32S, -0x2000));
	assert_int_equal(field(4), 0xfffff008);
	expect_error(relocate(0x7ffff000, R_X86_64_32S, 0xff8), KEXEC_BAD_FORMAT,
		     "overflow in relocation type 11 value 0x80000000");
	expect_error(relocate(0x100000000, R_X86_64_32S, 0), KEXEC_BAD_FORMAT,
		     "overflow in relocation type 11 value 0x100000008");
}

static void pc_relative_32_reaches_2_gib_only(void **state)
{
	(void)state;
	/* S + A - P = 8 + A - 16 */
	expect_ok(relocate(0x1000, R_X86_64_PC32, 0x7fffffffll + 8));
	assert_int_equal(field(4), 0x7fffffff);
	expect_error(relocate(0x1000, R_X86_64_PC32, 0x80000000ll + 8), KEXEC_BAD_FORMAT,
		     "overflow in relocation type 2 value 0x80000000");
	expect_ok(relocate(0x1000, R_X86_64_PLT32, -0x80000000ll + 8));
	assert_int_equal(field(4), 0x80000000);
	expect_error(relocate(0x1000, R_X86_64_PLT32, -0x80000001ll + 8), KEXEC_BAD_FORMAT,
		     "overflow in relocation type 4 value 0xffffffff7fffffff");
}

static void relocation_type_unknown(void **state)
{
	(void)state;
	expect_error(relocate(0x1000, 42, 0), KEXEC_UNSUPPORTED, "unknown relocation type 42");
	expect_error(relocate(0x1000, 9, 0), KEXEC_UNSUPPORTED, "unknown relocation type 9");
}

/* Builds an object with one R_X86_64_64 at `offset` against `symbol`. The caller may change the returned section. */
static struct elf64_section *build_relocation(uint64_t offset, uint32_t symbol)
{
	unsigned text = begin();
	unsigned table;

	elf_builder_relocation(&builder, offset, R_X86_64_64, symbol, 0);
	table = elf_builder_relocations(&builder, text);
	elf_builder_finish(&builder);
	return &builder.sections[table];
}

static enum kexec_status parse_and_relocate(void)
{
	expect_ok(parse());
	elf_rel_copy(&object, relocated);
	return elf_rel_relocate(&object, relocated, 0x1000);
}

static void relocation_ends_with_its_section(void **state)
{
	(void)state;
	build_relocation(sizeof(code) - 8, 1);
	expect_ok(parse_and_relocate());
	build_relocation(sizeof(code) - 7, 1);
	expect_error(parse_and_relocate(), KEXEC_BAD_FORMAT, "relocation at 0x39 passes the end of section 4 at 0x40");
	build_relocation(UINT64_MAX, 1);
	expect_error(parse_and_relocate(), KEXEC_BAD_FORMAT, "relocation at 0xffffffffffffffff passes the end");
}

static void relocation_symbol_index_wrong(void **state)
{
	(void)state;
	build_relocation(0, 2);
	expect_error(parse_and_relocate(), KEXEC_BAD_FORMAT, "expected a symbol below 2, found 2");
}

static void relocation_without_addend(void **state)
{
	(void)state;
	build_relocation(0, 1)->sh_type = SHT_REL;
	expect_error(parse_and_relocate(), KEXEC_UNSUPPORTED, "REL relocation unsupported");
}

static void relocation_entry_size_wrong(void **state)
{
	(void)state;
	build_relocation(0, 1)->sh_entsize = 16;
	expect_error(parse_and_relocate(), KEXEC_BAD_FORMAT, "expected entries of 24 bytes, found entries of 0x10");
}

static void relocation_table_ragged(void **state)
{
	(void)state;
	build_relocation(0, 1)->sh_size = 23;
	expect_error(parse_and_relocate(), KEXEC_BAD_FORMAT, "in 0x17 bytes");
}

static void relocation_target_index_wrong(void **state)
{
	(void)state;
	build_relocation(0, 1)->sh_info = 6;
	expect_error(parse_and_relocate(), KEXEC_BAD_FORMAT, "expected a section below 6, found 6");
}

static void relocation_symbol_table_index_wrong(void **state)
{
	(void)state;
	build_relocation(0, 1)->sh_link = 9;
	expect_error(parse_and_relocate(), KEXEC_BAD_FORMAT, "expected symbol table 1, found 9");
}

static void relocation_of_debug_section_is_ignored(void **state)
{
	unsigned debug;

	(void)state;
	begin();
	debug = elf_builder_section(&builder, 1, 0, 1, code, sizeof(code));
	elf_builder_relocation(&builder, 0, 99, 1, 0);
	elf_builder_relocations(&builder, debug);
	elf_builder_finish(&builder);
	expect_ok(parse_and_relocate());
	assert_memory_equal(relocated, code, sizeof(code));
}

static void relocation_of_bss(void **state)
{
	unsigned bss;

	(void)state;
	begin();
	bss = elf_builder_section(&builder, SHT_NOBITS, SHF_ALLOC, 1, NULL, 32);
	elf_builder_relocation(&builder, 0, R_X86_64_64, 1, 0);
	elf_builder_relocations(&builder, bss);
	elf_builder_finish(&builder);
	expect_error(parse_and_relocate(), KEXEC_BAD_FORMAT, "relocations for section 5, which has no bytes");
}

/* --- symbols --- */

#define REFUSED_SYMBOL(name, shndx, status, part)                                                                      \
	static void name(void **state)                                                                                 \
	{                                                                                                              \
		struct elf_rel_symbol symbol;                                                                          \
                                                                                                                       \
		(void)state;                                                                                           \
		build_relocation(0, 1);                                                                                \
		builder.symbols[1].st_shndx = (shndx);                                                                 \
		expect_error(parse_and_relocate(), status, part);                                                      \
		expect_error(elf_rel_find_symbol(&object, "target", &symbol), status, part);                           \
	}

REFUSED_SYMBOL(symbol_undefined, SHN_UNDEF, KEXEC_NOT_FOUND, "undefined symbol target")
REFUSED_SYMBOL(symbol_common, SHN_COMMON, KEXEC_UNSUPPORTED, "symbol target is in a common section")
REFUSED_SYMBOL(symbol_extended_index, SHN_XINDEX, KEXEC_UNSUPPORTED, "symbol target has an extended section index")
REFUSED_SYMBOL(symbol_reserved_index, SHN_LORESERVE, KEXEC_BAD_FORMAT, "symbol target: expected a section below 6")
REFUSED_SYMBOL(symbol_section_index_wrong, 6, KEXEC_BAD_FORMAT, "symbol target: expected a section below 6, found 6")
REFUSED_SYMBOL(symbol_in_section_not_loaded, ELF_STRTAB, KEXEC_BAD_FORMAT, "is in section 2, which is not loaded")

static void symbol_absolute(void **state)
{
	struct elf_rel_symbol symbol;
	uint64_t value;

	(void)state;
	build_relocation(16, 1);
	builder.symbols[1].st_shndx = SHN_ABS;
	builder.symbols[1].st_value = 0x123456789a;
	expect_ok(parse_and_relocate());
	memcpy(&value, relocated + 16, sizeof(value));
	assert_int_equal(value, 0x123456789a);
	expect_error(elf_rel_find_symbol(&object, "target", &symbol), KEXEC_UNSUPPORTED, "symbol target is absolute");
}

static void symbol_past_section_end(void **state)
{
	struct elf_rel_symbol symbol;

	(void)state;
	build_plain();
	builder.symbols[1].st_size = sizeof(code) - 7;
	expect_ok(parse());
	expect_error(elf_rel_find_symbol(&object, "target", &symbol), KEXEC_BAD_FORMAT,
		     "symbol target: 0x39 bytes at 0x8 pass the end of its section at 0x40");
	builder.symbols[1].st_value = UINT64_MAX;
	expect_error(elf_rel_find_symbol(&object, "target", &symbol), KEXEC_BAD_FORMAT, "pass the end");
}

static void symbol_found_in_data_and_bss(void **state)
{
	struct elf_rel_symbol symbol;
	unsigned bss;

	(void)state;
	begin();
	bss = elf_builder_section(&builder, SHT_NOBITS, SHF_ALLOC, 64, NULL, 32);
	elf_builder_symbol(&builder, "zeros", (uint16_t)bss, 16, 16);
	elf_builder_finish(&builder);
	expect_ok(parse());
	expect_ok(elf_rel_find_symbol(&object, "target", &symbol));
	assert_int_equal(symbol.offset, 8);
	assert_int_equal(symbol.size, 4);
	assert_false(symbol.in_bss);
	expect_ok(elf_rel_find_symbol(&object, "zeros", &symbol));
	assert_int_equal(symbol.offset, 64 + 16);
	assert_true(symbol.in_bss);
}

static void symbol_unknown_local_or_misnamed(void **state)
{
	struct elf_rel_symbol symbol;

	(void)state;
	build_plain();
	expect_ok(parse());
	expect_error(elf_rel_find_symbol(&object, "targe", &symbol), KEXEC_NOT_FOUND, "unknown symbol targe");
	expect_error(elf_rel_find_symbol(&object, "target2", &symbol), KEXEC_NOT_FOUND, "unknown symbol target2");
	builder.symbols[1].st_name = 0x7fffffff;
	expect_error(elf_rel_find_symbol(&object, "target", &symbol), KEXEC_NOT_FOUND, "unknown symbol target");
	builder.symbols[1].st_name = 1;
	builder.symbols[1].st_info = 0;
	expect_error(elf_rel_find_symbol(&object, "target", &symbol), KEXEC_NOT_FOUND, "unknown symbol target");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(object_that_is_none),
		cmocka_unit_test(nothing_to_load),
		cmocka_unit_test(progbits_first_then_nobits_each_aligned),
		cmocka_unit_test(bss_too_large),
		cmocka_unit_test(alignments_add_up_to_too_much),
		cmocka_unit_test(relocates_64_anywhere),
		cmocka_unit_test(relocates_pc_relative_anywhere),
		cmocka_unit_test(relocation_none_changes_nothing),
		cmocka_unit_test(absolute_32_fits_below_4_gib_only),
		cmocka_unit_test(absolute_32s_fits_below_2_gib_only),
		cmocka_unit_test(pc_relative_32_reaches_2_gib_only),
		cmocka_unit_test(relocation_type_unknown),
		cmocka_unit_test(relocation_ends_with_its_section),
		cmocka_unit_test(relocation_symbol_index_wrong),
		cmocka_unit_test(relocation_without_addend),
		cmocka_unit_test(relocation_entry_size_wrong),
		cmocka_unit_test(relocation_table_ragged),
		cmocka_unit_test(relocation_target_index_wrong),
		cmocka_unit_test(relocation_symbol_table_index_wrong),
		cmocka_unit_test(relocation_of_debug_section_is_ignored),
		cmocka_unit_test(relocation_of_bss),
		cmocka_unit_test(symbol_undefined),
		cmocka_unit_test(symbol_common),
		cmocka_unit_test(symbol_extended_index),
		cmocka_unit_test(symbol_reserved_index),
		cmocka_unit_test(symbol_section_index_wrong),
		cmocka_unit_test(symbol_in_section_not_loaded),
		cmocka_unit_test(symbol_absolute),
		cmocka_unit_test(symbol_past_section_end),
		cmocka_unit_test(symbol_found_in_data_and_bss),
		cmocka_unit_test(symbol_unknown_local_or_misnamed),
	};

	return run_named_tests(tests);
}
