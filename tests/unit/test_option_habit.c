// SPDX-License-Identifier: BSD-2-Clause
/* Command lines with habits from other loaders. */
#include "boot/option_habit.h"

#include "tests/unit/support.h"

/* The habit of the first word that has one. The line is in memory of exactly its size. */
static const char *habit_of(const char *command_line)
{
	size_t length = strlen(command_line);
	char *copy = test_malloc(length + 1);
	struct text rest = { .start = copy, .length = length };
	struct stub_parameter parameter;
	const char *habit = NULL;

	memcpy(copy, command_line, length);
	while (!habit && stub_take_parameter(&rest, &parameter))
		habit = option_habit(&parameter);
	test_free(copy);
	return habit;
}

static void expect_habit(const char *command_line, const char *expected)
{
	const char *habit = habit_of(command_line);

	if (!habit || !strstr(habit, expected))
		fail_msg("%s: expected %s, found %s", command_line, expected, habit ? habit : "nothing");
}

static void variables(void **state)
{
	(void)state;
	expect_habit("quiet $tuned_params", "variables are GRUB's");
	expect_habit("root=$root", "variables are GRUB's");
	expect_habit("root=UUID=${root_uuid} ro", "variables are GRUB's");
	expect_habit("a${b}", "variables are GRUB's");
	expect_habit("$(cat /proc/cmdline)", "variables are GRUB's");
}

static void comments(void **state)
{
	(void)state;
	expect_habit("quiet # single", "begins no comment");
	expect_habit("#", "begins no comment");
}

static void blanks_of_web_pages(void **state)
{
	(void)state;
	expect_habit("root=/dev/vda2\xc2\xa0ro", "no-break space");
	expect_habit("quiet\xc2\xa0", "no-break space");
	expect_habit("\xc2\xa0quiet", "no-break space");
}

static void words_without_a_habit(void **state)
{
	static const char *const lines[] = {
		"",	  "root=/dev/vda2 ro quiet", "a$b pass=$6$salt$hash cost=$", "#ro", "a=#",
		"x=# y#", "k=\xc3\xa4 \xe2\x82\xac", "dyndbg=\"file x +p\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_null(habit_of(lines[i]));
}

static bool is_quoted(const char *command_line)
{
	return option_habit_is_quoted(text_of_string(command_line));
}

static void quotes_around_everything(void **state)
{
	(void)state;
	assert_true(is_quoted("\"root=/dev/vda2 ro\""));
	assert_true(is_quoted("'root=/dev/vda2 ro quiet'"));
	assert_true(is_quoted(" \"ro\tquiet\"\t"));
	assert_false(is_quoted(""));
	assert_false(is_quoted("\""));
	assert_false(is_quoted("\"\""));
	assert_false(is_quoted("\"quiet\""));
	assert_false(is_quoted("\"a b\" \"c d\""));
	assert_false(is_quoted("\"a b'"));
	assert_false(is_quoted("a=\"b c\""));
	assert_false(is_quoted("ro quiet"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables),
		cmocka_unit_test(comments),
		cmocka_unit_test(blanks_of_web_pages),
		cmocka_unit_test(words_without_a_habit),
		cmocka_unit_test(quotes_around_everything),
	};

	return run_named_tests(tests);
}
