// SPDX-License-Identifier: BSD-2-Clause
/*
 * The TPM's event log as firmware keeps it (TCG PC Client Platform Firmware Profile Specification, 10 "Event Logging";
 * TCG EFI Protocol Specification, 6.4 and 7). Only the events themselves tell how long a log is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* EFI_TCG2_EVENT_LOG_FORMAT. Linux calls it the version of a log. */
enum tcg_log_format {
	TCG_LOG_FORMAT_1_2 = 1, /* TCG_PCR_EVENT: SHA-1 digests */
	TCG_LOG_FORMAT_2 = 2,	/* TCG_PCR_EVENT2, after a first TCG_PCR_EVENT that names the digests' sizes */
};

/* A log in memory, of which `room` bytes from `bytes` on are readable. */
struct tcg_log {
	enum tcg_log_format format;
	const uint8_t *bytes;
	uint64_t room;
};

/*
 * The size of the log's events in bytes, up to and including the one at `last_offset`, where the last event begins
 * according to the firmware. *ret_whole: all of them are valid, and one begins there. Otherwise the log ends before the
 * first invalid event.
 */
uint64_t tcg_log_size(const struct tcg_log *log, uint64_t last_offset, bool *ret_whole);

/* The common beginning of events of both formats. */
struct tcg_event {
	uint32_t index; /* of the register */
	uint32_t type;
};

/*
 * Whether an event like `wanted` begins at or behind `from`, but not behind `last_offset`. *ret_whole as above. Without
 * it, false only means that the readable part has no such event.
 */
bool tcg_log_contains(const struct tcg_log *log, uint64_t from, uint64_t last_offset, const struct tcg_event *wanted,
		      bool *ret_whole);

/*
 * The size in bytes of the events in `table`, EFI_TCG2_FINAL_EVENTS_TABLE or EFI_CC_FINAL_EVENTS_TABLE, of which `room`
 * bytes are readable. Its events have the format of `log`, whose first event states the digests' sizes.
 */
uint64_t tcg_log_final_events_size(const struct tcg_log *log, const uint8_t *table, uint64_t room);
