// SPDX-License-Identifier: BSD-2-Clause
/* How the purgatory speaks, and how it ends where it does not enter the kernel. */
#pragma once

#include <stdbool.h>

#include "common/stop_note.h"

/* Writes to whoever is looking, wherever that is: serial line and screen. */
void say(const char *text);

/* Whether stop has begun. */
bool is_stopping(void);

/*
 * Leaves `note` for the next start, says what happens now, and resets or halts the machine, as the entry wants it. A
 * reset that nothing remembers would be one of many: without the note the machine halts.
 */
_Noreturn void stop(struct stop_note *note);
