// SPDX-License-Identifier: BSD-2-Clause
/* The screen as the firmware left it, for users without a serial line. */
#pragma once

/*
 * Writes ASCII text to the screen that purgatory_screen describes, white on black over the old picture; `\n` ends a
 * line. Long lines continue on the next line. Text below the last line is dropped. A no-op without a screen.
 */
void screen_write(const char *text);
