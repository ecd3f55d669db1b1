// SPDX-License-Identifier: BSD-2-Clause
/* Event logs as firmware keeps them, complete and damaged. The address sanitizer detects reads behind the memory. */
#include "boot/tcg_log.h"

#include "tests/unit/support.h"

enum { SHA1 = 4, SHA256 = 0xb, SHA384 = 0xc, SM3 = 0x12 };

static uint8_t bytes[4096];
static size_t length;

static void put(uint64_t value, size_t width)
{
	memcpy(bytes + length, &value, width);
	length += width;
}

static void put_many(size_t count)
{
	memset(bytes + length, 0xd1, count);
	length += count;
}

/* Each function returns the place where its event begins. */
static size_t put_event_1_2(uint32_t type, uint32_t content_size)
{
	size_t start = length;

	put(7, 4);
	put(type, 4);
	put_many(20);
	put(content_size, 4);
	put_many(content_size);
	return start;
}

/* The first event: algorithms SHA-1, SHA-256 and SHA-384, and 3 vendor bytes. */
static void put_spec_id(void)
{
	put(0, 4);
	put(3, 4); /* EV_NO_ACTION */
	put_many(20);
	put(28 + 3 * 4 + 1 + 3, 4);
	memcpy(bytes + length, "Spec ID Event03", 16);
	length += 16;
	put(0, 4); /* platformClass */
	put(0x02000200, 4);
	put(3, 4);
	put(SHA1, 2);
	put(20, 2);
	put(SHA256, 2);
	put(32, 2);
	put(SHA384, 2);
	put(48, 2);
	put(3, 1);
	put_many(3);
}

static size_t put_event_2(uint32_t type, uint32_t content_size)
{
	size_t start = length;

	put(4, 4);
	put(type, 4);
	put(2, 4);
	put(SHA256, 2);
	put_many(32);
	put(SHA1, 2);
	put_many(20);
	put(content_size, 4);
	put_many(content_size);
	return start;
}

static void begin(void)
{
	length = 0;
	memset(bytes, 0, sizeof(bytes));
}

/* In memory of exactly `room` bytes. */
static uint64_t size_within(enum tcg_log_format format, uint64_t room, uint64_t last, bool whole)
{
	uint8_t *copy = malloc(room);
	struct tcg_log log = { .format = format, .bytes = copy, .room = room };
	bool found_whole;
	uint64_t size;

	memcpy(copy, bytes, room);
	size = tcg_log_size(&log, last, &found_whole);
	free(copy);
	assert_int_equal(found_whole, whole);
	return size;
}

static void log_of_the_old_format(void **state)
{
	size_t last;
	size_t end;

	(void)state;
	begin();
	put_event_1_2(1, 12);
	put_event_1_2(0, 0);
	last = put_event_1_2(5, 100);
	end = length;
	put_event_1_2(5, 100);
	assert_int_equal(size_within(TCG_LOG_FORMAT_1_2, length, last, true), end);
	assert_int_equal(size_within(TCG_LOG_FORMAT_1_2, end, last, true), end);
	assert_int_equal(size_within(TCG_LOG_FORMAT_1_2, end - 1, last, false), last);
	assert_int_equal(size_within(TCG_LOG_FORMAT_1_2, end, 0, true), 32 + 12);
}

static void log_of_the_new_format(void **state)
{
	size_t first_end;
	size_t last;
	size_t end;

	(void)state;
	begin();
	put_spec_id();
	first_end = length;
	put_event_2(8, 16);
	put_event_2(0, 1);
	last = put_event_2(4, 0);
	end = length;
	put_event_2(4, 5);
	assert_int_equal(size_within(TCG_LOG_FORMAT_2, sizeof(bytes), last, true), end);
	assert_int_equal(size_within(TCG_LOG_FORMAT_2, end, last, true), end);
	/* A header without events is a log, too. */
	assert_int_equal(size_within(TCG_LOG_FORMAT_2, end, 0, true), first_end);
	assert_int_equal(size_within(TCG_LOG_FORMAT_2, first_end, 0, true), first_end);
}

static void cut_anywhere(void **state)
{
	size_t starts[4] = { 0 };
	size_t last;

	(void)state;
	begin();
	put_spec_id();
	starts[1] = put_event_2(8, 16);
	starts[2] = last = put_event_2(8, 16);
	starts[3] = length;
	for (size_t room = 0; room < length; room++) {
		size_t fits = room >= starts[2] ? starts[2] : room >= starts[1] ? starts[1] : 0;

		assert_int_equal(size_within(TCG_LOG_FORMAT_2, room, last, false), fits);
	}
	assert_int_equal(size_within(TCG_LOG_FORMAT_2, length, last, true), starts[3]);
}

static void last_event_that_is_none(void **state)
{
	size_t second;
	size_t last;

	(void)state;
	begin();
	put_spec_id();
	second = put_event_2(8, 16);
	last = put_event_2(8, 16);
	/* `last` is within an event: the log ends with that event. */
	assert_int_equal(size_within(TCG_LOG_FORMAT_2, length, second + 1, false), last);
	/* `last` is behind all events, in zeroed memory. */
	assert_int_equal(size_within(TCG_LOG_FORMAT_2, length + 200, length + 100, false), length);
	assert_int_equal(size_within(TCG_LOG_FORMAT_2, length, UINT64_MAX, false), length);
}

static void event_without_sense(void **state)
{
	static const struct {
		size_t offset;
		uint32_t value;
		size_t width;
	} damages[] = {
		{ 8, 4, 4 }, /* more digests than algorithms */
		{ 8, UINT32_MAX, 4 },
		{ 12, SM3, 2 }, /* not one of the algorithms */
		{ 12 + 34, 0, 2 },
		{ 12 + 34 + 22, 5000, 4 }, /* longer than the memory */
		{ 12 + 34 + 22, UINT32_MAX, 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		size_t second;
		size_t last;

		begin();
		put_spec_id();
		second = put_event_2(8, 16);
		last = put_event_2(8, 16);
		memcpy(bytes + second + damages[i].offset, &damages[i].value, damages[i].width);
		assert_int_equal(size_within(TCG_LOG_FORMAT_2, length, last, false), second);
	}
}

static void first_event_without_sense(void **state)
{
	size_t last;

	(void)state;
	begin();
	put_spec_id();
	last = put_event_2(8, 16);
	/* More algorithms than fit in the content: one more, and many more. */
	bytes[32 + 24] = 5;
	assert_int_equal(size_within(TCG_LOG_FORMAT_2, length, last, false), 0);
	memset(bytes + 32 + 24, 0xff, 4);
	assert_int_equal(size_within(TCG_LOG_FORMAT_2, length, last, false), 0);
	/* The content has no room for their number. */
	bytes[28] = 27;
	assert_int_equal(size_within(TCG_LOG_FORMAT_2, length, last, false), 0);
	memset(bytes + 28, 0xff, 4);
	assert_int_equal(size_within(TCG_LOG_FORMAT_2, length, last, false), 0);
}

/* Otherwise a few MiB of log, with a long list in which each digest is looked up, would outlast the watchdog. */
static void as_many_algorithms_as_there_can_be(void **state)
{
	(void)state;
	for (uint32_t count = 32; count <= 33; count++) {
		begin();
		put(0, 4);
		put(3, 4);
		put_many(20);
		put(28 + count * 4, 4);
		put_many(24);
		put(count, 4);
		put_many(count * 4);
		assert_int_equal(size_within(TCG_LOG_FORMAT_2, length, 0, count == 32), count == 32 ? length : 0);
	}
}

static void no_algorithms(void **state)
{
	size_t last;

	(void)state;
	begin();
	put_spec_id();
	last = length;
	memset(bytes + 32 + 24, 0, 4);
	/* Events without digests count as events. */
	put(4, 4);
	put(8, 4);
	put(0, 4);
	put(3, 4);
	put_many(3);
	assert_int_equal(size_within(TCG_LOG_FORMAT_2, length, last, true), length);
}

enum { PCR = 4, APPLICATION = 8 }; /* PCR: of put_event_2; put_event_1_2 has 7 */

/* In memory of exactly `room` bytes. The last event begins at `last`. */
static bool contains(enum tcg_log_format format, uint64_t room, uint64_t from, uint64_t last, bool whole)
{
	uint8_t *copy = malloc(room);
	struct tcg_event wanted = { .index = format == TCG_LOG_FORMAT_2 ? PCR : 7, .type = APPLICATION };
	struct tcg_log log = { .format = format, .bytes = copy, .room = room };
	bool found_whole;
	bool found;

	memcpy(copy, bytes, room);
	found = tcg_log_contains(&log, from, last, &wanted, &found_whole);
	free(copy);
	assert_int_equal(found_whole, whole);
	return found;
}

static void event_anywhere_behind(void **state)
{
	size_t from;
	size_t application;
	size_t last;

	(void)state;
	begin();
	put_spec_id();
	put_event_2(APPLICATION, 16);
	from = put_event_2(1, 3);
	application = put_event_2(APPLICATION, 32);
	put_event_2(2, 0);
	last = put_event_2(3, 5);
	assert_true(contains(TCG_LOG_FORMAT_2, sizeof(bytes), from, last, true));
	assert_true(contains(TCG_LOG_FORMAT_2, length, application, last, true));
	assert_true(contains(TCG_LOG_FORMAT_2, length, application, application, true));
	/* Events before `from` do not count, nor do events behind the last. */
	assert_false(contains(TCG_LOG_FORMAT_2, length, application + 1, last, true));
	assert_false(contains(TCG_LOG_FORMAT_2, length, from, from, true));
	assert_true(contains(TCG_LOG_FORMAT_2, length, 0, from, true));
	/* The log has no new event. */
	assert_false(contains(TCG_LOG_FORMAT_2, length, length, last, true));
	assert_false(contains(TCG_LOG_FORMAT_2, length, UINT64_MAX, last, true));
	/* An event in another register, or of another type. */
	bytes[application] = PCR + 1;
	assert_false(contains(TCG_LOG_FORMAT_2, length, from, last, true));
	bytes[application] = PCR;
	bytes[application + 7] = 0x80;
	assert_false(contains(TCG_LOG_FORMAT_2, length, from, last, true));
}

static void event_anywhere_behind_in_the_old_format(void **state)
{
	size_t from;
	size_t last;

	(void)state;
	begin();
	assert_false(contains(TCG_LOG_FORMAT_1_2, 1, 0, 0, false));
	put_event_1_2(APPLICATION, 12);
	/* If the log was empty, its first event is new. */
	assert_true(contains(TCG_LOG_FORMAT_1_2, length, 0, 0, true));
	from = length;
	put_event_1_2(APPLICATION, 100);
	last = put_event_1_2(1, 0);
	assert_true(contains(TCG_LOG_FORMAT_1_2, length, from, last, true));
	assert_false(contains(TCG_LOG_FORMAT_1_2, length, last, last, true));
}

/* An event before the damage is found. Any other event might be behind it. */
static void event_in_a_damaged_log(void **state)
{
	size_t from;
	size_t last;

	(void)state;
	begin();
	put_spec_id();
	from = put_event_2(APPLICATION, 16);
	last = put_event_2(APPLICATION, 16);
	for (size_t room = 0; room < length; room++)
		assert_int_equal(contains(TCG_LOG_FORMAT_2, room, from, last, false), room >= last);
	assert_false(contains(TCG_LOG_FORMAT_2, length - 1, last, last, false));
	assert_false(contains(TCG_LOG_FORMAT_2, length, length, last + 1, false));
	assert_false(contains(TCG_LOG_FORMAT_2, length, length, UINT64_MAX, false));
	memset(bytes + 28, 0xff, 4);
	assert_false(contains(TCG_LOG_FORMAT_2, length, 0, last, false));
}

static uint64_t final_size(enum tcg_log_format format, size_t log_size, size_t table, uint64_t room)
{
	uint8_t *log_copy = malloc(log_size);
	uint8_t *copy = malloc(room);
	struct tcg_log log = { .format = format, .bytes = log_copy, .room = log_size };
	uint64_t size;

	memcpy(log_copy, bytes, log_size);
	memcpy(copy, bytes + table, room);
	size = tcg_log_final_events_size(&log, copy, room);
	free(log_copy);
	free(copy);
	return size;
}

static void final_events(void **state)
{
	size_t log_size;
	size_t table;
	size_t event;
	size_t end;

	(void)state;
	begin();
	put_spec_id();
	log_size = length;
	table = length;
	put(1, 8);
	put(2, 8);
	put_event_2(8, 16);
	event = put_event_2(9, 7);
	end = length;
	put_event_2(9, 7);
	assert_int_equal(final_size(TCG_LOG_FORMAT_2, log_size, table, 1000), end - table - 16);
	assert_int_equal(final_size(TCG_LOG_FORMAT_2, log_size, table, end - table), end - table - 16);
	/* The table announces more events than the memory holds. */
	for (size_t room = 0; room < end - table; room++)
		assert_int_equal(final_size(TCG_LOG_FORMAT_2, log_size, table, room),
				 room >= event - table ? event - table - 16 : 0);
	bytes[table + 8] = 0;
	assert_int_equal(final_size(TCG_LOG_FORMAT_2, log_size, table, end - table), 0);
	memset(bytes + table + 8, 0xff, 8);
	assert_int_equal(final_size(TCG_LOG_FORMAT_2, log_size, table, length - table), length - table - 16);
	/* Without the log's header, the length of a digest is unknown. */
	assert_int_equal(final_size(TCG_LOG_FORMAT_2, 40, table, length - table), 0);
	assert_int_equal(final_size(TCG_LOG_FORMAT_1_2, log_size, table, length - table), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_of_the_old_format),
		cmocka_unit_test(log_of_the_new_format),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(last_event_that_is_none),
		cmocka_unit_test(event_without_sense),
		cmocka_unit_test(first_event_without_sense),
		cmocka_unit_test(no_algorithms),
		cmocka_unit_test(event_anywhere_behind),
		cmocka_unit_test(event_anywhere_behind_in_the_old_format),
		cmocka_unit_test(event_in_a_damaged_log),
		cmocka_unit_test(final_events),
		cmocka_unit_test(as_many_algorithms_as_there_can_be),
	};

	return run_named_tests(tests);
}
