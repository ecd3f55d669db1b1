// SPDX-License-Identifier: BSD-2-Clause
/* What is left of the firmware: its runtime services, at the addresses that the loader put into purgatory_policy. */
#pragma once

#include <stdbool.h>

#include "common/mismatch_note.h"

/* Writes the record to the non-volatile variable. Returns whether the firmware took it. */
bool firmware_remember(const struct mismatch_record *record);

/* Resets the machine, by the firmware's service if it works, else by the chipset's register. */
_Noreturn void firmware_reset(void);
