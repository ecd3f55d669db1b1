// SPDX-License-Identifier: BSD-2-Clause
/* The note about a start that was stopped after the firmware was gone, and the policy for the next such case. */
#pragma once

#include <stdbool.h>

#include "boot/plan.h"
#include "boot/purgatory.h"
#include "boot/status.h"
#include "common/purgatory_abi.h"

/* Size of the note's description, cut off if it is longer, in bytes with its NUL. */
#define LAST_STOP_WHAT_SIZE 48u

/* The content of the note that this start acts on. */
struct last_stop {
	bool was_stopped; /* the last start was stopped; its note is deleted */
	bool was_reset;	  /* the machine was reset after it */
	bool at_the_exit; /* the firmware did not end its boot services */
	char what[LAST_STOP_WHAT_SIZE];
	struct stopped_entries entries; /* those stopped in a row; none: the entry that is tried first */
	struct stopped_entries passed;	/* those of them that this start has skipped */
};

/* The current entry among those of this start (boot/attempts.h). */
struct started_entry {
	bool is_first;
	bool has_next; /* another one is tried if this one is refused */
};

/* What to do if this start is stopped, and the entries that its note names. */
struct stop_policy {
	enum on_mismatch on_mismatch; /* by the purgatory */
	enum on_mismatch at_the_exit;
	struct stopped_entries entries;
};

/*
 * Reads the note that the last start left (common/stop_note.h), deletes it, and warns of its content. Nothing was
 * stopped if there is no note, or if the boot continued. was_stopped and was_reset are also false if the note cannot be
 * deleted.
 */
struct last_stop last_stop_report(void);

/*
 * Refuses an entry that was stopped in the last start, with KEXEC_MISMATCH and a message, if another entry can be
 * tried. The entry is skipped only once, because its note is gone. The last entry of a start is refused as well if the
 * machine was reset after it, and the entry has `on-mismatch reset`: trying it again at once would be a loop. Then the
 * caller returns to the firmware, and the start after this one tries again. The policy is the entry's, because any
 * operating system may have written the note.
 */
enum kexec_status last_stop_check(struct last_stop *last, const struct boot_plan *plan,
				  const struct started_entry *entry);

/*
 * The entry decides what the purgatory does. If the firmware does not end its boot services, the machine is reset, to
 * restore the firmware. If that also happened at the last start, and the entry does not have `on-mismatch reset`, the
 * machine halts instead. The note names this entry and those that were skipped for it, so that a series of stopped
 * starts comes to an end.
 */
struct stop_policy last_stop_policy(const struct last_stop *last, const struct boot_plan *plan,
				    const struct started_entry *entry);

/*
 * Tells the purgatory how to write a note, and what to do when it stops. Warns if it is to reset, but the firmware says
 * that it stores no notes then: the purgatory halts instead.
 */
enum kexec_status last_stop_set_policy(const struct purgatory *purgatory, const struct stop_policy *policy);
