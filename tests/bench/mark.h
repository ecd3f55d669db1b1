// SPDX-License-Identifier: BSD-2-Clause
/* Marks that tests/bench/plugin.c recognises: an instruction that does nothing, and that no other code contains. */
#pragma once

#define MARK_LOAD 1  /* a loader begins to be loaded */
#define MARK_START 2 /* a loader is started */
#define MARK_READ 3  /* tests/bench/floor.c begins to read */
#define MARK_READ_END 4
#define MARK_KERNEL 5 /* tests/bench/measure.py's kernel has been entered */

/* nopl over an address that spells KXM and a number; tests/bench/patterns.py looks for the same bytes. */
#define MARK_TEXT(number) #number
#define MARK(number) __asm__ volatile(".byte 0x0f, 0x1f, 0x80, 'K', 'X', 'M', " MARK_TEXT(number))
