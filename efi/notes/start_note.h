// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the next system to come up is told of a start that did not: the log is volatile, and is left only by a boot that
 * reaches Linux. The non-volatile variable KexecStarts, of the vendor in common/vendor.h, holds lines of text, in each
 * apart by tabs what happened, the image's path, a line of the log, and the firmware's time:
 *
 *   refused  the entry was refused, for the reason in the line
 *   started  an image that BootOrder does not name, as one on trial by BootNext, has left for the kernel
 *   stopped  the purgatory or the firmware stopped the start before this one; whose that was is not known
 *
 * Memory for such variables wears out. So an ordinary boot writes nothing, a line that is there already is not written
 * again, and all of it fits in START_NOTE_SIZE. `kexec-efi bless` takes it away. Any operating system can write it; all
 * that depends on it is whether an image is started at once behind the stopped trial of another.
 */
#pragma once

#include <efi.h>
#include <stdbool.h>

#define START_NOTE_SIZE 1024

/* Call it with our own image before last_stop_report. Without it the others do nothing. */
void start_note_begin(const EFI_LOADED_IMAGE *image);

/*
 * Call it after last_stop_report: if that has said something, it is noted. Returns whether what was stopped is the
 * trial of another image, as far as the note tells: to start this one is then no repetition.
 */
bool start_note_stopped(void);

/* We are about to leave for the kernel. */
void start_note_started(void);

/* We return to the firmware. The last line of the log is why. */
void start_note_refused(void);
