// SPDX-License-Identifier: BSD-2-Clause
/* Partition tables, valid and damaged. */
#include "boot/gpt.h"

#include "tests/unit/gpt_builder.h"
#include "tests/unit/support.h"

#define LAST_LBA (GPT_DISK_BLOCKS - 1)

#define PARTUUID(last) "00000000-0000-0000-0000-0000000000" last

static const uint8_t other_type[16] = { 1 };

static struct gpt_disk disk;
static struct gpt gpt;

/* Three of 16 partitions: an ESP, another one, XBOOTLDR. */
static void start(uint32_t block_size, uint32_t entry_size)
{
	gpt_disk_start(&disk, block_size, entry_size, 16);
	gpt_disk_set(&disk, 0, gpt_type_esp, 0xa1);
	gpt_disk_set(&disk, 1, other_type, 0xa2);
	gpt_disk_set(&disk, 15, gpt_type_xbootldr, 0xa3);
}

static const char *read_header(int which)
{
	return gpt_read_header(gpt_disk_header(&disk, which), disk.block_size, which ? LAST_LBA : 1, LAST_LBA, &gpt);
}

static const char *read_table(int which)
{
	const char *wrong = read_header(which);

	return wrong ? wrong : gpt_check_entries(&gpt, gpt_disk_entries(&disk, which));
}

static void expect_wrong(const char *expected)
{
	const char *wrong = read_table(0);

	assert_non_null(wrong);
	assert_string_equal(wrong, expected);
}

static void expect_one(const uint8_t type[16], const char *expected)
{
	char found[PARTUUID_SIZE];

	assert_int_equal(gpt_find(&gpt, gpt_disk_entries(&disk, 0), type, "", found), 1);
	assert_string_equal(found, expected);
}

static void both_tables_of_all_sizes(void **state)
{
	static const uint32_t block_sizes[] = { 512, 1024, 4096 };
	static const uint32_t entry_sizes[] = { 128, 256, 512 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < 3; j++) {
			start(block_sizes[i], entry_sizes[j]);
			assert_null(read_table(1));
			assert_null(read_table(0));
			assert_int_equal(gpt.entries_lba, 2);
			assert_int_equal(gpt.entries_size, 16 * entry_sizes[j]);
			expect_one(gpt_type_esp, PARTUUID("a1"));
			expect_one(gpt_type_xbootldr, PARTUUID("a3"));
		}
	}
}

/* As sgdisk and the specification write them. */
static void types_are_those_of_the_specifications(void **state)
{
	char text[PARTUUID_SIZE];

	(void)state;
	partuuid_of_gpt(gpt_type_esp, text);
	assert_string_equal(text, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
	partuuid_of_gpt(gpt_type_xbootldr, text);
	assert_string_equal(text, "bc13c2ff-59e6-4262-a352-b275fd6f7172");
}

static void several_of_a_type(void **state)
{
	char found[PARTUUID_SIZE] = "";

	(void)state;
	start(512, 128);
	gpt_disk_set(&disk, 2, gpt_type_esp, 0xb1);
	assert_null(read_table(0));
	assert_int_equal(gpt_find(&gpt, gpt_disk_entries(&disk, 0), gpt_type_esp, "", found), 2);
	assert_int_equal(gpt_find(&gpt, gpt_disk_entries(&disk, 0), gpt_type_esp, PARTUUID("a2"), found), 2);
	assert_int_equal(gpt_find(&gpt, gpt_disk_entries(&disk, 0), gpt_type_esp, PARTUUID("b1"), found), 1);
	assert_string_equal(found, PARTUUID("b1"));
	gpt_disk_set(&disk, 15, other_type, 0xa3);
	assert_null(read_table(0));
	assert_int_equal(gpt_find(&gpt, gpt_disk_entries(&disk, 0), gpt_type_xbootldr, "", found), 0);
}

/* Writes a number into the first header, and corrects its checksum. */
static void damage(size_t offset, uint64_t value, size_t width)
{
	start(512, 128);
	memcpy(gpt_disk_header(&disk, 0) + offset, &value, width);
	gpt_disk_sign(&disk, 0);
}

static void damaged_headers(void **state)
{
	(void)state;
	damage(0, 'e', 1);
	expect_wrong("no signature");
	damage(12, 91, 4);
	expect_wrong("a header of another size");
	damage(12, 513, 4);
	expect_wrong("a header of another size");
	damage(12, 0xffffffff, 4);
	expect_wrong("a header of another size");
	damage(24, 2, 8);
	expect_wrong("a header of another place");
	start(512, 128);
	gpt_disk_header(&disk, 0)[60] ^= 1;
	expect_wrong("a header with a wrong checksum");
	/* A larger header is valid. */
	damage(12, 512, 4);
	assert_null(read_table(0));
	gpt_disk_header(&disk, 0)[511] ^= 1;
	expect_wrong("a header with a wrong checksum");
}

static void entries_that_cannot_be_there(void **state)
{
	(void)state;
	damage(84, 64, 4);
	expect_wrong("entries of another size");
	damage(84, 136, 4);
	expect_wrong("entries of another size");
	damage(84, 0x80000000, 4);
	expect_wrong("entries of another size");
	damage(80, 0, 4);
	expect_wrong("too many entries, or none");
	damage(80, 8193, 4);
	expect_wrong("too many entries, or none");
	damage(80, 0xffffffff, 4);
	expect_wrong("too many entries, or none");
	damage(72, 0, 8);
	expect_wrong("entries outside the disk");
	damage(72, LAST_LBA + 1, 8);
	expect_wrong("entries outside the disk");
	damage(72, LAST_LBA - 2, 8);
	expect_wrong("entries outside the disk");
	damage(72, UINT64_MAX, 8);
	expect_wrong("entries outside the disk");
	/* The twin: the last place where the entries fit. */
	damage(72, LAST_LBA - 3, 8);
	assert_null(read_header(0));
}

static void damaged_entries(void **state)
{
	(void)state;
	start(512, 128);
	gpt_disk_entries(&disk, 0)[16 * 128 - 1] ^= 0x80;
	expect_wrong("entries with a wrong checksum");
	assert_null(read_table(1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_tables_of_all_sizes),
		cmocka_unit_test(types_are_those_of_the_specifications),
		cmocka_unit_test(several_of_a_type),
		cmocka_unit_test(damaged_headers),
		cmocka_unit_test(entries_that_cannot_be_there),
		cmocka_unit_test(damaged_entries),
	};

	return run_named_tests(tests);
}
