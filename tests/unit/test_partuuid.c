// SPDX-License-Identifier: BSD-2-Clause
/* PARTUUIDs as people write them, and as disks store them. */
#include "boot/partuuid.h"

#include "tests/unit/support.h"

#define UUID "00ffee0a-1b34-5678-9abc-def012345678"

static char found[PARTUUID_SIZE];

static bool parse(const char *value)
{
	return volume_parse(text_of_string(value), found);
}

static void accept(const char *value, const char *expected)
{
	assert_true(parse(value));
	assert_string_equal(found, expected);
}

static void guid_is_little_endian_in_front(void **state)
{
	static const uint8_t guid[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff };
	static const uint8_t signature[4] = { 0x78, 0x56, 0x34, 0x12 };

	(void)state;
	partuuid_of_gpt(guid, found);
	assert_string_equal(found, "03020100-0504-0706-0809-0a0b0c0d0eff");
	partuuid_of_mbr(signature, 2, found);
	assert_string_equal(found, "12345678-02");
	partuuid_of_mbr(signature, 0xffffffff, found);
	assert_string_equal(found, "12345678-ffffffff");
}

static void either_case_and_as_fstab_has_it(void **state)
{
	(void)state;
	accept(UUID, UUID);
	accept("00FFEE0A-1B34-5678-9aBc-DEF012345678", UUID);
	accept("PARTUUID=" UUID, UUID);
	accept("1234ABCD-0f", "1234abcd-0f");
	accept("PARTUUID=1234abcd-01", "1234abcd-01");
	/* The notations of blkid, udev and Windows. */
	accept("PARTUUID=\"" UUID "\"", UUID);
	accept("partuuid=" UUID, UUID);
	accept("PartUUID=1234abcd-01", "1234abcd-01");
	accept("\"" UUID "\"", UUID);
	accept("{00FFEE0A-1B34-5678-9ABC-DEF012345678}", UUID);
	accept("/dev/disk/by-partuuid/" UUID, UUID);
	accept("/dev/disk/by-partuuid/1234abcd-01", "1234abcd-01");
	accept("esp", "esp");
	accept("xbootldr", "xbootldr");
}

static void what_names_no_partition(void **state)
{
	static const char *const values[] = {
		"",
		"ESP",
		"esp ",
		"PARTUUID=esp",
		"PARTUUID=",
		"PARTUUID=PARTUUID=" UUID,
		"UUID=" UUID,
		"LABEL=BOOT",
		"\"" UUID,
		UUID "\"",
		"{" UUID "\"",
		"{{" UUID "}}",
		"\"\"",
		"\"",
		"{",
		"\"PARTUUID=" UUID "\"",
		"PARTUUID=/dev/disk/by-partuuid/" UUID,
		UUID "0",
		UUID "-01",
		"00ffee0a-1b34-5678-9abc-def01234567",
		"00ffee0a-1b34-5678-9abc-def01234567g",
		"00ffee0a-1b34-5678-9abc0def012345678",
		"00ffee0a+1b34-5678-9abc-def012345678",
		"00ffee0a1b3456789abcdef012345678",
		"1234abcd",
		"1234abcd-1",
		"1234abcd-001",
		"1234abcd_01",
		"/dev/sda1",
		"(hd0,gpt2)",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		assert_false(parse(values[i]));
	assert_false(volume_parse((struct text){ .start = "esp\0", .length = 4 }, found));
}

static void names_of_file_systems(void **state)
{
	static const char *const values[] = {
		("UUID=" UUID),		"uuid=1234-ABCD", "LABEL=BOOT",	      "label=x",
		"PARTLABEL=ESP",	"1234-ABCD",	  "01D5A1B2C3D4E5F6", "/dev/disk/by-uuid/1234-ABCD",
		"/dev/disk/by-label/x",
	};
	static const char *const others[] = { "", "/boot", "ESP", "LABEL", "1234-ABCDE", "/dev/sda1", "PARTUUID=x" };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_false(parse(values[i]));
		assert_string_equal(volume_expected(text_of_string(values[i])),
				    "esp, xbootldr or a PARTUUID, and neither a label nor a file system's UUID");
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_string_equal(volume_expected(text_of_string(others[i])), "esp, xbootldr or a PARTUUID");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guid_is_little_endian_in_front),
		cmocka_unit_test(either_case_and_as_fstab_has_it),
		cmocka_unit_test(what_names_no_partition),
		cmocka_unit_test(names_of_file_systems),
	};

	return run_named_tests(tests);
}
