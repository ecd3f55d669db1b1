// SPDX-License-Identifier: BSD-2-Clause
/* Finds the firmware's consoles, and names them as Linux does (boot/serial_console.h). */
#pragma once

#include "boot/serial_console.h"
#include "boot/text.h"

/*
 * The words to add to `command_line`, for serial_console_write. Empty if the command line names a console, if the
 * firmware writes to none or cannot tell, or if Linux's name of its console is uncertain. Verbose names such a console.
 */
struct text find_console_words(struct text command_line, char ret_words[SERIAL_CONSOLE_SIZE]);
