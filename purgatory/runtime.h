// SPDX-License-Identifier: BSD-2-Clause
/* What is left of the firmware: its runtime services, whose table the loader put into purgatory_policy. */
#pragma once

#include <stdbool.h>

#include "common/stop_note.h"

/*
 * Writes the note to the non-volatile variable. Returns whether the firmware took it. From within a call of the
 * firmware, which an exception may have ended, nothing is called.
 */
bool firmware_remember(const struct stop_note *note);

/* Resets the machine: by the firmware's service, unless that has raised an exception, else by the chipset's register.
 */
_Noreturn void firmware_reset(void);

/* Ends in a shutdown of the CPU, which resets most machines and stops a guest. In start.asm. */
_Noreturn void shut_down(void);
