// SPDX-License-Identifier: BSD-2-Clause
/* Sections of a loaded image, and headers that lie. */
#include "boot/pe.h"

#include "tests/unit/support.h"

#define IMAGE_SIZE 0x3000u
#define PE 0x80u
#define OPTIONAL_SIZE 0xf0u
#define SECTIONS (PE + 24 + OPTIONAL_SIZE)

static uint8_t *image;
static struct text content;

static void put(size_t offset, uint32_t value, size_t width)
{
	memcpy(image + offset, &value, width);
}

static void put_section(unsigned index, const char *name, uint32_t address, uint32_t size)
{
	size_t header = SECTIONS + 40 * index;

	memcpy(image + header, name, strlen(name));
	put(header + 8, size, 4);
	put(header + 12, address, 4);
	/* In the file it is longer, padded. */
	put(header + 16, size + 0x200, 4);
}

static void make_image(void)
{
	image = calloc(1, IMAGE_SIZE);
	memcpy(image, "MZ", 2);
	put(0x3c, PE, 4);
	memcpy(image + PE, "PE\0\0", 4);
	put(PE + 6, 3, 2);
	put(PE + 20, OPTIONAL_SIZE, 2);
	put_section(0, ".text", 0x1000, 0x100);
	put_section(1, ".entry", 0x2000, 11);
	put_section(2, ".longest", 0x2ff0, 0x10);
	memcpy(image + 0x2000, "linux /abcd", 11);
}

static bool find_in(size_t size, const char *name)
{
	/* A copy of just that size, for the address sanitizer to watch. */
	uint8_t *copy = malloc(size + 1);
	bool found;

	memcpy(copy, image, size);
	found = pe_find_section(copy, size, name, &content);
	free(copy);
	return found;
}

static void section_with_its_virtual_size(void **state)
{
	(void)state;
	make_image();
	assert_true(pe_find_section(image, IMAGE_SIZE, ".entry", &content));
	assert_int_equal(content.length, 11);
	assert_memory_equal(content.start, "linux /abcd", 11);
	assert_true(find_in(IMAGE_SIZE, ".longest"));
	assert_int_equal(content.length, 0x10);
	free(image);
}

static void section_not_there(void **state)
{
	(void)state;
	make_image();
	assert_false(find_in(IMAGE_SIZE, ".entr"));
	assert_false(find_in(IMAGE_SIZE, ".entry2"));
	assert_false(find_in(IMAGE_SIZE, ".linux"));
	free(image);
}

static void expect_empty(size_t size, const char *name)
{
	content.length = 1;
	assert_true(find_in(size, name));
	assert_int_equal(content.length, 0);
}

static void section_past_the_end_is_empty(void **state)
{
	(void)state;
	make_image();
	expect_empty(IMAGE_SIZE - 1, ".longest");
	assert_true(find_in(IMAGE_SIZE - 1, ".entry"));
	assert_int_equal(content.length, 11);
	put(SECTIONS + 40 + 8, UINT32_MAX, 4);
	expect_empty(IMAGE_SIZE, ".entry");
	put(SECTIONS + 40 + 8, 11, 4);
	put(SECTIONS + 40 + 12, UINT32_MAX, 4);
	expect_empty(IMAGE_SIZE, ".entry");
	free(image);
}

static void headers_that_make_no_sense(void **state)
{
	static const struct {
		size_t offset;
		uint32_t value;
		size_t width;
	} damages[] = {
		{ 0, 'Z', 1 },	    { 1, 'M', 1 },	      { 0x3c, UINT32_MAX, 4 }, { 0x3c, IMAGE_SIZE - 23, 4 },
		{ PE, 'p', 1 },	    { PE + 2, 1, 1 },	      { PE + 6, 0, 2 },	       { PE + 6, 0xffff, 2 },
		{ PE + 20, 0, 2 }, { PE + 20, 0xffff, 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		make_image();
		assert_true(find_in(IMAGE_SIZE, ".entry"));
		put(damages[i].offset, damages[i].value, damages[i].width);
		assert_false(find_in(IMAGE_SIZE, ".entry"));
		free(image);
	}
}

static void image_cut_anywhere_in_its_headers(void **state)
{
	(void)state;
	make_image();
	for (size_t size = 0; size < SECTIONS + 3 * 40; size++)
		assert_false(find_in(size, ".text"));
	free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(section_with_its_virtual_size),
		cmocka_unit_test(section_not_there),
		cmocka_unit_test(section_past_the_end_is_empty),
		cmocka_unit_test(headers_that_make_no_sense),
		cmocka_unit_test(image_cut_anywhere_in_its_headers),
	};

	return run_named_tests(tests);
}
