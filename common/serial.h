// SPDX-License-Identifier: BSD-2-Clause
/* The first serial port, for the time when the firmware's console is gone. */
#pragma once

/*
 * Writes `text` to COM1 as the firmware left it set up, `\n` as `\r\n`. Where there is no such port, or one that
 * never gets ready, the text is dropped: this never hangs.
 */
void serial_write(const char *text);
