// SPDX-License-Identifier: BSD-2-Clause
/* The description of the screen for Linux: include/uapi/linux/screen_info.h, by numeric offsets. */
#include "boot/screen_info.h"

#include "tests/unit/support.h"

static struct screen_mode mode;
static struct screen_info screen;

static uint64_t field(size_t offset, size_t width)
{
	uint64_t value = 0;

	memcpy(&value, (const uint8_t *)&screen + offset, width);
	return value;
}

/* Size and position of red, green, blue and reserved, in this order from 0x26 on. */
static void expect_channels(const uint8_t expected[8])
{
	assert_memory_equal((const uint8_t *)&screen + 0x26, expected, 8);
}

static void begin(uint32_t format)
{
	mode = (struct screen_mode){
		.format = format,
		.width = 1280,
		.height = 800,
		.pixels_per_scan_line = 1344,
		.framebuffer_addr = 0x80000000,
	};
	memset(&screen, 0, sizeof(screen));
}

static void describe(void)
{
	assert_true(screen_describe(&mode, &screen));
}

/* The screen must not be described, and nothing may be written. */
static void refuse(void)
{
	memset(&screen, 0x5a, sizeof(screen));
	assert_false(screen_describe(&mode, &screen));
	for (size_t i = 0; i < sizeof(screen); i++)
		assert_int_equal(field(i, 1), 0x5a);
}

static void fields_by_number(void **state)
{
	(void)state;
	begin(SCREEN_BLUE_GREEN_RED);
	describe();
	assert_int_equal(field(0x0f, 1), 0x70);	      /* orig_video_isVGA: VIDEO_TYPE_EFI */
	assert_int_equal(field(0x12, 2), 1280);	      /* lfb_width */
	assert_int_equal(field(0x14, 2), 800);	      /* lfb_height */
	assert_int_equal(field(0x16, 2), 32);	      /* lfb_depth */
	assert_int_equal(field(0x18, 4), 0x80000000); /* lfb_base */
	assert_int_equal(field(0x1c, 4), 1344 * 4 * 800);
	assert_int_equal(field(0x24, 2), 1344 * 4); /* lfb_linelength */
	assert_int_equal(field(0x32, 2), 1);	    /* pages */
	assert_int_equal(field(0x36, 4), 1);	    /* capabilities: skip quirks */
	assert_int_equal(field(0x3a, 4), 0);	    /* ext_lfb_base */
	/* The fields of a text console, before and between these, are zero. */
	for (size_t i = 0; i < 0x0f; i++)
		assert_int_equal(field(i, 1), 0);
	assert_int_equal(field(0x10, 2), 0);
	assert_int_equal(field(0x20, 4), 0);
}

static void each_format_has_its_channels(void **state)
{
	(void)state;
	begin(SCREEN_BLUE_GREEN_RED);
	describe();
	expect_channels((const uint8_t[]){ 8, 16, 8, 8, 8, 0, 8, 24 });
	begin(SCREEN_RED_GREEN_BLUE);
	describe();
	expect_channels((const uint8_t[]){ 8, 0, 8, 8, 8, 16, 8, 24 });
	/* Only one format uses the masks. */
	mode.masks = (struct screen_masks){ 1, 2, 4, 8 };
	describe();
	expect_channels((const uint8_t[]){ 8, 0, 8, 8, 8, 16, 8, 24 });
}

static void bit_masks(void **state)
{
	static const struct {
		struct screen_masks masks;
		uint8_t channels[8];
		unsigned depth;
	} cases[] = {
		/* 5-6-5 and 5-5-5, the latter with and without its spare bit */
		{ { 0xf800, 0x07e0, 0x001f, 0 }, { 5, 11, 6, 5, 5, 0, 0, 0 }, 16 },
		{ { 0x7c00, 0x03e0, 0x001f, 0x8000 }, { 5, 10, 5, 5, 5, 0, 1, 15 }, 16 },
		{ { 0x7c00, 0x03e0, 0x001f, 0 }, { 5, 10, 5, 5, 5, 0, 0, 0 }, 16 },
		/* three bytes, and three bytes of a fourth that is not used */
		{ { 0xff0000, 0xff00, 0xff, 0 }, { 8, 16, 8, 8, 8, 0, 0, 0 }, 24 },
		{ { 0xff000000, 0xff0000, 0xff00, 0 }, { 8, 24, 8, 16, 8, 8, 0, 0 }, 32 },
		/* 10 bits a colour */
		{ { 0x3ff00000, 0xffc00, 0x3ff, 0xc0000000 }, { 10, 20, 10, 10, 10, 0, 2, 30 }, 32 },
		/* one bit; one colour */
		{ { 1, 0, 0, 0 }, { 1, 0, 0, 0, 0, 0, 0, 0 }, 8 },
		{ { 0, 0, 0xff, 0 }, { 0, 0, 0, 0, 8, 0, 0, 0 }, 8 },
		{ { 0, 0, 0, 0x80000000 }, { 0, 0, 0, 0, 0, 0, 1, 31 }, 32 },
		/* with a gap, which the specification forbids: counts from the lowest to the highest bit */
		{ { 0xf0f00, 0xf0, 0xf, 0 }, { 12, 8, 4, 4, 4, 0, 0, 0 }, 24 },
		{ { 0x80000001, 0, 0, 0 }, { 32, 0, 0, 0, 0, 0, 0, 0 }, 32 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(SCREEN_BIT_MASK);
		mode.masks = cases[i].masks;
		describe();
		expect_channels(cases[i].channels);
		assert_int_equal(field(0x16, 2), cases[i].depth);
		assert_int_equal(field(0x24, 2), 1344 * cases[i].depth / 8);
		assert_int_equal(field(0x1c, 4), 1344 * cases[i].depth / 8 * 800);
	}
}

static void no_bits_at_all(void **state)
{
	(void)state;
	begin(SCREEN_BIT_MASK);
	refuse();
}

static void screens_without_a_framebuffer(void **state)
{
	static const uint32_t formats[] = { SCREEN_BLT_ONLY, 4, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		begin(formats[i]);
		mode.masks = (struct screen_masks){ 0xff, 0xff00, 0xff0000, 0xff000000 };
		refuse();
	}
	begin(SCREEN_RED_GREEN_BLUE);
	mode.framebuffer_addr = 0;
	refuse();
}

static void framebuffer_above_4_gib(void **state)
{
	(void)state;
	begin(SCREEN_RED_GREEN_BLUE);
	mode.framebuffer_addr = 0xc012345678000;
	describe();
	assert_int_equal(field(0x18, 4), 0x45678000);
	assert_int_equal(field(0x3a, 4), 0xc0123);
	assert_int_equal(field(0x36, 4), 3); /* skip quirks, 64-bit base */
	/* Only the upper half is not zero. */
	mode.framebuffer_addr = 0x100000000;
	describe();
	assert_int_equal(field(0x18, 4), 0);
	assert_int_equal(field(0x3a, 4), 1);
	assert_int_equal(field(0x36, 4), 3);
	mode.framebuffer_addr = 0xffffffff;
	describe();
	assert_int_equal(field(0x36, 4), 1);
}

static void greatest_sizes(void **state)
{
	(void)state;
	begin(SCREEN_RED_GREEN_BLUE);
	mode.width = mode.pixels_per_scan_line = 16383;
	mode.height = 65535;
	describe();
	assert_int_equal(field(0x12, 2), 16383);
	assert_int_equal(field(0x24, 2), 65532);
	assert_int_equal(field(0x1c, 4), 65532u * 65535u);
	/* With one byte a pixel, more pixels fit. */
	begin(SCREEN_BIT_MASK);
	mode.masks = (struct screen_masks){ 0xe0, 0x1c, 3, 0 };
	mode.width = mode.pixels_per_scan_line = 65535;
	describe();
	assert_int_equal(field(0x12, 2), 65535);
	assert_int_equal(field(0x24, 2), 65535);
}

static void sizes_without_room_or_sense(void **state)
{
	static const struct {
		uint32_t width;
		uint32_t height;
		uint32_t line;
	} sizes[] = {
		{ 0, 800, 1344 },
		{ 1280, 0, 1344 },
		{ 1280, 800, 0 },
		{ 1280, 800, 1279 },
		{ 16384, 800, 16384 },
		{ 1280, 800, 16384 },
		{ 1280, 65536, 1344 },
		{ 1280, UINT32_MAX, 1344 },
		{ 1280, 800, UINT32_MAX },
		{ UINT32_MAX, 800, UINT32_MAX },
		/* Their low 16 bits, or a 32-bit product, would pass. */
		{ 65536 + 1280, 800, 1344 },
		{ 1280, 65536 + 800, 1344 },
		{ 1280, 800, 65536 + 1344 },
		{ 1280, 800, 0x40000000 + 1344 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		begin(SCREEN_RED_GREEN_BLUE);
		mode.width = sizes[i].width;
		mode.height = sizes[i].height;
		mode.pixels_per_scan_line = sizes[i].line;
		refuse();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_by_number),
		cmocka_unit_test(each_format_has_its_channels),
		cmocka_unit_test(bit_masks),
		cmocka_unit_test(no_bits_at_all),
		cmocka_unit_test(screens_without_a_framebuffer),
		cmocka_unit_test(framebuffer_above_4_gib),
		cmocka_unit_test(greatest_sizes),
		cmocka_unit_test(sizes_without_room_or_sense),
	};

	return run_named_tests(tests);
}
