// SPDX-License-Identifier: BSD-2-Clause
/*
 * The TPM's event log as firmware keeps it (TCG PC Client Platform Firmware Profile Specification, 10 "Event
 * Logging"; TCG EFI Protocol Specification, 6.4 and 7). Nothing says how long a log is but the events themselves.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* EFI_TCG2_EVENT_LOG_FORMAT, and what Linux calls the version of a log. */
enum tcg_log_format {
	TCG_LOG_FORMAT_1_2 = 1, /* TCG_PCR_EVENT: SHA-1 digests */
	TCG_LOG_FORMAT_2 = 2,	/* TCG_PCR_EVENT2, after a first TCG_PCR_EVENT that names the digests' sizes */
};

/* A log in memory that can be read up to `room` bytes from `bytes` on. */
struct tcg_log {
	enum tcg_log_format format;
	const uint8_t *bytes;
	uint64_t room;
};

/*
 * How many bytes the log's events take, up to and with the one at `last_offset`, where the firmware says that the last
 * one begins. *ret_whole: all of them made sense, and one began there; else the log ends before the first that did not
 * fit.
 */
uint64_t tcg_log_size(const struct tcg_log *log, uint64_t last_offset, bool *ret_whole);

/* What events of both formats begin with. */
struct tcg_event {
	uint32_t index; /* of the register */
	uint32_t type;
};

/*
 * Whether an event like `wanted` begins at `from` or behind it, no later than at `last_offset`. *ret_whole as above:
 * without it, false says only that none was found where the log could be read.
 */
bool tcg_log_contains(const struct tcg_log *log, uint64_t from, uint64_t last_offset, const struct tcg_event *wanted,
		      bool *ret_whole);

/*
 * How many bytes the events take in `table`, EFI_TCG2_FINAL_EVENTS_TABLE or EFI_CC_FINAL_EVENTS_TABLE, of which `room`
 * bytes can be read: events of the kind of `log`, whose first event names the digests' sizes.
 */
uint64_t tcg_log_final_events_size(const struct tcg_log *log, const uint8_t *table, uint64_t room);
