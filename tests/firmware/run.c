// SPDX-License-Identifier: BSD-2-Clause
/* Reads the runs of \difficult.conf, and decides which calls get a fault. */
#include "common/align.h"
#include "common/string.h"
#include "tests/firmware/difficult.h"

static const char *const fault_names[FAULT_COUNT] = {
	"fragment",
	"occupy",
	"memory",
	"low-memory",
	"load-options-junk",
	"image-elsewhere",
	"image-size",
	"headers-change",
	"no-console",
	"old-revision",
	"five-levels",
	"no-execute-off",
	"edid",
	"out-of-memory",
	"place-refused",
	"not-executable",
	"map-error",
	"map-size-lies",
	"special-memory",
	"open-error",
	"info-error",
	"size-changes",
	"read-error",
	"short",
	"size-lies",
	"large-read-fails",
	"large-read-breaks",
	"high-read-lies",
	"toctou",
	"protocol-error",
	"set-variable-fails",
	"load-image-violation",
	"load-image-error",
	"tpm-error",
	"tpm-extend-error",
	"tpm-extend-breaks",
	"tpm-log-full",
	"tpm-log-stands",
	"tpm-log-old",
	"tpm-log-error",
	"tpm-log-torn",
	"stall-fails",
	"watchdog-fails",
	"exit-refused",
	"map-grows",
};

struct run current_run;

static enum fault fault_by_name(struct text word)
{
	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		struct text name = { .start = fault_names[i], .length = strlen(fault_names[i]) };

		if (text_equal(name, word))
			return i;
	}
	return FAULT_NONE;
}

/* Reads a number: decimal, or hexadecimal with 0x. An empty word is 0. */
static uint64_t number_of(struct text word)
{
	unsigned base = 10;
	uint64_t value = 0;

	if (word.length > 2 && word.start[0] == '0' && word.start[1] == 'x') {
		base = 16;
		word = (struct text){ .start = word.start + 2, .length = word.length - 2 };
	}
	for (size_t i = 0; i < word.length; i++) {
		unsigned c = (unsigned char)word.start[i] | 0x20u; /* lower case; digits do not change */

		value = value * base + (c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return value;
}

static void parse_line(struct text line, struct run *run)
{
	struct text word = text_take_word(&line);
	bool swept = text_equal(word, TEXT("sweep"));
	enum fault fault;

	if (swept)
		word = text_take_word(&line);
	fault = fault_by_name(word);
	if (fault == FAULT_NONE) {
		say("unknown fault %.*s", TEXT_ARGS(word));
		return;
	}
	if (swept)
		run->swept = fault;
	run->faults[fault].set = true;
	run->faults[fault].number = number_of(text_take_word(&line));
	run->faults[fault].size = number_of(text_take_word(&line));
}

static bool begins_run(struct text line, struct text *ret_name)
{
	if (!text_equal(text_take_word(&line), TEXT("run")))
		return false;
	*ret_name = text_trim(line);
	return true;
}

bool run_parse(struct text *conf, struct run *ret_run)
{
	struct text line;
	struct text name;

	do {
		if (!text_take_line(conf, &line))
			return false;
	} while (!begins_run(line, &name));
	*ret_run = (struct run){ .swept = FAULT_NONE };
	if (name.length > sizeof(ret_run->name) - 1)
		name.length = sizeof(ret_run->name) - 1;
	memcpy(ret_run->name, name.start, name.length);

	for (struct text rest = *conf; text_take_line(&rest, &line) && !begins_run(line, &name); *conf = rest) {
		line = text_trim(line);
		if (line.length && line.start[0] != '#')
			parse_line(line, ret_run);
	}
	return true;
}

bool fault_hits(enum fault fault)
{
	struct fault_state *state = &current_run.faults[fault];

	if (!state->set)
		return false;
	state->calls++;
	if (state->number && state->calls != state->number)
		return false;
	state->fired = true;
	return true;
}

bool fault_hits_first(enum fault fault)
{
	struct fault_state *state = &current_run.faults[fault];

	if (!state->set || ++state->calls > state->number)
		return false;
	state->fired = true;
	return true;
}

bool fault_hits_from(enum fault fault)
{
	struct fault_state *state = &current_run.faults[fault];

	if (!state->set || ++state->calls < state->number)
		return false;
	state->fired = true;
	return true;
}

bool fault_fired(void)
{
	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		if (current_run.faults[i].fired)
			return true;
	}
	return false;
}

void faults_say(void)
{
	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		const struct fault_state *state = &current_run.faults[i];

		if (state->set)
			say("with %s %lu %lu", fault_names[i], state->number, state->size);
	}
}
