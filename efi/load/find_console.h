// SPDX-License-Identifier: BSD-2-Clause
/* The consoles that the firmware writes to, as words for Linux (boot/serial_console.h). */
#pragma once

#include "boot/serial_console.h"
#include "boot/text.h"

/*
 * The words that `command_line` is to have besides, for serial_console_write: empty where it names a console, and where
 * the firmware writes to none, or to none of which it is certain what Linux calls it; verbose says which. What cannot
 * be found out is no error.
 */
struct text find_console_words(struct text command_line, char ret_words[SERIAL_CONSOLE_SIZE]);
