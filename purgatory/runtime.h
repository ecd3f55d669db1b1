// SPDX-License-Identifier: BSD-2-Clause
/* The firmware's runtime services, which remain after the exit. The loader put their table into purgatory_policy. */
#pragma once

#include <stdbool.h>

#include "common/stop_note.h"

/*
 * Writes the note to the non-volatile variable. Returns whether the firmware accepted it. If an exception interrupted a
 * call of the firmware, this does not call it again.
 */
bool firmware_remember(const struct stop_note *note);

/*
 * Resets the machine: by the firmware's service, or by the chipset's register if an exception interrupted the firmware.
 */
_Noreturn void firmware_reset(void);

/* Ends in a shutdown of the CPU, which resets most machines and stops a guest. Defined in start.asm. */
_Noreturn void shut_down(void);
