// SPDX-License-Identifier: BSD-2-Clause
/* OEM strings in the firmware's tables, and broken tables. */
#include "boot/smbios.h"

#include "tests/unit/support.h"

#define PREFIX TEXT("io.systemd.stub.kernel-cmdline-extra=")

/* Each literal's own NUL counts as well. */
#define BIOS "\x00\x06\x01\x00zz" "Vendor\0" "1.0\0" "\0"
#define BOARD "\x02\x04\x02\x00" "\0\0"
#define OEM "\x0b\x05\x03\x00\x02" "other=1\0" "io.systemd.stub.kernel-cmdline-extra=quiet splash\0" "\0"
#define OEM_AGAIN "\x0b\x05\x04\x00\x01" "io.systemd.stub.kernel-cmdline-extra=second\0" "\0"
#define END "\x7f\x04\x7f\x00" "\0"

static bool find(const char *table, size_t size, struct text *ret_rest)
{
	return smbios_find_string((const uint8_t *)table, size, PREFIX, ret_rest);
}

static void first_string_of_the_name_counts(void **state)
{
	static const char table[] = BIOS BOARD OEM OEM_AGAIN END;
	struct text rest;

	(void)state;
	assert_true(find(table, sizeof(table), &rest));
	assert_true(text_equal(rest, TEXT("quiet splash")));
}

static void later_structures_count_as_well(void **state)
{
	static const char table[] = BIOS OEM_AGAIN;
	static const char both[] = "\x0b\x05\x03\x00\x01" "other=1\0" "\0" OEM_AGAIN;
	struct text rest;

	(void)state;
	assert_true(find(table, sizeof(table), &rest));
	assert_true(text_equal(rest, TEXT("second")));
	assert_true(find(both, sizeof(both), &rest));
	assert_true(text_equal(rest, TEXT("second")));
}

static void strings_of_other_structures_do_not_count(void **state)
{
	static const char table[] = "\x01\x05\x03\x00\x01" "io.systemd.stub.kernel-cmdline-extra=x\0" "\0" END;
	static const char behind_the_end[] = BIOS END "\0" OEM;
	static const char too_short[] = "\x0b\x04\x03\x00" "io.systemd.stub.kernel-cmdline-extra=x\0" "\0" END;
	struct text rest;

	(void)state;
	assert_false(find(table, sizeof(table), &rest));
	assert_false(find(behind_the_end, sizeof(behind_the_end), &rest));
	assert_false(find(too_short, sizeof(too_short), &rest));
}

static void structures_that_make_no_sense_end_the_table(void **state)
{
	static const char short_header[] = "\x02\x03\x02\x00" "\0\0" OEM;
	static const char too_long[] = "\x02\xff\x02\x00" "\0\0" OEM;
	struct text rest;

	(void)state;
	assert_false(find(short_header, sizeof(short_header), &rest));
	assert_false(find(too_long, sizeof(too_long), &rest));
}

/* The table ends at each byte in turn. Nothing behind it is read, and half a string does not count. */
static void table_that_is_cut_off(void **state)
{
	static const char table[] = BIOS BOARD OEM;
	struct text rest;

	(void)state;
	for (size_t size = 0; size < sizeof(table); size++) {
		char *copy = malloc(size ? size : 1);

		memcpy(copy, table, size);
		/* The literal's NUL follows the two NULs at the end. */
		assert_int_equal(find(copy, size, &rest), size >= sizeof(table) - 1);
		free(copy);
	}
}

static void seal(uint8_t *entry, size_t length, size_t at)
{
	uint8_t sum = 0;

	entry[at] = 0;
	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + entry[i]);
	entry[at] = (uint8_t)-sum;
}

static void entry_points_of_both_forms(void **state)
{
	uint8_t entry_64[0x18] = { '_', 'S', 'M', '3', '_', 0, 0x18, [0x0c] = 0x34, 0x12, [0x10] = 0x78, 0x56, [0x17] = 0x01 };
	uint8_t entry_32[0x1f] = { '_', 'S', 'M', '_', 0, 0x1f, [0x16] = 0x34, 0x12, 0x78, 0x56, 0, 0x80 };
	struct smbios_table table;

	(void)state;
	seal(entry_64, sizeof(entry_64), 5);
	assert_true(smbios_entry_point(entry_64, sizeof(entry_64), &table));
	assert_true(table.addr == 0x0100000000005678);
	assert_int_equal(table.size, 0x1234);
	seal(entry_32, sizeof(entry_32), 4);
	assert_true(smbios_entry_point(entry_32, sizeof(entry_32), &table));
	assert_int_equal(table.addr, 0x80005678);
	assert_int_equal(table.size, 0x1234);
	/* As in SMBIOS 2.1. */
	entry_32[5] = 0x1e;
	seal(entry_32, 0x1e, 4);
	assert_true(smbios_entry_point(entry_32, sizeof(entry_32), &table));
}

static void entry_points_that_are_none(void **state)
{
	uint8_t entry[0x18] = { '_', 'S', 'M', '3', '_', 0, 0x18 };
	struct smbios_table table;

	(void)state;
	seal(entry, sizeof(entry), 5);
	assert_true(smbios_entry_point(entry, sizeof(entry), &table));
	for (size_t size = 0; size < sizeof(entry); size++)
		assert_false(smbios_entry_point(entry, size, &table));
	for (size_t i = 0; i < sizeof(entry); i++) {
		entry[i] ^= 1;
		assert_false(smbios_entry_point(entry, sizeof(entry), &table));
		entry[i] ^= 1;
	}
	entry[6] = 0x17;
	seal(entry, 0x17, 5);
	assert_false(smbios_entry_point(entry, sizeof(entry), &table));
	entry[6] = 0x19;
	seal(entry, sizeof(entry), 5);
	assert_false(smbios_entry_point(entry, sizeof(entry), &table));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_string_of_the_name_counts),
		cmocka_unit_test(later_structures_count_as_well),
		cmocka_unit_test(strings_of_other_structures_do_not_count),
		cmocka_unit_test(structures_that_make_no_sense_end_the_table),
		cmocka_unit_test(table_that_is_cut_off),
		cmocka_unit_test(entry_points_of_both_forms),
		cmocka_unit_test(entry_points_that_are_none),
	};

	return run_named_tests(tests);
}
