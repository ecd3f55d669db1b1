// SPDX-License-Identifier: BSD-2-Clause
/* The first serial port, for use when the firmware's console is gone. */
#pragma once

/*
 * Writes `text` to COM1 with the settings that the firmware left, and `\n` as `\r\n`. If there is no such port, or it
 * never gets ready, the text is dropped. This never hangs.
 */
void serial_write(const char *text);
