// SPDX-License-Identifier: BSD-2-Clause
/* Sections of a loaded image, and invalid headers. */
#include "boot/pe.h"

#include "tests/unit/support.h"

#define IMAGE_SIZE 0x3000u
#define PE 0x80u
#define OPTIONAL_SIZE 0xf0u
#define SECTIONS (PE + 24 + OPTIONAL_SIZE)

static uint8_t *image;
static struct text content;
static enum pe_layout layout = PE_LOADED;

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
	/* The section is longer in the file, because of padding. */
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
	/* A copy of exactly that size, so that a sanitizer detects reads behind it. */
	uint8_t *copy = malloc(size + 1);
	bool found;

	memcpy(copy, image, size);
	found = pe_find_section(&(struct pe_image){ .bytes = copy, .size = size, .layout = layout }, name, &content);
	free(copy);
	return found;
}

static void section_with_its_virtual_size(void **state)
{
	(void)state;
	make_image();
	assert_true(pe_find_section(&(struct pe_image){ .bytes = image, .size = IMAGE_SIZE }, ".entry", &content));
	assert_int_equal(content.length, 11);
	assert_memory_equal(content.start, "linux /abcd", 11);
	assert_true(find_in(IMAGE_SIZE, ".longest"));
	assert_int_equal(content.length, 0x10);
	free(image);
}

/* A section in a file has another offset, and may lack the zeros at its end. */
static void section_in_a_file(void **state)
{
	struct pe_image file;

	(void)state;
	make_image();
	put(SECTIONS + 40 + 20, 0x600, 4);
	memcpy(image + 0x600, "linux /efgh", 11);
	file = (struct pe_image){ .bytes = image, .size = IMAGE_SIZE, .layout = PE_FILE };
	assert_true(pe_find_section(&file, ".entry", &content));
	assert_int_equal(content.length, 11);
	assert_memory_equal(content.start, "linux /efgh", 11);

	layout = PE_FILE;
	put(SECTIONS + 40 + 16, 5, 4);
	assert_true(find_in(IMAGE_SIZE, ".entry"));
	assert_int_equal(content.length, 5);
	put(SECTIONS + 40 + 20, IMAGE_SIZE - 4, 4);
	assert_true(find_in(IMAGE_SIZE, ".entry"));
	assert_int_equal(content.length, 0);
	free(image);
}

static void section_not_there(void **state)
{
	(void)state;
	make_image();
	assert_false(find_in(IMAGE_SIZE, ".entr"));
	assert_false(find_in(IMAGE_SIZE, ".entry2"));
	assert_false(find_in(IMAGE_SIZE, ".linux"));
	/* Bytes behind the NUL belong to the name. */
	assert_true(find_in(IMAGE_SIZE, ".entry"));
	put(SECTIONS + 40 + 7, 'x', 1);
	assert_false(find_in(IMAGE_SIZE, ".entry"));
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
		{ 0, 'Z', 1 },	   { 1, 'M', 1 },	   { 0x3c, UINT32_MAX, 4 }, { 0x3c, IMAGE_SIZE - 23, 4 },
		{ PE, 'p', 1 },	   { PE + 2, 1, 1 },	   { PE + 6, 0, 2 },	    { PE + 6, 0xffff, 2 },
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

/* --- images that firmware would load --- */

#define SIZE_OF_IMAGE (PE + 24 + 56)
#define SIZE_OF_HEADERS (PE + 24 + 60)
#define TABLE_END (SECTIONS + 3 * 40)

static void make_loadable_image(void)
{
	make_image();
	put(PE + 24, 0x20b, 2);
	put(SIZE_OF_IMAGE, IMAGE_SIZE, 4);
	put(SIZE_OF_HEADERS, TABLE_END, 4);
	for (unsigned i = 0; i < 3; i++)
		put(SECTIONS + 40 * i + 20, 0x1000 * i + 0x400, 4);
}

static enum kexec_status check_headers(size_t size, enum pe_layout how)
{
	uint8_t *copy = malloc(size + 1);
	enum kexec_status status;

	memcpy(copy, image, size);
	status = pe_check_headers("name", &(struct pe_image){ .bytes = copy, .size = size, .layout = how });
	free(copy);
	return status;
}

/* Each of these makes all headers untrustworthy. */
static void headers_that_lie(void **state)
{
	static const struct {
		size_t offset;
		uint32_t value;
		size_t width;
		const char *message;
		bool in_files_too;
	} lies[] = {
		{ 0, 'Z', 1, "name: expected the headers of a PE image in its 0x3000 bytes, found none", true },
		{ 0x3c, UINT32_MAX, 4, "expected the headers of a PE image", true },
		{ PE, 'p', 1, "expected the headers of a PE image", true },
		{ PE + 6, 0xffff, 2, "expected the headers of a PE image", true },
		{ PE + 6, 0, 2, "name: expected at least 1 section, found 0", true },
		{ PE + 20, 0, 2, "name: expected a PE32+ image (magic 0x20b), found 0x0", true },
		{ PE + 24, 0x10b, 2, "name: expected a PE32+ image (magic 0x20b), found 0x10b", true },
		{ SIZE_OF_HEADERS, 0, 4, "expected SizeOfHeaders of at least 0x200 ", true },
		{ SIZE_OF_HEADERS, TABLE_END - 1, 4,
		  "name: expected SizeOfHeaders of at least 0x200 (the end of the section table), found 0x1ff", true },
		{ SIZE_OF_HEADERS, IMAGE_SIZE + 1, 4, "expected SizeOfHeaders of at most 0x3000, found 0x3001", true },
		{ SECTIONS + 40 + 8, UINT32_MAX, 4, "section .entry: expected it between ", false },
		{ SECTIONS + 40 + 12, TABLE_END - 1, 4,
		  "name: section .entry: expected it between 0x200 and 0x3000, found 0xb bytes at 0x1ff", false },
		{ SECTIONS + 40 + 12, UINT32_MAX, 4, "section .entry: expected it between ", false },
		{ SECTIONS + 80 + 12, 0x2ff1, 4, "section .longest: expected it between ", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		make_loadable_image();
		expect_ok(check_headers(IMAGE_SIZE, PE_LOADED));
		expect_ok(check_headers(IMAGE_SIZE, PE_FILE));
		put(lies[i].offset, lies[i].value, lies[i].width);
		expect_error(check_headers(IMAGE_SIZE, PE_LOADED), KEXEC_BAD_FORMAT, lies[i].message);
		if (lies[i].in_files_too)
			expect_error(check_headers(IMAGE_SIZE, PE_FILE), KEXEC_BAD_FORMAT, lies[i].message);
		free(image);
	}
	make_loadable_image();
	put(SECTIONS + 80 + 20, IMAGE_SIZE - 0xf, 4);
	expect_ok(check_headers(IMAGE_SIZE, PE_LOADED));
	expect_error(
		check_headers(IMAGE_SIZE, PE_FILE), KEXEC_BAD_FORMAT,
		"name: section .longest: expected it between 0x200 and 0x3000, found 0x10 bytes at 0x2ff1: is the file "
		"cut off?");
	/* An empty section does not matter. */
	put(SECTIONS + 80 + 8, 0, 4);
	expect_ok(check_headers(IMAGE_SIZE, PE_FILE));
	free(image);
}

static void headers_of_an_image_cut_anywhere(void **state)
{
	(void)state;
	make_loadable_image();
	for (size_t size = 0; size < IMAGE_SIZE; size++)
		assert_int_equal(check_headers(size, PE_LOADED), KEXEC_BAD_FORMAT);
	expect_ok((log_clear(), check_headers(IMAGE_SIZE, PE_LOADED)));
	assert_int_equal(pe_sizes(&(struct pe_image){ .bytes = image, .size = IMAGE_SIZE }).headers, TABLE_END);
	assert_int_equal(pe_sizes(&(struct pe_image){ .bytes = image, .size = IMAGE_SIZE }).image, IMAGE_SIZE);
	free(image);
}

/* --- a signed file: headers, three adjacent sections, then certificates --- */

#define OPTIONAL (PE + 24)
#define CHECKSUM (OPTIONAL + 64)
#define CERTIFICATES (OPTIONAL + 144)
#define HEADERS_SIZE 0x400u
#define CERTIFICATES_OFFSET 0x2800u

static void put_file_range(unsigned index, uint32_t offset, uint32_t size)
{
	put(SECTIONS + 40 * index + 16, size, 4);
	put(SECTIONS + 40 * index + 20, offset, 4);
}

static void make_signed_file(void)
{
	make_image();
	put(OPTIONAL, 0x20b, 2);
	put(OPTIONAL + 60, HEADERS_SIZE, 4);
	put(OPTIONAL + 108, 16, 4);
	put(CERTIFICATES, CERTIFICATES_OFFSET, 4);
	put(CERTIFICATES + 4, IMAGE_SIZE - CERTIFICATES_OFFSET, 4);
	/* The order of the headers differs from that of the file. */
	put_file_range(0, 0x1000, 0x1000);
	put_file_range(1, 0x400, 0xc00);
	put_file_range(2, 0x2000, 0x800);
}

static uint64_t signed_until(uint64_t offset)
{
	/* A copy of exactly that size, so that a sanitizer detects reads behind it. */
	uint8_t *copy = malloc(IMAGE_SIZE);
	uint64_t end;

	memcpy(copy, image, IMAGE_SIZE);
	end = pe_signed_until(copy, IMAGE_SIZE, offset);
	free(copy);
	return end;
}

static void certificates_that_the_headers_tell_of(void **state)
{
	(void)state;
	make_signed_file();
	assert_true(pe_has_certificates(image, IMAGE_SIZE));
	put(CERTIFICATES + 4, 0, 4);
	assert_false(pe_has_certificates(image, IMAGE_SIZE));
	put(CERTIFICATES + 4, 8, 4);
	assert_false(pe_has_certificates(image, CERTIFICATES));
	put(OPTIONAL, 0x10b, 2);
	assert_false(pe_has_certificates(image, IMAGE_SIZE));
	free(image);
}

static void signature_covers_all_but_checksum_and_certificates(void **state)
{
	(void)state;
	make_signed_file();
	assert_int_equal(signed_until(0), CHECKSUM);
	assert_int_equal(signed_until(CHECKSUM - 1), CHECKSUM);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(signed_until(CHECKSUM + i), CHECKSUM + i);
	assert_int_equal(signed_until(CHECKSUM + 4), CERTIFICATES);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(signed_until(CERTIFICATES + i), CERTIFICATES + i);
	assert_int_equal(signed_until(CERTIFICATES + 8), CERTIFICATES_OFFSET);
	assert_int_equal(signed_until(0x1000), CERTIFICATES_OFFSET);
	assert_int_equal(signed_until(CERTIFICATES_OFFSET - 1), CERTIFICATES_OFFSET);
	assert_int_equal(signed_until(CERTIFICATES_OFFSET), CERTIFICATES_OFFSET);
	assert_int_equal(signed_until(IMAGE_SIZE), IMAGE_SIZE);
	assert_int_equal(signed_until(UINT64_MAX), UINT64_MAX);
	free(image);
}

/* The digest takes the ranges in the order of the file, not of the headers. */
static void digest_is_made_of_these_ranges(void **state)
{
	static const struct pe_range expected[] = {
		{ 0, CHECKSUM },
		{ CHECKSUM + 4, CERTIFICATES },
		{ CERTIFICATES + 8, HEADERS_SIZE },
		{ 0x400, 0x1000 },
		{ 0x1000, 0x2000 },
		{ 0x2000, 0x2700 },
		{ 0x2700, CERTIFICATES_OFFSET },
	};
	struct pe_signed_ranges found;

	(void)state;
	make_signed_file();
	put_file_range(2, 0x2000, 0x700);
	assert_true(pe_signed_ranges(image, IMAGE_SIZE, &found));
	assert_int_equal(found.count, sizeof(expected) / sizeof(expected[0]));
	assert_memory_equal(found.list, expected, sizeof(expected));
	/* An empty section does not count; neither does an empty rest. */
	put_file_range(1, 0x400, 0);
	put_file_range(0, 0x400, 0x2000);
	put_file_range(2, 0x2400, 0x400);
	assert_true(pe_signed_ranges(image, IMAGE_SIZE, &found));
	assert_int_equal(found.count, 5);
	assert_int_equal(found.list[4].end, CERTIFICATES_OFFSET);
	put(PE, 'p', 1);
	assert_false(pe_signed_ranges(image, IMAGE_SIZE, &found));
	assert_int_equal(found.count, 0);
	free(image);
}

/* Shim may then take a section's header for the directory of certificates, and would not hash it. */
static void fewer_directories_than_one_for_certificates(void **state)
{
	struct pe_signed_ranges found;

	(void)state;
	for (uint32_t count = 0; count <= 5; count++) {
		make_signed_file();
		put(OPTIONAL + 108, count, 4);
		assert_int_equal(pe_signed_ranges(image, IMAGE_SIZE, &found), count == 5);
		assert_int_equal(found.count, count == 5 ? 6 : 0);
		assert_int_equal(signed_until(0), count == 5 ? CHECKSUM : 0);
		assert_int_equal(signed_until(0x1000), count == 5 ? CERTIFICATES_OFFSET : 0x1000);
		free(image);
	}
}

static void most_sections_of_all(void **state)
{
	struct pe_signed_ranges found;

	(void)state;
	make_signed_file();
	put(PE + 6, PE_SECTIONS_MAX, 2);
	for (unsigned i = 0; i < PE_SECTIONS_MAX; i++)
		put_file_range(i, 0x2000 - 16 * i, 16);
	assert_true(pe_signed_ranges(image, IMAGE_SIZE, &found));
	assert_int_equal(found.count, sizeof(found.list) / sizeof(found.list[0]));
	for (size_t i = 4; i < 3 + PE_SECTIONS_MAX; i++)
		assert_true(found.list[i - 1].start < found.list[i].start);
	free(image);
}

static void signature_covers_what_follows_the_sections(void **state)
{
	(void)state;
	make_signed_file();
	put_file_range(2, 0x2000, 0x100);
	assert_int_equal(signed_until(0x1000), CERTIFICATES_OFFSET);
	free(image);
}

/* Shim 15.8 stops at the sections' end, the specification at the file's end. */
static void nobody_knows_who_hashes_the_rest_without_certificates(void **state)
{
	struct pe_signed_ranges found;

	(void)state;
	make_signed_file();
	put_file_range(2, 0x2000, 0x100);
	put(CERTIFICATES + 4, 0, 4);
	assert_int_equal(signed_until(0x1000), 0x2100);
	assert_int_equal(signed_until(0x2100), 0x2100);
	assert_true(pe_signed_ranges(image, IMAGE_SIZE, &found));
	assert_int_equal(found.list[found.count - 1].start, 0x2100);
	assert_int_equal(found.list[found.count - 1].end, IMAGE_SIZE);
	assert_int_equal(found.agreed_count, found.count - 1);
	/* If no bytes follow, both agree. */
	put_file_range(2, 0x2000, 0x1000);
	assert_int_equal(signed_until(0x1000), IMAGE_SIZE);
	free(image);
}

static void signature_leaves_gaps_between_sections(void **state)
{
	(void)state;
	make_signed_file();
	put_file_range(0, 0x1100, 0xf00);
	assert_int_equal(signed_until(0x400), 0x1000);
	assert_int_equal(signed_until(0x1000), 0x1000);
	assert_int_equal(signed_until(0x1100), CERTIFICATES_OFFSET);
	/* The rest of the file is counted from the sum of the hashed sizes, which does not include the gap. */
	put_file_range(2, 0x2100, 0x700);
	assert_int_equal(signed_until(0x1100), 0x2000);
	put(OPTIONAL + 60, 0x300, 4);
	assert_int_equal(signed_until(0x300), 0x300);
	free(image);
}

static void certificates_that_begin_within_a_section(void **state)
{
	(void)state;
	make_signed_file();
	/* The sections are hashed nevertheless: a wrong directory excludes nothing of them. */
	put(CERTIFICATES, 0x1800, 4);
	put(CERTIFICATES + 4, IMAGE_SIZE - 0x1800, 4);
	assert_int_equal(signed_until(0x1000), CERTIFICATES_OFFSET);
	put(CERTIFICATES + 4, UINT32_MAX, 4);
	assert_int_equal(signed_until(0x1000), CERTIFICATES_OFFSET);
	free(image);
}

static void signed_file_whose_headers_make_no_sense(void **state)
{
	static const struct {
		size_t offset;
		uint32_t value;
		size_t width;
	} damages[] = {
		{ 0, 'Z', 1 },
		{ 0x3c, UINT32_MAX, 4 },
		{ 0x3c, IMAGE_SIZE - 100, 4 },
		{ PE, 'p', 1 },
		{ PE + 6, PE_SECTIONS_MAX + 1, 2 },
		{ PE + 6, 0xffff, 2 },
		{ PE + 20, 0xffff, 2 },
		{ OPTIONAL, 0x10b, 2 },
		{ OPTIONAL + 60, IMAGE_SIZE + 1, 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		make_signed_file();
		assert_int_equal(signed_until(0x1000), CERTIFICATES_OFFSET);
		put(damages[i].offset, damages[i].value, damages[i].width);
		assert_int_equal(signed_until(0x1000), 0x1000);
		free(image);
	}
	/* A section outside the file covers nothing. */
	make_signed_file();
	put_file_range(0, 0x1000, UINT32_MAX);
	assert_int_equal(signed_until(0x1000), 0x1000);
	free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_that_the_headers_tell_of),
		cmocka_unit_test(section_with_its_virtual_size),
		cmocka_unit_test(section_in_a_file),
		cmocka_unit_test(section_not_there),
		cmocka_unit_test(section_past_the_end_is_empty),
		cmocka_unit_test(headers_that_make_no_sense),
		cmocka_unit_test(image_cut_anywhere_in_its_headers),
		cmocka_unit_test(headers_that_lie),
		cmocka_unit_test(headers_of_an_image_cut_anywhere),
		cmocka_unit_test(signature_covers_all_but_checksum_and_certificates),
		cmocka_unit_test(digest_is_made_of_these_ranges),
		cmocka_unit_test(fewer_directories_than_one_for_certificates),
		cmocka_unit_test(most_sections_of_all),
		cmocka_unit_test(signature_covers_what_follows_the_sections),
		cmocka_unit_test(nobody_knows_who_hashes_the_rest_without_certificates),
		cmocka_unit_test(signature_leaves_gaps_between_sections),
		cmocka_unit_test(certificates_that_begin_within_a_section),
		cmocka_unit_test(signed_file_whose_headers_make_no_sense),
	};

	return run_named_tests(tests);
}
