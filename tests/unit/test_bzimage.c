// SPDX-License-Identifier: BSD-2-Clause
/* A bzImage's header, correct, and wrong in each field. Apart from the struct, offsets are numbers. */
#include "boot/bzimage.h"

#include "boot/memmap.h"
#include "tests/unit/support.h"

#define SETUP_SIZE (40 * 512u)
#define KERNEL_SIZE 0x20000u
#define FILE_SIZE (SETUP_SIZE + KERNEL_SIZE)

static uint8_t probe[KERNEL_PROBE_SIZE];
static struct kernel_plan kernel;

static void put(size_t offset, uint64_t value, size_t width)
{
	memcpy(probe + offset, &value, width);
}

/* The header of a kernel that resembles Debian's. */
static void make_header(void)
{
	memset(probe, 0, sizeof(probe));
	put(0x1f1, 39, 1);
	put(0x1f4, KERNEL_SIZE / 16, 4);
	put(0x1fe, 0xaa55, 2);
	put(0x200, 0x66eb, 2);
	put(0x201, 0x6a, 1);
	memcpy(probe + 0x202, "HdrS", 4);
	put(0x206, 0x20f, 2);
	put(0x211, 1, 1);
	put(0x22c, 0x7fffffff, 4);
	put(0x230, 0x200000, 4);
	put(0x234, 1, 1);
	put(0x235, 21, 1);
	put(0x236, 0x7f, 2);
	put(0x238, 2047, 4);
	put(0x258, 0x1000000, 8);
	put(0x260, 0x100000, 4);
}

static enum kexec_status plan_with(uint64_t file_size, struct paging paging)
{
	const struct kernel_probe file = {
		.name = "/vmlinuz",
		.bytes = probe,
		.size = file_size < sizeof(probe) ? file_size : sizeof(probe),
		.file_size = file_size,
		.paging = paging,
	};

	return bzimage_format.plan(&file, &kernel);
}

static enum kexec_status parse_file(uint64_t file_size)
{
	return plan_with(file_size, (struct paging){ 0 });
}

static enum kexec_status parse(void)
{
	return parse_file(FILE_SIZE);
}

static void kernel_like_debians(void **state)
{
	struct memory_request request;

	(void)state;
	make_header();
	expect_ok(parse());
	assert_int_equal(kernel.lead_size, SETUP_SIZE);
	assert_int_equal(kernel.content_size, KERNEL_SIZE);
	assert_int_equal(kernel.init_size, 0x100000);
	assert_int_equal(kernel.cmdline_size, 2047);
	assert_int_equal(kernel.entry_offset, 0x200);
	assert_ptr_equal(kernel.format, &bzimage_format);

	request = kernel.memory;
	assert_int_equal(request.kind, MEMORY_CODE);
	assert_false(request.top_down);
	assert_int_equal(request.lead, SETUP_SIZE);
	assert_int_equal(request.size, 0x100000);
	assert_int_equal(request.align, 0x200000);
	assert_int_equal(request.min, 0x1000000);
	assert_int_equal(request.max, UINT64_MAX);
}

static void signature_behind_the_kernel_is_not_part_of_it(void **state)
{
	(void)state;
	make_header();
	expect_ok(parse_file(FILE_SIZE + 1472));
	assert_int_equal(kernel.content_size, KERNEL_SIZE);
	/* The signature is read with the rest, so it needs room. */
	expect_ok(parse_file(SETUP_SIZE + 0x100001));
	assert_int_equal(kernel.memory.size, 0x100001);
}

static void setup_sects_0_means_4(void **state)
{
	(void)state;
	make_header();
	put(0x1f1, 0, 1);
	expect_ok(parse());
	assert_int_equal(kernel.lead_size, 5 * 512);
}

static void setup_sects_255_is_no_negative_number(void **state)
{
	(void)state;
	make_header();
	put(0x1f1, 255, 1);
	expect_ok(parse_file(256 * 512 + KERNEL_SIZE));
	assert_int_equal(kernel.lead_size, 256 * 512);
}

static void kernel_not_relocatable_goes_to_pref_address_alone(void **state)
{
	struct efi_descriptor taken[] = { DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0x1001000ull, 0x40000000ull) };
	struct efi_descriptor free[] = { DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0x100000ull, 0x40000000ull) };
	struct memory_map map = MAP_OF(free);
	struct memory_request request;

	(void)state;
	make_header();
	put(0x234, 0, 1);
	put(0x258, 0x1001000, 8);
	expect_ok(parse());
	request = kernel.memory;
	assert_true(memmap_find_hole(&map, &request).found);
	assert_int_equal(memmap_find_hole(&map, &request).addr, 0x1001000);
	map = MAP_OF(taken);
	assert_false(memmap_find_hole(&map, &request).found);
}

static void kernel_below_4_gib_only(void **state)
{
	(void)state;
	make_header();
	put(0x236, 1, 2);
	expect_ok(parse());
	assert_int_equal(kernel.memory.max, UINT32_MAX);
}

static void initrd_anywhere(void **state)
{
	struct efi_descriptor high[] = { DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0x100000000ull, 0x100100000ull) };
	struct efi_descriptor both[] = { DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0xc0000000ull, 0xc0100000ull),
					 DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0x100000000ull, 0x100100000ull) };
	struct memory_map map = MAP_OF(high);
	struct memory_request request;

	(void)state;
	make_header();
	expect_ok(parse());
	request = kernel_initrd_request(&kernel, 0x2345);
	assert_int_equal(request.kind, MEMORY_DATA);
	assert_int_equal(request.min, LOW_MEMORY_END);
	assert_int_equal(memmap_find_hole(&map, &request).addr, 0x1000fd000);
	/* The loader prefers memory that firmware can read to. */
	map = MAP_OF(both);
	assert_int_equal(memmap_find_hole(&map, &request).addr, 0xc00fd000);
}

/* boot.rst: initrd_addr_max is the address of the highest safe byte. */
static void initrd_of_a_kernel_below_4_gib(void **state)
{
	struct efi_descriptor memory[] = { DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0x70000000ull, 0x100000000ull) };
	struct efi_descriptor behind[] = { DESCRIPTOR(EFI_MEMTYPE_CONVENTIONAL, 0x7fffe000ull, 0x100000000ull) };
	struct memory_map map = MAP_OF(memory);
	struct memory_request request;

	(void)state;
	make_header();
	put(0x236, 1, 2);
	expect_ok(parse());
	request = kernel_initrd_request(&kernel, 0x3000);
	assert_int_equal(memmap_find_hole(&map, &request).addr, 0x7fffd000);
	map = MAP_OF(behind);
	assert_false(memmap_find_hole(&map, &request).found);
	/* The end is not page aligned: the last byte counts. */
	put(0x22c, 0x7fffeffe, 4);
	expect_ok(parse());
	map = MAP_OF(memory);
	request = kernel_initrd_request(&kernel, 0x1000);
	assert_int_equal(memmap_find_hole(&map, &request).addr, 0x7fffd000);
	request = kernel_initrd_request(&kernel, 0xfff);
	assert_int_equal(memmap_find_hole(&map, &request).addr, 0x7fffe000);
	/* All of the lower 4 GiB. */
	put(0x22c, 0xffffffff, 4);
	expect_ok(parse());
	request = kernel_initrd_request(&kernel, 0x1000);
	assert_int_equal(memmap_find_hole(&map, &request).addr, 0xfffff000);
}

/* boot.rst: syssize counts paragraphs of 16 bytes. Debian's memtest86+x64.bin lacks 8 bytes of its last one. */
static void last_paragraph_need_not_be_whole(void **state)
{
	(void)state;
	make_header();
	expect_ok(parse_file(FILE_SIZE - 1));
	assert_int_equal(kernel.content_size, KERNEL_SIZE - 1);
	expect_ok(parse_file(FILE_SIZE - 15));
	assert_int_equal(kernel.content_size, KERNEL_SIZE - 15);
}

static void kernel_truncated_by_a_paragraph(void **state)
{
	(void)state;
	make_header();
	expect_error(parse_file(FILE_SIZE - 16), KEXEC_TRUNCATED,
		     "/vmlinuz: truncated: expected 151552 bytes (setup 20480 + syssize 131072), found 151536");
}

static void kernel_truncated_in_setup_sectors(void **state)
{
	(void)state;
	make_header();
	expect_error(parse_file(SETUP_SIZE - 1), KEXEC_TRUNCATED, "expected 151552 bytes");
}

static void kernel_truncated_in_setup_header(void **state)
{
	(void)state;
	make_header();
	expect_error(parse_file(0x260), KEXEC_TRUNCATED, "too short for a kernel: expected at least");
	expect_error(parse_file(0), KEXEC_TRUNCATED, "found 0");
}

static void entry_with_5_level_paging(void **state)
{
	const struct paging five_levels = { .five_levels = true };

	(void)state;
	make_header();
	expect_ok(plan_with(FILE_SIZE, five_levels));
	put(0x236, 0x5f, 2);
	expect_error(plan_with(FILE_SIZE, five_levels), KEXEC_UNSUPPORTED, "expected XLF_5LEVEL (0x20), found 0x5f");
	expect_ok(parse_file(FILE_SIZE));
}

static void header_longer_and_shorter_than_known(void **state)
{
	(void)state;
	make_header();
	put(0x201, 0x290 - 0x202, 1);
	expect_ok(parse());
	put(0x201, 0x264 - 0x202, 1);
	expect_ok(parse());
	put(0x201, 0x291 - 0x202, 1);
	expect_error(parse(), KEXEC_BAD_FORMAT, "end of the header by 0x201: expected 0x264 to 0x290, found 0x291");
	put(0x201, 0x263 - 0x202, 1);
	expect_error(parse(), KEXEC_BAD_FORMAT, "found 0x263");
	put(0x201, 0xff, 1);
	expect_error(parse(), KEXEC_BAD_FORMAT, "found 0x301");
}

#define REFUSED(name, offset, width, value, status, part)                                                              \
	static void name(void **state)                                                                                 \
	{                                                                                                              \
		(void)state;                                                                                           \
		make_header();                                                                                         \
		expect_ok(parse());                                                                                    \
		put(offset, value, width);                                                                             \
		expect_error(parse(), status, part);                                                                   \
	}

REFUSED(boot_flag_wrong, 0x1fe, 2, 0x55aa, KEXEC_BAD_FORMAT, "boot_flag at 0x1fe: expected 0xaa55, found 0x55aa")
REFUSED(magic_wrong, 0x202, 4, 0x12345678, KEXEC_BAD_FORMAT, "expected 0x53726448 \"HdrS\", found 0x12345678")
REFUSED(protocol_too_old, 0x206, 2, 0x20b, KEXEC_UNSUPPORTED, "expected 0x020c or later, found 0x020b")
REFUSED(not_loaded_high, 0x211, 1, 0x80, KEXEC_UNSUPPORTED, "expected LOADED_HIGH (0x1), found 0x80")
REFUSED(no_64_bit_entry, 0x236, 2, 0x7e, KEXEC_UNSUPPORTED, "expected XLF_KERNEL_64 (0x1), found 0x7e")
REFUSED(syssize_0, 0x1f4, 4, 0, KEXEC_BAD_FORMAT, "syssize at 0x1f4: expected more than 512 bytes, found 0")
REFUSED(syssize_ends_at_the_entry, 0x1f4, 4, 32, KEXEC_BAD_FORMAT, "expected more than 512 bytes, found 512")
REFUSED(syssize_larger_than_the_file, 0x1f4, 4, UINT32_MAX, KEXEC_TRUNCATED, "syssize 68719476720), found 151552")
REFUSED(init_size_smaller_than_kernel, 0x260, 4, KERNEL_SIZE - 1, KEXEC_BAD_FORMAT, "0x20000 bytes, found 0x1ffff")
REFUSED(cmdline_size_0, 0x238, 4, 0, KEXEC_BAD_FORMAT, "cmdline_size at 0x238: expected at least 1, found 0")
REFUSED(alignment_0, 0x230, 4, 0, KEXEC_BAD_FORMAT, "kernel_alignment at 0x230")
REFUSED(alignment_no_power_of_two, 0x230, 4, 0x300000, KEXEC_BAD_FORMAT, "at least 0x1000, found 0x300000")
REFUSED(alignment_below_a_page, 0x230, 4, 0x800, KEXEC_BAD_FORMAT, "at least 0x1000, found 0x800")
REFUSED(pref_address_at_the_end_of_memory, 0x258, 8, UINT64_MAX - 0xfffff, KEXEC_BAD_FORMAT,
	"pref_address at 0x258: expected 0x100000 bytes of room")

static void pref_address_above_4_gib_for_a_kernel_that_must_be_below(void **state)
{
	(void)state;
	make_header();
	put(0x258, 0xffff0000, 8);
	expect_ok(parse());
	put(0x236, 1, 2);
	expect_error(parse(), KEXEC_BAD_FORMAT, "room below 0xffffffff, found address 0xffff0000");
	put(0x258, 0x100000000, 8);
	expect_error(parse(), KEXEC_BAD_FORMAT, "found address 0x100000000");
}

static void pref_address_of_a_fixed_kernel_within_a_page(void **state)
{
	(void)state;
	make_header();
	put(0x258, 0x1000800, 8);
	expect_ok(parse());
	put(0x234, 0, 1);
	expect_error(parse(), KEXEC_UNSUPPORTED, "expected a multiple of 0x1000 from 0x100000 on, found 0x1000800");
}

/* In the memory of BIOS data and video. */
static void pref_address_of_a_fixed_kernel_in_low_memory(void **state)
{
	(void)state;
	make_header();
	put(0x258, 0xff000, 8);
	expect_ok(parse());
	put(0x234, 0, 1);
	expect_error(parse(), KEXEC_UNSUPPORTED, "expected a multiple of 0x1000 from 0x100000 on, found 0xff000");
	put(0x258, 0x100000, 8);
	expect_ok(parse());
}

/* boot/destination.h: if the firmware occupies its place. */
static void file_of_a_fixed_kernel_may_go_elsewhere(void **state)
{
	(void)state;
	make_header();
	expect_ok(parse());
	assert_int_equal(kernel.elsewhere.size, 0);
	put(0x234, 0, 1);
	expect_ok(parse_file(FILE_SIZE + 5));
	assert_int_equal(kernel.elsewhere.lead, SETUP_SIZE);
	assert_int_equal(kernel.elsewhere.size, KERNEL_SIZE + 5);
	assert_int_equal(kernel.elsewhere.align, 0x1000);
	assert_int_equal(kernel.elsewhere.min, LOW_MEMORY_END);
}

static void header_and_all_that_runs_must_be_signed(void **state)
{
	struct file_range ranges[KERNEL_SIGNED_RANGES_MAX];

	(void)state;
	make_header();
	expect_ok(parse_file(FILE_SIZE + 1472));
	assert_int_equal(bzimage_format.signed_ranges(&kernel, ranges), 2);
	assert_int_equal(ranges[0].start, 0x1f1);
	assert_int_equal(ranges[0].end, 0x290);
	assert_int_equal(ranges[1].start, SETUP_SIZE);
	assert_int_equal(ranges[1].end, FILE_SIZE);
}

static void recognised_by_two_fields(void **state)
{
	struct kernel_probe file = { .name = "x", .bytes = probe, .size = sizeof(probe), .file_size = FILE_SIZE };

	(void)state;
	make_header();
	assert_true(bzimage_format.probe(&file));
	put(0x206, 0, 2);
	assert_true(bzimage_format.probe(&file));
	put(0x1fe, 0, 2);
	assert_false(bzimage_format.probe(&file));
	make_header();
	put(0x202, 0, 1);
	assert_false(bzimage_format.probe(&file));
	make_header();
	file.size = 0x260;
	file.file_size = 0x260;
	assert_false(bzimage_format.probe(&file));
	assert_string_equal(logged(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_like_debians),
		cmocka_unit_test(signature_behind_the_kernel_is_not_part_of_it),
		cmocka_unit_test(setup_sects_0_means_4),
		cmocka_unit_test(setup_sects_255_is_no_negative_number),
		cmocka_unit_test(kernel_not_relocatable_goes_to_pref_address_alone),
		cmocka_unit_test(kernel_below_4_gib_only),
		cmocka_unit_test(initrd_anywhere),
		cmocka_unit_test(initrd_of_a_kernel_below_4_gib),
		cmocka_unit_test(last_paragraph_need_not_be_whole),
		cmocka_unit_test(kernel_truncated_by_a_paragraph),
		cmocka_unit_test(kernel_truncated_in_setup_sectors),
		cmocka_unit_test(kernel_truncated_in_setup_header),
		cmocka_unit_test(entry_with_5_level_paging),
		cmocka_unit_test(header_longer_and_shorter_than_known),
		cmocka_unit_test(boot_flag_wrong),
		cmocka_unit_test(magic_wrong),
		cmocka_unit_test(protocol_too_old),
		cmocka_unit_test(not_loaded_high),
		cmocka_unit_test(no_64_bit_entry),
		cmocka_unit_test(syssize_0),
		cmocka_unit_test(syssize_ends_at_the_entry),
		cmocka_unit_test(syssize_larger_than_the_file),
		cmocka_unit_test(init_size_smaller_than_kernel),
		cmocka_unit_test(cmdline_size_0),
		cmocka_unit_test(alignment_0),
		cmocka_unit_test(alignment_no_power_of_two),
		cmocka_unit_test(alignment_below_a_page),
		cmocka_unit_test(pref_address_at_the_end_of_memory),
		cmocka_unit_test(pref_address_above_4_gib_for_a_kernel_that_must_be_below),
		cmocka_unit_test(pref_address_of_a_fixed_kernel_within_a_page),
		cmocka_unit_test(pref_address_of_a_fixed_kernel_in_low_memory),
		cmocka_unit_test(file_of_a_fixed_kernel_may_go_elsewhere),
		cmocka_unit_test(header_and_all_that_runs_must_be_signed),
		cmocka_unit_test(recognised_by_two_fields),
	};

	return run_named_tests(tests);
}
