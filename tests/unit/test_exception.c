// SPDX-License-Identifier: BSD-2-Clause
/* The words for exceptions. */
#include "common/exception.h"

#include "tests/unit/support.h"

static void expect_words(struct exception exception, const char *words)
{
	char buffer[160];

	exception_format(&exception, buffer, sizeof(buffer));
	assert_string_equal(buffer, words);
}

static void named(void **state)
{
	(void)state;
	expect_words((struct exception){ .vector = 6, .rip = 0x1000 }, "invalid opcode (6) at 0x1000");
	expect_words((struct exception){ .vector = VECTOR_NMI, .rip = 0x1000 }, "NMI (2) at 0x1000");
	expect_words((struct exception){ .vector = VECTOR_PAGE_FAULT, .rip = 0x1000 },
		     "page fault (14) at 0x1000, address 0x0");
	expect_words((struct exception){ .vector = VECTOR_PAGE_FAULT, .rip = 1, .address = 2, .error_code = 3 },
		     "page fault (14) at 0x1, address 0x2, error code 0x3");
	expect_words((struct exception){ .vector = VECTOR_MACHINE_CHECK,
					 .rip = 1,
					 .address = 2,
					 .machine_check_bank = 0xbd00000000000134 },
		     "machine check (18) at 0x1, address 0x2, bank status 0xbd00000000000134");
	expect_words((struct exception){ .vector = 9, .rip = 1 }, "exception (9) at 0x1");
}

/* Anybody can write a note, so it may contain anything. */
static void forged(void **state)
{
	struct exception exception = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX };
	char buffer[160];

	(void)state;
	expect_words(exception, "exception (18446744073709551615) at 0xffffffffffffffff, address 0xffffffffffffffff, "
				"error code 0xffffffffffffffff, bank status 0xffffffffffffffff");
	for (size_t size = 1; size < sizeof(buffer); size++) {
		memset(buffer, 0x5a, sizeof(buffer));
		exception_format(&exception, buffer, size);
		assert_true(strlen(buffer) < size);
		assert_int_equal(buffer[size], 0x5a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(named), cmocka_unit_test(forged) };

	return run_named_tests(tests);
}
