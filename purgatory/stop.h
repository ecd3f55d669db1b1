// SPDX-License-Identifier: BSD-2-Clause
/* How the purgatory writes messages, and how it ends if it does not enter the kernel. */
#pragma once

#include <stdbool.h>

#include "common/stop_note.h"

/* Writes to both serial line and screen. */
void say(const char *text);

/* Whether stop has begun. */
bool is_stopping(void);

/*
 * Leaves `note` for the next start, prints what happens next, and resets or halts the machine, as the entry says. If
 * the note could not be written, the machine halts instead of resetting, because without a note it could reset for
 * ever.
 */
_Noreturn void stop(struct stop_note *note);
