// SPDX-License-Identifier: BSD-2-Clause
/* Runs each test in its own process, so that no test affects another. */
#include "tests/unit/support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the log --- */

static size_t errors;

void check_error(enum kexec_status found, enum kexec_status expected, const char *part, const char *file, int line)
{
	const char *lines = logged();
	const char *end = strchr(lines, '\n');

	if (found != expected) {
		print_error("expected status %d, found %d, logged: %s\n", expected, found, lines);
		_fail(file, line);
	}
	if (!end || end[1] != '\0' || !strstr(lines, part)) {
		print_error("expected one line with \"%s\", logged: %s\n", part, lines);
		_fail(file, line);
	}
	errors++;
	log_clear();
}

size_t errors_checked(void)
{
	return errors;
}

void check_ok(enum kexec_status found, const char *file, int line)
{
	if (found != KEXEC_OK) {
		print_error("expected success, found status %d, logged: %s\n", found, logged());
		_fail(file, line);
	}
}

/* --- tests, files --- */

static bool run_in_child(const char *name, const struct CMUnitTest *tests, size_t count)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		cmocka_set_test_filter(name);
		status = _cmocka_run_group_tests(name, tests, count, NULL, NULL);
		/* For tests/score. */
		if (errors_checked())
			printf("score: refused %zu\n", errors_checked());
		exit(status);
	}
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int run_each_test(const struct CMUnitTest *tests, size_t count)
{
	const char *wanted = getenv("KEXEC_TEST");
	int failed = 0;
	int run = 0;

	for (size_t i = 0; i < count; i++) {
		if (wanted && strcmp(wanted, tests[i].name) != 0)
			continue;
		failed += !run_in_child(tests[i].name, tests, count);
		run++;
	}
	if (!run) {
		print_error("KEXEC_TEST: there is no test named \"%s\"\n", wanted);
		return 1;
	}
	return failed;
}

const uint8_t *map_file(const char *path, size_t *ret_size)
{
	int file = open(path, O_RDONLY);
	struct stat stat;
	void *bytes;

	assert_return_code(file, errno);
	assert_return_code(fstat(file, &stat), errno);
	bytes = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, file, 0);
	assert_ptr_not_equal(bytes, MAP_FAILED);
	close(file);
	*ret_size = (size_t)stat.st_size;
	return bytes;
}
