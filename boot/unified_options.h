// SPDX-License-Identifier: BSD-2-Clause
/*
 * The options and initrds of an entry that names a unified image. A sealed entry, which has the image's digest, adds
 * its options to .cmdline. The options of any other entry replace .cmdline, like load options of systemd-stub
 * (systemd-stub(7), "Description"). The entry's initrds follow those of the image.
 */
#pragma once

#include <stddef.h>

#include "boot/plan.h"
#include "boot/status.h"
#include "boot/unified_image.h"

/*
 * For an image that the platform must vouch for. The signer of a .cmdline has fixed options and initrds. So this
 * refuses an entry that adds either, unless it is sealed. systemd-stub ignores them instead.
 */
enum kexec_status unified_check_additions(const struct boot_plan *plan, const struct unified_image *image);

/* Size of the command line, with its NUL. */
size_t unified_command_line_size(const struct boot_plan *plan, const struct unified_image *image);

/*
 * Settles the command line at `place`, which holds the content of .cmdline, `length` bytes. It becomes one line, with a
 * NUL that is not counted. If .cmdline is replaced, that is logged. *ret_embedded is the part that comes from .cmdline.
 */
struct text unified_command_line(const struct boot_plan *plan, char *place, size_t length, struct text *ret_embedded);

/* Makes the content of a .cmdline one line: control characters become blanks. */
void unified_make_line(char *start, size_t length);
