// SPDX-License-Identifier: BSD-2-Clause
/* Command lines, and whether the kernel's EFI stub finds an option in them. */
#include "boot/stub_options.h"

#include "tests/unit/support.h"

/* From memory of just its size: there is no NUL to rely on. */
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
		/* Quotes around the value, or all of it. */
		"efi=\"nosoftreserve\"",
		"efi=\"debug,nosoftreserve\" quiet",
		"\"efi=nosoftreserve\"",
		"\"efi=nosoftreserve\" quiet",
		"efi=\"nosoftreserve",
		"efi=\"a b,nosoftreserve\"",
		"a=\"b c\" efi=nosoftreserve",
		/* Not what ends the kernel's parameters. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(option_that_is_there),
		cmocka_unit_test(option_that_is_not_there),
	};

	return run_named_tests(tests);
}
