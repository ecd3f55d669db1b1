// SPDX-License-Identifier: BSD-2-Clause
/* The purgatory's refusals: what it is told to do about them, and what it says of the last one. */
#pragma once

#include "boot/plan.h"
#include "boot/purgatory.h"
#include "boot/status.h"

/*
 * Reports the mismatch that stopped the last start, if one did, and forgets it. Returns KEXEC_MISMATCH where the
 * purgatory reset the machine afterwards: trying the same entry again at once would be a loop, so the caller is to
 * return to the firmware.
 */
enum kexec_status mismatch_report(void);

/* Tells the purgatory how to take a note and what to do after a mismatch. */
enum kexec_status mismatch_set_policy(const struct purgatory *purgatory, const struct boot_plan *plan);
