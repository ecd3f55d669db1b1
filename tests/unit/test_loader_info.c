// SPDX-License-Identifier: BSD-2-Clause
/* The values of the Boot Loader Interface, and who has set the existing ones. */
#include "boot/loader_info.h"

#include "boot/text.h"
#include "common/align.h"
#include "tests/unit/support.h"

/* UTF-16 without a NUL, in memory of exactly its size. */
static uint8_t *utf16_of(const char *text, size_t *ret_size)
{
	struct text utf8 = { .start = text, .length = strlen(text) };
	uint16_t wide[1024];
	uint8_t *exact;
	size_t units = 0;

	assert_true(text_to_utf16(utf8, wide, ARRAY_SIZE(wide)));
	while (wide[units])
		units++;
	*ret_size = 2 * units;
	exact = test_malloc(*ret_size + 1);
	memcpy(exact, wide, *ret_size);
	return exact;
}

static enum loader_before before_of(const char *text)
{
	enum loader_before before;
	size_t size;
	uint8_t *value = utf16_of(text, &size);

	before = loader_before(value, size);
	test_free(value);
	return before;
}

static void loaders_before(void **state)
{
	(void)state;
	assert_int_equal(before_of(""), LOADER_BEFORE_NONE);
	assert_int_equal(before_of("kexec-efi 0.1"), LOADER_BEFORE_SELF);
	assert_int_equal(before_of("kexec-efi"), LOADER_BEFORE_SELF);
	assert_int_equal(before_of("systemd-boot 252.39-1~deb12u1"), LOADER_BEFORE_MENU);
	assert_int_equal(before_of("systemd-boot"), LOADER_BEFORE_MENU);
	assert_int_equal(before_of("systemd-boo"), LOADER_BEFORE_OTHER);
	assert_int_equal(before_of("systemd-stub 257"), LOADER_BEFORE_OTHER);
	assert_int_equal(before_of("kexec-ef"), LOADER_BEFORE_OTHER);
	assert_int_equal(before_of("Kexec-efi"), LOADER_BEFORE_OTHER);
	assert_int_equal(before_of("\xe2\x82\xac systemd-boot"), LOADER_BEFORE_OTHER);
	assert_int_equal(before_of(" "), LOADER_BEFORE_OTHER);
}

static void value_that_ends_early(void **state)
{
	static const uint8_t nul_first[] = { 0, 0, 'k', 0 };
	static const uint8_t nul_inside[] = { 'k', 0, 'e', 0, 0, 0, 'x', 0 };
	static const uint8_t odd[] = { 'k' };

	(void)state;
	assert_int_equal(loader_before(NULL, 0), LOADER_BEFORE_NONE);
	assert_int_equal(loader_before(nul_first, sizeof(nul_first)), LOADER_BEFORE_NONE);
	assert_int_equal(loader_before(nul_inside, sizeof(nul_inside)), LOADER_BEFORE_OTHER);
	assert_int_equal(loader_before(odd, sizeof(odd)), LOADER_BEFORE_NONE);
}

static bool is_report(const char *name)
{
	size_t size;
	uint8_t *value = utf16_of(name, &size);
	bool result = loader_variable_is_report(value, size);

	test_free(value);
	return result;
}

static void reports_and_settings(void **state)
{
	static const char *const reports[] = { "LoaderInfo",
					       "LoaderDevicePartUUID",
					       "LoaderEntries",
					       "LoaderEntrySelected",
					       "LoaderFeatures",
					       "LoaderTimeMenuUSec",
					       "LoaderSysFailReason",
					       "LoaderSystemTokens",
					       "Loader",
					       "StubPcrKernelImage",
					       "StubProfile",
					       "Stub",
					       "LoaderTpm2ActivePcrBanks" };
	static const char *const others[] = { "LoaderEntryOneShot",
					      "LoaderEntryDefault",
					      "LoaderEntryPreferred",
					      "LoaderEntrySysFail",
					      "LoaderEntryLastBooted",
					      "LoaderEntryOfTomorrow",
					      "LoaderConfigTimeout",
					      "LoaderConfigTimeoutOneShot",
					      "LoaderConfigConsoleMode",
					      "LoaderSystemToken",
					      "LoaderEntrySelectedNot",
					      "LoaderEntrySelecte",
					      "Loade",
					      "loaderInfo",
					      "Stu",
					      "",
					      "BootOrder",
					      " LoaderInfo" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(reports); i++)
		assert_true(is_report(reports[i]));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(is_report(others[i]));
	/* A name ends at its NUL, wherever the memory ends. */
	assert_true(loader_variable_is_report(u"LoaderEntrySelected\0x", 2 * 21));
	assert_false(loader_variable_is_report(u"LoaderSystemToken\0x", 2 * 19));
	assert_false(loader_variable_is_report(NULL, 0));
}

/* Another loader's variables stay. If another loader has started us, we act as a stub. */
static void what_follows_from_it(void **state)
{
	static const struct {
		enum loader_before before;
		bool replaces;
		bool is_stub;
	} cases[] = {
		{ LOADER_BEFORE_NONE, false, false },
		{ LOADER_BEFORE_SELF, true, false },
		{ LOADER_BEFORE_MENU, false, true },
		{ LOADER_BEFORE_OTHER, false, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(loader_replaces_values(cases[i].before), cases[i].replaces);
		assert_int_equal(loader_is_stub(cases[i].before), cases[i].is_stub);
	}
}

static void firmware_info(void **state)
{
	char text[LOADER_VALUE_SIZE];
	/* A NUL ends the vendor, wherever the memory ends. */
	static const uint8_t vendor[] = { 0, 'E', 0, 'D', 0, 'K', 0, 0xac, 0x20, 0, 0 };

	(void)state;
	loader_firmware_info(vendor + 1, 0x00010002, text);
	assert_string_equal(text, "EDK\xe2\x82\xac 1.02");
	loader_firmware_info(NULL, 0xffffffff, text);
	assert_string_equal(text, " 65535.65535");
}

static void vendor_without_end(void **state)
{
	char text[LOADER_VALUE_SIZE];
	uint16_t *vendor = test_malloc(2 * 128);

	(void)state;
	for (int i = 0; i < 128; i++)
		vendor[i] = 0x20ac;
	loader_firmware_info(vendor, 0xffffffff, text);
	assert_int_equal(strlen(text), 3 * 128 + strlen(" 65535.65535"));
	assert_string_equal(text + 3 * 127, "\xe2\x82\xac 65535.65535");
	test_free(vendor);
}

static void firmware_type(void **state)
{
	char text[LOADER_VALUE_SIZE];

	(void)state;
	loader_firmware_type(0x00020046, text);
	assert_string_equal(text, "UEFI 2.70");
	loader_firmware_type(0x0002000a, text);
	assert_string_equal(text, "UEFI 2.10");
}

static void values_end_in_a_nul(void **state)
{
	static const uint16_t expected[] = { 'a', 0x20ac, 0xd83d, 0xdc27, 0 };
	uint16_t value[LOADER_VALUE_SIZE];

	(void)state;
	assert_int_equal(loader_value("a\xe2\x82\xac\xf0\x9f\x90\xa7", value), sizeof(expected));
	assert_memory_equal(value, expected, sizeof(expected));
	assert_int_equal(loader_value("", value), 2);
}

static void values_too_long_or_not_utf_8(void **state)
{
	uint16_t value[LOADER_VALUE_SIZE];
	char text[LOADER_VALUE_SIZE + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[LOADER_VALUE_SIZE - 1] = '\0';
	assert_int_equal(loader_value(text, value), 2 * LOADER_VALUE_SIZE);
	text[LOADER_VALUE_SIZE - 1] = 'x';
	text[LOADER_VALUE_SIZE] = '\0';
	assert_int_equal(loader_value(text, value), 0);
	assert_int_equal(loader_value("\xff", value), 0);
}

static void expect_entry(const char *said_by, bool is_file, const char *expected)
{
	const struct boot_plan plan = { .said_by = said_by, .is_file = is_file };
	const char *found = loader_entry_selected(&plan);

	if (expected)
		assert_string_equal(found, expected);
	else
		assert_null(found);
}

static void entry_that_is_booted(void **state)
{
	(void)state;
	expect_entry("\\EFI\\BOOT\\BOOTX64.conf", true, "BOOTX64.conf");
	expect_entry("/loader/entries/a b.conf", true, "a b.conf");
	expect_entry("/a\\b/c", true, "c");
	expect_entry("kexecx64.conf", true, "kexecx64.conf");
	expect_entry("load options", false, NULL);
	expect_entry("/a/", true, NULL);
	expect_entry("", true, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loaders_before),
		cmocka_unit_test(entry_that_is_booted),
		cmocka_unit_test(value_that_ends_early),
		cmocka_unit_test(reports_and_settings),
		cmocka_unit_test(what_follows_from_it),
		cmocka_unit_test(firmware_info),
		cmocka_unit_test(vendor_without_end),
		cmocka_unit_test(firmware_type),
		cmocka_unit_test(values_end_in_a_nul),
		cmocka_unit_test(values_too_long_or_not_utf_8),
	};

	return run_named_tests(tests);
}
