// SPDX-License-Identifier: BSD-2-Clause
/* The real purgatory: loaded, relocated, and run as far as that is possible in a process. */
#include "boot/purgatory.h"

#include "common/align.h"
#include "common/sha256.h"
#include "common/stop_note.h"
#include "tests/unit/elf_builder.h"
#include "tests/unit/support.h"

static struct kexec_image kexec_image;
static struct purgatory purgatory;
static const uint8_t *object;
static size_t object_size;

static enum kexec_status load_real(void)
{
	if (!object)
		object = map_file(PURGATORY_RO, &object_size);
	return purgatory_load(&kexec_image, object, object_size, &purgatory);
}

static void real_purgatory_becomes_a_segment(void **state)
{
	const struct kexec_segment *segment = &kexec_image.segments[0];

	(void)state;
	expect_ok(load_real());
	assert_int_equal(kexec_image.count, 1);
	assert_ptr_equal(purgatory.segment, segment);
	assert_string_equal(segment->name, "purgatory");
	assert_int_equal(segment->stage, DIGEST_NONE);
	assert_true(segment->bufsz < segment->memsz);
	assert_in_range(purgatory.entry_point, segment->mem, segment->mem + segment->bufsz - 1);
	/* cli; cld: the first instructions of start.asm */
	assert_memory_equal(phys_to_ptr(purgatory.entry_point), "\xfa\xfc", 2);
	kexec_image_free(&kexec_image);
	assert_int_equal(fake_memory_outstanding(), 0);
}

static void real_purgatory_code_runs_where_it_was_relocated_to(void **state)
{
	struct elf_rel_symbol symbol;
	void (*hash)(const void *, size_t, uint8_t *);
	uint8_t expected[SHA256_DIGEST_SIZE];
	uint8_t found[SHA256_DIGEST_SIZE];

	(void)state;
	expect_ok(load_real());
	expect_ok(elf_rel_find_symbol(&purgatory.object, "sha256_of", &symbol));
	*(void **)&hash = phys_to_ptr(purgatory.segment->mem + symbol.offset);
	hash(object, object_size, found);
	sha256_of(object, object_size, expected);
	assert_memory_equal(found, expected, sizeof(expected));
}

/* Calculates one relocation of the parsed object independently, and compares it with the copy. */
static void check_relocation(const struct elf_rel *parsed, const uint8_t *copy, uint64_t addr, uint32_t target,
			     const struct elf64_rela *rela)
{
	const struct elf64_section *sections = (const void *)(object + parsed->elf.header.e_shoff);
	const struct elf64_symbol *symbols = (const void *)(object + sections[parsed->elf.symbols].sh_offset);
	const struct elf64_symbol *symbol = &symbols[rela->r_info >> 32];
	uint64_t place = parsed->offsets[target] + rela->r_offset;
	uint64_t value = addr + parsed->offsets[symbol->st_shndx] + symbol->st_value + (uint64_t)rela->r_addend;
	uint64_t found = 0;

	switch ((uint32_t)rela->r_info) {
	case R_X86_64_64:
		memcpy(&found, copy + place, 8);
		assert_int_equal(found, value);
		break;
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
		memcpy(&found, copy + place, 4);
		assert_int_equal((int32_t)found, (int64_t)(value - (addr + place)));
		break;
	default:
		fail_msg("relocation type %u", (uint32_t)rela->r_info);
	}
}

static unsigned check_relocations(const struct elf_rel *parsed, const uint8_t *copy, uint64_t addr)
{
	const struct elf64_section *sections = (const void *)(object + parsed->elf.header.e_shoff);
	unsigned checked = 0;

	for (uint32_t i = 1; i < parsed->elf.header.e_shnum; i++) {
		const struct elf64_rela *relocations = (const void *)(object + sections[i].sh_offset);

		if (sections[i].sh_type != SHT_RELA)
			continue;
		for (size_t k = 0; k < sections[i].sh_size / sizeof(*relocations); k++, checked++)
			check_relocation(parsed, copy, addr, sections[i].sh_info, &relocations[k]);
	}
	return checked;
}

static void real_purgatory_relocates_for_any_address(void **state)
{
	static const uint64_t addresses[] = { 0x1000, 0x7ffff000, 0x100000000, 0x7ffffff000 };
	struct elf_rel parsed;
	uint8_t *copy;

	(void)state;
	object = map_file(PURGATORY_RO, &object_size);
	expect_ok(elf_rel_parse("purgatory", object, object_size, &parsed));
	copy = test_malloc(parsed.mem_size);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		elf_rel_copy(&parsed, copy);
		expect_ok(elf_rel_relocate(&parsed, copy, addresses[i]));
		assert_true(check_relocations(&parsed, copy, addresses[i]) > 20);
	}
	test_free(copy);
}

static void symbols_set_and_got(void **state)
{
	struct kernel_entry entry = { .rip = 0x1000200, .rsi = 0x2000 };
	struct kernel_entry found;

	(void)state;
	expect_ok(load_real());
	expect_ok(purgatory_set(&purgatory, purgatory_kernel_entry, &entry));
	expect_ok(purgatory_get_symbol(&purgatory, "purgatory_kernel_entry", &found, sizeof(found)));
	assert_memory_equal(&found, &entry, sizeof(entry));
}

static void symbol_of_another_size(void **state)
{
	uint8_t value[17] = { 0 };

	(void)state;
	expect_ok(load_real());
	expect_error(purgatory_set_symbol(&purgatory, "purgatory_kernel_entry", value, 17), KEXEC_BAD_FORMAT,
		     "symbol purgatory_kernel_entry: expected 17 bytes, found 16");
	expect_error(purgatory_get_symbol(&purgatory, "purgatory_kernel_entry", value, 15), KEXEC_BAD_FORMAT,
		     "symbol purgatory_kernel_entry: expected 15 bytes, found 16");
}

static void symbol_unknown(void **state)
{
	uint8_t value;

	(void)state;
	expect_ok(load_real());
	expect_error(purgatory_set_symbol(&purgatory, "nonsense", &value, 1), KEXEC_NOT_FOUND,
		     "unknown symbol nonsense");
	expect_error(purgatory_get_symbol(&purgatory, "nonsense", &value, 1), KEXEC_NOT_FOUND,
		     "unknown symbol nonsense");
}

/* --- the firmware's runtime services --- */

/* EFI_RUNTIME_SERVICES: SetVariable is at 88. */
#define SET_VARIABLE 11

static unsigned noted_before_the_exit;
static unsigned noted_at_runtime;

static uint64_t __attribute__((ms_abi)) set_variable_before_the_exit(void)
{
	noted_before_the_exit++;
	return 0;
}

static uint64_t __attribute__((ms_abi))
set_variable_at_runtime(const uint16_t *name, const void *guid, uint32_t attributes, uint64_t size, const void *value)
{
	static const uint16_t expected[] = STOP_NOTE_NAME;

	assert_memory_equal(name, expected, sizeof(expected));
	assert_non_null(guid);
	assert_int_equal(attributes, STOP_NOTE_ATTRIBUTES);
	assert_int_equal(size, STOP_NOTE_SIZE_MIN);
	assert_int_equal(((const struct stop_note *)value)->kind, STOP_NMI);
	noted_at_runtime++;
	return noted_at_runtime == 1 ? 0 : 1ull << 63 | 3;
}

/* ExitBootServices may replace services in the table long after the loader passed the table to the purgatory. */
static void note_is_taken_by_the_service_that_is_there_then(void **state)
{
	uint64_t services[14] = { [SET_VARIABLE] = (uintptr_t)set_variable_before_the_exit };
	struct purgatory_policy policy = { .runtime_services = (uintptr_t)services };
	const struct stop_note note = { .kind = STOP_NMI };
	struct elf_rel_symbol symbol;
	bool (*remember)(const struct stop_note *);

	(void)state;
	expect_ok(load_real());
	expect_ok(purgatory_set(&purgatory, purgatory_policy, &policy));
	expect_ok(elf_rel_find_symbol(&purgatory.object, "firmware_remember", &symbol));
	*(void **)&remember = phys_to_ptr(purgatory.segment->mem + symbol.offset);
	services[SET_VARIABLE] = (uintptr_t)set_variable_at_runtime;
	assert_true(remember(&note));
	assert_false(remember(&note));
	services[SET_VARIABLE] = 0;
	assert_false(remember(&note));
	policy.runtime_services = 0;
	expect_ok(purgatory_set(&purgatory, purgatory_policy, &policy));
	assert_false(remember(&note));
	assert_int_equal(noted_at_runtime, 2);
	assert_int_equal(noted_before_the_exit, 0);
}

/* --- the screen --- */

/* A line of the framebuffer is longer than its pixels, and other memory follows the screen. */
#define SCREEN_WIDTH 64
#define SCREEN_HEIGHT 40
#define SCREEN_LINE (4 * SCREEN_WIDTH + 16)
#define UNTOUCHED 0x5a

static uint8_t pixels[SCREEN_HEIGHT + 8][SCREEN_LINE];

static const struct screen_info screen_info = {
	.orig_video_isvga = VIDEO_TYPE_EFI,
	.lfb_width = SCREEN_WIDTH,
	.lfb_height = SCREEN_HEIGHT,
	.lfb_depth = 32,
	.lfb_linelength = SCREEN_LINE,
};

static void set_screen(const struct screen_info *info, uint64_t mapped_size)
{
	struct mapped_range framebuffer = { .addr = (uintptr_t)pixels, .size = mapped_size };

	expect_ok(load_real());
	expect_ok(purgatory_set_screen(&purgatory, info, &framebuffer));
	memset(pixels, UNTOUCHED, sizeof(pixels));
}

static void write_to_screen(const char *text)
{
	struct elf_rel_symbol symbol;
	void (*screen_write)(const char *);

	expect_ok(elf_rel_find_symbol(&purgatory.object, "screen_write", &symbol));
	*(void **)&screen_write = phys_to_ptr(purgatory.segment->mem + symbol.offset);
	screen_write(text);
}

/* Whether the pixel is white (1), black (0), or has another colour (-1). */
static int pixel(unsigned x, unsigned y, unsigned size)
{
	uint8_t value = pixels[y][x * size];

	for (unsigned i = 1; i < size; i++) {
		if (pixels[y][x * size + i] != value)
			return -1;
	}
	return value == 0xff ? 1 : value == 0 ? 0 : -1;
}

static void expect_untouched(unsigned first_line, unsigned end_line)
{
	for (unsigned y = first_line; y < end_line; y++) {
		for (unsigned x = 0; x < SCREEN_LINE; x++)
			assert_int_equal(pixels[y][x], UNTOUCHED);
	}
}

static unsigned white_pixels(unsigned column, unsigned row, unsigned size)
{
	unsigned count = 0;

	for (unsigned y = 16 * row; y < 16 * row + 16; y++) {
		for (unsigned x = 8 * column; x < 8 * column + 8; x++) {
			assert_int_not_equal(pixel(x, y, size), -1);
			count += pixel(x, y, size) == 1;
		}
	}
	return count;
}

static void screen_shows_a_letter_and_clears_its_line(void **state)
{
	/* A capital L: one stroke down, one to the right. */
	unsigned left = 0;
	unsigned right = 0;

	(void)state;
	set_screen(&screen_info, SCREEN_HEIGHT * SCREEN_LINE);
	write_to_screen(" L");
	for (unsigned y = 0; y < 16; y++) {
		for (unsigned x = 0; x < 4; x++)
			left += pixel(8 + x, y, 4) == 1;
		for (unsigned x = 4; x < 8; x++)
			right += pixel(8 + x, y, 4) == 1;
	}
	assert_in_range(left, 10, 40);
	assert_in_range(right, 2, left - 1);
	assert_int_equal(white_pixels(0, 0, 4), 0);
	assert_int_equal(white_pixels(7, 0, 4), 0);
	expect_untouched(16, SCREEN_HEIGHT + 8);
	for (unsigned y = 0; y < 16; y++)
		assert_int_equal(pixels[y][4 * SCREEN_WIDTH], UNTOUCHED);
}

static void screen_lines_end_and_wrap(void **state)
{
	(void)state;
	set_screen(&screen_info, SCREEN_HEIGHT * SCREEN_LINE);
	write_to_screen("ABCDEFGHI\n");
	assert_in_range(white_pixels(7, 0, 4), 1, 127);
	assert_in_range(white_pixels(0, 1, 4), 1, 127);
	assert_int_equal(white_pixels(1, 1, 4), 0);
	/* Two lines fit. */
	write_to_screen("beyond\n\n");
	expect_untouched(32, SCREEN_HEIGHT + 8);
}

static void screen_of_24_bits(void **state)
{
	struct screen_info info = screen_info;

	(void)state;
	info.lfb_depth = 24;
	set_screen(&info, SCREEN_HEIGHT * SCREEN_LINE);
	write_to_screen("M\x80\x7f\t");
	assert_in_range(white_pixels(0, 0, 3), 1, 127);
	/* Unprintable characters become blanks. */
	for (unsigned column = 1; column < 8; column++)
		assert_int_equal(white_pixels(column, 0, 3), 0);
	assert_int_equal(pixels[0][3 * SCREEN_WIDTH], UNTOUCHED);
}

static void screen_larger_than_its_memory(void **state)
{
	struct screen_info info = screen_info;

	(void)state;
	info.lfb_width = UINT16_MAX;
	info.lfb_height = UINT16_MAX;
	set_screen(&info, 17 * SCREEN_LINE);
	for (unsigned i = 0; i < 100; i++)
		write_to_screen("x\n");
	assert_in_range(white_pixels(0, 0, 4), 1, 127);
	expect_untouched(16, SCREEN_HEIGHT + 8);
}

static void screen_of_many_pixels_has_large_letters(void **state)
{
	static uint8_t large[32][2 * 8 * 80];
	struct screen_info info = {
		.lfb_width = sizeof(large[0]), .lfb_height = 32, .lfb_depth = 8, .lfb_linelength = sizeof(large[0])
	};
	struct mapped_range framebuffer = { .addr = (uintptr_t)large, .size = sizeof(large) };
	unsigned white = 0;

	(void)state;
	expect_ok(load_real());
	expect_ok(purgatory_set_screen(&purgatory, &info, &framebuffer));
	write_to_screen("X");
	for (unsigned y = 0; y < 32; y++) {
		for (unsigned x = 0; x < 16; x++) {
			white += large[y][x] == 0xff;
			assert_int_equal(large[y][x], large[y & ~1u][x & ~1u]);
		}
	}
	assert_in_range(white, 40, 400);
}

static void screen_absent(void **state)
{
	struct screen_info none = { 0 };

	(void)state;
	set_screen(&none, 0);
	write_to_screen("nobody sees this\n");
	expect_untouched(0, SCREEN_HEIGHT + 8);
}

static const uint8_t code[16];
static struct elf_builder builder;

/* A small purgatory whose entry symbol has the given name. */
static enum kexec_status load_built(const char *entry_name)
{
	unsigned text;
	unsigned bss;

	elf_builder_init(&builder);
	text = elf_builder_section(&builder, 1, SHF_ALLOC, 16, code, sizeof(code));
	bss = elf_builder_section(&builder, SHT_NOBITS, SHF_ALLOC, 16, NULL, 64);
	elf_builder_symbol(&builder, entry_name, (uint16_t)text, 4, 0);
	elf_builder_symbol(&builder, "zeros", (uint16_t)bss, 0, 8);
	elf_builder_relocation(&builder, 0, R_X86_64_64, 2, 0);
	elf_builder_relocations(&builder, text);
	elf_builder_finish(&builder);
	return purgatory_load(&kexec_image, builder.bytes, builder.size, &purgatory);
}

static void symbol_in_bss(void **state)
{
	uint64_t value = 0;

	(void)state;
	expect_ok(load_built("purgatory_start"));
	assert_int_equal(purgatory.entry_point, purgatory.segment->mem + 4);
	expect_error(purgatory_set_symbol(&purgatory, "zeros", &value, 8), KEXEC_BAD_FORMAT,
		     "symbol zeros is in a bss section");
	expect_error(purgatory_get_symbol(&purgatory, "zeros", &value, 8), KEXEC_BAD_FORMAT,
		     "symbol zeros is in a bss section");
}

static void entry_symbol_missing(void **state)
{
	(void)state;
	expect_error(load_built("start"), KEXEC_NOT_FOUND, "unknown symbol purgatory_start");
	assert_int_equal(fake_memory_outstanding(), 0);
}

static void relocation_fails(void **state)
{
	(void)state;
	expect_ok(load_built("purgatory_start"));
	kexec_image_free(&kexec_image);
	builder.symbols[2].st_shndx = SHN_UNDEF;
	expect_error(purgatory_load(&kexec_image, builder.bytes, builder.size, &purgatory), KEXEC_NOT_FOUND,
		     "undefined symbol zeros");
	kexec_image_free(&kexec_image);
	assert_int_equal(fake_memory_outstanding(), 0);
}

static void object_is_garbage(void **state)
{
	(void)state;
	expect_error(purgatory_load(&kexec_image, "garbage", 7, &purgatory), KEXEC_TRUNCATED, "found 7 bytes");
}

static void allocation_fails(void **state)
{
	(void)state;
	fake_memory_fail_at(1);
	expect_error(load_real(), KEXEC_NO_MEMORY, "purgatory");
	assert_int_equal(kexec_image.count, 0);
	assert_int_equal(fake_memory_outstanding(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_purgatory_becomes_a_segment),
		cmocka_unit_test(real_purgatory_code_runs_where_it_was_relocated_to),
		cmocka_unit_test(real_purgatory_relocates_for_any_address),
		cmocka_unit_test(note_is_taken_by_the_service_that_is_there_then),
		cmocka_unit_test(screen_shows_a_letter_and_clears_its_line),
		cmocka_unit_test(screen_lines_end_and_wrap),
		cmocka_unit_test(screen_of_24_bits),
		cmocka_unit_test(screen_larger_than_its_memory),
		cmocka_unit_test(screen_of_many_pixels_has_large_letters),
		cmocka_unit_test(screen_absent),
		cmocka_unit_test(symbols_set_and_got),
		cmocka_unit_test(symbol_of_another_size),
		cmocka_unit_test(symbol_unknown),
		cmocka_unit_test(symbol_in_bss),
		cmocka_unit_test(entry_symbol_missing),
		cmocka_unit_test(relocation_fails),
		cmocka_unit_test(object_is_garbage),
		cmocka_unit_test(allocation_fails),
	};

	return run_named_tests(tests);
}
