// SPDX-License-Identifier: BSD-2-Clause
/* An object's tables, valid and with each kind of damage, and the values read from them. */
#include "boot/elf_object.h"

#include "tests/unit/elf_builder.h"
#include "tests/unit/support.h"

static struct elf_builder builder;
static struct elf_object object;

static const uint8_t code[64] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static enum kexec_status parse(void)
{
	return elf_object_parse("an object", builder.bytes, builder.size, &object);
}

/* Section 4 is code, and the symbol `target` is at offset 8 in it. */
static void build_plain(void)
{
	unsigned text;

	elf_builder_init(&builder);
	text = elf_builder_section(&builder, 1, SHF_ALLOC, 16, code, sizeof(code));
	elf_builder_symbol(&builder, "target", (uint16_t)text, 8, 4);
	elf_builder_finish(&builder);
}

/* --- headers --- */

#define REFUSED_HEADER(name, change, status, part)                                                                     \
	static void name(void **state)                                                                                 \
	{                                                                                                              \
		(void)state;                                                                                           \
		build_plain();                                                                                         \
		expect_ok(parse());                                                                                    \
		change;                                                                                                \
		expect_error(parse(), status, part);                                                                   \
	}

REFUSED_HEADER(magic_wrong, builder.bytes[1] = 'F', KEXEC_BAD_FORMAT, "expected 7f 45 4c 46, found 7f 46 4c 46")
REFUSED_HEADER(class_32_bit, builder.bytes[EI_CLASS] = 1, KEXEC_UNSUPPORTED, "expected 2 (64 bit), found 1")
REFUSED_HEADER(big_endian, builder.bytes[EI_DATA] = 2, KEXEC_UNSUPPORTED, "expected 1 (little endian), found 2")
REFUSED_HEADER(version_unknown, builder.header->e_version = 2, KEXEC_UNSUPPORTED, "expected 1, found 1 and 2")
REFUSED_HEADER(type_executable, builder.header->e_type = 2, KEXEC_UNSUPPORTED, "expected 1 (relocatable), found 2")
REFUSED_HEADER(machine_i386, builder.header->e_machine = 3, KEXEC_UNSUPPORTED, "expected 62 (x86-64), found 3")
REFUSED_HEADER(section_header_size_wrong, builder.header->e_shentsize = 40, KEXEC_BAD_FORMAT, "expected 64, found 40")
REFUSED_HEADER(no_sections, builder.header->e_shnum = 0, KEXEC_UNSUPPORTED, "expected 1 to 64, found 0")
REFUSED_HEADER(too_many_sections, builder.header->e_shnum = 65, KEXEC_UNSUPPORTED, "expected 1 to 64, found 65")
REFUSED_HEADER(section_headers_past_end, builder.header->e_shoff = builder.size - 64, KEXEC_TRUNCATED, "pass the end")
REFUSED_HEADER(section_headers_wrap, builder.header->e_shoff = UINT64_MAX - 8, KEXEC_TRUNCATED, "pass the end")
REFUSED_HEADER(name_table_index_wrong, builder.header->e_shstrndx = 5, KEXEC_BAD_FORMAT, "below 5, found 5")
REFUSED_HEADER(section_past_end, builder.sections[4].sh_size = BUILDER_SIZE, KEXEC_TRUNCATED, "section 4: 0x4000 bytes")
REFUSED_HEADER(section_size_wraps, builder.sections[4].sh_size = UINT64_MAX, KEXEC_TRUNCATED, "section 4")
REFUSED_HEADER(alignment_no_power_of_two, builder.sections[4].sh_addralign = 24, KEXEC_BAD_FORMAT, "found 0x18")
REFUSED_HEADER(alignment_too_large, builder.sections[4].sh_addralign = 1ull << 40, KEXEC_BAD_FORMAT,
	       "power of two up to 0x200000, found 0x10000000000")
REFUSED_HEADER(no_symbol_table, builder.sections[ELF_SYMTAB].sh_type = 1, KEXEC_BAD_FORMAT, "expected a symbol table")
REFUSED_HEADER(two_symbol_tables, builder.sections[ELF_SHSTRTAB].sh_type = SHT_SYMTAB, KEXEC_UNSUPPORTED,
	       "found sections 1 and 3")
REFUSED_HEADER(symbol_size_wrong, builder.sections[ELF_SYMTAB].sh_entsize = 16, KEXEC_BAD_FORMAT,
	       "entries of 24 bytes, found entries of 0x10")
REFUSED_HEADER(symbol_table_ragged, builder.sections[ELF_SYMTAB].sh_size -= 1, KEXEC_BAD_FORMAT, "0x2f bytes")
REFUSED_HEADER(symbol_names_index_wrong, builder.sections[ELF_SYMTAB].sh_link = 77, KEXEC_BAD_FORMAT, "found 77")
REFUSED_HEADER(symbol_names_no_strings, builder.sections[ELF_SYMTAB].sh_link = 4, KEXEC_BAD_FORMAT,
	       "section type 3, found 1")
REFUSED_HEADER(symbol_names_unterminated, builder.sections[ELF_STRTAB].sh_size -= 1, KEXEC_BAD_FORMAT, "expected a NUL")
REFUSED_HEADER(symbol_names_empty, builder.sections[ELF_STRTAB].sh_size = 0, KEXEC_BAD_FORMAT, "expected a NUL")
REFUSED_HEADER(section_0_in_use, builder.sections[0].sh_type = SHT_STRTAB, KEXEC_BAD_FORMAT, "expected type 0, found 3")

static void truncated_in_elf_header(void **state)
{
	(void)state;
	build_plain();
	builder.size = 63;
	expect_error(parse(), KEXEC_TRUNCATED, "expected an ELF header of 64 bytes, found 63 bytes");
}

static void message_begins_with_the_name(void **state)
{
	(void)state;
	build_plain();
	builder.header->e_type = 2;
	assert_int_equal(parse(), KEXEC_UNSUPPORTED);
	assert_string_equal(logged(), "an object: ELF type: expected 1 (relocatable), found 2\n");
}

static void object_that_fails_is_not_handed_out(void **state)
{
	(void)state;
	build_plain();
	builder.sections[ELF_SYMTAB].sh_type = 1;
	object.bytes = NULL;
	expect_error(parse(), KEXEC_BAD_FORMAT, "expected a symbol table, found none");
	assert_null(object.bytes);
}

/* --- sections --- */

static void sections_by_index(void **state)
{
	struct elf64_section section;

	(void)state;
	build_plain();
	expect_ok(parse());
	assert_int_equal(object.symbols, ELF_SYMTAB);
	assert_int_equal(elf_section(&object, 0).sh_type, SHT_NULL);
	section = elf_section(&object, 4);
	assert_int_equal(section.sh_size, sizeof(code));
	assert_memory_equal(object.bytes + section.sh_offset, code, sizeof(code));
}

/* An object need not be aligned in memory. */
static void object_at_an_odd_address(void **state)
{
	uint8_t *odd = test_malloc(BUILDER_SIZE + 1);
	struct elf64_symbol symbol;

	(void)state;
	build_plain();
	memcpy(odd + 1, builder.bytes, builder.size);
	expect_ok(elf_object_parse("odd", odd + 1, builder.size, &object));
	assert_int_equal(elf_section(&object, 4).sh_size, sizeof(code));
	symbol = elf_symbol(&object, 1);
	assert_string_equal(elf_symbol_name(&object, &symbol), "target");
	test_free(odd);
}

static void section_kinds(void **state)
{
	struct elf64_section section = { .sh_type = 1, .sh_flags = SHF_ALLOC };

	(void)state;
	assert_true(elf_section_is_loaded(&section));
	assert_true(elf_section_has_bytes(&section));
	section.sh_type = SHT_NOBITS;
	assert_true(elf_section_is_loaded(&section));
	assert_false(elf_section_has_bytes(&section));
	section.sh_type = SHT_NULL;
	assert_false(elf_section_is_loaded(&section));
	assert_false(elf_section_has_bytes(&section));
	section = (struct elf64_section){ .sh_type = 1 };
	assert_false(elf_section_is_loaded(&section));
	assert_true(elf_section_has_bytes(&section));
}

static void alignment_of_0_is_1(void **state)
{
	struct elf64_section section = { .sh_type = 1 };

	(void)state;
	assert_int_equal(elf_section_align(&section), 1);
	section.sh_addralign = 1;
	assert_int_equal(elf_section_align(&section), 1);
	section.sh_addralign = 64;
	assert_int_equal(elf_section_align(&section), 64);
}

/* Debug data may have any alignment, and a section of zeros has no bytes in the file. */
static void sections_that_need_not_be_right(void **state)
{
	(void)state;
	elf_builder_init(&builder);
	elf_builder_section(&builder, 1, 0, 24, code, sizeof(code));
	elf_builder_section(&builder, SHT_NOBITS, SHF_ALLOC, 16, NULL, UINT64_MAX);
	elf_builder_finish(&builder);
	expect_ok(parse());
}

static void fits_to_the_last_byte(void **state)
{
	(void)state;
	assert_true(elf_fits(0, 0, 0));
	assert_true(elf_fits(8, 8, 16));
	assert_true(elf_fits(16, 0, 16));
	assert_false(elf_fits(8, 9, 16));
	assert_false(elf_fits(17, 0, 16));
	assert_false(elf_fits(UINT64_MAX, 2, 16));
	assert_false(elf_fits(2, UINT64_MAX, 16));
}

/* --- symbols --- */

static void symbols_by_index(void **state)
{
	struct elf64_symbol symbol;
	struct elf64_section section;

	(void)state;
	build_plain();
	expect_ok(parse());
	assert_int_equal(elf_symbol_count(&object), 2);
	symbol = elf_symbol(&object, 0);
	assert_string_equal(elf_symbol_name(&object, &symbol), "");
	symbol = elf_symbol(&object, 1);
	assert_string_equal(elf_symbol_name(&object, &symbol), "target");
	assert_int_equal(symbol.st_value, 8);
	expect_ok(elf_symbol_section(&object, &symbol, &section));
	assert_int_equal(section.sh_size, sizeof(code));
}

static void symbol_name_out_of_bounds(void **state)
{
	struct elf64_symbol symbol;

	(void)state;
	build_plain();
	builder.symbols[1].st_name = (uint32_t)builder.sections[ELF_STRTAB].sh_size;
	expect_ok(parse());
	symbol = elf_symbol(&object, 1);
	assert_string_equal(elf_symbol_name(&object, &symbol), "(name out of bounds)");
	builder.symbols[1].st_name--;
	symbol = elf_symbol(&object, 1);
	assert_string_equal(elf_symbol_name(&object, &symbol), "");
}

#define REFUSED_SYMBOL(name, change, status, part)                                                                     \
	static void name(void **state)                                                                                 \
	{                                                                                                              \
		struct elf64_section section;                                                                          \
		struct elf64_symbol symbol;                                                                            \
                                                                                                                       \
		(void)state;                                                                                           \
		build_plain();                                                                                         \
		expect_ok(parse());                                                                                    \
		symbol = elf_symbol(&object, 1);                                                                       \
		change;                                                                                                \
		expect_error(elf_symbol_section(&object, &symbol, &section), status, "an object: " part);              \
	}

REFUSED_SYMBOL(symbol_undefined, symbol.st_shndx = SHN_UNDEF, KEXEC_NOT_FOUND, "undefined symbol target")
REFUSED_SYMBOL(symbol_common, symbol.st_shndx = SHN_COMMON, KEXEC_UNSUPPORTED, "symbol target is in a common section")
REFUSED_SYMBOL(symbol_extended_index, symbol.st_shndx = SHN_XINDEX, KEXEC_UNSUPPORTED,
	       "symbol target has an extended section index (SHN_XINDEX)")
REFUSED_SYMBOL(symbol_absolute, symbol.st_shndx = SHN_ABS, KEXEC_BAD_FORMAT,
	       "symbol target: expected a section below 5, found 65521")
REFUSED_SYMBOL(symbol_section_index_wrong, symbol.st_shndx = 5, KEXEC_BAD_FORMAT,
	       "symbol target: expected a section below 5, found 5")
REFUSED_SYMBOL(symbol_in_section_not_loaded, symbol.st_shndx = ELF_STRTAB, KEXEC_BAD_FORMAT,
	       "symbol target is in section 2, which is not loaded")
REFUSED_SYMBOL(symbol_past_section_end, symbol.st_size = sizeof(code) - 7, KEXEC_BAD_FORMAT,
	       "symbol target: 0x39 bytes at 0x8 pass the end of its section at 0x40")
REFUSED_SYMBOL(symbol_value_wraps, symbol.st_value = UINT64_MAX, KEXEC_BAD_FORMAT,
	       "symbol target: 0x4 bytes at 0xffffffffffffffff pass the end of its section at 0x40")

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(magic_wrong),
		cmocka_unit_test(class_32_bit),
		cmocka_unit_test(big_endian),
		cmocka_unit_test(version_unknown),
		cmocka_unit_test(type_executable),
		cmocka_unit_test(machine_i386),
		cmocka_unit_test(section_header_size_wrong),
		cmocka_unit_test(no_sections),
		cmocka_unit_test(too_many_sections),
		cmocka_unit_test(section_headers_past_end),
		cmocka_unit_test(section_headers_wrap),
		cmocka_unit_test(name_table_index_wrong),
		cmocka_unit_test(section_past_end),
		cmocka_unit_test(section_size_wraps),
		cmocka_unit_test(alignment_no_power_of_two),
		cmocka_unit_test(alignment_too_large),
		cmocka_unit_test(no_symbol_table),
		cmocka_unit_test(two_symbol_tables),
		cmocka_unit_test(symbol_size_wrong),
		cmocka_unit_test(symbol_table_ragged),
		cmocka_unit_test(symbol_names_index_wrong),
		cmocka_unit_test(symbol_names_no_strings),
		cmocka_unit_test(symbol_names_unterminated),
		cmocka_unit_test(symbol_names_empty),
		cmocka_unit_test(section_0_in_use),
		cmocka_unit_test(truncated_in_elf_header),
		cmocka_unit_test(message_begins_with_the_name),
		cmocka_unit_test(object_that_fails_is_not_handed_out),
		cmocka_unit_test(sections_by_index),
		cmocka_unit_test(object_at_an_odd_address),
		cmocka_unit_test(section_kinds),
		cmocka_unit_test(alignment_of_0_is_1),
		cmocka_unit_test(sections_that_need_not_be_right),
		cmocka_unit_test(fits_to_the_last_byte),
		cmocka_unit_test(symbols_by_index),
		cmocka_unit_test(symbol_name_out_of_bounds),
		cmocka_unit_test(symbol_undefined),
		cmocka_unit_test(symbol_common),
		cmocka_unit_test(symbol_extended_index),
		cmocka_unit_test(symbol_absolute),
		cmocka_unit_test(symbol_section_index_wrong),
		cmocka_unit_test(symbol_in_section_not_loaded),
		cmocka_unit_test(symbol_past_section_end),
		cmocka_unit_test(symbol_value_wraps),
	};

	return run_named_tests(tests);
}
