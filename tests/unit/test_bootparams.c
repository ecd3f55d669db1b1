// SPDX-License-Identifier: BSD-2-Clause
/* The zero page, read by numeric offsets from the kernel's Documentation/arch/x86/boot.rst and zero-page.rst. */
#include "boot/bootparams.h"

#include "tests/unit/support.h"

#define MIB (1ull << 20)
#define GUARD 0x5a

#define ZERO_PAGE_SIZE 4096
#define SETUP_SIZE 4096
#define E820_TABLE 0x2d0
#define E820_ENTRY_SIZE 20
#define E820_IN_ZERO_PAGE 128
#define MAP_MAX 400

/* A zero page, and a page behind it that must stay unchanged. */
static uint8_t page[2 * ZERO_PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t setup[SETUP_SIZE];
static uint8_t ext[16 + MAP_MAX * E820_ENTRY_SIZE] __attribute__((aligned(8)));

static struct kexec_segment cmdline;
static struct kexec_segment initrd;
static struct platform platform;

static uint64_t number_at(const uint8_t *bytes, size_t width)
{
	uint64_t value = 0;

	memcpy(&value, bytes, width);
	return value;
}

static uint8_t u8(size_t offset)
{
	return page[offset];
}

static uint16_t u16(size_t offset)
{
	return (uint16_t)number_at(page + offset, 2);
}

static uint32_t u32(size_t offset)
{
	return (uint32_t)number_at(page + offset, 4);
}

static uint64_t u64(size_t offset)
{
	return number_at(page + offset, 8);
}

/*
 * Fills the setup sectors with bytes that are not zero; tests change some afterwards. The header ends at `header_end`.
 */
static void begin(size_t header_end)
{
	for (size_t i = 0; i < SETUP_SIZE; i++)
		setup[i] = (uint8_t)(i % 255 + 1);
	setup[0x201] = (uint8_t)(header_end - 0x202);
	memset(page, GUARD, sizeof(page));
	memset(ext, GUARD, sizeof(ext));
	memset(ext, 0, 8);
	cmdline = (struct kexec_segment){ .mem = 0x12345000, .bufsz = 77, .memsz = 4096 };
	initrd = (struct kexec_segment){ .mem = 0x23456000, .bufsz = 0x789abc, .memsz = 0x78a000 };
	platform = (struct platform){ .acpi_rsdp_addr = 0x7fe14, .efi_system_table_addr = 0x7eee018 };
}

static struct boot_params *build(const struct kexec_segment *with_initrd)
{
	struct boot_params *params = (struct boot_params *)page;
	struct boot_params_request request = {
		.setup = setup,
		.cmdline = &cmdline,
		.initrd = with_initrd,
		.platform = &platform,
	};

	boot_params_build(params, &request);
	for (size_t i = ZERO_PAGE_SIZE; i < sizeof(page); i++)
		assert_int_equal(page[i], GUARD);
	return params;
}

/* --- everything except the memory map --- */

static void fields_by_number(void **state)
{
	(void)state;
	begin(0x290);
	platform.secure_boot = SECURE_BOOT_ENABLED;
	build(&initrd);
	assert_int_equal(u64(0x070), 0x7fe14); /* acpi_rsdp_addr */
	assert_int_equal(u32(0x0c0), 0);       /* ext_ramdisk_image */
	assert_int_equal(u32(0x0c4), 0);       /* ext_ramdisk_size */
	assert_int_equal(u32(0x0c8), 0);       /* ext_cmd_line_ptr */
	assert_memory_equal(page + 0x1c0, "EL64", 4);
	assert_int_equal(u32(0x1c4), 0x7eee018);  /* efi_systab */
	assert_int_equal(u32(0x1d8), 0);	  /* efi_systab_hi */
	assert_int_equal(u32(0x1e0), 32 * 1024);  /* alt_mem_k */
	assert_int_equal(u8(0x1ec), 3);		  /* secure_boot */
	assert_int_equal(u16(0x1f2), 1);	  /* root_flags: read-only */
	assert_int_equal(u16(0x1fa), 0xffff);	  /* vid_mode: normal */
	assert_int_equal(u8(0x210), 0xff);	  /* type_of_loader */
	assert_int_equal(u32(0x218), 0x23456000); /* ramdisk_image */
	assert_int_equal(u32(0x21c), 0x789abc);	  /* ramdisk_size: content only */
	assert_int_equal(u32(0x228), 0x12345000); /* cmd_line_ptr */
	assert_int_equal(u64(0x250), 0);	  /* setup_data */
}

static void addresses_and_sizes_above_4_gib(void **state)
{
	(void)state;
	begin(0x290);
	cmdline.mem = 0x1122334455667000;
	initrd.mem = 0x21b2c3d4e5f60000;
	initrd.bufsz = 0x31b2c3d4e5f6789a;
	platform.efi_system_table_addr = 0x41b2c3d4e5f6789a;
	platform.acpi_rsdp_addr = 0x51b2c3d4e5f6789a;
	build(&initrd);
	assert_int_equal(u32(0x228), 0x55667000);
	assert_int_equal(u32(0x0c8), 0x11223344);
	assert_int_equal(u32(0x218), 0xe5f60000);
	assert_int_equal(u32(0x0c0), 0x21b2c3d4);
	assert_int_equal(u32(0x21c), 0xe5f6789a);
	assert_int_equal(u32(0x0c4), 0x31b2c3d4);
	assert_int_equal(u32(0x1c4), 0xe5f6789a);
	assert_int_equal(u32(0x1d8), 0x41b2c3d4);
	assert_int_equal(u64(0x070), 0x51b2c3d4e5f6789a);
}

static void screen_and_edid(void **state)
{
	(void)state;
	begin(0x290);
	memset(&platform.screen, 0xa5, sizeof(platform.screen));
	for (size_t i = 0; i < sizeof(platform.edid); i++)
		platform.edid[i] = (uint8_t)(i + 1);
	build(&initrd);
	for (size_t i = 0; i < 0x40; i++)
		assert_int_equal(u8(i), 0xa5);
	for (size_t i = 0; i < 128; i++)
		assert_int_equal(u8(0x140 + i), i + 1);
	assert_int_equal(u8(0x13f), 0);
	assert_memory_equal(page + 0x1c0, "EL64", 4);
}

/* The initrd's fields from the file's header must be overwritten even then. */
static void initrd_none(void **state)
{
	(void)state;
	begin(0x290);
	build(NULL);
	assert_int_equal(u32(0x218), 0);
	assert_int_equal(u32(0x21c), 0);
	assert_int_equal(u32(0x0c0), 0);
	assert_int_equal(u32(0x0c4), 0);
}

static void load_flags_that_the_loader_sets(void **state)
{
	(void)state;
	begin(0x290);
	setup[0x211] = 0xff;
	build(&initrd);
	/* KASLR_FLAG belongs to the decompressor, and without real-mode code there is no heap. */
	assert_int_equal(u8(0x211), 0xff & ~0x82);
	setup[0x211] = 0x01;
	build(&initrd);
	assert_int_equal(u8(0x211), 0x01);
	setup[0x211] = 0x00;
	build(&initrd);
	assert_int_equal(u8(0x211), 0x00);
}

static void secure_boot_modes(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode <= 3; mode++) {
		begin(0x290);
		platform.secure_boot = (enum secure_boot_mode)mode;
		build(&initrd);
		assert_int_equal(u8(0x1ec), mode);
	}
}

static void screen_by_number(void **state)
{
	(void)state;
	begin(0x290);
	platform.screen.orig_video_isvga = VIDEO_TYPE_EFI;
	platform.screen.lfb_width = 1920;
	platform.screen.lfb_height = 1080;
	platform.screen.lfb_depth = 32;
	platform.screen.lfb_base = 0x80000000;
	platform.screen.lfb_size = 0x7e9000;
	platform.screen.lfb_linelength = 7680;
	platform.screen.red_size = 1;
	platform.screen.red_pos = 2;
	platform.screen.green_size = 3;
	platform.screen.green_pos = 4;
	platform.screen.blue_size = 5;
	platform.screen.blue_pos = 6;
	platform.screen.rsvd_size = 7;
	platform.screen.rsvd_pos = 8;
	platform.screen.pages = 9;
	platform.screen.vesa_attributes = 10;
	platform.screen.capabilities = VIDEO_CAPABILITY_SKIP_QUIRKS | VIDEO_CAPABILITY_64BIT_BASE;
	platform.screen.ext_lfb_base = 0x40;
	build(&initrd);
	assert_int_equal(u8(0x0f), 0x70);
	assert_int_equal(u16(0x12), 1920);
	assert_int_equal(u16(0x14), 1080);
	assert_int_equal(u16(0x16), 32);
	assert_int_equal(u32(0x18), 0x80000000);
	assert_int_equal(u32(0x1c), 0x7e9000);
	assert_int_equal(u16(0x24), 7680);
	assert_memory_equal(page + 0x26, "\1\2\3\4\5\6\7\10", 8);
	assert_int_equal(u16(0x32), 9);
	assert_int_equal(u16(0x34), 10);
	assert_int_equal(u32(0x36), 3);
	assert_int_equal(u32(0x3a), 0x40);
}

/* The fields below 0x290 that the loader writes. The kernel's header fills all others. */
static bool is_loaders(size_t offset)
{
	static const struct {
		size_t offset;
		size_t size;
	} fields[] = {
		{ 0x1f2, 2 }, { 0x1fa, 2 }, { 0x210, 2 }, { 0x218, 8 }, { 0x228, 4 }, { 0x250, 8 },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (offset >= fields[i].offset && offset < fields[i].offset + fields[i].size)
			return true;
	}
	return false;
}

static void check_header_copied(size_t header_end)
{
	begin(header_end);
	build(&initrd);
	for (size_t i = 0x1f1; i < header_end; i++) {
		if (!is_loaders(i))
			assert_int_equal(page[i], setup[i]);
	}
	for (size_t i = header_end; i < ZERO_PAGE_SIZE; i++)
		assert_int_equal(page[i], 0);
}

static void header_copied_as_long_as_it_says(void **state)
{
	(void)state;
	check_header_copied(0x264); /* 2.12, before handover_offset */
	check_header_copied(0x268); /* 2.14 */
	check_header_copied(0x26c); /* 2.15 */
	check_header_copied(0x290);
	check_header_copied(0x291);
	check_header_copied(0x2d0); /* up to the e820 table */
}

/* Bytes before the header: above all the sentinel at 0x1ef, which would make the kernel wipe fields. */
static void all_else_is_zero(void **state)
{
	static const struct {
		size_t offset;
		size_t size;
	} written[] = {
		{ 0x070, 8 }, { 0x0c0, 12 }, { 0x1c0, 8 }, { 0x1d8, 4 }, { 0x1e0, 4 }, { 0x1ec, 1 },
	};

	(void)state;
	begin(0x264);
	platform.secure_boot = SECURE_BOOT_DISABLED;
	cmdline.mem |= 1ull << 40;
	initrd.mem |= 1ull << 40;
	initrd.bufsz |= 1ull << 40;
	platform.efi_system_table_addr |= 1ull << 40;
	build(&initrd);
	assert_int_equal(u8(0x1ef), 0);
	for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++)
		memset(page + written[i].offset, 0, written[i].size);
	for (size_t i = 0; i < 0x1f1; i++)
		assert_int_equal(page[i], 0);
	for (size_t i = 0x264; i < ZERO_PAGE_SIZE; i++)
		assert_int_equal(page[i], 0);
}

static void building_again_forgets_the_first_time(void **state)
{
	uint8_t once[ZERO_PAGE_SIZE];

	(void)state;
	begin(0x264);
	build(NULL);
	memcpy(once, page, sizeof(once));
	begin(0x290);
	build(&initrd);
	begin(0x264);
	build(NULL);
	assert_memory_equal(page, once, sizeof(once));
}

/* --- the memory map --- */

static struct efi_descriptor descriptors[MAP_MAX];

/* A map of `count` descriptors, of which no two become one entry. */
static struct memory_map map_of(size_t count)
{
	for (size_t i = 0; i < count; i++)
		descriptors[i] =
			(struct efi_descriptor)DESCRIPTOR(i % 2 ? EFI_MEMTYPE_RESERVED : EFI_MEMTYPE_CONVENTIONAL,
							  i * MIB, (i + 1) * MIB);
	return (struct memory_map){ .bytes = (const uint8_t *)descriptors,
				    .size = count * sizeof(descriptors[0]),
				    .descriptor_size = sizeof(descriptors[0]),
				    .descriptor_version = 1 };
}

static void set_memory_map(const struct memory_map *map)
{
	boot_params_set_memory_map((struct boot_params *)page, map, true, (struct setup_data *)ext);
}

static void check_entry(const uint8_t *entry, size_t number)
{
	assert_int_equal(number_at(entry, 8), number * MIB);
	assert_int_equal(number_at(entry + 8, 8), MIB);
	assert_int_equal(number_at(entry + 16, 4), number % 2 ? 2 : 1);
}

/* Sets a map of `count` descriptors, and looks for every entry where Linux looks. */
static void check_memory_map(size_t count)
{
	struct memory_map map = map_of(count);
	size_t in_page = count < E820_IN_ZERO_PAGE ? count : E820_IN_ZERO_PAGE;
	size_t in_ext = count - in_page;

	set_memory_map(&map);
	assert_int_equal(u8(0x1e8), in_page);
	for (size_t i = 0; i < in_page; i++)
		check_entry(page + E820_TABLE + i * E820_ENTRY_SIZE, i);

	if (in_ext == 0) {
		assert_int_equal(u64(0x250), 0);
		return;
	}
	assert_int_equal(u64(0x250), (uintptr_t)ext);
	assert_int_equal(number_at(ext, 8), 0);	    /* next: the end of the list */
	assert_int_equal(number_at(ext + 8, 4), 1); /* SETUP_E820_EXT */
	assert_int_equal(number_at(ext + 12, 4), in_ext * E820_ENTRY_SIZE);
	for (size_t i = 0; i < in_ext; i++)
		check_entry(ext + 16 + i * E820_ENTRY_SIZE, E820_IN_ZERO_PAGE + i);
	for (size_t i = boot_params_e820_ext_size(count); i < sizeof(ext); i++)
		assert_int_equal(ext[i], GUARD);
}

/* The other nodes of the list follow, with or without a node for the e820 table, and in each attempt. */
static void other_setup_data(void **state)
{
	static const uint64_t others = 0x1234567890;
	static const size_t counts[] = { 5, 200, 128, 129, 1 };

	(void)state;
	begin(0x290);
	build(&initrd);
	memcpy(ext, &others, sizeof(others));
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct memory_map map = map_of(counts[i]);

		set_memory_map(&map);
		assert_int_equal(u64(0x250), counts[i] > E820_IN_ZERO_PAGE ? (uintptr_t)ext : others);
		assert_int_equal(number_at(ext, 8), others);
	}
}

static void memory_map_in_the_zero_page(void **state)
{
	static const size_t counts[] = { 1, 2, 127, 128 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		begin(0x290);
		build(&initrd);
		check_memory_map(counts[i]);
		for (size_t at = E820_TABLE + counts[i] * E820_ENTRY_SIZE; at < ZERO_PAGE_SIZE; at++)
			assert_int_equal(page[at], 0);
	}
}

static void memory_map_beyond_the_zero_page(void **state)
{
	static const size_t counts[] = { 129, 130, 256, 257, MAP_MAX };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		begin(0x290);
		build(&initrd);
		check_memory_map(counts[i]);
		for (size_t at = 0xcd0; at < sizeof(page); at++)
			assert_int_equal(page[at], at < ZERO_PAGE_SIZE ? 0 : GUARD);
	}
}

static void memory_map_again_with_another(void **state)
{
	static const size_t counts[] = { 300, 200, 129, 128, 5, 400, 1, 129 };

	(void)state;
	begin(0x290);
	build(&initrd);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		memset(ext, GUARD, sizeof(ext));
		memset(ext, 0, 8);
		check_memory_map(counts[i]);
	}
}

static void memory_map_as_efi_info(void **state)
{
	struct memory_map map = map_of(7);

	(void)state;
	begin(0x290);
	build(&initrd);
	map.descriptor_version = 0x12345678;
	set_memory_map(&map);
	assert_memory_equal(page + 0x1c0, "EL64", 4);
	assert_int_equal(u32(0x1c4), 0x7eee018);  /* efi_systab */
	assert_int_equal(u32(0x1c8), 40);	  /* efi_memdesc_size */
	assert_int_equal(u32(0x1cc), 0x12345678); /* efi_memdesc_version */
	assert_int_equal(u32(0x1d0), (uint32_t)(uintptr_t)descriptors);
	assert_int_equal(u32(0x1d4), 7 * 40); /* efi_memmap_size */
	assert_int_equal(u32(0x1d8), 0);      /* efi_systab_hi */
	assert_int_equal(u32(0x1dc), (uintptr_t)descriptors >> 32);
}

/* Uses addresses that no static object has, so that both halves are tested. */
static void memory_map_above_4_gib(void **state)
{
	struct memory_map map = map_of(0);

	(void)state;
	begin(0x290);
	build(&initrd);
	map.bytes = (const uint8_t *)0x123456789000;
	set_memory_map(&map);
	assert_int_equal(u32(0x1d0), 0x56789000);
	assert_int_equal(u32(0x1dc), 0x1234);
	assert_int_equal(u32(0x1d4), 0);
	assert_int_equal(u8(0x1e8), 0);
	assert_int_equal(u64(0x250), 0);
}

static void memory_map_changes_nothing_else(void **state)
{
	struct memory_map map = map_of(200);
	uint8_t before[ZERO_PAGE_SIZE];

	(void)state;
	begin(0x290);
	build(&initrd);
	memcpy(before, page, sizeof(before));
	set_memory_map(&map);
	memcpy(page + 0x1c8, before + 0x1c8, 16);
	memcpy(page + 0x1dc, before + 0x1dc, 4);
	page[0x1e8] = 0;
	memcpy(page + 0x250, before + 0x250, 8);
	memset(page + E820_TABLE, 0, E820_IN_ZERO_PAGE * E820_ENTRY_SIZE);
	assert_memory_equal(page, before, sizeof(before));
}

static void memory_map_counts_entries_not_descriptors(void **state)
{
	struct memory_map map = map_of(300);

	(void)state;
	begin(0x290);
	build(&initrd);
	/* All are adjacent, so they become one. */
	for (size_t i = 0; i < 300; i++)
		descriptors[i].type = EFI_MEMTYPE_LOADER_DATA;
	set_memory_map(&map);
	assert_int_equal(u8(0x1e8), 1);
	assert_int_equal(u64(E820_TABLE + 8), 300 * MIB);
	assert_int_equal(u64(0x250), 0);
	assert_int_equal(u32(0x1d4), 300 * 40);
}

static void size_of_the_extension(void **state)
{
	(void)state;
	assert_int_equal(boot_params_e820_ext_size(0), 16);
	assert_int_equal(boot_params_e820_ext_size(128), 16);
	assert_int_equal(boot_params_e820_ext_size(129), 16 + 20);
	assert_int_equal(boot_params_e820_ext_size(1128), 16 + 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_by_number),
		cmocka_unit_test(addresses_and_sizes_above_4_gib),
		cmocka_unit_test(screen_and_edid),
		cmocka_unit_test(initrd_none),
		cmocka_unit_test(load_flags_that_the_loader_sets),
		cmocka_unit_test(secure_boot_modes),
		cmocka_unit_test(screen_by_number),
		cmocka_unit_test(header_copied_as_long_as_it_says),
		cmocka_unit_test(all_else_is_zero),
		cmocka_unit_test(building_again_forgets_the_first_time),
		cmocka_unit_test(other_setup_data),
		cmocka_unit_test(memory_map_in_the_zero_page),
		cmocka_unit_test(memory_map_beyond_the_zero_page),
		cmocka_unit_test(memory_map_again_with_another),
		cmocka_unit_test(memory_map_as_efi_info),
		cmocka_unit_test(memory_map_above_4_gib),
		cmocka_unit_test(memory_map_changes_nothing_else),
		cmocka_unit_test(memory_map_counts_entries_not_descriptors),
		cmocka_unit_test(size_of_the_extension),
	};

	return run_named_tests(tests);
}
