// SPDX-License-Identifier: BSD-2-Clause
/* What stopped the last start behind the firmware's back, and what the next one is told to do in such a case. */
#pragma once

#include <stdbool.h>

#include "boot/plan.h"
#include "boot/purgatory.h"
#include "boot/status.h"
#include "common/purgatory_abi.h"

/* How much is kept of what the note says, in bytes with a NUL. */
#define LAST_STOP_WHAT_SIZE 48u

/* What the note says, as far as anything follows from it. */
struct last_stop {
	bool was_stopped; /* the last start was; the note of it is gone */
	bool was_reset;	  /* the machine was reset after it */
	bool at_the_exit; /* the firmware did not end its boot services */
	char what[LAST_STOP_WHAT_SIZE];
	struct stopped_entries entries; /* that were stopped in a row; none: whichever is tried first */
	struct stopped_entries passed;	/* those of them that this start has passed over */
};

/* The entry that is tried, among those of this start (boot/attempts.h). */
struct started_entry {
	bool is_first;
	bool has_next; /* another one is tried where this one is refused */
};

/* What is to be done when this start is stopped, and which entries the note of that is about. */
struct stop_policy {
	enum on_mismatch on_mismatch; /* by the purgatory */
	enum on_mismatch at_the_exit;
	struct stopped_entries entries;
};

/*
 * Reads the note that the last start left (common/stop_note.h), deletes it, and warns of what it says. All false where
 * there is none, and where the boot went on; was_stopped and was_reset also where the note cannot be deleted.
 */
struct last_stop last_stop_report(void);

/*
 * Refuses an entry that was stopped in the last start, KEXEC_MISMATCH with a message, if another entry is tried
 * instead; it is passed over once: the note is gone. The last one of a start is refused as well if the machine was
 * reset after it, and the entry wants resets (on-mismatch reset), since to try it again at once would be a loop: the
 * caller returns to the firmware, and the start after this one tries again. Any operating system may have written the
 * note, so the policy is the entry's.
 */
enum kexec_status last_stop_check(struct last_stop *last, const struct boot_plan *plan,
				  const struct started_entry *entry);

/*
 * What the purgatory does is the entry's to say. Where the firmware does not end its boot services the machine is
 * reset, to have the firmware whole again; but where it came to the same the last time, and the entry does not want
 * resets, it halts. The note is about this entry, and about those that were passed over for it: so that starts which
 * are all stopped come to an end.
 */
struct stop_policy last_stop_policy(const struct last_stop *last, const struct boot_plan *plan,
				    const struct started_entry *entry);

/*
 * Tells the purgatory how to take a note, and what to do when it stops. Warns where a reset is wanted and the firmware
 * says that it takes no notes then: the purgatory halts instead.
 */
enum kexec_status last_stop_set_policy(const struct purgatory *purgatory, const struct stop_policy *policy);
