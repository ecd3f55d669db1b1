// SPDX-License-Identifier: BSD-2-Clause
/* Whether the kernel's EFI stub finds an option in a command line. */
#include "boot/stub_options.h"

#include "tests/unit/support.h"

/* Searches in memory of exactly the line's size, without a NUL. */
static bool found(const char *command_line)
{
	size_t length = strlen(command_line);
	char *copy = malloc(length ? length : 1);
	bool result;

	memcpy(copy, command_line, length);
	result = stub_option((struct text){ .start = copy, .length = length }, TEXT("nosoftreserve"));
	free(copy);
	return result;
}

static void expect_all(const char *const *command_lines, size_t count, bool expected)
{
	for (size_t i = 0; i < count; i++) {
		if (found(command_lines[i]) == expected)
			continue;
		print_error("expected %d, found another: %s\n", expected, command_lines[i]);
		fail();
	}
}

static void option_that_is_there(void **state)
{
	static const char *const lines[] = {
		"efi=nosoftreserve",
		"  quiet efi=nosoftreserve",
		"efi=nosoftreserve quiet",
		"efi=debug,nosoftreserve",
		"efi=nosoftreserve,debug",
		"efi=,,nosoftreserve,",
		"efi=nosoftreserve2,nosoftreserve",
		"root=/dev/vda\tefi=nosoftreserve\nquiet",
		/* The last one counts. */
		"efi=debug efi=nosoftreserve",
		"efi=nosoftreserve efi",
		/* Quotes around the value, or around the whole word. */
		"efi=\"nosoftreserve\"",
		"efi=\"debug,nosoftreserve\" quiet",
		"\"efi=nosoftreserve\"",
		"\"efi=nosoftreserve\" quiet",
		"efi=\"nosoftreserve",
		"efi=\"a b,nosoftreserve\"",
		"a=\"b c\" efi=nosoftreserve",
		/* Only the word -- ends the kernel's parameters. */
		"--=1 efi=nosoftreserve",
		"a-- efi=nosoftreserve --",
		"\240efi=nosoftreserve\240",
	};

	(void)state;
	expect_all(lines, sizeof(lines) / sizeof(lines[0]), true);
}

static void option_that_is_not_there(void **state)
{
	static const char *const lines[] = {
		"",
		" ",
		"\"",
		"=",
		"efi=",
		"efi=\"",
		"efi=\"\"",
		"efi",
		"nosoftreserve",
		"efi=nosoftreserv",
		"efi=nosoftreserve2",
		"efi=debug nosoftreserve",
		"efi=debug, nosoftreserve",
		"efi=nosoftreserve=1",
		"efi =nosoftreserve",
		"=efi=nosoftreserve",
		"xefi=nosoftreserve",
		"EFI=nosoftreserve",
		"efi=nosoftreserve efi=debug",
		"efi=nosoftreserve efi=",
		"-- efi=nosoftreserve",
		"quiet \"--\" efi=nosoftreserve",
		"a=\"b efi=nosoftreserve\"",
		"\"a efi=nosoftreserve\"",
		"\"efi=nosoftreserve a\"",
		"efi=a\"nosoftreserve\"",
		"efi=debug,\"nosoftreserve\"",
		"efi=nosoftreserve\"",
	};

	(void)state;
	expect_all(lines, sizeof(lines) / sizeof(lines[0]), false);
}

static void expect_dma_off(const char *command_line, bool expected)
{
	assert_int_equal(stub_wants_dma_off(text_of_string(command_line)), expected);
}

static void dma_is_off_as_the_last_list_says_that_speaks_of_it(void **state)
{
	(void)state;
	expect_dma_off("quiet efi=disable_early_pci_dma", true);
	expect_dma_off("efi=debug,disable_early_pci_dma efi=nochunk", true);
	expect_dma_off("efi=no_disable_early_pci_dma efi=disable_early_pci_dma", true);
	expect_dma_off("efi=disable_early_pci_dma efi=no_disable_early_pci_dma", false);
	expect_dma_off("efi=disable_early_pci_dma,no_disable_early_pci_dma", false);
	expect_dma_off("efi=disable_early_pci_dma2", false);
	expect_dma_off("disable_early_pci_dma", false);
	expect_dma_off("-- efi=disable_early_pci_dma", false);
	expect_dma_off("", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(option_that_is_there),
		cmocka_unit_test(option_that_is_not_there),
		cmocka_unit_test(dma_is_off_as_the_last_list_says_that_speaks_of_it),
	};

	return run_named_tests(tests);
}
