// SPDX-License-Identifier: BSD-2-Clause
/*
 * What an entry may add to a unified image that it names, or replace in it. A sealed entry, which has the image's
 * digest, adds its options to .cmdline. The options of any other entry replace .cmdline, as load options do for
 * systemd-stub (systemd-stub(7), "Description"). Its initrds follow those of the image.
 */
#pragma once

#include <stddef.h>

#include "boot/plan.h"
#include "boot/status.h"
#include "boot/unified_image.h"

/*
 * For an image that the platform must vouch for. If it has a .cmdline, whoever signed it has decided what it boots
 * with: an entry that is not sealed, and has options or initrds, is refused. systemd-stub goes on without them.
 */
enum kexec_status unified_check_additions(const struct boot_plan *plan, const struct unified_image *image);

/* Room for the command line, with its NUL. */
size_t unified_command_line_size(const struct boot_plan *plan, const struct unified_image *image);

/*
 * Settles the command line at `place`, where the content of .cmdline lies, `length` bytes of it. It becomes one line,
 * with a NUL that is not counted. If .cmdline is replaced, that is logged. *ret_embedded is what it has of .cmdline.
 */
struct text unified_command_line(const struct boot_plan *plan, char *place, size_t length, struct text *ret_embedded);

/* The content of a .cmdline as one line: other control characters than blanks become blanks. */
void unified_make_line(char *start, size_t length);
