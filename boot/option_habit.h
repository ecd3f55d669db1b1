// SPDX-License-Identifier: BSD-2-Clause
/*
 * Habits in command lines: words of other loaders, shells and web pages that Linux takes for something else. Linux gets
 * all of them unchanged.
 */
#pragma once

#include "boot/stub_options.h"
#include "boot/text.h"

/* The explanation of a word's habit, for a message behind a colon; NULL: none. */
const char *option_habit(const struct stub_parameter *parameter);

/* Whether one pair of quotes encloses the whole line, which has several words, as in a file of rEFInd's. */
bool option_habit_is_quoted(struct text command_line);
