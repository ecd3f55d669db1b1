// SPDX-License-Identifier: BSD-2-Clause
/* The screen as the firmware left it, for those who have no serial line. */
#pragma once

/*
 * Writes ASCII text to the screen that purgatory_screen describes, white on black over what it showed; `\n` ends a
 * line. Long lines go on in the next; what is below the last line is dropped. Does nothing where there is no screen.
 */
void screen_write(const char *text);
