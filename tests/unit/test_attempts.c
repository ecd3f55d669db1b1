// SPDX-License-Identifier: BSD-2-Clause
/* The order in which entries are tried, and the messages about it. */
#include "boot/attempts.h"

#include <stdio.h>

#include "tests/unit/support.h"

/* As find_plan does: the current entry is this file, and names this fallback. */
static void found(struct attempts *attempts, const char *path, const char *next)
{
	struct attempt *current = attempts_current(attempts);

	if (attempts->index)
		assert_string_equal(current->path, path);
	strcpy(current->path, path);
	strcpy(current->next, next);
	log_clear();
}

static void files_by_their_fallback(void **state)
{
	struct attempts attempts = { 0 };

	(void)state;
	found(&attempts, "\\EFI\\a.conf", "/b.conf");
	assert_true(attempts_has_next(&attempts));
	assert_true(attempts_go_on(&attempts, "/k: expected x, found y"));
	assert_string_equal(logged(), "warning: \\EFI\\a.conf is refused: trying /b.conf\n");
	found(&attempts, "/b.conf", "/c.conf");
	assert_true(attempts_go_on(&attempts, "/l: z"));
	found(&attempts, "/c.conf", "");
	assert_false(attempts_has_next(&attempts));
	attempts_print(&attempts);
	assert_string_equal(logged(),
			    "warning: booting /c.conf, since \\EFI\\a.conf was refused: /k: expected x, found y\n"
			    "warning: booting /c.conf, since /b.conf was refused: /l: z\n");
	log_clear();
	assert_false(attempts_go_on(&attempts, "no"));
	assert_string_equal(logged(), "");
}

static void first_that_boots_says_nothing(void **state)
{
	struct attempts attempts = { 0 };

	(void)state;
	found(&attempts, "/a.conf", "/b.conf");
	attempts_print(&attempts);
	assert_string_equal(logged(), "");
}

/* Without a path the entry was not found, and nothing follows. */
static void nothing_follows(void **state)
{
	struct attempts attempts = { 0 };

	(void)state;
	assert_false(attempts_has_next(&attempts));
	assert_false(attempts_go_on(&attempts, "x"));
	attempts_print(&attempts);
	assert_string_equal(logged(), "");
}

/* The spelling of the paths does not matter. */
static void loops_end(void **state)
{
	struct attempts attempts = { 0 };

	(void)state;
	found(&attempts, "\\EFI\\a.conf", "EFI//./a.conf");
	assert_false(attempts_has_next(&attempts));
	assert_false(attempts_go_on(&attempts, "x"));
	assert_string_equal(logged(), "warning: \\EFI\\a.conf: fallback: expected an entry that was not tried before, "
				      "found EFI//./a.conf\n");

	memset(&attempts, 0, sizeof(attempts));
	found(&attempts, "\\EFI\\a.conf", "/b.conf");
	assert_true(attempts_go_on(&attempts, "x"));
	found(&attempts, "/b.conf", "/EFI/x/../a.conf");
	assert_false(attempts_has_next(&attempts));
	assert_false(attempts_go_on(&attempts, "x"));
	assert_string_equal(logged(), "warning: /b.conf: fallback: expected an entry that was not tried before, found "
				      "/EFI/x/../a.conf\n");
	assert_int_equal(attempts.index, 1);
}

static void chains_end(void **state)
{
	struct attempts attempts = { 0 };
	char path[16];
	char next[16];

	(void)state;
	for (unsigned i = 0; i < ATTEMPTS_MAX; i++) {
		snprintf(path, sizeof(path), "/%u.conf", i);
		snprintf(next, sizeof(next), "/%u.conf", i + 1);
		found(&attempts, path, next);
		assert_int_equal(attempts_has_next(&attempts), i + 1 < ATTEMPTS_MAX);
		assert_int_equal(attempts_go_on(&attempts, "x"), i + 1 < ATTEMPTS_MAX);
	}
	assert_string_equal(logged(),
			    "warning: /7.conf: fallback: expected at most 8 entries to be tried, found /8.conf\n");
}

static void sealed_entries_by_their_order(void **state)
{
	struct attempts attempts = { .sealed = 2 };

	(void)state;
	assert_true(attempts_has_next(&attempts));
	assert_true(attempts_go_on(&attempts, "/k: digest"));
	assert_string_equal(logged(), "warning: sealed entry 1 is refused: trying sealed entry 2\n");
	assert_false(attempts_has_next(&attempts));
	log_clear();
	attempts_print(&attempts);
	assert_string_equal(logged(),
			    "warning: booting sealed entry 2, since sealed entry 1 was refused: /k: digest\n");
	log_clear();
	assert_false(attempts_go_on(&attempts, "x"));
	assert_string_equal(logged(), "");
	/* The number of entries that an image may have. */
	attempts = (struct attempts){ .sealed = 100, .index = ATTEMPTS_MAX - 1 };
	assert_false(attempts_has_next(&attempts));
	assert_false(attempts_go_on(&attempts, "x"));
}

static void long_reasons_are_cut(void **state)
{
	struct attempts attempts = { .sealed = 2 };
	char reason[1000];

	(void)state;
	memset(reason, 'x', sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	assert_true(attempts_go_on(&attempts, reason));
	assert_int_equal(strlen(attempts.list[0].reason), ATTEMPT_REASON_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_by_their_fallback),
		cmocka_unit_test(first_that_boots_says_nothing),
		cmocka_unit_test(nothing_follows),
		cmocka_unit_test(loops_end),
		cmocka_unit_test(chains_end),
		cmocka_unit_test(sealed_entries_by_their_order),
		cmocka_unit_test(long_reasons_are_cut),
	};

	return run_named_tests(tests);
}
