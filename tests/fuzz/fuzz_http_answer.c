// SPDX-License-Identifier: BSD-2-Clause
/*
 * Feeds two answers to boot/http_answer.c. Each is a status of two bytes, then lines "name: value"; a NUL ends the
 * first.
 */
#include "boot/http_answer.h"
#include "tests/fuzz/input.h"

static struct http_answer take_answer(struct input *input)
{
	struct http_answer answer = { .status = (unsigned)take_number(input, 2) };
	char *text = take_string(input, '\0');
	struct input lines = { .bytes = (const uint8_t *)text, .size = strlen(text) };

	while (lines.size) {
		char *name = take_string(&lines, ':');
		char *value = take_string(&lines, '\n');

		http_answer_add_header(&answer, name, value);
		free(name);
		free(value);
	}
	free(text);
	return answer;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	struct http_answer first = take_answer(&input);
	struct http_answer second = take_answer(&input);
	uint64_t offset = take_number(&input, 8);
	uint64_t length;

	if (http_answer_check_size("f", &first, &length))
		return 0;
	assert(first.status == 200 && first.has_length && length == first.length);
	/* An unchanged file is accepted. */
	assert(http_answer_check_body("f", &first, &first, 0, length) == KEXEC_OK);
	if (offset > length || http_answer_check_body("f", &second, &first, offset, length))
		return 0;
	assert(second.status == (offset ? 206 : 200));
	assert(second.length == length - offset);
	assert(!offset || (second.range_start == offset && second.range_size == length));
	return 0;
}
