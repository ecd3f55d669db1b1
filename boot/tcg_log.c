// SPDX-License-Identifier: BSD-2-Clause
/*
 * Steps through event logs. The kernel's __calc_tpm2_event_size (include/linux/tpm_eventlog.h) defines what an event
 * is. This code never reads beyond the memory that is known to hold the log.
 */
#include "boot/tcg_log.h"

enum {
	/* TCG_PCR_EVENT */
	EVENT_1_2_SIZE_FIELD = 28, /* after pcrIndex, eventType and a SHA-1 digest */

	/* TCG_EfiSpecIDEvent, the content of the first event */
	SPEC_ID_ALGORITHM_COUNT = 24, /* then the algorithms */
	ALGORITHM_SIZE = 4,	      /* id, digest size */
	ALGORITHMS_MAX = 32,	      /* as many as the protocol's bitmaps have bits */

	/* TCG_PCR_EVENT2 */
	EVENT_2_TYPE = 4, /* after pcrIndex; then the count of digests, those, and the content with its size */

	/* EFI_TCG2_FINAL_EVENTS_TABLE */
	FINAL_EVENTS_COUNT = 8,

	EV_PREBOOT_CERT = 0,
};

/* The unread rest. Reading removes bytes from its front. */
struct input {
	const uint8_t *bytes;
	uint64_t size;
};

static bool skip(struct input *input, uint64_t size)
{
	if (size > input->size)
		return false;
	input->bytes += size;
	input->size -= size;
	return true;
}

/* Reads a number of at most 8 bytes, little endian. */
static bool take(struct input *input, unsigned width, uint64_t *ret_value)
{
	const uint8_t *bytes = input->bytes;
	uint64_t value = 0;

	if (!skip(input, width))
		return false;
	for (unsigned i = 0; i < width; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	*ret_value = value;
	return true;
}

/* The list of digest sizes in the first event of a log. */
struct algorithms {
	const uint8_t *list;
	uint64_t count;
};

/* Removes an event from *rest. If there is none, *rest does not change. */
static bool take_event_1_2(struct input *rest, struct input *ret_content)
{
	struct input input = *rest;
	uint64_t size;

	if (!skip(&input, EVENT_1_2_SIZE_FIELD) || !take(&input, 4, &size))
		return false;
	*ret_content = (struct input){ .bytes = input.bytes, .size = size };
	if (!skip(&input, size))
		return false;
	*rest = input;
	return true;
}

static bool find_algorithms(const struct tcg_log *log, struct algorithms *ret_algorithms)
{
	struct input input = { .bytes = log->bytes, .size = log->room };
	struct input content;
	uint64_t count;

	if (!take_event_1_2(&input, &content))
		return false;
	if (!skip(&content, SPEC_ID_ALGORITHM_COUNT) || !take(&content, 4, &count))
		return false;
	if (count > ALGORITHMS_MAX || count > content.size / ALGORITHM_SIZE)
		return false;
	*ret_algorithms = (struct algorithms){ .list = content.bytes, .count = count };
	return true;
}

static bool digest_size(const struct algorithms *algorithms, uint64_t id, uint64_t *ret_size)
{
	for (uint64_t i = 0; i < algorithms->count; i++) {
		struct input entry = { .bytes = algorithms->list + i * ALGORITHM_SIZE, .size = ALGORITHM_SIZE };
		uint64_t entry_id = 0;

		if (take(&entry, 2, &entry_id) && entry_id == id)
			return take(&entry, 2, ret_size);
	}
	return false;
}

/* Does the same for an event of the new format. */
static bool take_event_2(struct input *rest, const struct algorithms *algorithms)
{
	struct input input = *rest;
	uint64_t count;
	uint64_t type;
	uint64_t size;
	uint64_t id;

	if (!skip(&input, EVENT_2_TYPE) || !take(&input, 4, &type) || !take(&input, 4, &count))
		return false;
	/* At most one digest of each kind. */
	if (count > algorithms->count)
		return false;
	for (; count; count--) {
		if (!take(&input, 2, &id) || !digest_size(algorithms, id, &size) || !skip(&input, size))
			return false;
	}
	if (!take(&input, 4, &size) || !skip(&input, size))
		return false;
	/* Zeroed memory looks like this. */
	if (type == EV_PREBOOT_CERT && size == 0)
		return false;
	*rest = input;
	return true;
}

/* Position of a reader in the log. */
struct walk {
	const struct tcg_log *log;
	struct algorithms algorithms;
	struct input rest;
};

static bool begin(const struct tcg_log *log, struct walk *ret_walk)
{
	*ret_walk = (struct walk){ .log = log, .rest = { .bytes = log->bytes, .size = log->room } };
	return log->format != TCG_LOG_FORMAT_2 || find_algorithms(log, &ret_walk->algorithms);
}

static uint64_t offset_of(const struct walk *walk)
{
	return walk->log->room - walk->rest.size;
}

/* Skips the next event. Returns false if there is none. */
static bool step(struct walk *walk, struct tcg_event *ret_event)
{
	struct input header = walk->rest;
	struct input content;
	uint64_t index;
	uint64_t type;
	bool is_event;

	/* In both formats the first event is of the old one. */
	if (offset_of(walk) == 0 || walk->log->format == TCG_LOG_FORMAT_1_2)
		is_event = take_event_1_2(&walk->rest, &content);
	else
		is_event = take_event_2(&walk->rest, &walk->algorithms);
	if (!is_event || !take(&header, 4, &index) || !take(&header, 4, &type))
		return false;
	*ret_event = (struct tcg_event){ .index = (uint32_t)index, .type = (uint32_t)type };
	return true;
}

/* Steps through the log once, like tcg_log_size. *ret_found: an event like `wanted` begins at or behind `from`. */
static uint64_t search(const struct tcg_log *log, uint64_t from, uint64_t last_offset, const struct tcg_event *wanted,
		       bool *ret_found, bool *ret_whole)
{
	struct tcg_event event;
	struct walk walk;

	*ret_found = false;
	*ret_whole = false;
	if (!begin(log, &walk))
		return 0;
	while (!*ret_whole && offset_of(&walk) <= last_offset) {
		bool is_last = offset_of(&walk) == last_offset;
		bool is_new = offset_of(&walk) >= from;

		if (!step(&walk, &event))
			break;
		*ret_whole = is_last;
		*ret_found |= is_new && event.index == wanted->index && event.type == wanted->type;
	}
	return offset_of(&walk);
}

uint64_t tcg_log_size(const struct tcg_log *log, uint64_t last_offset, bool *ret_whole)
{
	struct tcg_event any = { 0 };
	bool found;

	return search(log, 0, last_offset, &any, &found, ret_whole);
}

bool tcg_log_contains(const struct tcg_log *log, uint64_t from, uint64_t last_offset, const struct tcg_event *wanted,
		      bool *ret_whole)
{
	bool found;

	search(log, from, last_offset, wanted, &found, ret_whole);
	return found;
}

uint64_t tcg_log_final_events_size(const struct tcg_log *log, const uint8_t *table, uint64_t room)
{
	struct input rest = { .bytes = table, .size = room };
	struct algorithms algorithms;
	uint64_t events_room;
	uint64_t count;

	if (log->format != TCG_LOG_FORMAT_2 || !find_algorithms(log, &algorithms))
		return 0;
	if (!skip(&rest, FINAL_EVENTS_COUNT) || !take(&rest, 8, &count))
		return 0;
	events_room = rest.size;
	while (count && take_event_2(&rest, &algorithms))
		count--;
	return events_room - rest.size;
}
