// SPDX-License-Identifier: BSD-2-Clause
/*
 * Habits in command lines: what other loaders, shells and web pages put there, and Linux takes for something else. All
 * of it reaches Linux as it is written.
 */
#pragma once

#include "boot/stub_options.h"
#include "boot/text.h"

/* What to say of a word, to be put behind a colon; NULL if nothing shows. */
const char *option_habit(const struct stub_parameter *parameter);

/* Whether quotes stand around several words, and all of them, as in a file of rEFInd's. */
bool option_habit_is_quoted(struct text command_line);
