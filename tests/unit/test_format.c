// SPDX-License-Identifier: BSD-2-Clause
/* The formatter, compared with the C library's where both should agree. */
#include "common/format.h"

#include <limits.h>
#include <stdio.h>

#include "tests/unit/support.h"

#define GUARD 0x5a

/* Formats with both, at the full size and at every smaller one. Expects the same text, and no write behind it. */
static void check_same(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void check_same(const char *file, int line, const char *format, ...)
{
	char expected[512];
	char found[512];
	va_list args;
	size_t whole;

	va_start(args, format);
	whole = (size_t)vsnprintf(expected, sizeof(expected), format, args);
	va_end(args);
	assert_true(whole + 1 < sizeof(expected));

	for (size_t size = 1; size <= whole + 2; size++) {
		size_t length = whole < size ? whole : size - 1;
		size_t written;

		memset(found, GUARD, sizeof(found));
		va_start(args, format);
		written = format_text_va(found, size, format, args);
		va_end(args);
		if (written != length || memcmp(found, expected, length) != 0 || found[length] != '\0' ||
		    found[length + 1] != GUARD) {
			print_error("\"%s\" in %zu bytes: expected %zu characters of \"%s\", found %zu: \"%s\"\n",
				    format, size, length, expected, written, found);
			_fail(file, line);
		}
	}
}

#define expect_same(...) check_same(__FILE__, __LINE__, __VA_ARGS__)

/* For formats that the compiler would warn about, or that C leaves undefined. */
#define expect_text(expected, ...)                                                                                     \
	do {                                                                                                           \
		char text_[256];                                                                                       \
                                                                                                                       \
		assert_int_equal(format_any(text_, sizeof(text_), __VA_ARGS__), strlen(expected));                     \
		assert_string_equal(text_, expected);                                                                  \
	} while (0)

static size_t format_any(char *buffer, size_t size, const char *format, ...)
{
	va_list args;
	size_t length;

	va_start(args, format);
	length = format_text_va(buffer, size, format, args);
	va_end(args);
	return length;
}

static void plain_text(void **state)
{
	(void)state;
	expect_same("%s", "");
	expect_same("nothing to convert");
	expect_same("100%% of it, %%d");
	expect_same("\x80\xff high bytes");
}

static void empty_format(void **state)
{
	char text[2] = { GUARD, GUARD };

	(void)state;
	assert_int_equal(format_any(text, 1, ""), 0);
	assert_int_equal(text[0], 0);
	assert_int_equal(text[1], GUARD);
}

static void strings(void **state)
{
	(void)state;
	expect_same("%s", "text");
	expect_same("[%s][%s]", "one", "two");
	expect_same("[%8s]", "text");
	expect_same("[%4s]", "text");
	expect_same("[%2s]", "text");
	expect_same("[%12s]", "");
}

/* C leaves this undefined; the formatter does what most C libraries do. */
static void zeros_do_not_pad_strings(void **state)
{
	(void)state;
	expect_text("[   ab]", "[%05s]", "ab");
}

static void string_precision(void **state)
{
	static const char unterminated[3] = { 'a', 'b', 'c' };

	(void)state;
	expect_same("[%.2s]", "text");
	expect_same("[%.0s]", "text");
	expect_same("[%.s]", "text");
	expect_same("[%.9s]", "text");
	expect_same("[%6.3s]", "text");
	expect_same("[%.3s]", unterminated);
	expect_same("[%.*s]", 3, unterminated);
	expect_same("[%.*s]", 0, unterminated);
	expect_same("[%5.*s]", 2, unterminated);
	expect_same("[%.*s]", -1, "text");
	expect_same("[%.*s]", INT_MIN, "text");
	expect_same("[%.*s] %d %s", 2, "text", 7, "after");
}

static void characters(void **state)
{
	(void)state;
	expect_same("%c%c%c", 'a', ' ', 0xe4);
	expect_same("%c%s", 'x', "y");
}

static void character_width(void **state)
{
	(void)state;
	expect_same("[%3c]", 'a');
	expect_same("[%1c]", 'a');
}

static const long numbers[] = {
	0,	 1,	  -1,	    9,	      10,	   -10,	     15,       16,	     -16,	99,	    255,
	INT_MAX, INT_MIN, UINT_MAX, 1L << 32, -(1L << 32), LONG_MAX, LONG_MIN, LONG_MIN + 1, 123456789, -987654321,
};

#define NUMBER_COUNT (sizeof(numbers) / sizeof(numbers[0]))

static void decimal_signed(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUMBER_COUNT; i++) {
		expect_same("%d", (int)numbers[i]);
		expect_same("%ld", numbers[i]);
		expect_same("%lld", (long long)numbers[i]);
		expect_same("%zd", (ssize_t)numbers[i]);
		expect_same("[%14d]", (int)numbers[i]);
		expect_same("[%3ld]", numbers[i]);
	}
}

static void decimal_unsigned(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUMBER_COUNT; i++) {
		expect_same("%u", (unsigned)numbers[i]);
		expect_same("%lu", (unsigned long)numbers[i]);
		expect_same("%llu", (unsigned long long)numbers[i]);
		expect_same("%zu", (size_t)numbers[i]);
		expect_same("[%14u][%014u]", (unsigned)numbers[i], (unsigned)numbers[i]);
		expect_same("[%030lu]", (unsigned long)numbers[i]);
	}
}

static void hexadecimal(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUMBER_COUNT; i++) {
		expect_same("0x%x", (unsigned)numbers[i]);
		expect_same("0x%lx", (unsigned long)numbers[i]);
		expect_same("0x%llx", (unsigned long long)numbers[i]);
		expect_same("0x%zx", (size_t)numbers[i]);
		expect_same("0x%016lx", (unsigned long)numbers[i]);
		expect_same("[%10x][%08x][%02x]", (unsigned)numbers[i], (unsigned)numbers[i], (unsigned)numbers[i]);
	}
}

static void zeros_stand_behind_the_sign(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUMBER_COUNT; i++) {
		expect_same("[%014d]", (int)numbers[i]);
		expect_same("[%02ld]", numbers[i]);
		expect_same("[%030ld]", numbers[i]);
	}
}

static void many_arguments_keep_their_order(void **state)
{
	(void)state;
	expect_same("%d %s %lx %c %zu %u %s %ld %x %s", -3, "a", 0x1234567890ul, 'q', (size_t)77, 5u, "b", -9L, 0xabu,
		    "c");
}

static void arguments_survive_for_the_caller(void **state)
{
	(void)state;
	/* The variadic front end, with more arguments than fit in registers. */
	char text[64];

	assert_int_equal(format_text(text, sizeof(text), "%d%d%d%d%d%d%d%d %s", 1, 2, 3, 4, 5, 6, 7, 8, "end"), 12);
	assert_string_equal(text, "12345678 end");
	assert_int_equal(format_text(text, 5, "%d%d%d%d%d%d%d%d %s", 1, 2, 3, 4, 5, 6, 7, 8, "end"), 4);
	assert_string_equal(text, "1234");
}

static void verb_unknown(void **state)
{
	(void)state;
	expect_text("%q and text", "%q and text");
	expect_text("%- 3", "%- %d", 3);
	expect_text("%X%p%i%f", "%X%p%i%f");
}

static void verb_unknown_after_width_and_length(void **state)
{
	(void)state;
	expect_text("%5q", "%5q");
	expect_text("%08lX.", "%08lX.");
	expect_text("%.3zq.", "%.3zq.");
}

static void verb_missing(void **state)
{
	(void)state;
	expect_text("half %", "half %");
	expect_text("%", "%");
}

static void verb_missing_after_width_and_length(void **state)
{
	(void)state;
	expect_text("half %12", "half %12");
	expect_text("half %.", "half %.");
	expect_text("half %ll", "half %ll");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text),
		cmocka_unit_test(empty_format),
		cmocka_unit_test(strings),
		cmocka_unit_test(zeros_do_not_pad_strings),
		cmocka_unit_test(string_precision),
		cmocka_unit_test(characters),
		cmocka_unit_test(character_width),
		cmocka_unit_test(decimal_signed),
		cmocka_unit_test(decimal_unsigned),
		cmocka_unit_test(hexadecimal),
		cmocka_unit_test(zeros_stand_behind_the_sign),
		cmocka_unit_test(many_arguments_keep_their_order),
		cmocka_unit_test(arguments_survive_for_the_caller),
		cmocka_unit_test(verb_unknown),
		cmocka_unit_test(verb_unknown_after_width_and_length),
		cmocka_unit_test(verb_missing),
		cmocka_unit_test(verb_missing_after_width_and_length),
	};

	return run_named_tests(tests);
}
