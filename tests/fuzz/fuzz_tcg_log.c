// SPDX-License-Identifier: BSD-2-Clause
/*
 * Feeds a format, the place of the last event, and a log to boot/tcg_log.c. The log is also the table of final events.
 */
#include "boot/tcg_log.h"

#include "tests/fuzz/input.h"

/* Searches for an event like the one at `from`, whatever bytes are there. */
static void look_for(const struct tcg_log *log, uint64_t from, uint64_t last)
{
	struct input there = { .bytes = log->bytes + from, .size = log->room - from };
	struct tcg_event wanted;
	uint64_t log_size;
	bool size_whole;
	bool whole;
	bool found;

	wanted.index = (uint32_t)take_number(&there, 4);
	wanted.type = (uint32_t)take_number(&there, 4);
	log_size = tcg_log_size(log, last, &size_whole);
	found = tcg_log_contains(log, from, last, &wanted, &whole);
	assert(whole == size_whole);
	/*
	 * No event begins behind the log. An event that is found from one place is also found from any earlier place.
	 */
	assert(!found || from < log_size);
	assert(!found || tcg_log_contains(log, 0, last, &wanted, &whole));
	assert(!tcg_log_contains(log, log_size, last, &wanted, &whole));
	/* The last event is found. */
	if (whole && from == last)
		assert(found);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	enum tcg_log_format format = take_number(&input, 1) & 1 ? TCG_LOG_FORMAT_1_2 : TCG_LOG_FORMAT_2;
	uint64_t last = take_number(&input, 2);
	uint64_t split = take_number(&input, 2);
	struct tcg_log log = { .format = format, .bytes = input.bytes, .room = input.size };
	uint64_t final_size;
	uint64_t log_size;
	bool whole;

	log_size = tcg_log_size(&log, last, &whole);
	assert(log_size <= log.room);
	if (whole) {
		struct tcg_log cut = { .format = format, .bytes = log.bytes, .room = log_size };

		/* A complete log does not depend on the bytes behind it, and needs each of its own bytes. */
		assert(last < log_size);
		assert(tcg_log_size(&cut, last, &whole) == log_size && whole);
		cut.room--;
		assert(tcg_log_size(&cut, last, &whole) <= last && !whole);
	}

	if (split > input.size)
		split = input.size;
	look_for(&log, split, last);
	if (last <= input.size)
		look_for(&log, last, last);
	final_size = tcg_log_final_events_size(&log, input.bytes + split, input.size - split);
	assert(final_size == 0 || final_size <= input.size - split - 16);
	return 0;
}
