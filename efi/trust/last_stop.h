// SPDX-License-Identifier: BSD-2-Clause
/* What stopped the last start behind the firmware's back, and what the next one is told to do in such a case. */
#pragma once

#include <stdbool.h>

#include "boot/plan.h"
#include "boot/purgatory.h"
#include "boot/status.h"

/* What the note says, as far as anything follows from it. */
struct last_stop {
	bool was_reset;	  /* the machine was reset after it */
	bool at_the_exit; /* the firmware did not end its boot services */
};

/*
 * Reads the note that the last start left (common/stop_note.h), deletes it, and warns of what it says. All false where
 * there is none, and where the boot went on; was_reset also where the note cannot be deleted.
 */
struct last_stop last_stop_report(void);

/*
 * Any operating system may have written the note, so the policy is the entry's. Where that wants resets (on-mismatch
 * reset), and the machine was reset, to try the entry again at once would be a loop: KEXEC_MISMATCH, with a message;
 * the caller returns to the firmware, and the start after this one tries again.
 */
enum kexec_status last_stop_is_repeated(const struct last_stop *last, const struct boot_plan *plan);

/*
 * What to do where the firmware does not end its boot services. That is a reset, to have the firmware whole again; but
 * where it came to the same the last time, and the entry does not want resets, the machine halts.
 */
enum on_mismatch last_stop_policy_at_exit(const struct last_stop *last, const struct boot_plan *plan);

/*
 * Tells the purgatory how to take a note, and what to do when it stops. Warns where a reset is wanted and the firmware
 * says that it takes no notes then: the purgatory halts instead.
 */
enum kexec_status last_stop_set_policy(const struct purgatory *purgatory, const struct boot_plan *plan);
