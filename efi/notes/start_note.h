// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reports failed starts to the next system that comes up. The log cannot do that: it is volatile, and only a boot that
 * reaches Linux leaves it. The non-volatile variable KexecStarts, of the vendor in common/vendor.h, holds lines of
 * text. A line has four fields, separated by tabs: the event, the image's path, a line of the log, and the firmware's
 * time. The events:
 *
 *   refused  the entry was refused, for the reason in the line
 *   started  an image that BootOrder does not contain, such as one on trial by BootNext, has left for the kernel
 *   stopped  the purgatory or the firmware stopped the previous start; whose start that was is unknown
 *
 * Memory for such variables wears out. So an ordinary boot writes nothing, a line is not written twice, and the size is
 * limited to START_NOTE_SIZE. `kexec-efi bless` deletes the note. Any operating system can write it. Only one decision
 * depends on it: whether an image is started at once after the trial of another image was stopped.
 */
#pragma once

#include <efi.h>
#include <stdbool.h>

#define START_NOTE_SIZE 1024

/* Call it with our own image before last_stop_report. Without it the others do nothing. */
void start_note_begin(const EFI_LOADED_IMAGE *image);

/*
 * Call it after last_stop_report, whose first message it adds to the note. Returns whether the trial of another image
 * was stopped, as far as the note tells. Then starting this one repeats nothing.
 */
bool start_note_stopped(void);

/* If we are on trial, notes that we are about to leave for the kernel. */
void start_note_started(void);

/* Notes that an entry was refused, with the last line of the log as the reason. */
void start_note_refused(void);
