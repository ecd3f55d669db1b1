// SPDX-License-Identifier: BSD-2-Clause
/* Leaves a note and stops. */
#include "purgatory/stop.h"

#include <stdbool.h>

#include "common/cpu.h"
#include "common/serial.h"
#include "purgatory/framebuffer.h"
#include "purgatory/runtime.h"

static volatile bool has_begun;

bool is_stopping(void)
{
	return has_begun;
}

void say(const char *text)
{
	serial_write(text);
	screen_write(text);
}

_Noreturn void stop(struct stop_note *note)
{
	/* Only once: a second call is for an exception that came during the first. */
	static bool is_remembered;
	static bool has_tried;

	has_begun = true;
	if (!has_tried) {
		has_tried = true;
		note->on_mismatch = (uint32_t)purgatory_policy.on_mismatch;
		note->entries = purgatory_policy.entries;
		is_remembered = firmware_remember(note);
		if (!is_remembered)
			say("purgatory: the firmware did not take a note of this\n");
	}
	if (purgatory_policy.on_mismatch == ON_MISMATCH_RESET && is_remembered) {
		say("purgatory: the kernel was not started; resetting\n");
		firmware_reset();
	}
	say("purgatory: the kernel was not started; halted\n");
	cpu_halt();
}
