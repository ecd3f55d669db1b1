// SPDX-License-Identifier: BSD-2-Clause
/* Answers of web servers, valid and invalid ones. */
#include "boot/http_answer.h"

#include "tests/unit/support.h"

static uint64_t size;

/* `headers` is name, value, name, value, NULL. */
static struct http_answer answer_of(unsigned status, const char *const headers[])
{
	struct http_answer answer = { .status = status };

	for (; headers[0]; headers += 2)
		http_answer_add_header(&answer, headers[0], headers[1]);
	return answer;
}

#define ANSWER(status, ...) answer_of((status), (const char *const[]){ __VA_ARGS__, NULL })

#define check_size(answer) http_answer_check_size("/f", &(answer), &size)

static void statuses_by_their_numbers(void **state)
{
	(void)state;
	assert_int_equal(http_status_number(0), 0);
	assert_int_equal(http_status_number(3), 200);
	assert_int_equal(http_status_number(9), 206);
	assert_int_equal(http_status_number(16), 307);
	assert_int_equal(http_status_number(21), 404);
	assert_int_equal(http_status_number(35), 500);
	assert_int_equal(http_status_number(40), 505);
	assert_int_equal(http_status_number(41), 308);
	assert_int_equal(http_status_number(42), 0);
	assert_int_equal(http_status_number(UINT32_MAX), 0);
}

static void size_of_a_file(void **state)
{
	struct http_answer plain =
		ANSWER(200, "content-LENGTH", " 41943040 ", "Server", "x", "Content-Encoding", "identity");
	struct http_answer twice = ANSWER(200, "Content-Length", "7", "Content-Length", "7");
	struct http_answer largest = ANSWER(200, "Content-Length", "18446744073709551615");

	(void)state;
	expect_ok(check_size(plain));
	assert_int_equal(size, 41943040);
	expect_ok(check_size(twice));
	assert_int_equal(size, 7);
	expect_ok(check_size(largest));
	assert_int_equal(size, UINT64_MAX);
}

static void status_is_named(void **state)
{
	struct http_answer missing = ANSWER(404, "Content-Length", "7");
	struct http_answer moved = ANSWER(302, "Content-Length", "7");
	struct http_answer secret = ANSWER(401, "Content-Length", "7");
	struct http_answer broken = ANSWER(500, "Content-Length", "7");
	struct http_answer unknown = ANSWER(0, "Content-Length", "7");
	struct http_answer partial = ANSWER(206, "Content-Length", "7");

	(void)state;
	expect_error(check_size(missing), KEXEC_NOT_FOUND, "/f: expected HTTP status 200, found 404\n");
	expect_error(check_size(moved), KEXEC_IO,
		     "/f: expected HTTP status 200, found 302: a redirect, give the firmware the final URL");
	expect_error(check_size(secret), KEXEC_IO, "/f: expected HTTP status 200, found 401: no password is sent");
	expect_error(check_size(broken), KEXEC_IO, "/f: expected HTTP status 200, found 500\n");
	expect_error(check_size(unknown), KEXEC_IO,
		     "/f: expected HTTP status 200, found one that the firmware does not know");
	expect_error(check_size(partial), KEXEC_IO, "/f: expected HTTP status 200, found 206");
}

static void lengths_that_are_none(void **state)
{
	static const char *const values[] = {
		"", "x", "-1", "+1", "1x", "1 2", "18446744073709551616", "99999999999999999999"
	};
	struct http_answer none = ANSWER(200, "Server", "x");
	struct http_answer two = ANSWER(200, "Content-Length", "7", "Content-Length", "8");
	struct http_answer chunked = ANSWER(200, "Transfer-Encoding", "chunked");
	struct http_answer both = ANSWER(200, "Content-Length", "7", "Transfer-Encoding", "chunked");
	struct http_answer packed = ANSWER(200, "Content-Length", "7", "Content-Encoding", "gzip");

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct http_answer answer = ANSWER(200, "Content-Length", values[i]);

		expect_error(check_size(answer), KEXEC_BAD_FORMAT, "/f: expected one Content-Length in bytes");
	}
	expect_error(check_size(none), KEXEC_UNSUPPORTED, "/f: expected a Content-Length, found none");
	expect_error(check_size(two), KEXEC_BAD_FORMAT, "/f: expected one Content-Length in bytes");
	expect_error(check_size(chunked), KEXEC_UNSUPPORTED,
		     "/f: expected a Content-Length, found a Transfer-Encoding");
	expect_error(check_size(both), KEXEC_UNSUPPORTED, "/f: expected a Content-Length, found a Transfer-Encoding");
	expect_error(check_size(packed), KEXEC_UNSUPPORTED, "found a Content-Encoding");
}

static const struct http_answer *first;

#define check_body(answer, offset) http_answer_check_body("/f", &(answer), first, (offset), 1000)

static void same_file_again(void **state)
{
	struct http_answer before = ANSWER(200, "Content-Length", "1000", "ETag", "\"a\"", "Last-Modified", "Mon");
	struct http_answer whole = ANSWER(200, "Content-Length", "1000", "ETag", "\"a\"", "Last-Modified", "Mon");
	struct http_answer bare = ANSWER(200, "Content-Length", "1000");
	struct http_answer rest =
		ANSWER(206, "Content-Length", "900", "Content-Range", "bytes 100-999/1000", "ETag", "\"a\"");

	(void)state;
	first = &before;
	expect_ok(check_body(whole, 0));
	expect_ok(check_body(bare, 0));
	expect_ok(check_body(rest, 100));
}

static void another_file(void **state)
{
	struct http_answer before = ANSWER(200, "Content-Length", "1000", "ETag", "\"a\"", "Last-Modified", "Mon");
	struct http_answer shorter = ANSWER(200, "Content-Length", "999", "ETag", "\"a\"");
	struct http_answer longer = ANSWER(200, "Content-Length", "2000", "ETag", "\"a\"");
	struct http_answer tag = ANSWER(200, "Content-Length", "1000", "ETag", "\"b\"", "Last-Modified", "Mon");
	struct http_answer later = ANSWER(200, "Content-Length", "1000", "Last-Modified", "Tue");
	struct http_answer grown = ANSWER(206, "Content-Length", "901", "Content-Range", "bytes 100-1000/1001");

	(void)state;
	first = &before;
	expect_error(check_body(shorter, 0), KEXEC_MISMATCH,
		     "/f: changed while it was read: expected 1000 bytes, found 999");
	expect_error(check_body(longer, 0), KEXEC_MISMATCH, "expected 1000 bytes, found 2000");
	expect_error(check_body(tag, 0), KEXEC_MISMATCH,
		     "/f: changed while it was read: expected the ETag of before, found another");
	expect_error(check_body(later, 0), KEXEC_MISMATCH, "expected the Last-Modified of before, found another");
	expect_error(check_body(grown, 100), KEXEC_MISMATCH, "expected 1000 bytes, found 1001");
}

static void ranges_that_are_not_the_rest(void **state)
{
	static const char *const values[] = { "bytes 100-999/*", "bytes */1000",       "100-999/1000",
					      "bytes 100-999",	 "bytes 999-100/1000", "bytes 100-1000/1000" };
	struct http_answer before = ANSWER(200, "Content-Length", "1000");
	struct http_answer whole = ANSWER(200, "Content-Length", "1000");
	struct http_answer none = ANSWER(206, "Content-Length", "900");
	struct http_answer other = ANSWER(206, "Content-Length", "901", "Content-Range", "bytes 99-999/1000");
	struct http_answer part = ANSWER(206, "Content-Length", "1", "Content-Range", "bytes 100-100/1000");

	(void)state;
	first = &before;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct http_answer answer = ANSWER(206, "Content-Length", "900", "Content-Range", values[i]);

		expect_error(check_body(answer, 100), KEXEC_BAD_FORMAT, "/f: ");
	}
	expect_error(check_body(whole, 100), KEXEC_IO, "/f: expected HTTP status 206, found 200");
	expect_error(check_body(none, 100), KEXEC_BAD_FORMAT,
		     "/f: expected the bytes from 100 on, found no Content-Range");
	expect_error(check_body(other, 100), KEXEC_BAD_FORMAT, "/f: expected the bytes from 100 on, found others");
	expect_error(check_body(part, 100), KEXEC_BAD_FORMAT, "/f: expected 900 bytes from byte 100 on, found 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses_by_their_numbers),
		cmocka_unit_test(size_of_a_file),
		cmocka_unit_test(status_is_named),
		cmocka_unit_test(lengths_that_are_none),
		cmocka_unit_test(same_file_again),
		cmocka_unit_test(another_file),
		cmocka_unit_test(ranges_that_are_not_the_rest),
	};

	return run_named_tests(tests);
}
